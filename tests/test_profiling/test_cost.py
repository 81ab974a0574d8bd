"""Costs are multiply-adds, counted also where PyTorch hides them in fused kernels."""

import pytest
import torch
from torch import nn

from har_demo.profiling.cost import gmacs, parameters


def test_parameters_count_shared_ones_once():
    network = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 5), nn.Linear(5, 5))
    network[2].weight = network[1].weight
    assert parameters(network) == (3 * 5 + 5) + (5 * 5 + 5) + 5


def test_one_multiply_add_counts_one():
    assert gmacs(nn.Linear(1000, 2000), (3, 1000)) == pytest.approx(3 * 1000 * 2000 / 1e9)
    convolution = nn.Conv3d(3, 8, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3))
    expected = 8 * 3 * 3 * 7 * 7 * (4 * 16 * 16) / 1e9
    assert gmacs(convolution, (1, 3, 4, 32, 32)) == pytest.approx(expected)


TOKENS, WIDTH, HIDDEN = 7, 16, 32
PROJECTIONS = 4 * TOKENS * WIDTH * WIDTH
ATTENTION = 2 * TOKENS * TOKENS * WIDTH


def test_attention_is_counted_through_the_fast_path():
    layer = nn.TransformerEncoderLayer(WIDTH, 4, HIDDEN, batch_first=True)
    expected = (PROJECTIONS + ATTENTION + 2 * TOKENS * WIDTH * HIDDEN) / 1e9
    assert gmacs(layer, (1, TOKENS, WIDTH)) == pytest.approx(expected)


def test_scaled_dot_product_attention_is_counted():
    class Attention(nn.Module):
        def forward(self, x):
            return nn.functional.scaled_dot_product_attention(x, x, x)

    assert gmacs(Attention(), (1, 1, TOKENS, WIDTH)) == pytest.approx(ATTENTION / 1e9)


def test_lstm_is_counted():
    steps, inputs, units = 5, 10, 20
    expected = steps * 4 * units * (inputs + units) / 1e9
    assert gmacs(nn.LSTM(inputs, units), (steps, 1, inputs)) == pytest.approx(expected)


def test_several_inputs():
    bilinear = nn.MultiheadAttention(WIDTH, 4, batch_first=True)
    shapes = [(1, TOKENS, WIDTH)] * 3
    assert gmacs(bilinear, *shapes) == pytest.approx((PROJECTIONS + ATTENTION) / 1e9)


def test_the_network_is_left_as_it_was():
    network = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)).train()
    before = network[0].weight.clone()
    gmacs(network, (1, 4))
    assert network.training
    assert network[0].weight.device.type == "cpu"
    assert torch.equal(network[0].weight, before)
