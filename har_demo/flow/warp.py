"""Two uses of a flow field: warping the next frame back, and estimating the camera's motion.

next frame ──each point fetched from where the field says it went──▶ should be this frame
field ──a homography that most points follow (RANSAC)──▶ the camera's part ──taken off──▶ the rest
"""

from dataclasses import dataclass

import cv2
import numpy as np

from har_demo.flow.classical import grey

STEP = 8  # pixels between the points that vote for the camera's motion
NEAR = 1.5  # pixels: so near to the camera's motion a point follows it
LEAST = 0.4  # of the points must follow it, or nobody can say what the camera did
STANDS = (
    0.15  # pixels: a camera that moves points less on average stands still, and noise moved them
)


@dataclass(frozen=True)
class Fetched:
    """The next frame, fetched back.

    Attributes:
        picture: uint8 [H, W, 3]; where a point has left the picture, the pixel of its rim.
        inside: bool [H, W], where it has not.
        error: float32 [H, W], grey levels between it and this frame; 0 where it is not inside.
        before, after: mean grey levels between both frames, as they are and fetched back, inside.
    """

    picture: np.ndarray
    inside: np.ndarray
    error: np.ndarray
    before: float
    after: float


def fetched(frames: np.ndarray, field: np.ndarray) -> Fetched:
    """Undo the motion between two frames.

    Args:
        frames: uint8 [2, H, W, 3], RGB.
        field: float32 [2, H, W], pixels right and down, from the first to the second.
    """
    height, width = field.shape[1:]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = x + field[0], y + field[1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    picture = cv2.remap(frames[1], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    first = grey(frames[0])
    error = np.abs(first - grey(picture)) * inside
    plain = np.abs(first - grey(frames[1]))
    points = max(1, inside.sum())
    return Fetched(
        picture, inside, error, float(plain[inside].sum() / points), float(error.sum() / points)
    )


def camera(field: np.ndarray) -> np.ndarray | None:
    """Return the camera's motion: a homography [3, 3] that most points of the field follow.

    A camera that turns moves everything by a homography, and so does one that travels past something
    flat or far. The identity where it stands still, and None where too few points agree, as when a
    person fills the picture.
    """
    height, width = field.shape[1:]
    y, x = np.mgrid[STEP // 2 : height : STEP, STEP // 2 : width : STEP]
    starts = np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float32)
    ends = starts + field[:, y, x].reshape(2, -1).T
    found, agrees = cv2.findHomography(starts, ends, cv2.RANSAC, NEAR)
    if found is None or agrees.mean() < LEAST:
        return None
    moved = np.linalg.norm(camera_field(found, (height, width)), axis=0).mean()
    return found if moved > STANDS else np.eye(3)


def camera_field(homography: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The field float32 [2, H, W] that a homography makes of a still scene of `size` (H, W)."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float64)
    moved = np.einsum("ij,jyx->iyx", homography, np.stack([x, y, np.ones_like(x)]))
    return (moved[:2] / moved[2] - np.stack([x, y])).astype(np.float32)


def own(field: np.ndarray, homography: np.ndarray | None) -> np.ndarray:
    """The field without the camera's part; as it is, where that is unknown."""
    return field if homography is None else field - camera_field(homography, field.shape[1:])
