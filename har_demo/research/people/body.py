"""A skeleton gets a body: ellipsoids for head, trunk, hands and feet, capsules for limbs, like clay.

Every part is rigid and follows one or two joints. Its own axes are x to the person's left, y up the
spine or along the limb, z to the front, so that cloth patterns stay where they were sewn.
"""

import numpy as np
import torch

from har_demo.research.people.skeleton import JOINTS
from har_demo.research.people.solids import CAPSULE, ELLIPSOID, Solids

SLOTS = ("skin", "hair", "eyes", "shirt", "forearms", "trousers", "shins", "shoes")
"""What parts are covered with; forearms and shins are sleeves or skin."""

# Ellipsoids: what they follow, offset in that frame, three radii (metres), slot.
_ROUND = (
    ("head", (0.0, 0.03, 0.0), (0.080, 0.112, 0.096), "skin"),
    ("head", (0.0, 0.065, -0.022), (0.087, 0.090, 0.093), "hair"),
    ("head", (0.0, 0.015, 0.098), (0.014, 0.020, 0.018), "skin"),  # nose
    ("head", (0.033, 0.045, 0.083), (0.012, 0.013, 0.010), "eyes"),
    ("head", (-0.033, 0.045, 0.083), (0.012, 0.013, 0.010), "eyes"),
    ("chest", (0.0, -0.10, 0.01), (0.155, 0.185, 0.108), "shirt"),
    ("belly", (0.0, 0.02, 0.01), (0.138, 0.170, 0.104), "shirt"),
    ("pelvis", (0.0, -0.01, 0.0), (0.150, 0.115, 0.112), "trousers"),
    ("left hand", (0.0, 0.0, 0.0), (0.036, 0.075, 0.030), "skin"),
    ("right hand", (0.0, 0.0, 0.0), (0.036, 0.075, 0.030), "skin"),
    ("left foot", (0.0, 0.0, 0.0), (0.047, 0.125, 0.045), "shoes"),
    ("right foot", (0.0, 0.0, 0.0), (0.047, 0.125, 0.045), "shoes"),
)
# Capsules: two joints, radius, slot.
_LIMBS = (
    ("neck", "head", 0.050, "skin"),
    ("left shoulder", "left elbow", 0.050, "shirt"),
    ("right shoulder", "right elbow", 0.050, "shirt"),
    ("left elbow", "left wrist", 0.040, "forearms"),
    ("right elbow", "right wrist", 0.040, "forearms"),
    ("left shoulder", "right shoulder", 0.058, "shirt"),
    ("left hip", "left knee", 0.076, "trousers"),
    ("right hip", "right knee", 0.076, "trousers"),
    ("left knee", "left ankle", 0.054, "shins"),
    ("right knee", "right ankle", 0.054, "shins"),
)
_THICKER = ("shirt", "forearms", "trousers", "shins")  # what a stout person has more of

PARTS: tuple[int, ...] = tuple(SLOTS.index(row[-1]) for row in (*_ROUND, *_LIMBS))
"""The slot of every part, in the order of the solids."""


def figure(joints: np.ndarray, girth: float = 1.0) -> Solids:
    """The body around joints float [T, 20, 3]: as many solids as `PARTS`, in T frames."""
    at = {name: joints[:, i].astype(np.float64) for i, name in enumerate(JOINTS)}
    frames = _trunk(at) | _ends(at)
    places, turns, sizes = [], [], []
    for follows, offset, radii, slot in _ROUND:
        place, turn = frames[follows]
        places.append(place + turn @ np.array(offset))
        turns.append(turn)
        sizes.append(np.array(radii) * (_stout(girth) if slot in _THICKER else 1))
    ends = np.stack([np.stack([at[first], at[last]]) for first, last, *_ in _LIMBS], 2)
    bones = ends[1] - ends[0]  # [T, limbs, 3]
    halves = np.median(np.linalg.norm(bones, axis=-1), 0) / 2
    places += list(np.moveaxis(ends.mean(0), 1, 0))
    turns += list(np.moveaxis(_along(bones, frames["chest"][1][0, :, 2]), 1, 0))
    for (*_, radius, slot), half in zip(_LIMBS, halves, strict=True):
        sizes.append(np.array([radius * (girth if slot in _THICKER else 1), half, 0]))
    kinds = [ELLIPSOID] * len(_ROUND) + [CAPSULE] * len(_LIMBS)
    size = np.broadcast_to(np.stack(sizes), (len(joints), len(sizes), 3))
    return Solids(
        torch.tensor(kinds),
        torch.from_numpy(np.stack(places, 1)).float(),
        torch.from_numpy(np.stack(turns, 1)).float(),
        torch.from_numpy(size.copy()).float(),
    )


def _trunk(at: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Place and axes of head, chest, belly and pelvis."""
    shoulders = at["left shoulder"] - at["right shoulder"]
    hips = at["left hip"] - at["right hip"]
    back = at["neck"] - at["hip centre"]
    return {
        "head": (at["head"], _axes(at["head"] - at["neck"], shoulders)),
        "chest": (at["neck"], _axes(at["neck"] - at["spine"], shoulders)),
        "belly": (at["spine"], _axes(back, shoulders + hips)),
        "pelvis": (at["hip centre"], _axes(at["spine"] - at["hip centre"], hips)),
    }


def _ends(at: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Place and axes of hands and feet: y from the wrist to the fingers, from heel to toes."""
    sides = ("left", "right")
    elbow, wrist, ankle, toes = (
        np.stack([at[f"{side} {name}"] for side in sides], 1)
        for name in ("elbow", "wrist", "ankle", "foot")
    )  # [T, 2, 3]
    # A recorded hand may lie on the wrist; the forearm says where it points.
    forearm = wrist - elbow
    hand = wrist + 0.07 * forearm / _length(forearm)
    hand_turn = _along(forearm, np.array([0.0, 0.0, 1.0]))
    heel = ankle + 0.35 * (ankle - toes) + [0, -0.03, 0]
    foot_turn = _along(toes - heel, np.array([0.0, 1.0, 0.0]))
    feet = (heel + toes) / 2
    return {f"{side} hand": (hand[:, i], hand_turn[:, i]) for i, side in enumerate(sides)} | {
        f"{side} foot": (feet[:, i], foot_turn[:, i]) for i, side in enumerate(sides)
    }


def _axes(up: np.ndarray, left: np.ndarray) -> np.ndarray:
    """[T, 3, 3] with columns left, up, front; `up` is kept, `left` made square to it."""
    up = up / _length(up)
    left = left - (left * up).sum(-1, keepdims=True) * up
    left = left / _length(left)
    return np.stack([left, up, np.cross(left, up)], -1)


def _along(bones: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """[T, N, 3, 3] with y along bones [T, N, 3], turning about them as little as possible over time."""
    up = bones / _length(bones)
    left = np.empty_like(up)
    side = np.cross(up[0], reference)
    parallel = np.linalg.norm(side, axis=-1, keepdims=True) < 1e-3
    side = np.where(parallel, np.cross(up[0], reference[[1, 2, 0]]), side)
    for t, axis in enumerate(up):
        side = side - (side * axis).sum(-1, keepdims=True) * axis
        side = side / _length(side)
        left[t] = side
    return np.stack([left, up, np.cross(left, up)], -1)


def _length(vector: np.ndarray) -> np.ndarray:
    return np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-6)


def _stout(girth: float) -> np.ndarray:
    """A stout person is wider and, more so, deeper, and not taller."""
    return np.array([girth, 1.0, girth**1.3])
