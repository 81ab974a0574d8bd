"""What the lab-size models scored here, read from the tables that training writes.

    results/measured/lab.csv ──▶ entries: a model with its input, figures over seeds
    results/measured/lab_times.csv ──▶ times: milliseconds a view, by machine
    results/measured/confusion/ ──▶ confusion: clips of one class answered as another

Nothing here is typed in: a model that is trained later, or a second seed, shows as soon as the tables
have it.
"""

import statistics
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from har_demo import assets
from har_demo.errors import ChoiceError
from har_demo.models import registry
from har_demo.models.card import ModelCard
from har_demo.research.training.recognition.ablations import SPLIT
from har_demo.research.training.recognition.fuse import AVERAGE, SVM
from har_demo.research.training.recognition.report import read_rows
from har_demo.research.training.recognition.score import plausible
from har_demo.research.training.recognition.ship import TITLES
from har_demo.research.training.recognition.train import Run
from har_demo.research.training.recognition.variants import is_variation

FOLDER = assets.MEASURED

DATASETS = {name: title for name, (title, _) in TITLES.items()}
"""The test sets and their titles, the most telling first."""

NEW = {
    "arid6": "Six actions filmed in the dark, in places that no training clip shows.",
    "weizmann": "Ten actions before one wall, by people that no training clip shows.",
    "workout4": "Three exercises, in videos that no training clip is cut from.",
    "rendered": "All 39 actions by rendered people, with motions, clothes, places and cameras of their "
    "own; one clip in five replays a recording of two people who were kept for testing.",
}

METRICS = {
    "top1": ("right at first", "how often the likeliest answer was the right one of 39"),
    "top5": ("among five", "how often the right answer was among the five likeliest"),
    "class_mean": ("class by class", "right at first, every class counting the same"),
    "order": (
        "order in time",
        "of clips that differ from another class only in the order of time, such as sitting down and "
        "standing up, how often the right one got more than the other: who ignores order gets half",
    ),
    "reversed_top1": (
        "played backwards",
        "right at first on clips played from their end, where the action then has a name",
    ),
    "ece": (
        "calibration error",
        "how far confidence is from accuracy on average, in points: lower is better",
    ),
}
"""Metric → a short name and what it is; all in percent."""

FUSED = {AVERAGE: "averaged", SVM: "by an SVM"}
"""Two finished networks whose scores are joined: no training of their own, but systems of the lecture."""

SHOWN = {"rgb": "on frames", "difference": "on differences"}
"""A model's input in words, where it is not plain frames or not what its card asks for."""

LOWER_IS_BETTER = frozenset({"ece"})

COUNTED = frozenset({"top1", "top5", "order", "reversed_top1"})
"""Shares of clips: the fewer there are, the less sure is the figure (Figure.plausible)."""


@dataclass(frozen=True)
class Figure:
    """A metric on a test set, over seeds.

    Attributes:
        mean: percent.
        spread: the deviation between seeds; None where there is one.
        seeds: how many trainings.
        clips: it was counted on.
    """

    mean: float
    spread: float | None
    seeds: int
    clips: int

    def words(self) -> str:
        """'71.2 ± 0.8', without a deviation where there is one seed."""
        return f"{self.mean:.1f}" + (f" ± {self.spread:.1f}" if self.spread is not None else "")

    @property
    def plausible(self) -> tuple[float, float]:
        """Where the true share lies in 19 of 20 cases, for so few clips (training.score.plausible)."""
        return plausible(round(self.mean * self.clips / 100), self.clips)


