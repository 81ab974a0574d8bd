"""FlowNet is the paper's network, and its correlation does what its words say."""

import pytest
import torch
from torch import nn

from har_demo.flow import flownet, learned
from har_demo.flow.flownet import FlowNetC, FlowNetS, correlation, flownet_lab
from har_demo.profiling.cost import gmacs, parameters

PICTURE = (1, 3, 384, 512)


@pytest.mark.parametrize(
    ("build", "count", "cost"),
    [
        (FlowNetS, 38_675_536, 15.788),
        (FlowNetC, 39_174_320, 22.382),
        (flownet_lab, 1_138_256, 1.336),
    ],
)
def test_size_and_cost(build, count, cost):
    with torch.device("meta"):
        network = build()
    assert parameters(network) == count
    assert gmacs(network, PICTURE, PICTURE) == pytest.approx(cost, rel=0.001)


def test_names_are_the_public_ones():
    with torch.device("meta"):
        names = {name: tuple(value.shape) for name, value in FlowNetC().state_dict().items()}
    assert len(names) == 35
    assert names["conv3_1.0.weight"] == (256, 473, 3, 3)
    assert names["deconv2.0.weight"] == (386, 64, 4, 4)
    assert names["predict_flow2.weight"] == (2, 194, 3, 3)
    assert names["upsampled_flow6_to_5.weight"] == (2, 2, 4, 4)


@pytest.mark.parametrize("kind", [FlowNetS, FlowNetC])
def test_flows_of_five_sizes(kind):
    torch.manual_seed(0)
    network = kind((8, 8, 16, 8, 8, 8))
    before, after = torch.rand(2, 3, 64, 128), torch.rand(2, 3, 64, 128)
    found = network(before, after)
    sizes = [(16, 32), (8, 16), (4, 8), (2, 4), (1, 2)]
    assert [tuple(flow.shape) for flow in found] == [(2, 2, *size) for size in sizes]
    sum(flow.square().sum() for flow in found).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    assert not torch.allclose(found[0], network(after, before)[0])


@pytest.mark.parametrize(("reach", "step"), [(2, 1), (4, 2), (20, 2)])
def test_correlation_is_that_of_a_plain_loop(reach, step):
    torch.manual_seed(1)
    before, after = torch.randn(2, 4, 5, 7), torch.randn(2, 4, 5, 7)
    found = correlation(before, after, reach, step)
    moves = list(range(-reach, reach + 1, step))
    assert found.shape == (2, len(moves) ** 2, 5, 7)
    chosen = range(len(moves)) if reach < 20 else (0, 8, 10, 11, 20)
    for row in chosen:
        for column in chosen:
            for y in range(5):
                for x in range(7):
                    there = y + moves[row], x + moves[column]
                    expected = torch.zeros(2)
                    if 0 <= there[0] < 5 and 0 <= there[1] < 7:
                        expected = (before[:, :, y, x] * after[:, :, *there]).mean(1)
                    got = found[:, row * len(moves) + column, y, x]
                    torch.testing.assert_close(got, expected, atol=1e-6, rtol=1e-5)


def test_correlation_peaks_where_the_picture_went():
    torch.manual_seed(2)
    picture = torch.randn(1, 32, 24, 24)
    moved = picture.roll((4, -6), (2, 3))  # 4 down, 6 to the left
    best = correlation(picture, moved)[0, :, 12, 12].argmax().item()
    assert (best // 21 * 2 - 20, best % 21 * 2 - 20) == (4, -6)


def test_an_answer_of_one_is_twenty_pixels():
    class One(nn.Module):
        def forward(self, before, after):
            self.seen = before
            return [torch.ones(1, 2, 16, 32), torch.zeros(1, 2, 8, 16)]

    network = One()
    found = learned.LEARNED["flownet-s"].answer(network, *torch.ones(2, 1, 3, 64, 128))
    assert found.shape == (1, 2, 64, 128) and (found == 20).all()
    expected = 1 - torch.tensor(flownet.MEAN)
    torch.testing.assert_close(network.seen[0, :, 5, 5], expected)
