"""What stands about on a stage besides people: surfaces, boxes, and the props an action needs."""

from dataclasses import dataclass

import numpy as np

NOWHERE = np.array([0.0, -50.0, 0.0])
"""Where things are that are not there."""


@dataclass(frozen=True)
class Surface:
    """How one thing is painted; see texture.Paint."""

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
