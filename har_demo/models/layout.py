"""The order in memory in which convolutions run fastest."""

import torch
from torch import nn


def channels_last(network: nn.Module) -> nn.Module:
    """The network itself, with the weights of its convolutions laid out channels last.

    `nn.Module.to(memory_format=...)` knows one format for all and stops at a network that has both
    2D and 3D convolutions, as those that look at frames first have.
    """
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for parameter in network.parameters():
        if parameter.dim() in formats:
            parameter.data = parameter.data.contiguous(memory_format=formats[parameter.dim()])
    return network
