"""Conv Pool keeps the strongest response of each place, whenever it was."""

import torch
from torch import nn

from har_demo.models.conv_pool import ConvPool, conv_pool, conv_pool_tiny


def test_the_head_sees_the_largest_value_of_each_place_over_time():
    network = ConvPool(nn.Identity(), nn.Linear(3 * 2 * 2, 5)).eval()
    seen = []
    network.head.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    clip = torch.zeros(1, 3, 4, 2, 2)
    clip[0, 1, 2, 0, 1] = 7
    clip[0, 1, 3, 0, 1] = 5
    clip[0, 2, 0, 1, 1] = 3
    network(clip)
    expected = torch.zeros(1, 3, 2, 2)
    expected[0, 1, 0, 1] = 7
    expected[0, 2, 1, 1] = 3
    assert torch.equal(seen[0], expected.flatten(1))


def test_alexnets_maps_keep_their_6_by_6_places():
    with torch.device("meta"):
        network = conv_pool(101)
        assert network.convolutions(torch.empty(1, 3, 224, 224)).shape == (1, 256, 6, 6)
    assert network.head[1].in_features == 256 * 6 * 6


def test_neither_order_nor_repetition_matters():
    torch.manual_seed(0)
    network = conv_pool_tiny(5).eval()
    clip = torch.randn(2, 3, 4, 112, 112)
    with torch.no_grad():
        scores = network(clip)
        torch.testing.assert_close(network(clip.flip(2)), scores, atol=1e-5, rtol=1e-5)
        twice = clip.repeat(1, 1, 2, 1, 1)
        torch.testing.assert_close(network(twice), scores, atol=1e-5, rtol=1e-5)
        assert (network(clip[:, :, :2]) - scores).abs().max() > 1e-4
