"""The cost of a network: its parameters, and the multiply-adds of one view.

One multiply-add (MAC) is counted as one, as papers on video do even where they print "FLOPs".
Counted are convolutions and matrix products, attention's included. Normalisation, activations,
pooling and other elementwise work are not: they take memory traffic but hardly any arithmetic.
"""

import copy

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def parameters(module: nn.Module) -> int:
    """Number of parameters, one that is shared between layers counted once."""
    return sum(p.numel() for p in module.parameters())


def gmacs(module: nn.Module, *shapes: tuple[int, ...]) -> float:
    """Multiply-adds of one forward pass, in 10⁹.

    A copy of the network runs on the meta device, which works out shapes and computes nothing, so
    even a large network takes under a second. `module` itself is left as it was; build it under
    `torch.device("meta")` to spare its memory too. That device also lacks the fused kernels of CPUs
    and GPUs whose inside the counter cannot see: attention's and the LSTM's would count as nothing.

    Args:
        module: the network, on any device.
        shapes: shape of each of its inputs, such as (1, 3, 16, 112, 112) for one view
            [batch, channel, T, H, W].

    Raises:
        NotImplementedError: the network's path depends on values, which the meta device lacks.

    Example:
        >>> gmacs(nn.Linear(1000, 1000), (1, 1000))
        0.001
    """
    network = copy.deepcopy(module).to("meta").eval()
    for part in network.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            # It counts as nothing and keeps the shape, but is most of the time on that device.
            part.forward = _same
    inputs = [torch.empty(shape, device="meta") for shape in shapes]
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network(*inputs)
    return counter.get_total_flops() / 2 / 1e9  # the counter takes a multiply-add for two


def _same(x: Tensor) -> Tensor:
    return x
