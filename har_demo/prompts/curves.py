"""Measured gain of learned prompts with few clips a class: results/measured/prompting_fewshot.csv."""

import csv
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from har_demo import assets

FILE = assets.MEASURED / "prompting_fewshot.csv"
GUESSING = 100 / 39


@dataclass(frozen=True)
class FewShotPoint:
    """Top-1 in percent of one method at so many clips a class, over several seeds.

    Attributes:
        method: 'class name', 'templates' or 'learned prompts'.
        tested_on: 'rendered' or 'real'.
        shots: clips of each class that were learned from, 0 for none.
        clips: tested.
        mean, low, high: over the seeds.
        seeds: how many.
    """

    method: str
    tested_on: str
    shots: int
    clips: int
    mean: float
    low: float
    high: float
    seeds: int


def shots(file: Path = FILE) -> list[FewShotPoint]:
    """Every method at every number of clips, in the order of the file."""
    with file.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    keys = ("method", "tested_on", "shots", "clips")
    groups: dict[tuple, list[float]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(float(row["top1"]))
    return [
        FewShotPoint(
            method, on, int(count), int(clips), mean(top1), min(top1), max(top1), len(top1)
        )
        for (method, on, count, clips), top1 in groups.items()
    ]