@dataclass(frozen=True)
class MeasuredRow:
    """One lab model with one input, and what it scored.

    Attributes:
        model: name of its card.
        input: what it is shown; see har_demo.research.training.recognition.train.Run.
        start: what its training began from.
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


def entries(folder: Path | None = None) -> tuple[MeasuredRow, ...]:
    """Every lab model that was trained as it is, in the registry's order; variations are left out.

    Args:
        folder: with lab.csv; the project's own when None.

    Raises:
        ValueError: lab.csv is not as it should be; the message names the file and the line.
    """
    table = (folder or FOLDER) / "lab.csv"
    return _entries(table, table.stat().st_mtime_ns) if table.exists() else ()


def entry(key: str, folder: Path | None = None) -> MeasuredRow:
    """The entry of a key, or of a model's name where it has one input.

    Raises:
        ChoiceError: there is none; the sentence says whether there is such a model at all.
    """
    known = entries(folder)
    for one in known:
        if key in (one.key, f"{one.model}-{one.input}"):
            return one
    for one in known:
        if key == one.model:
            return one
    title = registry.card(str(key).split("-")[0].split(".")[0]).title
    raise ChoiceError(f"{title} was not trained here, so that there is nothing measured of it.")


def times(folder: Path | None = None) -> dict[str, dict[str, float]]:
    """Milliseconds of one view through each network alone, by machine and model; see training.timing.

    >>> times()["NVIDIA H200"]["tsm_lab"]
    2.93
    """
    table = (folder or FOLDER) / "lab_times.csv"
    found: dict[str, dict[str, float]] = {}
    for row in read_rows(table) if table.exists() else []:
        threads = "" if row["precision"] == "bfloat16" else f", {row['threads']} threads"
        machine = found.setdefault(row["machine"] + threads, {})
        machine[row["model"]] = float(row["milliseconds"])
    return found


@lru_cache(4)
def _entries(table: Path, changed: int) -> tuple[MeasuredRow, ...]:
    runs: dict[tuple[str, str], list[dict]] = {}
    for line, row in enumerate(read_rows(table), start=2):
        try:
            row["value"], row["clips"] = float(row["value"]), int(row["clips"])
            row["seed"] = int(row["seed"])
            if not np.isfinite(row["value"]):
                raise ValueError(f"{row['value']} is no figure")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{table}, line {line}: {error}") from error
        model = row["model"]
        known = model.split(".")[0] in registry.cards()
        if known and row["split"] == SPLIT and (model in FUSED or not is_variation(model)):
            runs.setdefault((row["model"], row["input"]), []).append(row)
    order = list(registry.cards())
    keys = sorted(runs, key=lambda key: (order.index(key[0].split(".")[0]), key))
    return tuple(_entry(*key, runs[key]) for key in keys)


def _entry(model: str, modality: str, rows: list[dict]) -> MeasuredRow:
    card = registry.card(model.split(".")[0])
    title = card.title.removesuffix(" (tiny)")
    plain = modality == card.input.modality and modality != "difference"
    apart = FUSED.get(model, "" if plain else SHOWN.get(modality, modality))
    values: dict[tuple[str, str], list[dict]] = {}
    for row in rows:
        values.setdefault((row["dataset"], row["metric"]), []).append(row)

    def about(metric: str) -> float | None:
        found = values.get(("", metric))
        return found[0]["value"] if found else None

    return MeasuredRow(
        model=model,
        input=modality,
        start=rows[0]["start"],
        title=f"{title}, {apart}" if apart else title,
        family=card.family,
        year=card.year,
        seeds=tuple(sorted({row["seed"] for row in rows})),
        parameters=round(about("parameters") or card.parameters or 0),
        gmacs=about("gmacs"),
        figures={key: _figure(found) for key, found in values.items() if key[0]},
    )


def _figure(rows: list[dict]) -> Figure:
    values = [row["value"] for row in rows]
    spread = statistics.stdev(values) if len(values) > 1 else None
    return Figure(statistics.mean(values), spread, len(values), rows[0]["clips"])


@dataclass(frozen=True)
class Confusion:
    """How often clips of one class were answered as another, over all seeds.

    Attributes:
        seeds: how many trainings are added up.
        true: classes that the test set shows, R of them.
        answered: classes that came up, as true or as answer, C of them.
        counts: int64 [R, C].
    """

    seeds: int
    true: tuple[str, ...]
    answered: tuple[str, ...]
    counts: np.ndarray

    def mistakes(self) -> list[tuple[str, str, int, int]]:
        """(true, answered, how often, of how many), the most frequent first."""
        totals = self.counts.sum(1)
        found = [
            (true, answered, int(self.counts[r, c]), int(totals[r]))
            for r, true in enumerate(self.true)
            for c, answered in enumerate(self.answered)
            if true != answered and self.counts[r, c]
        ]
        return sorted(found, key=lambda one: (-one[2], one[3], one[0], one[1]))


def confusion(one: MeasuredRow, dataset: str, folder: Path | None = None) -> Confusion | None:
    """The confusions of a model on a test set; None where they were not kept.

    Raises:
        ChoiceError: there is no such test set.
    """
    check_dataset(dataset)
    files = [
        (folder or FOLDER)
        / "confusion"
        / f"{Run(one.model, one.input, seed, SPLIT).name}-{dataset}.csv"
        for seed in one.seeds
    ]
    files = [file for file in files if file.exists()]
    if not files:
        return None
    tables = [read_rows(file) for file in files]
    classes = [name for name in tables[0][0] if name != "class"]
    true = [row["class"] for row in tables[0]]
    counts = sum(np.array([[int(row[name]) for name in classes] for row in t]) for t in tables)
    came = [c for c, name in enumerate(classes) if name in true or counts[:, c].any()]
    return Confusion(len(files), tuple(true), tuple(classes[c] for c in came), counts[:, came])


def check_dataset(dataset: str) -> None:
    """ChoiceError unless it is one of DATASETS."""
    if dataset not in DATASETS:
        known = ", ".join(DATASETS)
        raise ChoiceError(f"There is no test set '{str(dataset)[:40]}': choose {known}.")


def as_json(found: tuple[MeasuredRow, ...]) -> list[dict]:
    """All entries in plain words and numbers, for programs."""
    taken = times()
    return [
        {
            "model": one.model,
            "input": one.input,
            "title": one.title,
            "family": one.family,
            "start": one.start,
            "seeds": list(one.seeds),
            "parameters": one.parameters,
            "gmacs": one.gmacs,
            "milliseconds": {name: ms[one.model] for name, ms in taken.items() if one.model in ms},
            "figures": [
                {
                    "dataset": dataset,
                    "metric": metric,
                    "percent": round(figure.mean, 2),
                    "spread": None if figure.spread is None else round(figure.spread, 2),
                    "clips": figure.clips,
                }
                for (dataset, metric), figure in one.figures.items()
            ],
        }
        for one in found
    ]
