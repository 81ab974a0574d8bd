"""Labelled clips become one block of small frames, split so that nobody and no place is on both sides.

Preparing is done once and needs PyAV; training then reads the small copies, also on another machine:

    python -m har_demo.training.data DATA PREPARED

DATA holds clips.tsv (columns path, dataset, class) and the clips it names. PREPARED gets their
ingested copies and examples.json.
"""

import argparse
import csv
import json
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from har_demo.clips.clip import Clip, SourceFacts
from har_demo.clips.frames import read_frames
from har_demo.clips.transforms import transform
from har_demo.labels import DATASETS, EVERYDAY_13, class_of
from har_demo.models.card import ModelInput

SIDE = 144  # pixels of a stored frame; more than a network's 112, so that crops stay sharp

# ARID numbers its recordings anew for every class, and some numbers share a place: the same
# corrugated wall stands behind five of them and the same bridge behind three. Told by looking.
_ARID_PLACES = {
    "wall": ["Turn 1", "Sit 2", "Sit 10", "Stand 2", "Stand 3"],
    "bridge": ["Jump 11", "Run 11", "Walk 14"],
    "lab": ["Run 1"],
    "lounge": ["Sit 4"],
    "park": ["Stand 5"],
    "kitchen": ["Turn 7"],
    "garage": ["Jump 8"],
    "office": ["Stand 9"],
    "corridor": ["Walk 10"],
}
_PLACE_OF = {number: place for place, numbers in _ARID_PLACES.items() for number in numbers}

HELD_OUT: dict[str, frozenset[str]] = {
    "a": frozenset(
        {"lena", "moshe", "lab", "lounge", "park", "kitchen", "garage", "office", "corridor"}
    ),
    "b": frozenset({"denis", "eli", "wall", "bridge"}),
}
"""Two splits by group, for cross-validation; every ARID clip is tested in one of them."""


@dataclass(frozen=True)
class Example:
    """A labelled clip.

    Attributes:
        clip: the ingested copy.
        dataset: 'weizmann' or 'arid6'.
        label: index in har_demo.labels.EVERYDAY_13.
        group: who acts (Weizmann) or where (ARID); a group is on one side of a split.
    """

    clip: Clip
    dataset: str
    label: int
    group: str


def group_of(dataset: str, name: str, path: str) -> str:
    """The actor or the place of a clip, from its file name.

    >>> group_of("weizmann", "walk", "weizmann/walk/denis_walk.mp4")
    'denis'
    >>> group_of("arid6", "Walk", "arid6/walk/walk_14_3.mp4")
    'bridge'
    """
    parts = Path(path).stem.split("_")
    if dataset == "weizmann":
        return parts[0]
    number = f"{name} {parts[1]}"
    return _PLACE_OF.get(number, number)


def prepare(source: Path, target: Path) -> int:
    """Ingest every clip of `source` that has one of the 13 labels; how many there were."""
    from har_demo.clips.ingest import ingest  # needs PyAV, which only this step does

    target.mkdir(parents=True, exist_ok=True)
    records = []
    with open(source / "clips.tsv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            dataset, name = row["dataset"], row["class"]
            if DATASETS.get(dataset, {}).get(name) not in EVERYDAY_13:
                continue
            clip = ingest(source / row["path"])
            copy = re.sub(r"[^\w.-]", "_", row["path"])
            shutil.copyfile(clip.path, target / copy)
            record = asdict(clip) | {"path": copy}
            records.append(
                {
                    "clip": record,
                    "dataset": dataset,
                    "label": class_of(dataset, name),
                    "group": group_of(dataset, name, row["path"]),
                }
            )
    (target / "examples.json").write_text(json.dumps(records, indent=1), encoding="utf-8")
    return len(records)


def read_examples(prepared: Path) -> list[Example]:
    """The examples of a prepared folder."""
    records = json.loads((prepared / "examples.json").read_text(encoding="utf-8"))
    return [
        Example(
            clip=Clip(
                **record["clip"]
                | {
                    "path": prepared / record["clip"]["path"],
                    "source": SourceFacts(**record["clip"]["source"]),
                }
            ),
            dataset=record["dataset"],
            label=record["label"],
            group=record["group"],
        )
        for record in records
    ]


def split(
    examples: Iterable[Example], held_out: frozenset[str]
) -> tuple[list[Example], list[Example]]:
    """(training, test): an example is tested exactly when its group is held out."""
    train, test = [], []
    for example in examples:
        (test if example.group in held_out else train).append(example)
    return train, test


@dataclass(frozen=True)
class Footage:
    """Many clips in one tensor, so that a batch from any of them is one indexing.

    Attributes:
        frames: uint8 [N, 3, SIDE, SIDE], all frames of all clips, one clip after the other, each
            squeezed to a square.
        first: int64 [clips], where each clip begins in `frames`.
        count: int64 [clips], how many frames it has.
        fps: float32 [clips].
        labels: int64 [clips].
        weights: float32 [clips], how often to draw each in training.
    """

    frames: Tensor
    first: Tensor
    count: Tensor
    fps: Tensor
    labels: Tensor
    weights: Tensor

    def to(self, device: torch.device) -> "Footage":
        return Footage(*(value.to(device) for value in vars(self).values()))


def load(examples: Sequence[Example], device: torch.device | str = "cpu") -> Footage:
    """Decode examples into the device's memory, about 4 MB for a clip of 66 frames.

    Each class of each data set is drawn equally often, however many clips it has.
    """
    square = ModelInput(
        frames=1,
        fps=1,
        resize=(SIDE, SIDE),
        crop=(SIDE, SIDE),
        mean=(0, 0, 0),
        std=(1 / 255, 1 / 255, 1 / 255),
        antialias=True,
    )
    clips = []
    for example in examples:
        frames = read_frames(example.clip, torch.arange(example.clip.frames).numpy())
        clips.append(transform(frames, square, device=device)[0].round().to(torch.uint8))
    kinds = [(example.dataset, example.label) for example in examples]
    return footage(
        clips,
        fps=[example.clip.fps for example in examples],
        labels=[example.label for example in examples],
        weights=[1 / kinds.count(kind) for kind in kinds],
    ).to(torch.device(device))


def footage(
    clips: Sequence[Tensor], fps: Sequence[float], labels: Sequence[int], weights: Sequence[float]
) -> Footage:
    """Join clips, uint8 [T, 3, SIDE, SIDE] each."""
    count = torch.tensor([len(clip) for clip in clips])
    return Footage(
        frames=torch.cat(list(clips)),
        first=count.cumsum(0) - count,
        count=count,
        fps=torch.tensor(fps, dtype=torch.float32),
        labels=torch.tensor(labels),
        weights=torch.tensor(weights, dtype=torch.float32),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Ingest labelled clips for training.")
    parser.add_argument("data", type=Path, help="folder with clips.tsv and the clips it names")
    parser.add_argument("prepared", type=Path, help="folder to write")
    arguments = parser.parse_args()
    print(f"{prepare(arguments.data, arguments.prepared)} clips in {arguments.prepared}")


if __name__ == "__main__":
    main()
