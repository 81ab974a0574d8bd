"""The cost of a network with other frames or another size, layer by layer, in a moment.

Nothing is computed and no parameter is stored: the network runs on the meta device (benchmarks.layers).
"""

from dataclasses import dataclass
from functools import lru_cache

from har_demo.errors import ChoiceError
from har_demo.models import registry
from har_demo.models.card import ModelCard
from har_demo.profiling.layers import Layer, layers
from har_demo.profiling.published_costs import view

FRAMES = (1, 256)
SIDES = (32, 512)
"""Choices of the page; the side in pixels of a square view."""

# What a network raises whose layers do not fit a view.
_MISFIT = (RuntimeError, ValueError, AssertionError, IndexError, ZeroDivisionError)


@dataclass(frozen=True)
class Explored:
    """A network and one view.

    Attributes:
        card: whose network it is.
        frames, side: of the view; of a network of flow alone, its fields.
        layers: in the order they finish.
    """

    card: ModelCard
    frames: int
    side: int
    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def gmacs(self) -> float:
        return sum(layer.gmacs for layer in self.layers)

    @property
    def megabytes(self) -> float:
        return sum(layer.megabytes for layer in self.layers)

    def as_json(self) -> dict:
        """All of it in plain words and numbers, for programs."""
        return {
            "model": self.card.name,
            "title": self.card.title,
            "frames": self.frames,
            "side": self.side,
            "parameters": self.parameters,
            "gmacs": round(self.gmacs, 6),
            "activation_megabytes": round(self.megabytes, 3),
            "convention": "multiply-adds of one view; FLOPs are twice as many; 4 bytes a number",
            "layers": [
                {
                    "layer": layer.name,
                    "kind": layer.kind,
                    "window": layer.window,
                    "output": list(layer.output),
                    "outputs_at_once": layer.together,
                    "runs": layer.runs,
                    "parameters": layer.parameters,
                    "gmacs": round(layer.gmacs, 6),
                    "activation_megabytes": round(layer.megabytes, 4),
                }
                for layer in self.layers
            ],
        }


def explore(model: str, frames: int | None = None, side: int | None = None) -> Explored:
    """The layers of a model's network for a view of so many frames and pixels a side.

    Args:
        model: name of a card.
        frames, side: the model's own when None.

    Raises:
        ChoiceError: there is no such model, it is no network, or it cannot take such a view.

    Example:
        >>> round(explore("c3d").gmacs, 2)
        38.55
    """
    card = registry.card(model)
    if card.gmacs is None:
        raise ChoiceError(f"{card.title} is no network, so that it has no layers to count.")
    own = card.input.frames, card.input.crop[0]
    frames = _whole(frames, own[0], FRAMES, "frames")
    side = _whole(side, own[1], SIDES, "pixels a side")
    if frames != own[0] and not card.input.any_frames:
        raise ChoiceError(f"{card.title} takes views of {own[0]} frames and of no other number.")
    try:
        return _explored(card, frames, side)
    except _MISFIT as error:
        if (frames, side) == own:
            raise
        raise ChoiceError(
            f"{card.title} cannot take a view of {frames} × {side} × {side}: its layers do not fit; "
            f"its own view is {own[0]} × {own[1]} × {own[1]}, frames × height × width."
        ) from error


def adjustable(model: str) -> tuple[bool, bool]:
    """Return whether a model's network takes other numbers of frames, and other sizes, than its own."""
    card = registry.card(model)
    if card.gmacs is None:
        return False, False
    return card.input.any_frames, _fits(card, card.input.crop[0] + 64)


def stages(counted: tuple[Layer, ...], least: int = 6) -> list[tuple[str, tuple[Layer, ...]]]:
    """The layers by the part of the network they are in, as deep as it takes to have a few parts.

    >>> [name for name, _ in stages(explore("r3d_18").layers)]
    ['stem', 'layer1', 'layer2', 'layer3', 'layer4', 'fc']
    """
    deepest = max(layer.name.count(".") for layer in counted) + 1
    for depth in range(1, deepest + 1):
        parts: dict[str, list[Layer]] = {}
        for layer in counted:
            parts.setdefault(".".join(layer.name.split(".")[:depth]), []).append(layer)
        if len(parts) >= least:
            break
    return [(name, tuple(inside)) for name, inside in parts.items()]


@lru_cache(256)
def _explored(card: ModelCard, frames: int, side: int) -> Explored:
    return Explored(card, frames, side, layers(card, view=view(card.input, frames, side)))


@lru_cache(256)
def _fits(card: ModelCard, side: int) -> bool:
    try:
        _explored(card, card.input.frames, side)
    except _MISFIT:
        return False
    return True


def _whole(given: float | None, own: int, bounds: tuple[int, int], what: str) -> int:
    if given is None or given == own:
        return own
    if given != int(given) or not bounds[0] <= given <= bounds[1]:
        raise ChoiceError(f"Give a whole number from {bounds[0]} to {bounds[1]} of {what}.")
    return int(given)
