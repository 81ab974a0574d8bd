"""The few pictures of a window that the page shows: frames as filmed, and what the network was given.

They are taken from frames that are decoded and prepared anyway, so that showing them costs no second
decoding and no second optical flow. Only the scores of the whole clip tell which window is shown, so
`keep_candidates` keeps the pictures of the few windows that may be it.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor

from har_demo.clips.clip import Clip
from har_demo.models.card import ModelInput
from har_demo.recognize.inputs import DecodedFrames, Reader, WindowInputs, read_window
from har_demo.recognize.plan import Plan
from har_demo.recognize.prediction import SeenWindow

MOST = 16  # pictures of each kind
FILMED_HEIGHT, GIVEN_HEIGHT = 96, 140  # pixels at most, as tall as the page shows them
CANDIDATES = 4  # classes whose surest windows are kept while a long clip is read


def seen_window(
    plan: Plan, window: int, decoded: DecodedFrames, inputs: WindowInputs, place: int = 0
) -> SeenWindow:
    """The pictures of a window that is decoded and prepared.

    Args:
        plan: the model's plan.
        window: which of the plan's windows.
        decoded: at least the window's frames.
        inputs: the window prepared, and maybe others.
        place: the window's place among those of `inputs`.
    """
    frames = np.array(_few(plan.indices[window]))
    # Standardising belongs to the network's arithmetic: what it looks at is the picture before.
    plain = replace(inputs, spec=replace(inputs.spec, standardise=False))
    tensors = plain.views(place * inputs.crops, place * inputs.crops + 1)
    kinds = [(kind, t) for kind, x in enumerate(tensors) for t in range(x.shape[2])]
    given = [_picture(tensors[kind][0, :, t], inputs.spec) for kind, t in _few(kinds)]
    return SeenWindow(
        window=window,
        frames=frames,
        filmed=_small(decoded.at(frames), FILMED_HEIGHT),
        given=_small(np.stack(given), GIVEN_HEIGHT),
        given_count=len(kinds),
    )


def see_again(clip: Clip, plan: Plan, window: int, read: Reader | None = None) -> SeenWindow:
    """The pictures of a window that is no longer in memory: its frames are decoded again.

    Raises:
        ClipError: the clip's copy cannot be read any more.
    """
    return seen_window(plan, window, *read_window(clip, plan, window, read))


def keep_candidates(
    kept: dict[int, SeenWindow],
    plan: Plan,
    scores: np.ndarray,
    windows: np.ndarray,
    decoded: DecodedFrames,
    inputs: WindowInputs,
    last: bool,
) -> dict[int, SeenWindow]:
    """The pictures, by window, of the few windows that may be the shown one (`Prediction.best_window`).

    That window is the surest of the likeliest class of the whole clip. While windows are still to come,
    those that are surest of the `CANDIDATES` classes likeliest by now are kept. A class that takes the
    lead late may have lost its window by then: `see_again` decodes it once more.

    Args:
        kept: what was kept until now.
        plan: the model's plan.
        scores: float32 [all windows, classes], 0 in those that are not scored yet.
        windows: int64 [W], those scored just now.
        decoded, inputs: their frames, decoded and prepared.
        last: whether no window is left to score.
    """
    likeliest = np.argsort(-scores.mean(axis=0), kind="stable")[: 1 if last else CANDIDATES]
    surest = np.unique(scores[:, likeliest].argmax(axis=0)).tolist()
    kept = {number: pictures for number, pictures in kept.items() if number in surest}
    for place, number in enumerate(windows.tolist()):
        if number in surest:
            kept[number] = seen_window(plan, number, decoded, inputs, place)
    return kept


def _few(items: Sequence) -> list:
    """Up to MOST of the items, spread over all of them."""
    places = np.linspace(0, len(items) - 1, min(len(items), MOST)).round().astype(int)
    return [items[place] for place in np.unique(places)]


def _picture(x: Tensor, spec: ModelInput) -> np.ndarray:
    """One step of an input, float [3 or 2, h, w], as uint8 [h, w, 3]."""
    if len(x) == 2:  # flow, and nothing in blue
        rgb = torch.cat([x, torch.zeros_like(x[:1])]) * 0.5 + 0.5
    elif spec.modality == "difference":
        # Two normalised frames differ by at most a few standard deviations; ±1 fills the range.
        rgb = x * 0.5 + 0.5
    else:
        mean, std = (x.new_tensor(values).view(3, 1, 1) for values in (spec.mean, spec.std))
        rgb = x * std + mean
    return (rgb.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()


def _small(pictures: np.ndarray, height: int) -> np.ndarray:
    """uint8 [N, H, W, 3] scaled down to a height; those that are no taller stay as they are."""
    if pictures.shape[1] <= height:
        return pictures
    size = (max(1, round(pictures.shape[2] * height / pictures.shape[1])), height)
    return np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in pictures])
