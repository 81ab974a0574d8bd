"""What must hold for each model of the project, whatever its idea."""

import csv

import pytest
import torch

from har_demo import assets
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


def counted_before() -> dict[str, dict[str, str]]:
    """The rows of the table of costs, by model, that are of a card's own view and classes."""
    with open(assets.MEASURED / "costs.csv", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    own = {
        (c.name, f"{c.input.frames} × {c.input.crop[0]}", str(len(c.classes)))
        for c in cards().values()
    }
    return {
        row["model"]: row
        for row in rows
        if (row["model"], row["frames × side"], row["classes"]) in own
    }


def _true_of_their_networks(some):
    """Costs as stated and as the reference's own code has them, one score a class, attention as stated.

    Every network is built once and passed once for each view that somebody counted.
    """
    published_costs.count.cache_clear()  # so that every forward pass is seen here
    for c in some:
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


@each_file
def test_cards_are_true_of_their_networks(file):
    """Of each file the tiny networks, the first of a paper, and those without a row in the table of costs."""
    known = counted_before()
    first = next((c.name for c in file.CARDS if c.size == "paper"), None)
    _true_of_their_networks(
        c for c in file.CARDS if c.size == "tiny" or c.name == first or c.name not in known
    )


@pytest.mark.nightly
@each_file
def test_every_card_is_true_of_its_network(file):
    _true_of_their_networks(file.CARDS)


def test_cards_state_the_costs_that_were_counted():
    """What `har-demo costs` has counted, to three decimals; so that no card is changed by itself."""
    known = counted_before()
    assert len(known) > 100
    for name, row in known.items():
        assert card(name).parameters == int(row["parameters"]), name
        if card(name).gmacs is None:
            assert row["GMACs"] == "", name
        else:
            assert card(name).gmacs == pytest.approx(float(row["GMACs"]), abs=0.0011), name


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
