"""Grouped 3D convolutions as plain ones whose filters are zero where groups do not meet.

For groups in 3D cuDNN turned every input, filter and output that is channels last round and back, in a
profile a third of the time of MFNet's step. As one matrix product they go through the tensor cores, zeros
and all.

    [O, I/g, k, k, k] ──beside each other, g times──▶ [O, I, k, k, k] ──× 1 in the own group, else 0

Where that would be nearly all zeros it is left alone: of 1152 channels that each look around by
themselves in 3×5×5 places, one number would take 86,400 products instead of 75.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MOST_PRODUCTS = 12_000
"""Of one number as a plain convolution; MFNet's, X3D's and CSN's take fewer."""


class Ungrouped(nn.Conv3d):
    """A grouped convolution with the same parameters and answers, computed as a plain one."""

    def forward(self, x: Tensor) -> Tensor:
        filters = spread(self.weight, self.groups)
        return F.conv3d(x, filters, self.bias, self.stride, self.padding, self.dilation)


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


def ungrouped(network: nn.Module) -> nn.Module:
    """The network itself, its grouped 3D convolutions changed in place; no parameter is."""
    for module in network.modules():
        grouped = type(module) is nn.Conv3d and module.groups > 1
        if grouped and module.padding_mode == "zeros" and products(module) <= MOST_PRODUCTS:
            module.__class__ = Ungrouped
    return network


def products(convolution: nn.Conv3d) -> int:
    """That one number would take without groups.

    >>> products(nn.Conv3d(1152, 1152, (3, 5, 5), groups=1152))
    86400
    """
    return convolution.in_channels * math.prod(convolution.kernel_size)
