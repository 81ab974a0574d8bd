"""A grouped convolution answers and learns the same when it is computed as a plain one."""

import copy

import pytest
import torch
from torch import nn

from har_demo.training.grouped import Ungrouped, ungrouped


@pytest.mark.parametrize("groups", [2, 8])
@pytest.mark.parametrize("stride", [1, (2, 1, 2)])
def test_it_answers_and_learns_the_same(groups, stride):
    torch.manual_seed(0)
    plain = nn.Conv3d(8, 16, 3, stride, padding=1, groups=groups, bias=groups == 2)
    other = ungrouped(copy.deepcopy(plain))
    assert isinstance(other, Ungrouped)
    x = torch.randn(2, 8, 4, 6, 6, requires_grad=True)
    answers, gradients = [], []
    for convolution in (plain, other):
        answer = convolution(x)
        asked = [x, *convolution.parameters()]
        gradients.append(torch.autograd.grad(answer.square().sum(), asked))
        answers.append(answer)
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


def test_what_would_be_nearly_all_zeros_is_left():
    with torch.device("meta"):
        few, many = (nn.Conv3d(n, n, 3, groups=n) for n in (432, 672))
    ungrouped(nn.Sequential(few, many))
    assert (type(few), type(many)) == (Ungrouped, nn.Conv3d)
