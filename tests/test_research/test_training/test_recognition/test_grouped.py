"""A grouped convolution answers and learns the same when it is computed as products of matrices."""

import copy

import pytest
import torch
from torch import nn

from har_demo.models.efficientnet3d import InflatedLite0
from har_demo.research.training.recognition import grouped
from har_demo.research.training.recognition.grouped import Ungrouped, ungrouped


@pytest.fixture
def ways(monkeypatch):
    """The ways that were taken, in order; a convolution of none was left to cuDNN's groups."""
    taken = []
    for way in (grouped.spread, grouped.of_pictures):
        name = way.__name__
        monkeypatch.setattr(
            grouped, name, lambda *given, way=way, name=name: taken.append(name) or way(*given)
        )
    return taken


@pytest.mark.parametrize("stride", [1, (2, 1, 2)])
@pytest.mark.parametrize(
    ("inputs", "outputs", "groups", "taken"),
    [
        (8, 16, 2, ["spread"]),
        (8, 16, 8, ["spread"]),
        (8, 8, 8, ["spread"]),  # 3·3·3 × 8 products
        (14, 14, 14, ["of_pictures"]),  # 378; 3·5·6
    ],
)
def test_it_answers_and_learns_the_same(inputs, outputs, groups, taken, stride, ways, monkeypatch):
    monkeypatch.setattr(grouped, "MOST_PRODUCTS", 300)
    torch.manual_seed(0)
    plain = nn.Conv3d(
        inputs, outputs, 3, stride, padding=(0, 1, 1), groups=groups, bias=groups < 14
    )
    other = ungrouped(copy.deepcopy(plain))
    assert isinstance(other, Ungrouped)
    x = torch.randn(2, inputs, 4, 5, 6, requires_grad=True)
    answers, gradients = [], []
    for convolution in (plain, other):
        answer = convolution(x)
        asked = [x, *convolution.parameters()]
        gradients.append(torch.autograd.grad(answer.square().sum(), asked))
        answers.append(answer)
    assert ways == taken
    torch.testing.assert_close(answers[1], answers[0])
    for mine, theirs in zip(gradients[1], gradients[0], strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_the_others_and_all_names_stay():
    network = nn.Sequential(nn.Conv3d(4, 4, 3), nn.Conv3d(4, 4, 3, groups=4), nn.Conv2d(4, 4, 3))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    after = ungrouped(network).state_dict()
    assert [type(part) for part in network] == [nn.Conv3d, Ungrouped, nn.Conv2d]
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize(
    ("window", "padding", "stride", "bias"),
    [
        ((3, 3, 3), 1, 1, True),
        ((1, 5, 5), (0, 2, 2), (1, 2, 2), False),
        ((3, 1, 3), (1, 0, 0), 2, True),
    ],
)
def test_pictures_are_looked_at_from_every_place(window, padding, stride, bias, ways, monkeypatch):
    monkeypatch.setattr(grouped, "MOST_PRODUCTS", 300)
    torch.manual_seed(1)
    plain = nn.Conv3d(64, 64, window, stride, padding, groups=64, bias=bias)
    other = ungrouped(copy.deepcopy(plain))
    x = torch.randn(2, 64, 5, 3, 4).contiguous(memory_format=torch.channels_last_3d)
    answer = other(x)
    assert ways == ["of_pictures"]
    assert answer.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(answer, plain(x))


def test_what_would_be_nearly_all_zeros_is_left(ways):
    wide = nn.Conv3d(672, 672, 3, groups=672)  # 18,144 products, or 3·65·65
    ungrouped(wide)(torch.zeros(1, 672, 3, 65, 65))
    assert not ways
    ungrouped(wide)(torch.zeros(1, 672, 3, 8, 8))
    assert ways == ["of_pictures"]


@pytest.mark.parametrize(("time", "pictures"), [(1, 6), (3, 11)])
def test_a_network_answers_the_same(time, pictures, ways):
    """EfficientNet-Lite0, the widest: the late ones of its sixteen blocks have small pictures."""
    torch.manual_seed(2)
    network = InflatedLite0(39, time).eval()
    x = torch.randn(1, 3, 3, 112, 112)
    with torch.inference_mode():
        expected = network(x)
        answer = ungrouped(network)(x)
    assert ways.count("of_pictures") == pictures
    assert len(ways) == 16
    torch.testing.assert_close(answer, expected, rtol=1e-3, atol=1e-4)
