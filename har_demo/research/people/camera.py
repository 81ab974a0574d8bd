"""A pinhole camera over time: it keeps a motion in view, stands or follows, and may be hand-held."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """Position and direction of the lens over T frames.

    A point's depth is its distance along the view; a pixel's ray gains one metre of depth per unit.

    Attributes:
        place: float32 [T, 3] in metres.
        axes: float32 [T, 3, 3], rows are right, up and back in the world.
        focal: focal length in picture heights; 1 sees 53° from top to bottom.
    """

    place: np.ndarray
    axes: np.ndarray
    focal: float


@dataclass(frozen=True)
class CameraShot:
    """Settings of a shot.

    Attributes:
        azimuth: radians around the person; at 0 the camera looks a person of heading 0 in the face.
        tilt: radians the camera stands above the middle of the motion.
        focal: as in Camera.
        fill: share of the picture that the motion may take, about 0.4 to 1.05.
        follow: 0 stands still, 1 turns with the person all the way.
        travel: 0 stays where it is, 1 is driven along, so that a walker seems to be on a treadmill.
        shake: 0 is a tripod, 1 a nervous hand.
        aside: (right, up) shares of the picture that the motion is moved off its middle.
    """

    azimuth: float
    tilt: float = 0.12
    focal: float = 1.6
    fill: float = 0.85
    follow: float = 0.0
    travel: float = 0.0
    shake: float = 0.0
    aside: tuple[float, float] = (0.0, 0.0)


FLESH = 0.15  # metres that people are larger than their skeleton
NOTHING = np.empty((0, 3))


def film(
    joints: np.ndarray,
    shot: CameraShot,
    aspect: float,
    fps: float,
    chance: np.random.Generator,
    things: np.ndarray = NOTHING,
) -> Camera:
    """The camera of a shot, so far away that the whole motion fits, and the things it is about.

    Args:
        joints: [T, 20, 3].
        shot: the wishes.
        aspect: width / height of the picture.
        fps: frames per second of the joints; a shaking hand keeps its speed.
        chance: draws the shaking.
        things: [N, 3], outermost points of what stands still and belongs to the motion.
    """
    back = _direction(np.array([shot.azimuth]), np.array([shot.tilt]))[0]
    axes = _axes(back[None])[0]
    centre = joints.mean(1)  # [T, 3]
    way = shot.travel * (_smooth(centre, fps) - centre.mean(0)) * np.array([1, 0, 1])
    joints, centre = joints - way[:, None], centre - way  # as seen by who travels along
    things = things - way[:, None]  # [T, N, 3]
    person, middle = _middle(joints), _middle(np.concatenate([joints, things], 1))
    # Whoever is followed needs room for the body alone, not for the whole way.
    centre = person + (centre - person) * np.array([1, 0.3, 1])
    seen_from = middle + shot.follow * (_smooth(centre, fps) - person)
    points = np.concatenate([joints, things], 1) - seen_from[:, None]
    across, up, near = np.moveaxis(points @ axes.T, -1, 0)
    flesh = np.where(np.arange(points.shape[1]) < joints.shape[1], FLESH, 0.0)
    # A point is inside when focal × offset ≤ half the picture × its distance.
    wide = near + shot.focal * (np.abs(across) + flesh) / (shot.fill * aspect / 2)
    high = near + shot.focal * (np.abs(up) + flesh) / (shot.fill / 2)
    distance = max(wide.max(), high.max())
    place = middle + back * distance
    place[1] = max(place[1], 0.15)

    # Turn, rather than travel, with the person; aim beside the middle when asked.
    offset = np.array([-shot.aside[0] * aspect, -shot.aside[1]]) * distance / shot.focal
    aim = seen_from + offset[0] * axes[0] + offset[1] * axes[1]
    seconds = np.arange(len(joints)) / fps
    turn = 0.012 * shot.shake * np.stack([_waver(seconds, chance) for _ in range(3)], -1)
    sway = 0.015 * shot.shake * np.stack([_waver(seconds, chance) for _ in range(3)], -1)
    view = place + sway - aim
    heading = np.arctan2(view[:, 0], view[:, 2]) + turn[:, 0]
    tilt = np.arctan2(view[:, 1], np.hypot(view[:, 0], view[:, 2])) + turn[:, 1]
    rolled = _roll(_axes(_direction(heading, tilt)), turn[:, 2])
    return Camera((place + sway + way).astype(np.float32), rolled.astype(np.float32), shot.focal)


def project(camera: Camera, points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """World [T, N, 3] to (x, y, depth) [T, N, 3]: pixels of a picture of (width, height), metres."""
    seen = np.einsum("tij,tnj->tni", camera.axes, points - camera.place[:, None])
    depth = -seen[..., 2]
    x, y = (seen[..., i] * camera.focal * size[1] / np.maximum(depth, 1e-3) for i in (0, 1))
    return np.stack([size[0] / 2 + x, size[1] / 2 - y, depth], -1)


def _middle(points: np.ndarray) -> np.ndarray:
    """[3], the middle of the box around points [T, N, 3]."""
    return (points.min((0, 1)) + points.max((0, 1))) / 2


def _direction(heading: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """Unit vectors [T, 3], turned by `heading` from +z and raised by `tilt`."""
    flat = np.cos(tilt)
    return np.stack([np.sin(heading) * flat, np.sin(tilt), np.cos(heading) * flat], -1)


def _axes(back: np.ndarray) -> np.ndarray:
    """[T, 3, 3] rows right, up, back of a camera held level."""
    right = np.cross([0.0, 1.0, 0.0], back)
    right = right / np.linalg.norm(right, axis=-1, keepdims=True)
    return np.stack([right, np.cross(back, right), back], 1)


def _roll(axes: np.ndarray, angle: np.ndarray) -> np.ndarray:
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    right, up, back = axes[:, 0], axes[:, 1], axes[:, 2]
    return np.stack([cos * right + sin * up, cos * up - sin * right, back], 1)


def _smooth(track: np.ndarray, fps: float) -> np.ndarray:
    """A person who films cannot jerk: a moving average over half a second."""
    half = max(1, round(0.25 * fps))
    padded = np.pad(track, ((half, half), (0, 0)), mode="reflect", reflect_type="odd")
    kernel = np.ones(2 * half + 1) / (2 * half + 1)
    return np.stack([np.convolve(padded[:, i], kernel, mode="valid") for i in range(3)], -1)


def _waver(seconds: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """A smooth wobble of about unit size, slow and quick parts together."""
    wobble = np.zeros_like(seconds)
    for frequency, strength in ((0.4, 0.7), (1.1, 0.5), (3.2, 0.12), (6.5, 0.04)):
        phase = chance.uniform(0, 2 * np.pi)
        wobble += strength * np.sin(
            2 * np.pi * frequency * chance.uniform(0.7, 1.4) * seconds + phase
        )
    return wobble
