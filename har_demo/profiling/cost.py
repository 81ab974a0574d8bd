"""The cost of a network: its parameters, and the multiply-adds of one view.

One multiply-add (MAC) is counted as one, as papers on video do even where they print "FLOPs".
Counted are convolutions and matrix products, attention's included. Normalisation, activations,
pooling and other elementwise work are not: they take memory traffic but hardly any arithmetic.
"""

import copy
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

# They count as nothing and keep the shape, but are most of the time on the meta device.
_ELEMENTWISE = frozenset(
    {F.batch_norm, F.layer_norm, F.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_}
    | {F.gelu, F.silu, F.hardswish, torch.sigmoid, Tensor.sigmoid, F.dropout, torch.roll}
)


def parameters(module: nn.Module) -> int:
    """Number of parameters, one that is shared between layers counted once."""
    return sum(p.numel() for p in module.parameters())


def gmacs(module: nn.Module, *shapes: tuple[int, ...]) -> float:
    """Multiply-adds of one forward pass, in 10⁹.

    The network runs on the meta device, which works out shapes and computes nothing, so even a large
    one takes under a second. `module` itself is left as it was: one that is elsewhere, or in training,
    is copied; build it under `torch.device("meta")` to spare its memory too. That device also lacks the fused kernels of CPUs
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
    tensors = chain(module.parameters(), module.buffers())
    ready = all(tensor.is_meta for tensor in tensors) and not any(
        m.training for m in module.modules()
    )
    network = module if ready else copy.deepcopy(module).to("meta").eval()
    inputs = [torch.empty(shape, device="meta") for shape in shapes]
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter, _Skip():
        network(*inputs)
    return counter.get_total_flops() / 2 / 1e9  # the counter takes a multiply-add for two


class _Skip(TorchFunctionMode):
    """Elementwise work is left out: its result has its input's shape."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func in _ELEMENTWISE and args:
            return args[0]
        return func(*args, **(kwargs or {}))
