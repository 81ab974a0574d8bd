"""The everyday actions that the models trained here know, and the names that each data set has for them.

The names live in checkpoints/labels.json, beside the weights whose outputs they name:

    {"label_set": "Everyday 39", "classes": [...], "datasets": {"weizmann": {"jack": "jumping jack", ...}},
     "mirrored": [["swiping left", "swiping right"], ...]}

>>> EVERYDAY[class_of("weizmann", "jack")]
'jumping jack'
"""

import json

from har_demo import assets

SHA256 = "9126f872227ecedd8efbd6de7afdb5946ee9454a2f223acfe10d44b97911203d"
"""Of the file. A name or an order that changes by accident would put wrong names to right answers."""

_FILE = assets.verified(assets.LABELS, "The list of actions", SHA256)
_LABELS = json.loads(_FILE.read_text(encoding="utf-8"))

LABEL_SET: str = _LABELS["label_set"]

EVERYDAY: tuple[str, ...] = tuple(_LABELS["classes"])
"""Readable names, in the order of the models' outputs."""

DATASETS: dict[str, dict[str, str]] = _LABELS["datasets"]
"""For each data set: its own class name → the readable name."""

MIRRORED: dict[str, str] = {
    name: other for pair in _LABELS["mirrored"] for name, other in (pair, pair[::-1])
}
"""What an action becomes when left and right change places, where that is another action."""

# Played backwards, these pairs become each other,
_REVERSED = (
    ("sitting down", "standing up"),
    ("picking up", "putting down"),
    ("swiping left", "swiping right"),
    ("drawing a circle clockwise", "drawing a circle counter-clockwise"),
)
# these stay what they are, and the others change into nothing we have a name for.
_SYMMETRIC = (
    "bending down",
    "jumping jack",
    "jumping in place",
    "waving one hand",
    "waving both hands",
    "turning around",
    "squatting",
    "lunging",
    "push-up",
    "pull-up",
    "clapping",
    "crossing arms",
    "curling arms",
    "drawing a shape",
    "standing still",
)
_BACKWARDS = (
    dict(_REVERSED) | {after: before for before, after in _REVERSED} | {n: n for n in _SYMMETRIC}
)
BACKWARDS: tuple[int, ...] = tuple(
    EVERYDAY.index(_BACKWARDS[name]) if name in _BACKWARDS else -1 for name in EVERYDAY
)
"""For each class, what it becomes when played backwards, or -1."""

ORDERED: tuple[int, ...] = tuple(
    other if other not in (-1, label) else -1 for label, other in enumerate(BACKWARDS)
)
"""For each class, the other one whose frames are the same in reverse order, or -1."""


def class_of(dataset: str, name: str) -> int:
    """Return the index in EVERYDAY of what `dataset` calls `name`; KeyError when it has no such class."""
    return EVERYDAY.index(DATASETS[dataset][name])
