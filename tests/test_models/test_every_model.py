"""What must hold for each model of the project, whatever its idea."""

import pytest
import torch

from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.models.registry import card, cards
from har_demo.profiling import published_costs
from tests.networks import on_meta

TINY = [c for c in cards().values() if c.size == "tiny"]
# One of each kind of input, and of each kind of layer that trains otherwise than convolutions do.
ONE_OF_EACH_KIND = (
    "tsn_lab",  # differences of frames
    "temporal_stream_lab",  # flow
    "two_stream_lab",  # frames and flow
    "gru_lab",  # recurrence
    "swin_lab",  # windowed attention
    "mfnet_lab",  # frames, grouped convolution
)
THE_OTHERS = [c for c in TINY if c.gmacs is not None and c.name not in ONE_OF_EACH_KIND]
each_file = pytest.mark.parametrize(
    "file", registry.files(), ids=lambda f: f.__name__.split(".")[-1]
)


@each_file
def test_cards_are_true_of_their_networks(file):
    """Costs as stated and as the reference's own code has them, one score a class, attention as stated.

    Every network is built once and passed once for each view that somebody counted.
    """
    published_costs.count.cache_clear()  # so that every forward pass is seen here
    for c in file.CARDS:
        network, outputs = on_meta(c.name), []
        hook = network.register_forward_hook(
            lambda _, __, scores, outputs=outputs: outputs.append(tuple(scores.shape))
        )
        faults = [row.words() for row in published_costs.faults(c)]
        hook.remove()
        assert faults == []
        if c.gmacs is not None:
            assert set(outputs) == {(1, len(c.classes))}, c.name
        asked = [module for module in network.modules() if hasattr(module, "attention")]
        assert bool(asked) == c.attends, c.name
        assert all(module.kind for module in asked), c.name


@pytest.mark.nightly
@each_file
def test_any_number_of_classes_and_of_clips(file):
    for c in file.CARDS:
        if c.gmacs is None:
            continue
        with torch.device("meta"):
            network = c.build(7).eval()
            views = [torch.empty(shape) for shape in c.input.shapes(batch=2)]
        assert network(*views).shape == (2, 7), c.name


def test_tiny_models_are_small_and_know_the_everyday_actions():
    for c in TINY:
        assert c.parameters <= 5_000_000, c.name  # ten megabytes in half precision
        assert c.classes == EVERYDAY, c.name
        assert c.input.crop == (112, 112), c.name


def _learns_on_a_batch(c):
    """Forward and backward: every parameter gets a gradient, and a step lowers the loss."""
    torch.manual_seed(0)
    network = c.build(3).train()
    views = [torch.randn(shape) for shape in c.input.shapes(batch=2)]

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


@pytest.mark.parametrize("name", ONE_OF_EACH_KIND)
def test_a_tiny_model_learns_on_a_batch(name):
    _learns_on_a_batch(card(name))


@pytest.mark.nightly
@pytest.mark.parametrize("c", THE_OTHERS, ids=lambda c: c.name)
def test_every_tiny_model_learns_on_a_batch(c):
    _learns_on_a_batch(c)


def test_each_family_has_one_colour():
    hues = {}
    for c in cards().values():
        if c.hue is not None:
            assert 0 <= c.hue < 360
            assert hues.setdefault(c.family, c.hue) == c.hue, c.name
    assert set(hues) == {c.family for c in cards().values()}
    assert len(set(hues.values())) == len(hues)


def test_tiny_models_name_the_papers_of_their_family():
    for c in cards().values():
        if c.tiny_of:
            assert (c.size, card(c.tiny_of).size) == ("tiny", "paper"), c.name
            assert card(c.tiny_of).family == c.family, c.name
