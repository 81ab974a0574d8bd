"""A rendered scene as a clip that was never written: its frames are rendered when they are read.

A model looks at about half of a scene's frames, and rendering them is nearly all the work.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from har_demo.clips.clip import Clip, SourceFacts
from har_demo.recognize.inputs import Reader
from har_demo.research.people.film import Recording
from har_demo.research.people.shoot import Batch, Take, batch, batch_frames, take_of
from har_demo.research.training.recognition.data import SIDE
from har_demo.research.training.recognition.figures import FPS, FRAMES, Scene


def staged(scene: Scene) -> Callable[[], tuple[Clip, Reader]]:
    """What opens a scene as training renders it: FRAMES frames, SIDE pixels squared, each drawn once."""

    def look() -> tuple[Clip, Reader]:
        one = take_of(scene.motion, scene.name, scene.seed, FPS)
        rendered: dict[int, np.ndarray] = {}

        def read(clip: Clip, indices: np.ndarray) -> np.ndarray:
            new = sorted({int(i) for i in indices} - rendered.keys())
            if new:
                rendered.update(zip(new, _frames(one, new), strict=True))
            return np.stack([rendered[int(i)] for i in indices])

        facts = SourceFacts(scene.name, "none", "none", SIDE, SIDE, FPS, FRAMES / FPS, 0)
        return Clip(Path(), FPS, FRAMES, SIDE, SIDE, "", facts), read

    return look


def _frames(one: Take, numbers: list[int]) -> np.ndarray:
    """uint8 [N, SIDE, SIDE, 3], pixel for pixel what rendering the whole take gives."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    whole = batch([one])
    film = Recording(**{name: value[numbers] for name, value in vars(whole.film).items()})
    some = Batch(whole.stage.frames(numbers), film, whole.seeds[numbers])
    return batch_frames(some.to(device), (SIDE, SIDE)).permute(0, 2, 3, 1).cpu().numpy()
