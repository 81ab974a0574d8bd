"""The order in memory, and the library, with which convolutions run fastest."""

import torch
from torch import Tensor, nn


class _OneDnnConv3d(nn.Conv3d):
    """A 3D convolution whose single views on a CPU are oneDNN's too.

    PyTorch gives those of few values (channels × T × H up to 20,480) to a slower library of its own, which also
    answers in the standard order in memory, as everything after it then does.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not (input.is_cpu and input.dtype == torch.float32 and len(input) == 1):
            return super()._conv_forward(input, weight, bias)
        assert not isinstance(self.padding, str)
        return torch.mkldnn_convolution(
            input, weight, bias, self.padding, self.stride, self.dilation, self.groups
        )


def channels_last(network: nn.Module) -> nn.Module:
    """The network itself, with the weights of its convolutions laid out channels last.

    `nn.Module.to(memory_format=...)` knows one format for all and stops at a network that has both
    2D and 3D convolutions, as those that look at frames first have. 3D convolutions go to oneDNN, where
    PyTorch has it.
    """
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for parameter in network.parameters():
        if parameter.dim() in formats:
            parameter.data = parameter.data.contiguous(memory_format=formats[parameter.dim()])
    for module in network.modules():
        if (
            type(module) is nn.Conv3d
            and module.padding_mode == "zeros"
            and not isinstance(module.padding, str)
            and torch.backends.mkldnn.is_available()
        ):
            module.__class__ = _OneDnnConv3d
    return network
