"""Labelled clips that `har_demo.research` has prepared for training and evaluation, and who is held out.

    PREPARED/examples.json     the clips: data set, class, and the group of each
    PREPARED/clips/            ingested copies, which recognition is measured on
    PREPARED/small/            the same frames, small, which networks are trained on

A group is a person (Weizmann) or a place (ARID, workout4): all its clips are trained on, or none.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from har_demo.clips.clip import Clip
from har_demo.labels import class_of

HELD_OUT: dict[str, frozenset[str]] = {
    "a": frozenset(
        {"lena", "moshe"}
        | {"lab", "lounge", "park", "kitchen", "garage", "office", "corridor"}
        | {"blue gym", "playground", "purple room", "white room", "blue mat", "sofa"}
        | {"curtains", "dumbbells", "narrow gym"}
    ),
    "b": frozenset(
        {"denis", "eli"}
        | {"wall", "bridge"}
        | {"blue bars", "balcony", "white gym", "dark gym", "bright studio", "grey room"}
        | {"power racks"}
    ),
}
"""Two splits by group, for cross-validation; every clip of ARID and workout4 is tested in one of them."""


@dataclass(frozen=True)
class LabelledClip:
    """A labelled clip.

    Attributes:
        clip: the ingested copy.
        small: its frames, SIDE pixels squared.
        dataset: 'weizmann', 'arid6' or 'workout4'.
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
            label=class_of(record["dataset"], record["class"]),
            group=record["group"],
        )
        for record in records
    ]
