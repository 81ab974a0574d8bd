"""The tables that a finished run leaves behind: its figures, its confusions and its curve, all as CSV."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from torch import nn

from har_demo.labels import EVERYDAY
from har_demo.models.card import ModelCard
from har_demo.recognize.metrics import (
    accuracies,
    calibration_error,
    confusion,
    order_accuracy,
    reversed_accuracy,
)
from har_demo.research.training.recognition.data import VideoDataset
from har_demo.research.training.recognition.score import probabilities
from har_demo.research.training.recognition.train import Run
from har_demo.tables.measured import COLUMNS, CONFUSION_COLUMNS, CURVE_COLUMNS, start_of
from har_demo.tables.rows import write_rows


def measure(
    network: nn.Module, card: ModelCard, run: Run, tests: dict[str, VideoDataset], folder: Path
) -> list[dict]:
    """Score a network on every test set; return the rows of its figures.

    Writes metrics.csv (COLUMNS of har_demo.tables.measured) and confusion.csv (CONFUSION_COLUMNS) to `folder`.
    """
    spec = replace(card.input, modality=run.input)
    row = partial(row_of, run, start_of(card))
    rows = [row("", "parameters", sum(p.numel() for p in network.parameters()), 0)]
    if card.gmacs is not None:
        rows.append(row("", "gmacs", card.gmacs, 0))
    confused = []
    for name, footage in tests.items():
        scores = probabilities(network, spec, footage)
        backwards = probabilities(network, spec, footage, backwards=True)
        labels = footage.labels.cpu().numpy()
        rows += [row(name, *figure) for figure in figures(scores, backwards, labels)]
        confused += _confusion_rows(run, name, confusion(scores, labels))
    write_rows(folder / "metrics.csv", COLUMNS, rows)
    write_rows(folder / "confusion.csv", CONFUSION_COLUMNS, confused)
    return rows


def figures(
    scores: np.ndarray, backwards: np.ndarray, labels: np.ndarray
) -> list[tuple[str, float, int]]:
    """Return (metric, value, number of clips); a metric that applies to no clip is left out."""
    counted = accuracies(scores, labels) | {"ece": calibration_error(scores, labels)}
    rows = [(metric, value, len(labels)) for metric, value in counted.items()]
    rows.append(("order", *order_accuracy(scores, labels)))
    rows.append(("reversed_top1", *reversed_accuracy(backwards, labels)))
    return [figure for figure in rows if figure[1] == figure[1]]


def write_curve(log: Path, run: Run, file: Path) -> None:
    """Write the log of a training, lines of stage,step,loss,seconds, as a table with CURVE_COLUMNS."""
    names = CURVE_COLUMNS[-4:]
    points = (line.split(",") for line in log.read_text(encoding="utf-8").split())
    points = [_columns_of(run) | dict(zip(names, point, strict=True)) for point in points]
    write_rows(file, CURVE_COLUMNS, points)


def run_of(row: dict) -> Run:
    """Return the run that a row of figures is of."""
    return Run(row["model"], row["input"], int(row["seed"]), row["split"])


def row_of(run: Run, start: str, dataset: str, metric: str, value: float, clips: int) -> dict:
    """Return a row of a table with COLUMNS."""
    return _columns_of(run) | {
        "start": start,
        "dataset": dataset,
        "metric": metric,
        "value": round(value, 4),
        "clips": clips,
    }


def _columns_of(run: Run) -> dict:
    return {"model": run.model, "input": run.input, "seed": run.seed, "split": run.split}


def _confusion_rows(run: Run, dataset: str, counts: np.ndarray) -> list[dict]:
    return [
        _columns_of(run)
        | {
            "dataset": dataset,
            "true": EVERYDAY[true],
            "predicted": EVERYDAY[predicted],
            "count": int(counts[true, predicted]),
        }
        for true, predicted in np.argwhere(counts)
    ]
