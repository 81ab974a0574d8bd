"""A textured picture and what a known motion makes of it."""

import cv2
import numpy as np
import pytest

from har_demo.flow.classical import TITLES

HAS_TV_L1 = hasattr(cv2, "optflow")
METHODS = [
    pytest.param(name, marks=pytest.mark.skipif(not HAS_TV_L1, reason="this OpenCV has no TV-L1"))
    if name == "tv-l1"
    else name
    for name in TITLES
]
SIDE = 112


def texture(side: int = SIDE, seed: int = 0) -> np.ndarray:
    """uint8 [side, side, 3] with detail of all sizes, as photographs have."""
    random = np.random.default_rng(seed)
    picture = sum(
        grain * cv2.GaussianBlur(random.standard_normal((side, side, 3)), (0, 0), grain)
        for grain in (1.0, 2.0, 4.0, 8.0)
    )
    return np.clip(128 + 60 * picture / picture.std(), 0, 255).astype(np.uint8)


def moved(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The picture with every point at matrix · (x, y, 1)."""
    size = picture.shape[1::-1]
    return cv2.warpAffine(
        picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )


def motion_of(matrix: np.ndarray, side: int = SIDE) -> np.ndarray:
    """float [2, side, side]: what flow that motion is."""
    y, x = np.mgrid[:side, :side]
    return np.einsum("ij,jyx->iyx", matrix, np.stack([x, y, np.ones_like(x)])) - np.stack([x, y])


MIDDLE = ((SIDE - 1) / 2, (SIDE - 1) / 2)
MOTIONS = {
    "translation": np.array([[1.0, 0.0, 5.0], [0.0, 1.0, -3.0]]),
    "rotation": cv2.getRotationMatrix2D(MIDDLE, 4, 1.0),
    "zoom": cv2.getRotationMatrix2D(MIDDLE, 0, 1.06),
}
INSIDE = np.s_[..., 20:-20, 20:-20]  # what leaves the picture cannot be found
