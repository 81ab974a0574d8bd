"""Rendered people for training: thousands of clips by har_demo.research.people, in batches on the GPU.

The few real clips show few people in few places, always from the same side. A rendered person can be
anybody, anywhere, seen from any side. Motions come from har_demo.research.people.motion and, where the folder is
given, from the recordings of UTD-MHAD (Chen et al., ICIP 2015).
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from torch import Tensor

from har_demo.clips.rendered import FPS, FRAMES
from har_demo.labels import DATASETS, EVERYDAY
from har_demo.research.people.motion import PersonMotion, move
from har_demo.research.people.recordings import recorded, replay
from har_demo.research.people.shoot import Batch, Take, batch_frames, take_of
from har_demo.research.people.supply import batches
from har_demo.research.training.recognition.data import SIDE, VideoDataset, footage

AT_ONCE = 16  # clips rendered together


@dataclass(frozen=True)
class Scene:
    """A motion of FRAMES frames, the readable name of what it shows, and the seed of all the rest."""

    motion: PersonMotion
    name: str
    seed: int


def invented(count: int, seed: int) -> list[Scene]:
    """`count` invented motions, every action as often as the others."""
    actions = list(DATASETS["people"].items())
    scenes = []
    for own_seed in range(seed, seed + count):
        action, name = actions[(own_seed - seed) % len(actions)]
        scenes.append(Scene(move(action, own_seed, FRAMES / FPS, FPS), name, own_seed))
    return scenes


def replayed(folder: Path, count: int, seed: int) -> list[Scene]:
    """`count` recordings, chosen at random, each at another speed, size and side."""
    known = recorded(folder)
    scenes = []
    for number, i in enumerate(np.random.default_rng(seed).integers(len(known), size=count)):
        shown = replay(folder, known[i][0], seed + number, FRAMES / FPS, FPS)
        scenes.append(Scene(shown.motion, shown.label, seed + number))
    return scenes


def rendered_footage(
    count: int, recordings: Path | None, seed: int, devices: Sequence[str], side: int = SIDE
) -> VideoDataset:
    """`count` rendered clips in main memory; with recordings, one in five shows one of them.

    Every clip has another camera, other clothes and another place. Each class is drawn equally often.
    The devices take turns, each with two batches under way: one is copied while the other is rendered.
    """
    replays = count // 5 if recordings else 0
    scenes = invented(count - replays, seed)
    if recordings:
        scenes += replayed(recordings, replays, seed + len(scenes))
    workers = (os.cpu_count() or 2) - 1 if devices[0].startswith("cuda") else 0

    def shown(some: Batch, device: str) -> Tensor:
        return batch_frames(some.to(device), (side, side)).cpu()

    with ThreadPoolExecutor(2 * len(devices)) as turns:
        taken = batches(_take, scenes, AT_ONCE, workers)
        clips = [
            clip
            for clips in turns.map(shown, taken, cycle(devices))
            for clip in clips.split(FRAMES)
        ]
    labels = [EVERYDAY.index(scene.name) for scene in scenes]
    return footage(
        clips,
        fps=[FPS] * len(clips),
        labels=labels,
        weights=[1 / labels.count(label) for label in labels],
    )


def _take(scene: Scene) -> Take:
    return take_of(scene.motion, scene.name, scene.seed, FPS)
