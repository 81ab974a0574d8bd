"""What a model scores on people and places it never saw, asked the way the page asks it.

    python -m har_demo.training.evaluate --model r2plus1d_lab --data PREPARED --split a

This checks that a shipped file answers through the whole program as it did at the end of its training.
With --record the figures go into the manifest beside the weights: they are then those of the very
file that is shipped.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har_demo.errors import WeightsError
from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.recognize.prediction import Question, Refusal
from har_demo.recognize.recognize import recognize
from har_demo.training.data import HELD_OUT, Example, read_examples, split
from har_demo.training.score import accuracies, confusion


@dataclass(frozen=True)
class Measured:
    """How often a model was right on one data set.

    Attributes:
        dataset: its name.
        groups: the people or places, none of them seen in training.
        clips: how many were asked about.
        top1, top5: percent of them whose class came first, or among the first five.
        class_mean: percent right, averaged over the classes that occur, each counting the same.
        confusion: int64 [classes, classes], clips of the row's class answered as the column's.
    """

    dataset: str
    groups: tuple[str, ...]
    clips: int
    top1: float
    top5: float
    class_mean: float
    confusion: np.ndarray


def evaluate(model: str, examples: Sequence[Example], weights: Path | None = None) -> np.ndarray:
    """Ask a model about every example, with windows that cover it.

    Args:
        model: name of a card whose classes are the first of har_demo.labels.EVERYDAY, or all.
        weights: a file to use in place of the shipped one.

    Returns:
        float32 [examples, classes], probabilities.

    Raises:
        WeightsError: the weights are missing or do not fit.
    """
    rows = []
    for example in examples:
        question = Question(model, weights=str(weights) if weights else None)
        (answer,) = recognize(example.clip, [question])
        if isinstance(answer, Refusal):
            raise WeightsError(answer.message)
        rows.append(answer.overall)
    return np.stack(rows)


def measure(scores: np.ndarray, examples: Sequence[Example]) -> list[Measured]:
    """Count what is right, for each data set among the examples.

    Args:
        scores: float [examples, classes].
    """
    datasets = np.array([example.dataset for example in examples])
    labels = np.array([example.label for example in examples])
    groups = np.array([example.group for example in examples])
    measured = []
    for dataset in np.unique(datasets):
        rows = datasets == dataset
        counted = accuracies(scores[rows], labels[rows])
        measured.append(
            Measured(
                dataset=str(dataset),
                groups=tuple(str(group) for group in np.unique(groups[rows])),
                clips=int(rows.sum()),
                top1=counted["top1"],
                top5=counted["top5"],
                class_mean=counted["class_mean"],
                confusion=confusion(scores[rows], labels[rows]),
            )
        )
    return measured


TITLES = {
    "weizmann": ("Weizmann", "people"),
    "arid6": ("ARID", "places"),
    "workout4": ("Workout", "videos"),
}


def record(folder: Path, model: str, measured: list[Measured]) -> None:
    """Put the figures into the manifest's entry of this model."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    (entry,) = [one for one in manifest["checkpoints"] if one["model"] == model]
    entry["accuracy"] = []
    for one in measured:
        title, kind = TITLES[one.dataset]
        entry["accuracy"].append(
            {
                "dataset": title,
                "split": f"{kind} never seen in training ({', '.join(one.groups)})",
                "top1": round(one.top1, 1),
                "top5": round(one.top5, 1),
                "class_mean": round(one.class_mean, 1),
                "clips": one.clips,
            }
        )
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Score a model on held-out people and places.")
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of training.data")
    parser.add_argument("--split", choices=sorted(HELD_OUT), default="a")
    parser.add_argument("--weights", type=Path, help="a file in place of the shipped one")
    parser.add_argument("--record", type=Path, help="folder whose manifest gets the figures")
    arguments = parser.parse_args()

    known = len(registry.card(arguments.model).classes)
    _, examples = split(read_examples(arguments.data), HELD_OUT[arguments.split])
    examples = [example for example in examples if example.label < known]
    measured = measure(evaluate(arguments.model, examples, arguments.weights), examples)
    for one in measured:
        print(
            f"{arguments.model} on {one.dataset}, {one.clips} clips: top-1 {one.top1:.1f} %, "
            f"top-5 {one.top5:.1f} %, mean of classes {one.class_mean:.1f} %"
        )
        for label, row in enumerate(one.confusion):
            if row.sum():
                answers = ", ".join(f"{row[i]} {EVERYDAY[i]}" for i in np.argsort(-row) if row[i])
                print(f"  {EVERYDAY[label]}: {answers}")
    if arguments.record:
        record(arguments.record, arguments.model, measured)


if __name__ == "__main__":
    main()
