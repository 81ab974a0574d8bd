"""Optical flow of a clip: one field for every two frames that follow each other."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from har_demo.errors import ClipError
from har_demo.flow.classical import between, grey


@dataclass(frozen=True)
class FlowField:
    """How everything in a clip moves.

    Attributes:
        pixels: float32 [T - 1, 2, H, W], pixels right and down from a point of one frame to where
            the same point is in the next.
        frames: int64 [T - 1, 2], the numbers of the two frames each field is between.
        method: what computed it, a key of classical.TITLES.
    """

    pixels: np.ndarray
    frames: np.ndarray
    method: str


def flow(
    frames: np.ndarray,
    method: str = "dis",
    on_progress: Callable[[float], None] = lambda done: None,
) -> FlowField:
    """Optical flow between neighbouring frames.

    Args:
        frames: uint8 [T, H, W, 3], RGB, at least two.
        method: a key of classical.TITLES: 'dis', 'farneback' or 'tv-l1'.
        on_progress: called with the share of fields that are done.

    Raises:
        ClipError: there is only one frame, or frames are too small.
        ChoiceError: there is no such method, or this OpenCV lacks it.

    >>> flow(np.zeros((3, 48, 64, 3), np.uint8)).pixels.shape
    (2, 2, 48, 64)
    """
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"frames are uint8 [T, H, W, 3], not {frames.dtype} {frames.shape}")
    if len(frames) < 2:
        raise ClipError(
            "Optical flow is what moves between two frames: use a clip of at least two."
        )
    fields, before = [], grey(frames[0])
    for number, frame in enumerate(frames[1:], start=1):
        after = grey(frame)
        fields.append(between(before, after, method))
        before = after
        on_progress(number / (len(frames) - 1))
    numbers = np.arange(len(frames))
    return FlowField(np.stack(fields), np.stack([numbers[:-1], numbers[1:]], axis=1), method)
