"""Put measured figures into rows of a table, and into the manifest beside the shipped weights."""

import datetime
from pathlib import Path

import torch

from har_demo.clips.rendered import TEST_SEED
from har_demo.errors import ChoiceError, WeightsError
from har_demo.recognize.evaluate import EvalTarget, Measured, Outcome
from har_demo.tables.datasets import TEST_SETS
from har_demo.tables.measured import start_of
from har_demo.weights import shipped

FIRST = 60
"""Rendered clips that a test can afford to ask about again: the manifest keeps their figure too."""


def rows(outcome: Outcome, measured: list[Measured]) -> list[dict]:
    """Return the figures as rows with COLUMNS of har_demo.tables.measured.

    Start, split and seed are those of the shipped file; other weights leave them empty.
    """
    target = outcome.target
    entry = shipped.entry(target.card.name) if target.provenance.source == "shipped" else None
    return [
        {
            "model": target.card.name,
            "input": target.card.input.modality,
            "start": start_of(target.card) if entry else "",
            "split": entry["split"] if entry else "",
            "seed": entry["seed"] if entry else "",
            "dataset": part.dataset,
            "metric": metric,
            "value": round(value, 4),
            "clips": clips,
        }
        for part in measured
        for metric, (value, clips) in part.figures.items()
    ]


def entry_of(folder: Path, target: EvalTarget) -> dict:
    """Return the manifest's entry that the figures of this model may go to.

    Raises:
        ChoiceError: the manifest has no title for such data.
        WeightsError: it lists other weights of the model, or none.
    """
    if not all(clip.dataset in TEST_SETS for clip in target.eval_set.clips):
        raise ChoiceError(
            "Only prepared clips and rendered people go into the manifest: leave out --record."
        )
    for entry in shipped.entries(folder):
        if (entry["model"], entry["sha256"]) == (target.card.name, target.provenance.sha256):
            return entry
    raise WeightsError(
        f"The manifest of '{folder.name}' does not list the weights that answer for "
        f"{target.card.title}: measure the shipped file, or leave out --record."
    )


def record(folder: Path, outcome: Outcome, measured: list[Measured]) -> None:
    """Put the figures into the manifest's entry of the model, in place of older ones of the same data.

    Raises:
        ChoiceError, WeightsError: as `entry_of`.
    """
    entry = entry_of(folder, outcome.target)
    new = {item["dataset"]: item for item in (_item(part) for part in measured)}
    kept = [new.pop(item["dataset"], item) for item in entry["accuracy"]]
    shipped.write_entry(folder, entry | {"accuracy": [*kept, *new.values()]})


def _item(part: Measured) -> dict:
    test_set = TEST_SETS[part.dataset]
    item = {
        "dataset": test_set.title,
        "split": test_set.split.format(", ".join(part.groups)),
        **{name: round(part.figures[name][0], 1) for name in ("top1", "top5", "class_mean")},
        "clips": len(part.right),
        "date": datetime.date.today().isoformat(),
        "machine": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
    }
    if part.dataset == "rendered":
        item["seed"] = TEST_SEED
        first = part.right[:FIRST]
        item["first"] = {"clips": len(first), "top1": round(100 * float(first.mean()), 1)}
    return item
