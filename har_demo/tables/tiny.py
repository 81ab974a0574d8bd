"""The tiny models' figures, results/measured/tiny.csv, as rows like the published ones.

Size and cost are our counter's, so that printed ones stay empty. Runs that differ in nothing but
their seed are averaged.
"""

from functools import cache
from pathlib import Path
from statistics import fmean

from har_demo import assets
from har_demo.models.registry import cards
from har_demo.tables.datasets import TEST_SETS
from har_demo.tables.published import COLUMNS, PublishedRow
from har_demo.tables.rows import read_rows

TABLE = assets.MEASURED / "tiny.csv"

METRICS = {
    "top1": "top-1",
    "top5": "top-5",
    "class_mean": "mean of the classes",
    "top1_among": "top-1 among the set's own classes",
    "order": "pairs that only order tells apart",
}
"""Metrics that are compared, by their name in the table; all are percent."""


@cache
def load(path: Path = TABLE) -> tuple[PublishedRow, ...]:
    """Return a row for every model, input, test set and metric, in the table's order."""
    runs: dict[tuple[str, ...], list[tuple[int, dict]]] = {}
    for number, cells in enumerate(read_rows(path), 2):
        key = tuple(cells[c] for c in ("model", "input", "start", "split", "dataset", "metric"))
        runs.setdefault(key, []).append((number, cells))

    def mean(*key: str) -> float | None:
        own = runs.get(key)
        return fmean(float(cells["value"]) for _, cells in own) if own else None

    rows = []
    for key, own in runs.items():
        model, modality, start, split, dataset, metric = key
        if metric not in METRICS or model not in cards() or dataset not in TEST_SETS:
            continue
        card = cards()[model]
        test_set = TEST_SETS[dataset]
        gmacs, parameters = (
            mean(model, modality, start, split, "", name) for name in ("gmacs", "parameters")
        )
        seeds = len(own)
        cells = dict.fromkeys(COLUMNS, "") | {
            "method": card.title,
            "model": model,
            "family": card.family,
            "year": str(card.year),
            "data set": test_set.title,
            "split": test_set.split.partition(" (")[0],
            "metric": METRICS[metric],
            "value": f"{mean(*key):.1f}",
            "input": f"{card.input.frames} × {card.input.crop[0]}",
            "modality": modality,
            "pre-training": "none" if start == "scratch" else start,
            "source": "measured here",
            "place": f"results/measured/tiny.csv, line {own[0][0]}",
            "status": "measured",
            "counted as": f"{model}, {card.input.frames} × {card.input.crop[0]}, 39 classes",
            "counted parameters (M)": "" if parameters is None else f"{parameters / 1e6:.2f}",
            "counted cost (G)": "" if gmacs is None else f"{gmacs:.3f}",
            "note": f"{own[0][1]['clips']} clips, mean of {seeds} seeds."
            if seeds > 1
            else f"{own[0][1]['clips']} clips, one seed.",
        }
        rows.append(PublishedRow("tiny", own[0][0], tuple(cells.values())))
    return tuple(rows)
