"""Figures of kept answers, each with its intervals and with what guessing would get."""

from collections.abc import Sequence

import numpy as np

from har_demo.errors import ChoiceError
from har_demo.recognize.answer_table import Answers, Row
from har_demo.recognize.metrics import accuracies
from har_demo.tables.statistics import (
    Compared,
    compared_with_best,
    confidence_interval,
    group_interval,
    guessing,
)

COLUMNS = (
    *("model", "dataset", "clips", "unread", "groups", "classes", "guessing"),
    *("top1", "low", "high", "group_low", "group_high", "top5", "class_mean", "top1_among"),
)
"""Columns of the figures: low and high are Wilson's 95 % interval by clip, group_low and group_high the
bootstrap's by place or person, empty where there is one group or none is known."""


def figures(answers: Answers) -> list[dict]:
    """Return a row of COLUMNS for each model and data set; clips that were not read count as no clips."""
    table = []
    for model, classes in answers.classes.items():
        own = [row for row in answers.rows if row["model"] == model]
        for dataset in sorted({row["dataset"] for row in own}):
            every = [row for row in own if row["dataset"] == dataset]
            read = [row for row in every if row["scores"] is not None]
            row = {"model": model, "dataset": dataset, "clips": len(read)}
            row |= {"unread": len(every) - len(read)}
            table.append(row | (_counted(read, classes) if read else {}))
    return table


def _counted(rows: Sequence[Row], classes: Sequence[str]) -> dict:
    number = {name: label for label, name in enumerate(classes)}
    labels = np.array([number[row["true"]] for row in rows])
    scores = np.stack([row["scores"] for row in rows])
    right = right_of(rows)
    groups = [row["group"] for row in rows]
    known = {group for group in groups if group}
    low, high = confidence_interval(int(right.sum()), len(right))
    by_group = group_interval(right, groups) if known else None
    values = accuracies(scores, labels) | {"top1": 100 * float(right.mean())}
    values |= {"low": low, "high": high, "guessing": guessing(labels.tolist())}
    if by_group:
        values |= {"group_low": by_group[0], "group_high": by_group[1]}
    counts = {"groups": len(known) or "", "classes": len(set(labels.tolist()))}
    return counts | {name: round(value, 2) for name, value in values.items()}


def right_of(rows: Sequence[Row]) -> np.ndarray:
    """Return bool [rows]: whether the class that was predicted is the true one."""
    return np.array([row["predicted"] == row["true"] for row in rows])


def compared(answers: Answers, dataset: str) -> tuple[Compared, ...]:
    """Compare the models on the clips of a data set that all of them read, the best first.

    Raises:
        ChoiceError: there are no such clips.
    """
    by_model = {
        model: {
            row["clip"]: row
            for row in answers.rows
            if (row["model"], row["dataset"]) == (model, dataset) and row["scores"] is not None
        }
        for model in answers.classes
    }
    shared = sorted(set.intersection(*(set(own) for own in by_model.values())))
    if not shared:
        raise ChoiceError("The models have no clip in common: compare those of one evaluation.")
    right = {model: right_of([own[c] for c in shared]) for model, own in by_model.items()}
    first = next(iter(by_model.values()))
    return compared_with_best(right, [first[clip]["group"] for clip in shared])
