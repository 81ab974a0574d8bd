"""Our networks' costs beside everybody else's figures: python -m har_demo costs

Every figure of `ModelCard.published` is counted again under its own conditions (classes, frames, side)
and compared. A figure that was counted on the reference's own code must be met; one that is printed or
recalled may be rounded, of another variant, or wrong, so that a difference is a finding and no fault.
Some count more than multiply-adds: most figures of pytorchvideo's model zoo have five operations in
them for every number that a batch norm touches, which is a twelfth of a small X3D.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from torch import nn

from har_demo.models.card import ModelCard, ModelInput, PublishedCost
from har_demo.models.without_numbers import without_numbers
from har_demo.profiling import cost

# The largest relative difference of (parameters, GMACs).
EQUAL = (0.001, 0.005)  # to a verified figure
CLOSE = (0.02, 0.02)  # to a printed or recalled one: most have two or three digits
STATED = (0.0, 0.001)  # to what a card says of itself, rounded to three decimals of a GMAC

OWN = "the card itself"

COLUMNS = (
    "model",
    "frames × side",
    "classes",
    "parameters",
    "GMACs",
    "published parameters",
    "published GMACs",
    "parameters ÷ published",
    "GMACs ÷ published",
    "verdict",
    "status",
    "source",
)


@dataclass(frozen=True)
class CostRow:
    """One published figure of one network, and what is counted under the same conditions.

    Attributes:
        model: name of the card.
        frames, side: of the view, side in pixels.
        classes: outputs of the network.
        parameters, gmacs: counted here; no GMACs where the card states none, as of hand-crafted methods.
        published: the figure; None where the card has none.
        verdict: 'equal' or 'OFF' for a verified figure; 'close' or 'differs' for a printed or an
            unverified one; 'no figure'.
    """

    model: str
    frames: int
    side: int
    classes: int
    parameters: int | None
    gmacs: float | None
    published: PublishedCost | None
    verdict: str

    def words(self) -> tuple[str, ...]:
        """The row under COLUMNS."""
        published = self.published or PublishedCost("", "printed")
        return (
            self.model,
            f"{self.frames} × {self.side}",
            str(self.classes),
            _number(self.parameters, 0),
            _number(self.gmacs, 3),
            _number(published.parameters, 0),
            _number(published.gmacs, 3),
            _ratio_words(self.parameters, published.parameters),
            _ratio_words(self.gmacs, published.gmacs),
            self.verdict,
            published.status if self.published else "",
            published.source,
        )


def rows(card: ModelCard) -> tuple[CostRow, ...]:
    """One row for each published figure of a card, or one that says that there is none."""
    return tuple(_row(card, published) for published in card.published or (None,))


def faults(card: ModelCard) -> tuple[CostRow, ...]:
    """The rows that must not be: verified figures missed, and a card that misstates itself."""
    stated = PublishedCost(OWN, "verified", card.parameters, card.gmacs)
    verified = (one for one in card.published if one.status == "verified")
    every = (*(_row(card, one) for one in verified), _row(card, stated, STATED))
    return tuple(row for row in every if row.verdict == "OFF")


@cache
def count(card: ModelCard, classes: int, frames: int, side: int) -> tuple[int, float | None]:
    """Parameters and GMACs of a card's network for views of that many frames and pixels a side.

    No GMACs where the card states none: a hand-crafted method has other steps to count.
    """
    network = meta_network(card, classes)
    if card.gmacs is None:
        return cost.parameters(network), None
    shapes = view(card.input, frames, side).shapes()
    return cost.parameters(network), cost.gmacs(network, *shapes)


def view(spec: ModelInput, frames: int, side: int) -> ModelInput:
    """The same input with other frames and another square crop; fields of flow keep in step.

    >>> view(ModelInput(64, 25, 256, (224, 224), MEAN, STD, modality="rgb+flow", flow_frames=64), 16, 112).shapes()
    ((1, 3, 16, 112, 112), (1, 2, 16, 112, 112))
    """
    fields = spec.flow_frames * frames // spec.frames
    return replace(spec, frames=frames, flow_frames=fields, crop=(side, side))


def verdict(
    published: PublishedCost | None,
    parameters: int | None,
    gmacs: float | None,
    equal: tuple[float, float] = EQUAL,
) -> str:
    """Return the verdict on a figure; see CostRow. One part that is out of bounds is enough."""
    if published is None:
        return "no figure"
    within = equal if published.status == "verified" else CLOSE
    pairs = ((parameters, published.parameters), (gmacs, published.gmacs))
    holds = all(
        theirs is None or (ours is not None and abs(ours / theirs - 1) <= bound)
        for (ours, theirs), bound in zip(pairs, within, strict=True)
    )
    if published.status == "verified":
        return "equal" if holds else "OFF"
    return "close" if holds else "differs"


def write(counted: Iterable[CostRow], path: Path | str) -> None:
    """The table as CSV."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *(row.words() for row in counted)])


def _row(
    card: ModelCard, published: PublishedCost | None, equal: tuple[float, float] = EQUAL
) -> CostRow:
    frames = (published and published.frames) or card.input.frames
    side = (published and published.side) or card.input.crop[0]
    classes = (published and published.classes) or len(card.classes)
    parameters, gmacs = count(card, classes, frames, side)
    agreement = verdict(published, parameters, gmacs, equal)
    return CostRow(card.name, frames, side, classes, parameters, gmacs, published, agreement)


@cache
def meta_network(card: ModelCard, classes: int) -> nn.Module:
    """Return a card's network on the meta device, in evaluation mode; the same one at every call."""
    with without_numbers():
        return card.build(classes).eval()


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def _ratio_words(ours: float | None, theirs: float | None) -> str:
    return f"{ours / theirs:.3f}" if ours is not None and theirs else ""
