"""Costs that were counted on somebody else's code, held against ours."""

import pytest
import torch

from har_demo.models.cost import gmacs, parameters
from har_demo.models.registry import card as by_name


def assert_verified(name: str) -> None:
    """Every verified cost on the card is ours: parameters to 0.1 %, multiply-adds to 0.5 %."""
    card = by_name(name)
    verified = [cost for cost in card.published if cost.status == "verified"]
    assert verified
    for cost in verified:
        with torch.device("meta"):
            network = card.build(cost.classes or len(card.classes))
        height, width = (cost.side, cost.side) if cost.side else card.input.crop
        view = (1, 3, cost.frames or card.input.frames, height, width)
        assert parameters(network) == pytest.approx(cost.parameters, rel=1e-3)
        assert gmacs(network, view) == pytest.approx(cost.gmacs, rel=5e-3)
