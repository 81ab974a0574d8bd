"""Scores of the tiny models, read from the tables that training writes.

    results/measured/tiny.csv ──▶ entries: a model with its input, figures over seeds
    results/measured/tiny_times.csv ──▶ times: milliseconds a view, by machine
    results/measured/confusion.csv ──▶ confusion: clips of one class predicted as another
    results/measured/curves.csv ──▶ curves: the loss over the steps of training

Nothing here is typed in: a model that is trained later, or a second seed, shows as soon as the tables
have it.
"""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from har_demo import assets
from har_demo.errors import ChoiceError
from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.models.card import ModelCard
from har_demo.tables.ablations import SPLIT, is_variation
from har_demo.tables.datasets import TITLES
from har_demo.tables.rows import kept_rows, state
from har_demo.tables.statistics import confidence_interval

FOLDER = assets.MEASURED

RUN = ("model", "input", "seed", "split")
"""The columns that name one training; see har_demo.research.training.recognition.train.Run."""

COLUMNS = ("model", "input", "start", "split", "seed", "dataset", "metric", "value", "clips")
"""Columns of tiny.csv: one figure of one training. `start` is what it began from, `value` percent or a number."""

START = "scratch"
"""The `start` of a network that began with random parameters."""

CONFUSION_COLUMNS = (*RUN, "dataset", "true", "predicted", "count")
"""Columns of confusion.csv: how many clips of a class were predicted as another; counts of 0 are left out."""

CURVE_COLUMNS = (*RUN, "stage", "step", "loss", "seconds")
"""Columns of curves.csv: the loss on a batch, and seconds since the run began."""

TIME_COLUMNS = ("model", "machine", "threads", "precision", "milliseconds")
"""Columns of tiny_times.csv."""

METRICS = {
    "top1": ("top-1", "how often the likeliest class was the right one of 39"),
    "top5": ("top-5", "how often the right class was among the five likeliest"),
    "class_mean": ("mean per class", "top-1, every class counting the same"),
    "order": (
        "order in time",
        "of clips that differ from another class only in the order of time, such as sitting down and "
        "standing up, how often the right one scored above the other: ignoring order gives half",
    ),
    "reversed_top1": (
        "reversed clips",
        "top-1 on clips played from their end, where the action then has a name",
    ),
    "ece": (
        "calibration error",
        "expected difference between confidence and accuracy, in points: lower is better",
    ),
}
"""Metric → a short name and a definition; all in percent."""

AVERAGE, SVM = "two_stream_lab.average", "two_stream_lab.svm"
FUSED = {AVERAGE: "averaged", SVM: "by an SVM"}
"""Two finished networks whose scores are joined: no training of their own, but systems of the lecture."""

INPUTS = {"rgb": "on frames", "difference": "on differences"}
"""A model's input in words, where it is not plain frames or not its card's."""

LOWER_IS_BETTER = frozenset({"ece"})

SEEDS_FOR_SPREAD = 3
"""Trainings from which a deviation between seeds is shown."""

COUNTED = frozenset({"top1", "top5", "order", "reversed_top1"})
"""Shares of clips: the fewer there are, the wider is the confidence interval."""


@dataclass(frozen=True)
class Figure:
    """A metric on a test set, over seeds.

    Attributes:
        mean: percent.
        spread: the standard deviation between seeds; None under SEEDS_FOR_SPREAD, of which two often agree by chance.
        seeds: number of trainings.
        clips: number of clips it was counted on.
    """

    mean: float
    spread: float | None
    seeds: int
    clips: int

    def words(self) -> str:
        """'71.2 ± 0.8', without a deviation where there are few seeds."""
        return f"{self.mean:.1f}" + (f" ± {self.spread:.1f}" if self.spread is not None else "")

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of a share of so many clips, in percent."""
        return confidence_interval(round(self.mean * self.clips / 100), self.clips)


@dataclass(frozen=True)
class MeasuredRow:
    """One tiny model with one input, and its scores.

    Attributes:
        model: name of its card.
        input: modality it reads: 'rgb', 'difference', 'flow' or 'rgb+flow'.
        start: parameters its training began from.
        title, family, year: the card's, the title without its size and with its input where that tells.
        seeds: of its trainings.
        parameters, gmacs: of the network; gmacs None for what is no network.
        figures: (test set, metric) → Figure.
    """

    model: str
    input: str
    start: str
    title: str
    family: str
    year: int
    seeds: tuple[int, ...]
    parameters: int
    gmacs: float | None
    figures: dict[tuple[str, str], Figure]

    @property
    def card(self) -> ModelCard:
        return registry.card(self.model.split(".")[0])

    @property
    def key(self) -> str:
        """'tsm_lab' or, where the input is not the card's own, 'i3d_lab-difference'."""
        own = self.card.input.modality
        return self.model if self.input == own else f"{self.model}-{self.input}"


