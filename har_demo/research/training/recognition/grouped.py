"""Grouped 3D convolutions as products of matrices, which the tensor cores of a GPU are made for.

For groups in 3D cuDNN turned every input, filter and output that is channels last round and back, in a
profile a third of the time of MFNet's step. There are two ways around that.

Plain: one convolution of all channels whose filters are zero where groups do not meet.

    [O, I/g, k, k, k] ──beside each other, g times──▶ [O, I, k, k, k] ──× 1 in the own group, else 0

Of 1152 channels that each look around by themselves in 3×5×5 places, one number would so take 86,400
products, nearly all by zero, instead of 75. But where such channels are many, their pictures are small, and
what a channel makes of an H·W picture is a matrix, its filter moved to each of the h·w places.

Pictures:

    filters  [C, t, k·k] × which tap meets which place [k·k, H·W·h·w] ──▶ [C, t·H·W, h·w]
    x        [B, C, T, H, W] ──the t frames that are seen from each──▶    [C, t·H·W, B·T]

A picture of 8×8 places so takes 192 products in three frames. Where this too would be more than
MOST_PRODUCTS, cuDNN's groups are left as they are.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MOST_PRODUCTS = 12_000
"""Of one number in either way; MFNet's, X3D's and CSN's take fewer as plain convolutions."""


class Ungrouped(nn.Conv3d):
    """A grouped convolution with the same parameters and answers, computed as products of matrices."""

    def forward(self, x: Tensor) -> Tensor:
        if self.in_channels * math.prod(self.kernel_size) <= MOST_PRODUCTS:
            filters = spread(self.weight, self.groups)
            return F.conv3d(x, filters, self.bias, self.stride, self.padding, self.dilation)
        if by_itself(self) and self.kernel_size[0] * math.prod(x.shape[3:]) <= MOST_PRODUCTS:
            return of_pictures(x, self)
        return super().forward(x)


def ungrouped(network: nn.Module) -> nn.Module:
    """The network itself, its grouped 3D convolutions changed in place; no parameter is."""
    for module in network.modules():
        if type(module) is nn.Conv3d and module.groups > 1 and module.padding_mode == "zeros":
            module.__class__ = Ungrouped
    return network


def spread(filters: Tensor, groups: int) -> Tensor:
    """Filters [O, I/g, ...] of g groups as [O, I, ...] of one.

    >>> spread(torch.ones(4, 1, 1, 1, 1), 2)[..., 0, 0, 0].tolist()
    [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    """
    each_out, each_in = filters.shape[0] // groups, filters.shape[1]
    group = torch.arange(groups, device=filters.device)
    own = group.repeat_interleave(each_out)[:, None] == group.repeat_interleave(each_in)
    beside = filters.repeat(1, groups, *[1] * (filters.dim() - 2))
    return beside * own.view(*own.shape, *[1] * (filters.dim() - 2))


def by_itself(convolution: nn.Conv3d) -> bool:
    """Return True for a depthwise convolution without dilation."""
    c = convolution
    return c.groups == c.in_channels == c.out_channels and c.dilation == (1, 1, 1)


def of_pictures(x: Tensor, convolution: nn.Conv3d) -> Tensor:
    """Return the output of a depthwise convolution, float [B, C, T, H, W] → [B, C, t, h, w]."""
    frames, *window = convolution.kernel_size
    step, *stride = convolution.stride
    before, *borders = convolution.padding
    meets = meeting(x.shape[3:], window, stride, borders, like=x)
    places, (h, w) = math.prod(x.shape[3:]), meets.shape[2:]
    matrices = convolution.weight.reshape(-1, frames, math.prod(window)) @ meets.flatten(1)
    matrices = matrices.view(-1, frames * places, h * w)

    x = F.pad(x, (0, 0, 0, 0, before, before))
    last = x.shape[2] - frames
    # Not x.unfold, whose gradient adds up one number at a time.
    x = torch.stack([x[:, :, i : last + i + 1 : step] for i in range(frames)])
    batch, channels, moments = x.shape[1:4]
    x = x.permute(2, 0, 4, 5, 1, 3).reshape(channels, frames * places, batch * moments)
    y = (matrices.transpose(1, 2) @ x).view(channels, h, w, batch, moments)
    if convolution.bias is not None:
        y = y + convolution.bias[:, None, None, None, None]
    return y.permute(3, 0, 4, 1, 2).contiguous(memory_format=torch.channels_last_3d)


def meeting(
    picture: tuple[int, int],
    window: tuple[int, int],
    stride: tuple[int, int],
    borders: tuple[int, int],
    like: Tensor,
) -> Tensor:
    """1 where a tap of a window lies on a place of the picture while its answer is for another: [taps, H·W, h, w].

    >>> meeting((1, 2), (1, 3), (1, 1), (0, 1), torch.zeros(0))[..., 0, :].tolist()
    [[[0.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [1.0, 0.0]]]
    """
    places, taps = (
        torch.eye(math.prod(sides), dtype=like.dtype, device=like.device).view(-1, 1, *sides)
        for sides in (picture, window)
    )
    return F.conv2d(places, taps, None, stride, borders).transpose(0, 1)
