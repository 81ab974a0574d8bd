"""Optical flow of a clip: one field for every two frames that follow each other."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from har_demo.errors import ChoiceError, ClipError
from har_demo.flow import classical, learned
from har_demo.weights import Provenance

TITLES = classical.TITLES | {name: one.title for name, one in learned.LEARNED.items()}
"""All methods by name, and what the field calls them: first those that compute, then those that learned."""


@dataclass(frozen=True)
class FlowField:
    """Optical flow of P pairs of frames.

    Attributes:
        pixels: float32 [T - 1, 2, H, W], pixels right and down from a point of one frame to where
            the same point is in the next.
        frames: int64 [T - 1, 2], the numbers of the two frames each field is between.
        method: what computed it, a key of TITLES.
        provenance: whose weights, of a network.
    """

    pixels: np.ndarray
    frames: np.ndarray
    method: str
    provenance: Provenance | None = None


def flow(
    frames: np.ndarray,
    method: str = "dis",
    on_progress: Callable[[float], None] = lambda done: None,
    weights: Path | str | None = None,
    device: torch.device | str | None = None,
) -> FlowField:
    """Optical flow between neighbouring frames.

    Args:
        frames: uint8 [T, H, W, 3], RGB, at least two.
        method: a key of TITLES: 'dis', 'farneback', 'tv-l1', 'raft-people' ...
        on_progress: called with the share of fields that are done.
        weights: the user's own file for a network, in place of its usual ones.
        device: where a network runs; the first GPU by default, or else the processor.

    Raises:
        ClipError: there is only one frame, or frames are too small or too large.
        ChoiceError: there is no such method, this OpenCV lacks it, or it has no weights to replace.
        WeightsError: a network's weights are missing, cannot be fetched or do not fit.

    >>> flow(np.zeros((3, 48, 64, 3), np.uint8)).pixels.shape
    (2, 2, 48, 64)
    """
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"frames are uint8 [T, H, W, 3], not {frames.dtype} {frames.shape}")
    if len(frames) < 2:
        raise ClipError(
            "Optical flow is what moves between two frames: use a clip of at least two."
        )
    if method not in TITLES:
        raise ChoiceError(f"No optical flow is called '{method}': choose {', '.join(TITLES)}.")
    classical.check_size(*frames.shape[1:3])
    numbers = np.arange(len(frames))
    pairs = np.stack([numbers[:-1], numbers[1:]], axis=1)
    if method in learned.LEARNED:
        found = learned.fields(frames, method, weights, device, on_progress)
        return FlowField(found[0], pairs, method, found[1])
    if weights is not None:
        raise ChoiceError(f"{TITLES[method]} has no weights: leave them out.")

    fields, before = [], classical.grey(frames[0])
    for number, frame in enumerate(frames[1:], start=1):
        after = classical.grey(frame)
        fields.append(classical.between(before, after, method))
        before = after
        on_progress(number / (len(frames) - 1))
    return FlowField(np.stack(fields), pairs, method)
