"""Optical flow as networks take it, in training and in recognition alike.

    frames ──resized──▶ ──DIS, or what is asked for──▶ pixels a step ──clipped to ±limit──▶ −1 to 1

Flow is computed on the resized picture, so its pixels are those the network sees.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from har_demo.clips.transforms import crop_corners, mirrored, resized, transform
from har_demo.flow import learned
from har_demo.flow.classical import LUMA, between
from har_demo.models.card import ModelInput

METHOD = "dis"
"""Which flow every network here is given unless somebody asks for another; TV-L1 takes fifty to a hundred
times as long."""


def step_fields(
    frames: np.ndarray,
    numbers: np.ndarray,
    steps: np.ndarray,
    stride: float,
    spec: ModelInput,
    crops: int = 1,
    on_done: Callable[[int], None] = lambda done: None,
    method: str = METHOD,
) -> Tensor:
    """Flow of the steps of windows, whose frames are `stride` apart on average.

    A stride of 3.75 takes frames 3 or 4 apart; their flow is brought to 3.75, so that an even motion
    stays even.

    Args:
        frames: uint8 [N, H, W, 3], RGB.
        numbers: int64 [N], ascending and different, which frames of the clip they are.
        steps: int64 [P, 3], the number of the frame before, of the frame after, and how far apart they
            are shown.
        stride: in frames of the clip.
        spec, crops, on_done, method: as in `fields`.

    Returns:
        float32 [crops, P, 2, h, w], pixels of the resized picture right and down.
    """
    pairs = np.searchsorted(numbers, steps[:, :2])
    scale = stride / np.maximum(steps[:, 2], 1)
    return fields(frames, pairs, scale, spec, crops, on_done, method)


def fields(
    frames: np.ndarray,
    pairs: np.ndarray,
    scale: np.ndarray,
    spec: ModelInput,
    crops: int = 1,
    on_done: Callable[[int], None] = lambda done: None,
    method: str = METHOD,
) -> Tensor:
    """Flow between pairs of frames as `spec` wants pictures resized and cropped.

    Args:
        frames: uint8 [N, H, W, 3], RGB.
        pairs: int64 [P, 2], which two of them each field is between. Where both are the same, as at
            the end of a clip that is too short, nothing moves.
        scale: float [P], a factor on each field, for pairs that are not exactly one step apart.
        spec: the model's input; of it `resize`, `crop` and `antialias`.
        crops: as in har_demo.clips.transforms.transform.
        on_done: called with the number of fields that are done.
        method: a key of har_demo.flow.field.TITLES.

    Returns:
        float32 [crops, P, 2, h, w], pixels of the resized picture right and down.

    Raises:
        ChoiceError, WeightsError: the method is not at hand.
    """
    size = resized(spec.resize, frames.shape[2], frames.shape[1], spec.geometry)
    whole = replace(spec, crop=size, mean=(0, 0, 0), std=(1 / 255, 1 / 255, 1 / 255))
    corners = crop_corners(spec, size, crops)
    h, w = spec.crop
    out = torch.zeros(crops, len(pairs), 2, h, w)
    known: dict[int, np.ndarray] = {}

    def picture(number: int) -> np.ndarray:
        if number not in known:
            known[number] = transform(frames[number : number + 1], whole)[0, 0].numpy()
        return known[number]

    # In the order of time few pictures are needed at once.
    order = np.lexsort(pairs.T[::-1])
    for done, number in enumerate(order, start=1):
        before, after = pairs[number].tolist()
        for old in [n for n in known if n < before]:
            del known[old]
        if before != after:
            field = torch.from_numpy(_field(picture(before), picture(after), method))
            for crop, (top, left) in enumerate(corners):
                cut = field[:, top : top + h, left : left + w]
                if mirrored(crop, crops):
                    cut = cut.flip(-1) * torch.tensor([-1.0, 1.0]).view(2, 1, 1)
                out[crop, number] = cut * float(scale[number])
        on_done(done)
    return out


def _field(before: np.ndarray, after: np.ndarray, method: str) -> np.ndarray:
    """float32 [2, H, W] of two pictures float [3, H, W], 0 to 255."""
    if method in learned.LEARNED:
        pair = np.stack([before, after]).transpose(0, 2, 3, 1).round().astype(np.uint8)
        return learned.fields(pair, method)[0][0]
    return between(*(np.tensordot(LUMA, one, axes=1) for one in (before, after)), method)


def as_input(pixels: Tensor, limit: float) -> Tensor:
    """Pixels of displacement, clipped to ±limit and divided by it."""
    return (pixels / limit).clamp(-1, 1)
