"""Things on a stage besides people: surfaces, boxes, and the props an action needs."""

from dataclasses import dataclass

import numpy as np

from har_demo.research.people.solids import CAPSULE

NOWHERE = np.array([0.0, -50.0, 0.0])
"""Where things are that are not there."""


@dataclass(frozen=True)
class Surface:
    """Paint of one thing; see texture.Paint."""

    base: tuple[float, float, float]
    second: tuple[float, float, float] = (0.5, 0.5, 0.5)
    pattern: int = 0
    scale: float = 1.0
    grain: float = 0.2


@dataclass(frozen=True)
class Box:
    """A box standing about: middle, half edges (metres), turn about the upright axis, surface."""

    middle: np.ndarray
    half: np.ndarray
    turn: float
    surface: Surface


@dataclass(frozen=True)
class Prop:
    """A thing the action needs.

    Attributes:
        kind: a kind of solid.
        size: [3] as solids.Solids.
        middle: float [T, 3] in metres.
        turn: float [T, 3, 3]; None for upright.
        surface: how it is painted.
    """

    kind: int
    size: np.ndarray
    middle: np.ndarray
    surface: Surface
    turn: np.ndarray | None = None


def stands(prop: Prop) -> bool:
    """Return True for a prop that stays in place, as a stool or a hoop does and a ball does not."""
    return np.ptp(prop.middle, axis=0).max() < 1e-6 and prop.middle[0, 1] > NOWHERE[1] / 2


def corners(prop: Prop) -> np.ndarray:
    """[8, 3] of the smallest box around it in the first frame, metres."""
    thick, half = prop.size[:2]
    size = np.array([thick, thick + half, thick]) if prop.kind == CAPSULE else prop.size
    own = size * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    return prop.middle[0] + (own if prop.turn is None else own @ prop.turn[0].T)
