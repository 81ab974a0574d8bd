"""Rendered people for training: thousands of clips by har_demo.people, in batches on the GPU.

The few real clips show few people in few places, always from the same side. A rendered person can be
anybody, anywhere, seen from any side. Motions come from har_demo.people.motion and, where the folder is
given, from the recordings of UTD-MHAD (Chen et al., ICIP 2015).
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from har_demo.labels import DATASETS, EVERYDAY
from har_demo.people.motion import Motion, move
from har_demo.people.recordings import recorded, replay
from har_demo.people.shoot import Take, batch_frames, take_of
from har_demo.people.supply import batches
from har_demo.training.data import SIDE, Footage, footage

FPS = 25
FRAMES = 60  # 2.4 seconds: a window of 17 frames at 8 fps, and room to move it
AT_ONCE = 16  # clips rendered together


@dataclass(frozen=True)
class Scene:
    """A motion of FRAMES frames, the readable name of what it shows, and the seed of all the rest."""

    motion: Motion
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
    count: int, recordings: Path | None, seed: int, device: torch.device | str, side: int = SIDE
) -> Footage:
    """`count` rendered clips; with recordings, one in five shows one of them.

    Every clip has another camera, other clothes and another place. Each class is drawn equally often.
    """
    replays = count // 5 if recordings else 0
    scenes = invented(count - replays, seed)
    if recordings:
        scenes += replayed(recordings, replays, seed + len(scenes))
    device = torch.device(device)
    workers = min(8, (os.cpu_count() or 2) - 1) if device.type == "cuda" else 0
    clips = []
    for some in batches(_take, scenes, AT_ONCE, workers):
        clips += batch_frames(some.to(device), (side, side)).split(FRAMES)
    labels = [EVERYDAY.index(scene.name) for scene in scenes]
    result = footage(
        clips,
        fps=[FPS] * len(clips),
        labels=labels,
        weights=[1 / labels.count(label) for label in labels],
    )
    return result.to(device)


def _take(scene: Scene) -> Take:
    return take_of(scene.motion, scene.name, scene.seed, FPS)
