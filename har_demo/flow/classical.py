"""Flow that is computed, not learned: Farneback, DIS and TV-L1 as OpenCV has them.

    two grey frames ──stretched to the same full range──▶ ──method──▶ pixels right and down

- Farneback (SCIA 2003): a parabola is fitted to the surroundings of every pixel in both frames; what
  shifts one onto the other is the motion. Smooth, and blurred at the edges of what moves.
- DIS (Kroeger et al., ECCV 2016): patches are searched for in the other frame, from coarse to fine, and
  their motions are averaged and smoothed. Quick, and sharp enough for limbs.
- TV-L1 (Zach et al., DAGM 2007): the field that explains the second frame and changes as little as
  possible from place to place, found by iteration. The quietest, the slowest, and what most published
  networks of flow were trained on.
"""

from collections.abc import Callable

import cv2
import numpy as np

from har_demo.errors import ChoiceError, ClipError

SMALLEST_SIDE = 32  # pixels: the methods shrink pictures several times before they look
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
LEAST_RANGE = 8.0  # grey levels of 255: fainter pictures are noise, which is not to be made bright

TITLES = {"dis": "DIS", "farneback": "Farneback", "tv-l1": "TV-L1"}
"""The methods by name, and what the field calls them."""


def between(before: np.ndarray, after: np.ndarray, method: str = "dis") -> np.ndarray:
    """float32 [2, H, W]: how many pixels right and down each point of `before` is in `after`.

    Args:
        before, after: grey, float32 [H, W], 0 to 255.
        method: a key of TITLES.

    Raises:
        ClipError: the pictures are too small.
        ChoiceError: there is no such method, or this OpenCV lacks it.
    """
    if method not in _METHODS:
        raise ChoiceError(f"No optical flow is called '{method}': choose {', '.join(TITLES)}.")
    check_size(*before.shape)
    return np.moveaxis(_METHODS[method](*stretched(before, after)), 2, 0)


def check_size(height: int, width: int) -> None:
    """ClipError where pictures of that size are too small."""
    if min(height, width) < SMALLEST_SIDE:
        raise ClipError(
            f"Pictures of {width} × {height} pixels are too small for optical flow: "
            f"use some of at least {SMALLEST_SIDE} on either side."
        )


def grey(frames: np.ndarray) -> np.ndarray:
    """Brightness of RGB uint8 [..., 3] as float32 [...], 0 to 255.

    Not rounded: in the dark the three colours together tell finer steps than one of them.
    """
    return frames.astype(np.float32) @ LUMA


def stretched(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both pictures on the full range of uint8, by one rule, so that a dark clip looks like a bright one."""
    low, high = np.percentile(np.stack([before, after]), [1, 99])
    factor = 255 / max(high - low, LEAST_RANGE)
    first, second = (
        np.clip((picture - low) * factor, 0, 255).round().astype(np.uint8)
        for picture in (before, after)
    )
    return first, second


def _farneback(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 5, 15, 3, 5, 1.1, 0)


def _dis(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    # A new one each time: it keeps its pyramids inside and must not be shared between threads.
    method = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    method.setFinestScale(0)  # by default it stops at a quarter of the size, where arms are lost
    return method.calc(before, after, None)


def _tv_l1(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    if not hasattr(cv2, "optflow"):
        raise ChoiceError(
            "TV-L1 is not in this OpenCV: install opencv-contrib-python-headless, or choose DIS."
        )
    return cv2.optflow.DualTVL1OpticalFlow_create().calc(before, after, None)


_METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "dis": _dis,
    "farneback": _farneback,
    "tv-l1": _tv_l1,
}
