"""Recorded people: UTD-MHAD's skeletons (Chen et al., ICIP 2015) as motions like the invented ones.

A folder holds skeletons.npz: aAA_sS_tT → [frames, 20 joints, 3] in millimetres, y up, z away from the
sensor, 30 frames a second, in the order of `JOINTS`. The recordings are not part of this project.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from har_demo.errors import ChoiceError
from har_demo.labels import DATASETS, MIRRORED
from har_demo.research.people.motion import PersonMotion
from har_demo.research.people.skeleton import BONES, JOINTS, Body, mirrored_joints

DATASET = "utdmhad"
RATE = 30  # frames a second
SLOWEST, FASTEST = 0.75, 1.3
SMALLEST, TALLEST = 0.9, 1.1
_NAME = re.compile(r"(a\d+)_s(\d+)_t\d+")


@dataclass(frozen=True)
class Replay:
    """A recording as it is shown this time.

    Attributes:
        motion: as `motion.move` makes them, facing +z at first, standing on the floor.
        label: the readable name, of har_demo.labels.EVERYDAY; after mirroring it may be another.
        mirrored: whether left and right changed places.
    """

    motion: PersonMotion
    label: str
    mirrored: bool


def recorded(folder: Path) -> list[tuple[str, str, int]]:
    """(name, label, subject) of every recording whose action has a label.

    Raises:
        FileNotFoundError: the folder has no skeletons.npz.
    """
    known = []
    for name in _read(Path(folder)):
        found = _NAME.fullmatch(name)
        if found and found[1] in DATASETS[DATASET]:
            known.append((name, DATASETS[DATASET][found[1]], int(found[2])))
    return known


def replay(
    folder: Path, name: str, seed: int = 0, seconds: float | None = None, fps: float = 25
) -> Replay:
    """One recording; the seed draws the speed, the size, and whether it is mirrored.

    Args:
        folder: with skeletons.npz.
        name: one of `recorded(folder)`.
        seed: draws the variations.
        seconds: of the clip: a longer recording is cut somewhere, at the ends of a shorter one the
            person stands still. None: as long as it takes.
        fps: frames per second.

    Raises:
        ChoiceError: there is no such recording.
    """
    tracks = _read(Path(folder))
    if name not in {known for known, _, _ in recorded(folder)}:
        raise ChoiceError(f"There is no recording '{name}' in {folder}.")
    chance = np.random.default_rng([seed, 61])
    label = DATASETS[DATASET][name.split("_")[0]]
    joints = _upright(_smooth(tracks[name].astype(float) / 1000))
    joints = joints * chance.uniform(SMALLEST, TALLEST)
    speed = np.exp(chance.uniform(np.log(SLOWEST), np.log(FASTEST)))
    lasts = (len(joints) - 1) / RATE / speed
    seconds = lasts if seconds is None else seconds
    begin = chance.uniform(min(0, lasts - seconds), max(0, lasts - seconds))
    moments = begin + np.arange(max(1, round(seconds * fps))) / fps
    joints = _at(joints, moments * speed * RATE)
    swapped = bool(chance.random() < 0.5)
    if swapped:
        joints, label = mirrored_joints(joints), MIRRORED.get(label, label)
    body = replace(_body(joints), girth=chance.uniform(0.85, 1.25))
    return Replay(PersonMotion(joints.astype(np.float32), body), label, swapped)


@lru_cache(maxsize=2)
def _read(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "skeletons.npz") as file:
        return {name: file[name] for name in file.files}


def _smooth(joints: np.ndarray) -> np.ndarray:
    """The sensor's tremble averaged away: over five frames, twice, the ends repeated."""
    for _ in range(2):
        padded = np.pad(joints, ((2, 2), (0, 0), (0, 0)), mode="edge")
        joints = np.mean([padded[i : i + len(joints)] for i in range(5)], axis=0)
    return joints


def _upright(joints: np.ndarray) -> np.ndarray:
    """On the floor, in the middle, facing +z at first; the sensor looks along its own +z."""
    joints = joints * [-1.0, 1.0, -1.0]  # half a turn about the upright axis
    across = joints[:10, JOINTS.index("left hip")] - joints[:10, JOINTS.index("right hip")]
    x, _, z = across.mean(0)
    angle = np.arctan2(-z, x)  # 0 where the left hip is at +x
    cos, sin = np.cos(angle), np.sin(angle)
    joints = joints @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    middle = joints[:, JOINTS.index("hip centre")].mean(0)
    return joints - [middle[0], joints[..., 1].min() - 0.03, middle[2]]


def _at(joints: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """The joints between frames, on a smooth curve; before the first and after the last they rest."""
    frames = np.clip(frames, 0, len(joints) - 1)
    one = np.minimum(frames.astype(int), max(len(joints) - 2, 0))
    s = (frames - one)[:, None, None]

    def frame(number: np.ndarray) -> np.ndarray:
        return joints[np.clip(number, 0, len(joints) - 1)]

    before, here, there, after = (frame(one + step) for step in (-1, 0, 1, 2))
    slope, next_slope = (there - before) / 2, (after - here) / 2
    return (
        here * (1 + 2 * s) * (1 - s) ** 2
        + there * s * s * (3 - 2 * s)
        + s * (1 - s) * (slope * (1 - s) - next_slope * s)
    )


def _body(joints: np.ndarray) -> Body:
    """The lengths of the bones, each the median over time and sides."""
    length = {
        (JOINTS[a], JOINTS[b]): np.median(np.linalg.norm(joints[:, a] - joints[:, b], axis=-1))
        for a, b in BONES
    }

    def both(a: str, b: str) -> float:
        return float(np.mean([length[f"{side} {a}", f"{side} {b}"] for side in ("left", "right")]))

    def across(name: str) -> float:
        ends = (joints[:, JOINTS.index(f"{side} {name}")] for side in ("left", "right"))
        return float(np.median(np.linalg.norm(np.subtract(*ends), axis=-1)) / 2)

    return Body(
        thigh=both("hip", "knee"),
        shin=both("knee", "ankle"),
        foot=both("ankle", "foot"),
        upper_arm=both("shoulder", "elbow"),
        forearm=both("elbow", "wrist"),
        hand=both("wrist", "hand"),
        spine=float(length["hip centre", "spine"]),
        chest=float(length["spine", "neck"]),
        neck=float(length["neck", "head"]),
        hips=across("hip"),
        shoulders=across("shoulder"),
    )
