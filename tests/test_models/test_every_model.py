"""What must hold for each model of the project, whatever its idea."""

import pytest
import torch

from har_demo.labels import EVERYDAY
from har_demo.models.registry import cards

NETWORKS = [c for c in cards().values() if c.gmacs is not None]
TINY = [c for c in cards().values() if c.size == "tiny"]


def _named(found):
    return pytest.mark.parametrize("card", found, ids=lambda c: c.name)


@_named(NETWORKS)
def test_one_score_a_class_for_every_view(card):
    with torch.device("meta"):
        network = card.build(7).eval()
        views = [torch.empty(shape) for shape in card.input.shapes(batch=2)]
    assert network(*views).shape == (2, 7)


@_named(TINY)
def test_a_tiny_model_is_small_and_knows_the_everyday_actions(card):
    assert card.parameters <= 5_000_000  # ten megabytes in half precision
    assert card.classes == EVERYDAY
    assert card.input.crop == (112, 112)


@_named([c for c in TINY if c.gmacs is not None])
def test_a_tiny_model_learns_on_a_batch(card):
    """Forward and backward: every parameter gets a gradient, and a step lowers the loss."""
    torch.manual_seed(0)
    network = card.build(3).train()
    views = [torch.randn(shape) for shape in card.input.shapes(batch=2)]

    def loss_now():
        torch.manual_seed(1)  # whatever is dropped is dropped again
        return torch.nn.functional.cross_entropy(network(*views), torch.tensor([0, 2]))

    loss = loss_now()
    assert loss.isfinite()
    loss.backward()
    trained = {name: p for name, p in network.named_parameters() if p.requires_grad}
    assert not [name for name, p in trained.items() if p.grad is None]
    assert all(p.grad.isfinite().all() for p in trained.values())
    with torch.no_grad():
        slope = sum(p.grad.square().sum() for p in trained.values())
        for p in trained.values():
            p -= 0.01 / slope * p.grad
        assert loss_now() < loss
