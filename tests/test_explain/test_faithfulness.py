"""Curves that are known beforehand, and maps that should change when learning is undone."""

import numpy as np
import pytest
import torch
from torch import nn

from har_demo.explain.activation import Activation, activation
from har_demo.explain.faithfulness import (
    faithfulness,
    rank_correlation,
    shuffled,
    stays_when_shuffled,
)
from har_demo.explain.look import look

CELL = (1, 0, 1)  # of 2 × 2 × 2


class Corner(nn.Module):
    """Class 0 is what shines in one eighth of the clip; all others are 0."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(8.0))

    def forward(self, x):
        bright = x[:, :, 2:, :4, 4:].mean(dim=(1, 2, 3, 4))
        return torch.cat([(self.gain * bright)[:, None], x.new_zeros(len(x), 38)], dim=1)


@pytest.fixture
def shining(made):
    """The corner shines and little else, so that its mean says nothing of it."""
    x = torch.zeros(1, 3, 4, 8, 8)
    x[:, :, 2:, :4, 4:] = 1
    return made(Corner(), x)


def _map(at) -> Activation:
    values = np.zeros((2, 2, 2), np.float32)
    values[at] = 1
    return Activation("by hand", 0, "", values)


def test_the_right_cell_decides_at_once(shining):
    found = faithfulness(shining, _map(CELL), steps=8)
    sure, unsure = np.exp(8) / (np.exp(8) + 38), 1 / 39
    assert found.shares == pytest.approx(np.arange(9) / 8)
    assert found.deletion == pytest.approx([sure] + [unsure] * 8, abs=1e-4)
    assert found.insertion[1:] == pytest.approx([sure] * 8, abs=1e-4)
    assert found.insertion[0] < 0.5 * sure
    assert found.area("deletion") == pytest.approx(
        (sure + unsure) / 2 / 8 + unsure * 7 / 8, abs=1e-4
    )
    assert found.better == (True, True) and found.cells == 8


def test_a_map_that_finds_the_wrong_end_does_worse(shining):
    wrong = _map(CELL)
    wrong = Activation("", 0, "", 1 - wrong.values)  # everything but the cell that counts
    found = faithfulness(shining, wrong, steps=8)
    assert found.area("deletion") > 0.9 and found.better == (False, False)


def test_progress_and_coarse_maps(shining):
    told = []
    one_cell = Activation("", 0, "", np.ones((1, 1, 1), np.float32))
    found = faithfulness(shining, one_cell, on_progress=told.append)
    assert len(found.shares) == 2  # no more steps than cells
    assert told == sorted(told) and told[-1] == pytest.approx(1)


def test_several_inputs_are_taken_away_together(made):
    class Two(nn.Module):
        def forward(self, rgb, flow):
            total = rgb.mean(dim=(1, 2, 3, 4)) + flow.mean(dim=(1, 2, 3, 4))
            return torch.cat([total[:, None], rgb.new_zeros(len(rgb), 38)], dim=1)

    network = Two()
    network.unused = nn.Linear(1, 1)
    one = made(network, torch.ones(1, 3, 1, 8, 8), torch.ones(1, 2, 10, 8, 8))
    found = faithfulness(one, _map(CELL), steps=8)
    assert found.deletion[-1] == pytest.approx(1 / 39)
    assert found.deletion[0] == pytest.approx(np.exp(2) / (np.exp(2) + 38))
    assert np.all(np.diff(found.deletion) < 0)


def test_a_shuffled_network_keeps_values_and_loses_places(waving):
    network = look(waving, "tsm_lab").network()
    before = {name: p.clone() for name, p in network.named_parameters()}
    other = shuffled(network, seed=1)
    for name, p in network.named_parameters():
        assert torch.equal(p, before[name])  # the one in use is left alone
    moved = 0
    for name, p in other.named_parameters():
        assert torch.equal(p.flatten().sort().values, before[name].flatten().sort().values)
        moved += not torch.equal(p, before[name])
    assert moved > len(before) * 0.9
    again = shuffled(network, seed=1)
    assert all(
        torch.equal(a, b) for a, b in zip(other.parameters(), again.parameters(), strict=True)
    )


@pytest.mark.nightly
@pytest.mark.parametrize("model", ["mfnet_pnl_lab", "tsm_lab"])
def test_random_weights_change_the_map(waving, model):
    one = look(waving, model)
    found = activation(one)
    assert stays_when_shuffled(one, found, seeds=1) < 0.7
    assert rank_correlation(found.values, activation(one).values) == pytest.approx(1)


def test_rank_correlation():
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert rank_correlation(a, a**3) == pytest.approx(1)
    assert rank_correlation(a, -a) == pytest.approx(-1)
    assert rank_correlation(a, np.zeros((2, 2))) == 0
