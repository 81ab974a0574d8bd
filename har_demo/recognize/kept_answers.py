"""Scores on disk as they come, so that an evaluation that was interrupted goes on where it was.

A CSV file with a row for each clip of each model: the model, the hash of its weights, the key of the
evaluation set ('material' in the file's head, as files of before have it), the clip, and the probabilities
forwards and backwards, with blanks between.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har_demo.errors import ChoiceError

COLUMNS = ("model", "weights", "material", "clip", "forwards", "backwards")

Key = tuple[str, str, str, str]
"""The first four columns."""


@dataclass(frozen=True)
class KeptAnswer:
    """Probabilities for a clip, float32 [classes], and for the clip played from its end or None."""

    forwards: np.ndarray
    backwards: np.ndarray | None = None


def read(file: Path) -> dict[Key, KeptAnswer]:
    """The answers of a file, but for rows that were cut short; none when there is no file.

    Raises:
        ChoiceError: the file is something else.
    """
    if not file.exists():
        return {}
    answers: dict[Key, KeptAnswer] = {}
    try:
        with open(file, encoding="utf-8", newline="") as opened:
            table = csv.reader(opened)
            if tuple(next(table, COLUMNS)) != COLUMNS:
                raise ValueError("another table")
            for row in table:
                # The last column ends with a semicolon: without it the row was cut short.
                if len(row) == len(COLUMNS) and row[5].endswith(";"):
                    model, weights, material, clip, forwards, backwards = row
                    back = _numbers(backwards[:-1]) if backwards != ";" else None
                    answers[model, weights, material, clip] = KeptAnswer(_numbers(forwards), back)
    except (OSError, ValueError, csv.Error) as error:
        raise ChoiceError(
            f"'{file.name}' does not hold answers of an earlier call: move it away."
        ) from error
    return answers


def write(file: Path, answers: dict[Key, KeptAnswer]) -> None:
    """Make the file hold these answers: what `append` adds to is then free of rows cut short."""
    part = file.with_name(f"{file.name}.new")
    with open(part, "w", encoding="utf-8", newline="") as opened:
        table = csv.writer(opened, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(_row(key, answer) for key, answer in answers.items())
    os.replace(part, file)


def append(file: Path, key: Key, answer: KeptAnswer) -> None:
    """Add an answer to a file that `write` made."""
    with open(file, "a", encoding="utf-8", newline="") as opened:
        csv.writer(opened, lineterminator="\n").writerow(_row(key, answer))


def rounded(scores: np.ndarray) -> np.ndarray:
    """Probabilities as the file keeps them, so that an answer is the same whether read or asked anew."""
    return _numbers(_words(scores))


def _row(key: Key, answer: KeptAnswer) -> tuple[str, ...]:
    back = "" if answer.backwards is None else _words(answer.backwards)
    return (*key, _words(answer.forwards), f"{back};")


def _words(scores: np.ndarray) -> str:
    return " ".join(f"{score:.6g}" for score in scores)


def _numbers(words: str) -> np.ndarray:
    return np.array(words.split(), dtype=np.float32)
