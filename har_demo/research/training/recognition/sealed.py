"""The log of when the test was opened, with what: results/measured/test_log.csv.

A line is written before the first test clip is read, one for each model, so that a call that fails has opened
the test, too.
"""

import csv
import datetime
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from har_demo.recognize.answer_table import code_version
from har_demo.recognize.evaluate import EvalTarget

COLUMNS = ("date", "code", "model", "weights", "clips", "answers", "command")


def note_opening(
    file: Path, targets: Sequence[EvalTarget], answers: Path, command: Sequence[str] | None = None
) -> None:
    """Append a row of COLUMNS for each model to the log.

    Args:
        file: the log; it is begun where there is none.
        targets: models, weights and test clips.
        answers: where the answers will be.
        command: what was called; this process's arguments by default.
    """
    words = shlex.join(sys.argv[1:] if command is None else command)
    new = not file.exists()
    with open(file, "a", encoding="utf-8", newline="") as opened:
        table = csv.writer(opened, lineterminator="\n")
        if new:
            table.writerow(COLUMNS)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        for target in targets:
            table.writerow(
                (
                    *(now, code_version(), target.card.name, target.provenance.sha256),
                    *(len(target.eval_set.clips), answers.name, words),
                )
            )
