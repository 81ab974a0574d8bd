"""Costs for other views: as the card says at its own, and scaled as convolutions scale at others."""

import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from har_demo.errors import ChoiceError
from har_demo.models import registry
from har_demo.profiling import what_if as module
from har_demo.profiling.what_if import adjustable, explore, stages


@pytest.mark.parametrize("name", ["r2plus1d_18", "swin_lab", "tsm_lab", "two_stream_lab"])
def test_the_own_view_costs_what_the_card_says(name):
    found, card = explore(name), registry.card(name)
    assert (found.frames, found.side) == (card.input.frames, card.input.crop[0])
    assert found.parameters == card.parameters
    assert found.gmacs == pytest.approx(card.gmacs, rel=1e-3)


def test_twice_the_frames_are_twice_the_cost_and_memory_of_a_fully_convolutional_network():
    once, twice = explore("r3d_18", 16), explore("r3d_18", 32)
    assert twice.parameters == once.parameters
    assert twice.gmacs == pytest.approx(2 * once.gmacs, rel=1e-3)
    assert twice.megabytes == pytest.approx(2 * once.megabytes, rel=1e-3)


def test_memory_is_four_bytes_for_every_number_a_layer_gives_out():
    found = {layer.name: layer for layer in explore("c3d").layers}
    for name in ("conv1a", "conv5b", "max_pool3d", "fc8"):  # a pool's places are no numbers
        assert found[name].megabytes == pytest.approx(4 * math.prod(found[name].output) / 1e6)
    frames = {layer.name: layer for layer in explore("tsm_lab").layers}
    stem = frames["features.0.stem.conv"]
    assert stem.together == 8  # a network of images sees the frames one by one
    assert stem.numbers == 8 * math.prod(stem.output)


def test_the_products_of_attention_take_memory():
    found = {layer.name: layer for layer in explore("c2d_nl_lab").layers}
    block = found["res3.1.non_local"]
    places = 8 * 14 * 14
    assert block.kind == "NonLocal, other"
    assert block.numbers > places * places / 4  # its keys are pooled 2 × 2


def test_who_takes_other_views():
    assert adjustable("r2plus1d_18") == (True, True)
    assert adjustable("c3d") == (False, False)  # a full connection counts its places
    assert adjustable("tsm_lab") == (False, True)
    assert adjustable("idt") == (False, False)


def test_parts_hold_every_layer_once():
    for name in ("swin_lab", "slowfast_lab", "c3d"):
        layers = explore(name).layers
        inside = [layer for _, part in stages(layers) for layer in part]
        assert sorted(layer.name for layer in inside) == sorted(layer.name for layer in layers)
        assert len(stages(layers)) >= 6


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("no_such",), "no_such"),
        (("idt",), "is no network"),
        (("c3d", 16, 160), "cannot take a view of 16 × 160 × 160"),
        (("i3d", 1, 32), "cannot take a view"),
        (("trn_lab", 16), "views of 8 frames and of no other"),
        (("r3d_18", 0), "whole number from 1"),
        (("r3d_18", 2.5), "whole number from 1"),
        (("r3d_18", 16, 100_000), "pixels a side"),
    ],
)
def test_what_cannot_be_counted_gets_a_sentence(asked, sentence):
    with pytest.raises(ChoiceError, match=sentence):
        explore(*asked)


class Largest(TorchDispatchMode):
    """Numbers in the largest tensor that an operation makes, with contents and without."""

    def __init__(self):
        super().__init__()
        self.filled = self.empty = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, tuple | list) else (made,):
            if isinstance(one, torch.Tensor) and one.device.type == "meta":
                self.empty = max(self.empty, one.numel())
            elif isinstance(one, torch.Tensor):
                self.filled = max(self.filled, one.numel())
        return made


@pytest.mark.nightly
def test_the_largest_network_is_counted_without_its_numbers():
    """200 million parameters and what flows between layers would take long, and gigabytes."""
    module._explored.cache_clear()
    with Largest() as seen:
        found = explore("swin3d_l_384", 16)
    assert found.parameters > 190e6
    assert seen.filled < 1e6 < seen.empty
