"""Networks of 2D, of 3D and of both kinds of convolution are laid out, and answer the same."""

from copy import deepcopy

import torch
from torch import nn

from har_demo.models.layout import channels_last


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.frames = nn.Conv2d(3, 8, 3)
        self.clip = nn.Conv3d(8, 4, 3)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        y = self.frames(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (len(x), -1))
        return self.head(self.clip(y.transpose(1, 2)).mean((2, 3, 4)))


def test_every_convolution_is_laid_out_and_nothing_else_changes():
    torch.manual_seed(0)
    network, x = Both().eval(), torch.randn(2, 3, 4, 9, 9)
    with torch.no_grad():
        before = network(x)
        assert channels_last(network) is network
        torch.testing.assert_close(network(x), before)
    assert network.frames.weight.is_contiguous(memory_format=torch.channels_last)
    assert network.clip.weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert network.head.weight.is_contiguous()


def test_a_single_view_of_few_values_stays_channels_last_and_answers_the_same():
    torch.manual_seed(0)
    last = torch.channels_last_3d
    cases = (
        nn.Conv3d(4, 6, 3, padding=1),
        nn.Conv3d(4, 6, (1, 3, 3), stride=(1, 2, 2), bias=False),
        nn.Conv3d(4, 8, 3, padding=(0, 1, 1), groups=2, dilation=(2, 1, 1)),
        nn.Conv3d(4, 6, 3, padding="same"),
        nn.Conv3d(4, 6, 3, padding=1, padding_mode="replicate"),
    )
    for plain in cases:
        x = torch.randn(1, 4, 5, 7, 7).contiguous(memory_format=last).requires_grad_()
        network = channels_last(nn.Sequential(deepcopy(plain)))
        torch.testing.assert_close(network(x), plain(x))
        ours, theirs = (
            torch.autograd.grad(one(x).square().sum(), [x, *one.parameters()])
            for one in (network, plain)
        )
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    if torch.backends.mkldnn.is_available():
        plain = channels_last(nn.Sequential(cases[0]))
        assert plain(x.detach()).is_contiguous(memory_format=last)
