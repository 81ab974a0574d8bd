"""Labelled clips that `har_demo.research` has prepared for training and evaluation, and who is held out.

    PREPARED/examples.json     the clips: data set, class, and the group of each
    PREPARED/clips/            ingested copies, which recognition is measured on
    PREPARED/small/            the same frames, small, which networks are trained on

A group is a person or a place: all its clips are trained on, or none (see har_demo.recognize.splits).
"""

import json
from dataclasses import dataclass
from pathlib import Path

from har_demo.clips.clip import Clip
from har_demo.labels import DATASETS, EVERYDAY, class_of
from har_demo.recognize.splits import held_out, names

HELD_OUT: dict[str, frozenset[str]] = {name: held_out(name) for name in names()}
"""The groups that each split of har_demo.recognize.splits holds out, whatever their data set."""


@dataclass(frozen=True)
class LabelledClip:
    """A labelled clip.

    Attributes:
        clip: the ingested copy.
        small: its frames, SIDE pixels squared.
        dataset: 'weizmann', 'arid6', 'workout4' or another of splits.toml.
        label: index in har_demo.labels.EVERYDAY.
        group: who acts (Weizmann) or where (the others); a group is on one side of a split.
    """

    clip: Clip
    small: Path
    dataset: str
    label: int
    group: str


def read_examples(prepared: Path) -> list[LabelledClip]:
    """Read the examples of a prepared folder.

    Raises:
        OSError, ValueError, LookupError, TypeError: its examples.json is missing or damaged.
    """
    records = json.loads((prepared / "examples.json").read_text(encoding="utf-8"))
    return [
        LabelledClip(
            clip=Clip.of_facts(prepared / "clips" / record["clip"]["path"], record["clip"]),
            small=prepared / "small" / record["clip"]["path"],
            dataset=record["dataset"],
            label=_label(record["dataset"], record["class"]),
            group=record["group"],
        )
        for record in records
    ]


def _label(dataset: str, name: str) -> int:
    """Return the index in EVERYDAY; data sets without names of their own are prepared with ours."""
    return class_of(dataset, name) if dataset in DATASETS else EVERYDAY.index(name)