def start_of(card: ModelCard) -> str:
    """Return START, or 'ImageNet' where the network is built with an image network's weights."""
    return "ImageNet" if card.weights else START


def entries(folder: Path | None = None) -> tuple[MeasuredRow, ...]:
    """Return every tiny model that was trained as it is, in the registry's order; variations are left out.

    Args:
        folder: with tiny.csv; the project's own when None.

    Raises:
        ValueError: tiny.csv is not as it should be; the message names the file and the line.
    """
    table = (folder or FOLDER) / "tiny.csv"
    return _entries(table, *state(table)) if table.exists() else ()


def entry(key: str, folder: Path | None = None) -> MeasuredRow:
    """Return the entry of a key, or of a model's name where it has one input.

    Raises:
        ChoiceError: there is none; the sentence says whether there is such a model at all.
    """
    known = entries(folder)
    for row in known:
        if key in (row.key, f"{row.model}-{row.input}"):
            return row
    for row in known:
        if key == row.model:
            return row
    title = registry.card(str(key).split("-")[0].split(".")[0]).title
    raise ChoiceError(f"{title} was not trained here, so that there is nothing measured of it.")


def times(folder: Path | None = None) -> dict[str, dict[str, float]]:
    """Return milliseconds of one view through each network alone, by machine and model.

    >>> times()["NVIDIA H200"]["tsm_lab"]
    2.93
    """
    by_machine: dict[str, dict[str, float]] = {}
    for row in kept_rows((folder or FOLDER) / "tiny_times.csv"):
        threads = "" if row["precision"] == "bfloat16" else f", {row['threads']} threads"
        machine = by_machine.setdefault(row["machine"] + threads, {})
        machine[row["model"]] = float(row["milliseconds"])
    return by_machine


@lru_cache(4)
def _entries(table: Path, *changed: int) -> tuple[MeasuredRow, ...]:
    runs: dict[tuple[str, str], list[dict]] = {}
    for line, row in enumerate(kept_rows(table), start=2):
        try:
            figures = {
                "value": float(row["value"]),
                "clips": int(row["clips"]),
                "seed": int(row["seed"]),
            }
            if not np.isfinite(figures["value"]):
                raise ValueError(f"{row['value']} is no figure")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{table}, line {line}: {error}") from error
        model = row["model"]
        known = model.split(".")[0] in registry.cards()
        if known and row["split"] == SPLIT and (model in FUSED or not is_variation(model)):
            runs.setdefault((model, row["input"]), []).append(row | figures)
    order = list(registry.cards())
    keys = sorted(runs, key=lambda key: (order.index(key[0].split(".")[0]), key))
    return tuple(_entry(*key, runs[key]) for key in keys)


def _entry(model: str, modality: str, rows: list[dict]) -> MeasuredRow:
    card = registry.card(model.split(".")[0])
    title = card.title.removesuffix(" (tiny)")
    plain = modality == card.input.modality and modality != "difference"
    apart = FUSED.get(model, "" if plain else INPUTS.get(modality, modality))
    values: dict[tuple[str, str], list[dict]] = {}
    for row in rows:
        values.setdefault((row["dataset"], row["metric"]), []).append(row)

    def size(metric: str) -> float | None:
        stated = values.get(("", metric))
        return stated[0]["value"] if stated else None

    return MeasuredRow(
        model=model,
        input=modality,
        start=rows[0]["start"],
        title=f"{title}, {apart}" if apart else title,
        family=card.family,
        year=card.year,
        seeds=tuple(sorted({row["seed"] for row in rows})),
        parameters=round(size("parameters") or card.parameters or 0),
        gmacs=size("gmacs"),
        figures={key: _figure(own) for key, own in values.items() if key[0]},
    )


def _figure(rows: list[dict]) -> Figure:
    values = [row["value"] for row in rows]
    spread = statistics.stdev(values) if len(values) >= SEEDS_FOR_SPREAD else None
    return Figure(statistics.mean(values), spread, len(values), rows[0]["clips"])


@dataclass(frozen=True)
class Confusion:
    """Counts of clips of one class that were predicted as another, over all seeds.

    Attributes:
        seeds: number of trainings that are added up.
        true: classes that the test set shows, R of them.
        predicted: classes that came up, as true or as predicted, C of them.
        counts: int64 [R, C].
    """

    seeds: int
    true: tuple[str, ...]
    predicted: tuple[str, ...]
    counts: np.ndarray

    def mistakes(self) -> list[tuple[str, str, int, int]]:
        """(true, predicted, count, clips of the true class), the most frequent first."""
        totals = self.counts.sum(1)
        wrong = [
            (true, predicted, int(self.counts[r, c]), int(totals[r]))
            for r, true in enumerate(self.true)
            for c, predicted in enumerate(self.predicted)
            if true != predicted and self.counts[r, c]
        ]
        return sorted(wrong, key=lambda mistake: (-mistake[2], mistake[3], mistake[:2]))


