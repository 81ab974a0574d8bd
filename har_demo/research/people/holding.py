"""Things in somebody's hands or before their feet, made from the joints, so that they never slip.

Each function returns a maker, joints [T, 20, 3] → Prop, as `skeleton.Pose.props` wants it.
"""

from collections.abc import Callable

import numpy as np

from har_demo.research.people.place import surface
from har_demo.research.people.skeleton import JOINTS
from har_demo.research.people.solids import BOX, CAPSULE, ELLIPSOID
from har_demo.research.people.texture import STRIPES
from har_demo.research.people.things import Prop, Surface

GRAVITY = 9.81
BOUNCE = 0.6  # share of its speed that a ball keeps
Maker = Callable[[np.ndarray], Prop]
Flight = Callable[[np.ndarray], np.ndarray]  # moments [T] → places [T, 3]

WOOD = Surface((0.45, 0.28, 0.14), (0.36, 0.2, 0.1), STRIPES, 7.0, 0.3)
STEEL = Surface((0.55, 0.56, 0.58), grain=0.1)
SIDE_NAMES = ("left", "right")


def hand(joints: np.ndarray, side: int) -> np.ndarray:
    """[T, 3], about the knuckles."""
    return joints[:, JOINTS.index(f"{SIDE_NAMES[side]} hand")].astype(float)


def pointing(joints: np.ndarray, side: int) -> np.ndarray:
    """[T, 3] the way a forearm points, of length 1."""
    elbow, wrist = (
        joints[:, JOINTS.index(f"{SIDE_NAMES[side]} {name}")].astype(float)
        for name in ("elbow", "wrist")
    )
    return _unit(wrist - elbow)


def between(joints: np.ndarray) -> np.ndarray:
    """[T, 3] the middle between the hands."""
    return (hand(joints, 0) + hand(joints, 1)) / 2


def in_hand(joints: np.ndarray, side: int, radius: float) -> np.ndarray:
    """[T, 3] the middle of a ball held by one hand."""
    return hand(joints, side) + radius * pointing(joints, side)


def flight(start: np.ndarray, velocity: np.ndarray, radius: float) -> Flight:
    """A ball's way through the air from time 0; it falls, bounces off the floor, and rolls on."""
    start, velocity = np.asarray(start, float), np.asarray(velocity, float)
    legs, moment, place, speed = [], 0.0, start, velocity
    for _ in range(4):
        drop = place[1] - radius
        fall = (speed[1] + np.sqrt(max(speed[1] ** 2 + 2 * GRAVITY * drop, 0))) / GRAVITY
        legs.append((moment, place, speed, GRAVITY))
        place = place + speed * fall
        place[1] = radius
        hit = GRAVITY * fall - speed[1]
        speed = np.array([0.8 * speed[0], BOUNCE * hit, 0.8 * speed[2]])
        moment += fall
    legs.append((moment, place, speed * [1, 0, 1], 0.0))

    def at(t: np.ndarray) -> np.ndarray:
        places = np.empty((len(t), 3))
        for begin, place, speed, pull in legs:
            later = (t >= begin) | (begin == 0.0)
            since = (t - begin)[later, None]
            places[later] = place + speed * since - [0, pull / 2, 0] * since**2
        return places

    return at


def ball(radius: float, at: Callable[[np.ndarray], np.ndarray], paint: Surface) -> Maker:
    """A ball; `at` says from the joints where its middle is."""
    return lambda joints: Prop(ELLIPSOID, np.full(3, radius), at(joints), paint)


def rod(radius: float, half: float, ends: Callable, paint: Surface) -> Maker:
    """A bar or bat; `ends` gives from the joints its middle and the way it points, each [T, 3]."""

    def make(joints: np.ndarray) -> Prop:
        middle, way = ends(joints)
        return Prop(CAPSULE, np.array([radius, half, 0.0]), middle, paint, upright_along(way))

    return make


def board(half, at: Callable[[np.ndarray], np.ndarray], paint: Surface) -> Maker:
    """A box whose edges follow the axes: door, crate, post; `at` as for a ball."""
    upright = np.eye(3)

    def make(joints: np.ndarray) -> Prop:
        middle = at(joints)
        turn = np.broadcast_to(upright, (len(middle), 3, 3))
        return Prop(BOX, np.array(half, float), middle, paint, turn)

    return make


def still(place) -> Callable[[np.ndarray], np.ndarray]:
    """Always at the same place, whatever the joints do."""
    return lambda joints: np.broadcast_to(np.asarray(place, float), (len(joints), 3))


def paint(chance: np.random.Generator) -> Surface:
    """Any colours."""
    return surface(chance)


def upright_along(way: np.ndarray) -> np.ndarray:
    """[T, 3, 3] turns that take y to `way`, turning about it as little as possible."""
    up = _unit(way)
    turns = np.empty((len(up), 3, 3))
    side = np.cross(up[0], [0.31, 0.55, 0.77])
    for t, axis in enumerate(up):
        side = _unit(side - side @ axis * axis)
        turns[t] = np.stack([side, axis, np.cross(side, axis)], -1)
    return turns


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-6)
