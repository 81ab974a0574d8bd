"""Masks of what moves by itself: optical flow with the camera's own motion removed.

    frames ──ten a second, made small──▶ flow to the moments before and after
           ──less what a moving camera explains──▶ speed ──threshold, neighbours in time──▶ masks

The camera's motion is the shift, turn and zoom that most of the picture agrees on. A person who
stands still is not seen, and one who moves an arm is seen as that arm and what is near it: this is
motion, no network that knows people.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from har_demo.clips.transforms import resized
from har_demo.errors import ClipError
from har_demo.flow.classical import between, check_size, grey

SIDE = 120  # pixels of the short side that flow is computed on
FAINTEST = 3.0  # levels of 255 that the picture changes where something moves, at least
RATE = 10  # pictures a second that are compared
LEAST = 0.5  # pixels of SIDE that something moves from one to the next, at least
NEAR = 1  # pictures before and after whose motion counts too: limbs pause
MARGIN = 0.04  # of the short side, around what moves
SMALLEST = 0.002  # of the picture; smaller spots are noise
STILL = 0.3  # pixels of SIDE that a camera on a stand may seem to move from one to the next


@dataclass(frozen=True)
class Moving:
    """Masks of what moves in a clip, and the place behind it.

    Attributes:
        masks: float32 [T, h, w], 1 inside and 0 outside; at most SIDE on the short side, since a clip
            has many frames.
        place: uint8 [H, W, 3], the picture without what moves, put together from all frames; None where
            the camera moves.
    """

    masks: np.ndarray
    place: np.ndarray | None


def moving(frames: np.ndarray, fps: float) -> Moving:
    """Find what moves by itself.

    Args:
        frames: uint8 [T, H, W, 3], RGB.
        fps: frames per second.

    Raises:
        ClipError: nothing moves by itself, or the pictures are too small for optical flow.
    """
    height, width = frames.shape[1:3]
    check_size(height, width)
    small = resized(min(SIDE, height, width), width, height)
    numbers = np.unique(
        np.arange(0, len(frames), max(1.0, fps / RATE))
        .round()
        .astype(np.int64)
        .clip(0, len(frames) - 1)
    )
    greys = [_small(frames[n], small) for n in numbers]
    speeds, changes = np.zeros((2, len(numbers), *small), np.float32)
    shifts = [0.0]
    for n in range(len(numbers) - 1):
        for a, b in ((n, n + 1), (n + 1, n)):
            flow = between(greys[a], greys[b])
            camera = camera_flow(flow)
            shifts.append(float(np.hypot(*camera).mean()))
            speeds[a] = np.maximum(speeds[a], np.hypot(*(flow - camera)))
            changes[a] = np.maximum(changes[a], np.abs(_seen_from(greys[b], camera) - greys[a]))

    # Flow alone sees motion in grain, and a change alone in a flickering light.
    grain = float(np.median(changes))
    found = (speeds > max(LEAST, 0.15 * float(np.percentile(speeds, 99.5)))) & (
        changes > max(FAINTEST, 4 * grain)
    )
    masks = np.stack([_spots(found[max(0, n - NEAR) : n + NEAR + 1]) for n in range(len(found))])
    if not masks.any():
        raise ClipError(
            "Nothing moves by itself in this clip, so that what moves cannot be told from the rest: "
            "leave these edits out."
        )
    nearest = np.abs(np.arange(len(frames))[:, None] - numbers).argmin(axis=1)
    still = np.percentile(shifts, 90) < STILL
    return Moving(masks[nearest], _place(frames[numbers], masks) if still else None)


def camera_flow(flow: np.ndarray) -> np.ndarray:
    """The shift, turn and zoom that explain most of a field of flow, as a field float32 [2, H, W]."""
    height, width = flow.shape[1:]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    points = np.stack([x, y], axis=-1)[2::4, 2::4].reshape(-1, 2)
    moved = points + flow[:, 2::4, 2::4].reshape(2, -1).T
    model, _ = cv2.estimateAffinePartial2D(points, moved, ransacReprojThreshold=0.5)
    if model is None:  # no motion that many points share
        return np.zeros_like(flow)
    there = np.tensordot(model.astype(np.float32), np.stack([x, y, np.ones_like(x)]), axes=1)
    return there - np.stack([x, y])


def _small(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    picture = grey(cv2.resize(frame, size[::-1], interpolation=cv2.INTER_AREA))
    return cv2.GaussianBlur(picture, (0, 0), 0.01 * min(size))


def _seen_from(after: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """The picture `after`, moved back to where the camera was before."""
    height, width = after.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return cv2.remap(
        after, x + camera[0], y + camera[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _place(frames: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Each pixel's mean over the frames in which nothing moves there, uint8 [H, W, 3]."""
    total, weight = np.zeros(frames.shape[1:], np.float32), np.zeros(frames.shape[1:3], np.float32)
    for frame, mask in zip(frames, masks, strict=True):
        free = (enlarged(mask, frames) < 0.05).astype(np.float32)
        total += frame * free[..., None]
        weight += free
    mean = (total / np.maximum(weight, 1)[..., None]).round().astype(np.uint8)
    return filled(mean, (weight == 0).astype(np.float32))  # what was never seen


def filled(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The picture with blurred surroundings inside the mask, from wider around where nothing near is left.

    Args:
        frame: uint8 [H, W, 3].
        mask: float32 [H, W].
    """
    height, width = mask.shape
    size = max(1, width // 4), max(1, height // 4)
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    free = 1 - cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    free = np.where(free > 0.99, free, 0)[..., None].astype(np.float32)
    fill, known = np.zeros_like(small), np.zeros((*small.shape[:2], 1), np.float32)
    for share in (0.02, 0.06, 0.2, 1.0):
        sigma = share * min(size)
        weight = cv2.GaussianBlur(free, (0, 0), sigma)[..., None]
        around = cv2.GaussianBlur(small * free, (0, 0), sigma) / np.maximum(weight, 1e-6)
        part = np.clip(weight * 4, 0, 1) * (1 - known)
        fill, known = fill + part * around, known + part
    fill = np.where(known > 1e-3, fill / np.maximum(known, 1e-3), 128)
    large = cv2.resize(fill, (width, height), interpolation=cv2.INTER_LINEAR)
    return mixed(large, frame, mask)


def mixed(inside: np.ndarray, outside: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3]: one picture where the mask (float [H, W]) is 1, the other where it is 0."""
    part = mask[..., None]
    return (inside * part + outside * (1 - part)).round().astype(np.uint8)


def enlarged(mask: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """A mask at the size of frames [..., H, W, 3]."""
    return cv2.resize(mask, frames.shape[-2:-4:-1], interpolation=cv2.INTER_LINEAR)


def _spots(found: np.ndarray) -> np.ndarray:
    """bool [N, h, w] of some moments as one soft mask float32 [h, w]: holes closed, specks gone."""
    short = min(found.shape[1:])
    spots = found.any(axis=0).astype(np.uint8)
    spots = cv2.morphologyEx(spots, cv2.MORPH_OPEN, _disc(0.01 * short))
    spots = cv2.morphologyEx(spots, cv2.MORPH_CLOSE, _disc(0.08 * short))
    _, labels, facts, _ = cv2.connectedComponentsWithStats(spots)
    large = facts[:, cv2.CC_STAT_AREA] >= SMALLEST * spots.size
    large[0] = False  # what surrounds them
    spots = cv2.dilate(large[labels].astype(np.uint8), _disc(MARGIN * short))
    return cv2.GaussianBlur(spots.astype(np.float32), (0, 0), 0.01 * short)


def _disc(radius: float) -> np.ndarray:
    side = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