def confusion(row: MeasuredRow, dataset: str, folder: Path | None = None) -> Confusion | None:
    """Return the confusions of a model on a test set; None where they were not kept.

    Raises:
        ChoiceError: there is no such test set.
    """
    check_dataset(dataset)
    cells = [cell for cell in _of_runs(row, "confusion", folder) if cell["dataset"] == dataset]
    if not cells:
        return None
    shown = {cell["true"] for cell in cells}
    true = [name for name in EVERYDAY if name in shown]
    predicted = [n for n in EVERYDAY if n in shown | {cell["predicted"] for cell in cells}]
    counts = np.zeros((len(true), len(predicted)), dtype=np.int64)
    for cell in cells:
        counts[true.index(cell["true"]), predicted.index(cell["predicted"])] += int(cell["count"])
    return Confusion(len({c["seed"] for c in cells}), tuple(true), tuple(predicted), counts)


@dataclass(frozen=True)
class Curve:
    """The loss during one training.

    Attributes:
        seed: of the training.
        points: (stage, step within the stage, loss on a batch, seconds since the run began), in order.
    """

    seed: int
    points: tuple[tuple[str, int, float, float], ...]


def curves(row: MeasuredRow, folder: Path | None = None) -> tuple[Curve, ...]:
    """Return a curve for each training of a model; what was fitted or fused has none."""
    points: dict[int, list[tuple[str, int, float, float]]] = {}
    for cell in _of_runs(row, "curves", folder):
        point = (cell["stage"], int(cell["step"]), float(cell["loss"]), float(cell["seconds"]))
        points.setdefault(int(cell["seed"]), []).append(point)
    return tuple(Curve(seed, tuple(points[seed])) for seed in sorted(points))


def top1_of_seeds(row: MeasuredRow, folder: Path | None = None) -> dict[int, dict[str, float]]:
    """Return seed → test set → top-1 in percent after the last step."""
    scores: dict[int, dict[str, float]] = {}
    for cell in _of_runs(row, "tiny", folder):
        if cell["metric"] == "top1":
            scores.setdefault(int(cell["seed"]), {})[cell["dataset"]] = float(cell["value"])
    return scores


def _of_runs(row: MeasuredRow, table: str, folder: Path | None) -> Iterator[Mapping[str, str]]:
    """Yield the rows of a table that are of a model's trainings."""
    file = (folder or FOLDER) / f"{table}.csv"
    if file.exists():
        yield from _by_run(file, *state(file)).get((row.model, row.input, SPLIT), ())


@lru_cache(8)
def _by_run(file: Path, *changed: int) -> dict[tuple[str, str, str], list[dict[str, str]]]:
    runs: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    for cell in kept_rows(file):
        runs.setdefault((cell["model"], cell["input"], cell["split"]), []).append(cell)
    return runs


def check_dataset(dataset: str) -> None:
    """Raise a ChoiceError unless it is the name of a test set."""
    if dataset not in TITLES:
        known = ", ".join(TITLES)
        raise ChoiceError(f"There is no test set '{str(dataset)[:40]}': choose {known}.")


def as_json(rows: tuple[MeasuredRow, ...]) -> list[dict]:
    """Return all entries in plain words and numbers, for programs."""
    recorded = times()
    return [
        {
            "model": row.model,
            "input": row.input,
            "title": row.title,
            "family": row.family,
            "start": row.start,
            "seeds": list(row.seeds),
            "parameters": row.parameters,
            "gmacs": row.gmacs,
            "milliseconds": {
                name: ms[row.model] for name, ms in recorded.items() if row.model in ms
            },
            "figures": [
                {
                    "dataset": dataset,
                    "metric": metric,
                    "percent": round(figure.mean, 2),
                    "spread": None if figure.spread is None else round(figure.spread, 2),
                    "clips": figure.clips,
                }
                for (dataset, metric), figure in row.figures.items()
            ],
        }
        for row in rows
    ]


def curves_json(row: MeasuredRow) -> list[dict]:
    """Return the curves of a model in plain words and numbers, for programs."""
    scores = top1_of_seeds(row)
    return [
        {
            "model": row.model,
            "input": row.input,
            "seed": curve.seed,
            "points": [
                {"stage": stage, "step": step, "loss": loss, "seconds": seconds}
                for stage, step, loss, seconds in curve.points
            ],
            "top1": scores.get(curve.seed, {}),
        }
        for curve in curves(row)
    ]
