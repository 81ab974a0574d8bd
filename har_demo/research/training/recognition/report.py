"""What a finished run leaves behind: its row of figures, its confusions and its curve, all as CSV."""

import csv
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from torch import nn

from har_demo.labels import EVERYDAY
from har_demo.models.card import ModelCard
from har_demo.research.training.recognition.data import VideoDataset
from har_demo.research.training.recognition.score import (
    accuracies,
    calibration_error,
    confusion,
    order_accuracy,
    probabilities,
    reversed_accuracy,
)
from har_demo.research.training.recognition.train import Run

COLUMNS = ("model", "input", "start", "split", "seed", "dataset", "metric", "value", "clips")
START = "scratch"


def measure(
    network: nn.Module, card: ModelCard, run: Run, tests: dict[str, VideoDataset], folder: Path
) -> list[dict]:
    """Score a network on every test set; the rows, which also go to `folder`, with the confusions.

    Writes metrics.csv (columns COLUMNS) and confusion-SET.csv: clips of the row's class answered as the
    column's, of the classes that occur.
    """
    spec = replace(card.input, modality=run.input)
    row = partial(row_of, run, start_of(card))
    rows = [row("", "parameters", sum(p.numel() for p in network.parameters()), 0)]
    if card.gmacs is not None:
        rows.append(row("", "gmacs", card.gmacs, 0))
    for name, footage in tests.items():
        scores = probabilities(network, spec, footage)
        backwards = probabilities(network, spec, footage, backwards=True)
        labels = footage.labels.cpu().numpy()
        rows += [row(name, *figure) for figure in figures(scores, backwards, labels)]
        _write_confusion(folder / f"confusion-{name}.csv", confusion(scores, labels))
    write_rows(folder / "metrics.csv", COLUMNS, rows)
    return rows


def figures(
    scores: np.ndarray, backwards: np.ndarray, labels: np.ndarray
) -> list[tuple[str, float, int]]:
    """Metric, value and of how many clips; a metric that no clip is of is left out."""
    counted = accuracies(scores, labels) | {"ece": calibration_error(scores, labels)}
    found = [(metric, value, len(labels)) for metric, value in counted.items()]
    found.append(("order", *order_accuracy(scores, labels)))
    found.append(("reversed_top1", *reversed_accuracy(backwards, labels)))
    return [figure for figure in found if figure[1] == figure[1]]


def start_of(card: ModelCard) -> str:
    """What its training begins from: START, unless its network is built with an image network's weights."""
    return "ImageNet" if card.weights else START


def write_rows(file: Path, columns: tuple[str, ...], rows: Iterable[dict]) -> None:
    """A CSV file with a head."""
    with open(file, "w", encoding="utf-8", newline="") as opened:
        table = csv.DictWriter(opened, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def read_rows(file: Path) -> list[dict]:
    """The rows of a CSV file as dictionaries of strings."""
    with open(file, encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def run_of(row: dict) -> Run:
    """Whose row of figures it is."""
    return Run(row["model"], row["input"], int(row["seed"]), row["split"])


def row_of(run: Run, start: str, dataset: str, metric: str, value: float, clips: int) -> dict:
    """A row of a table with COLUMNS."""
    return {
        "model": run.model,
        "input": run.input,
        "start": start,
        "split": run.split,
        "seed": run.seed,
        "dataset": dataset,
        "metric": metric,
        "value": round(value, 4),
        "clips": clips,
    }


def _write_confusion(file: Path, counts: np.ndarray) -> None:
    occurs = np.flatnonzero(counts.sum(1))
    rows = [
        {"class": EVERYDAY[label]} | dict(zip(EVERYDAY, counts[label].tolist(), strict=True))
        for label in occurs
    ]
    write_rows(file, ("class", *EVERYDAY), rows)
