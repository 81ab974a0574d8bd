"""Kept answers: one Parquet file per run, a row for each clip of each model.

    Outcome ──rows──▶ ANSWERS.parquet ──read──▶ Answers ──▶ figures, paired tests (har_demo.tables.statistics)

Scores are float16 lists, so that 250,000 clips of 400 classes take 200 MB. What the rows cannot say for
themselves stands in the file's metadata: the classes of each model, and how long the whole list of clips is,
which `merge` compares. Clips that could not be read are rows, too, with the sentence that says why.

Parquet is written with pyarrow (extra [answers]), the one library that knows half-precision lists and that
pandas still supports; nothing that is served imports it.
"""

import hashlib
import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from har_demo import assets
from har_demo.errors import ChoiceError
from har_demo.recognize.eval_set import EvalClip
from har_demo.recognize.evaluate import Outcome
from har_demo.weights import shipped

COLUMNS = (
    *("clip", "dataset", "group", "model", "seed", "split", "weights", "code", "views"),
    *("true", "predicted", "scores", "problem"),
)
"""Columns of the file; all are words but `scores`, a list of float16, one for each class of the model."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Answers:
    """The rows of one file, or of several that were merged.

    Attributes:
        rows: dictionaries of COLUMNS; `scores` is float32 [classes], or None where there is a problem.
        classes: model → its classes.
        clips: model → how many clips the whole list has, of which a file may hold a part.
        lists: model → a hash of the names of these clips.
    """

    rows: tuple[Row, ...]
    classes: dict[str, tuple[str, ...]]
    clips: dict[str, int]
    lists: dict[str, str]


def rows(outcome: Outcome, seed: str = "", split: str = "") -> list[dict]:
    """Return a row for each clip that a model was asked about.

    Args:
        outcome: its answers.
        seed, split: of its training; those of the shipped file where none is given.
    """
    target = outcome.target
    classes = target.card.classes
    entry = shipped.entry(target.card.name) if target.provenance.source == "shipped" else None
    common = {
        "model": target.card.name,
        "seed": seed or str(entry["seed"] if entry else ""),
        "split": split or (entry["split"] if entry else ""),
        "weights": target.provenance.sha256,
        "code": code_version(),
        "views": target.views().strip(),
    }
    scores = dict(zip((clip.name for clip in outcome.clips), outcome.forwards, strict=True))
    problems = iter(outcome.problems)  # of the other clips, in the set's order
    table = []
    for clip in target.eval_set.clips:
        own = scores.get(clip.name)
        table.append(
            common
            | {
                "clip": clip.name,
                "dataset": clip.dataset,
                "group": clip.group,
                "true": classes[clip.label],
                "predicted": "" if own is None else classes[int(own.argmax())],
                "scores": own,
                "problem": next(problems).removeprefix(f"{clip.name}: ") if own is None else "",
            }
        )
    return table


def of_outcomes(
    outcomes: Sequence[Outcome], whole: Mapping[str, Sequence[EvalClip]] | None = None
) -> Answers:
    """Return the answers of some models.

    Args:
        outcomes: a model each.
        whole: model → all clips of the list, where the outcomes are of a part of it.
    """
    names = {
        one.target.card.name: [
            clip.name for clip in (whole or {}).get(one.target.card.name, one.target.eval_set.clips)
        ]
        for one in outcomes
    }
    return Answers(
        rows=tuple(row for one in outcomes for row in rows(one)),
        classes={one.target.card.name: tuple(one.target.card.classes) for one in outcomes},
        clips={model: len(clips) for model, clips in names.items()},
        lists={model: list_hash(clips) for model, clips in names.items()},
    )


def write(file: Path, answers: Answers) -> None:
    """Write a Parquet file, which is complete as soon as it has its name.

    Raises:
        ChoiceError: pyarrow is not installed.
    """
    pa, parquet = arrow()
    facts = {"classes": answers.classes, "clips": answers.clips, "lists": answers.lists}
    fields = [
        pa.field(name, pa.list_(pa.float16()) if name == "scores" else pa.string())
        for name in COLUMNS
    ]
    schema = pa.schema(fields, metadata={"har_demo": json.dumps(facts)})
    columns = {
        name: [row[name] for row in answers.rows] for name in COLUMNS if name != "scores"
    } | {
        "scores": [
            None if row["scores"] is None else np.asarray(row["scores"], np.float16)
            for row in answers.rows
        ]
    }
    part = file.with_name(f"{file.name}.new")
    parquet.write_table(pa.table(columns, schema=schema), part, compression="zstd")
    part.replace(file)


def read(file: Path) -> Answers:
    """Read a file of `write`.

    Raises:
        ChoiceError: pyarrow is not installed, or the file is another one.
    """
    pa, parquet = arrow()
    try:
        table = parquet.read_table(file)
        facts = json.loads(table.schema.metadata[b"har_demo"])
        found = table.select(COLUMNS).to_pylist()
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
        raise ChoiceError(
            f"'{file.name}' holds no kept answers: give a .parquet file that `evaluate --answers` has written."
        ) from error
    for row in found:
        if row["scores"] is not None:
            row["scores"] = np.array(row["scores"], np.float32)
    return Answers(
        tuple(found),
        {model: tuple(names) for model, names in facts["classes"].items()},
        facts["clips"],
        facts["lists"],
    )


def merge(parts: Sequence[Answers]) -> Answers:
    """Join the parts of one evaluation, as `evaluate --shard` leaves them.

    Raises:
        ChoiceError: the parts are of different lists, weights or views, or a clip is missing or double; the
            sentence names some.
    """
    if not parts:
        raise ChoiceError("There is nothing to merge: give the .parquet file of every shard.")
    first = parts[0]
    if any((one.classes, one.lists) != (first.classes, first.lists) for one in parts):
        raise ChoiceError(
            "These files are of different models or lists of clips: give the shards of one evaluation."
        )
    every = [row for one in parts for row in one.rows]
    for model in first.classes:
        own = [row for row in every if row["model"] == model]
        if len({(row["weights"], row["views"]) for row in own}) > 1:
            raise ChoiceError(
                f"The answers of {model} are of different weights or views: give the shards of one evaluation."
            )
        count = Counter(row["clip"] for row in own)
        if double := sorted(clip for clip, times in count.items() if times > 1):
            raise ChoiceError(
                f"{model} answered twice about {len(double)} clips, such as {double[0]}: give each shard once."
            )
        if missing := first.clips[model] - len(count):
            raise ChoiceError(
                f"{model} has no row for {missing} of {first.clips[model]} clips: evaluate the shards that "
                "are missing, then merge again."
            )
        if list_hash(sorted(count)) != first.lists[model]:
            raise ChoiceError(
                f"The clips of {model} are not those of its list: give the shards of one evaluation."
            )
    every.sort(key=lambda row: (row["model"], row["clip"]))
    return Answers(tuple(every), first.classes, first.clips, first.lists)


def list_hash(clips: Iterable[str]) -> str:
    """Return a hash of some clips' names, whatever their order."""
    return hashlib.sha256("\n".join(sorted(clips)).encode()).hexdigest()


@cache
def code_version() -> str:
    """Return the commit of the code, '-dirty' where files were changed; the package's version without a repository."""
    try:
        done = subprocess.run(
            ["git", "-C", assets.ROOT, "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        return done.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return metadata.version("har-demo")


def arrow() -> tuple[Any, Any]:
    """Return pyarrow and its Parquet module.

    Raises:
        ChoiceError: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ChoiceError(
            "Answers are kept as Parquet, which needs pyarrow: run `pip install 'pyarrow>=17,<28'`."
        ) from error
    return pyarrow, parquet
