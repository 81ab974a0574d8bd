"""Attention read out of a real forward pass, on request and without a second path for the plain one.

A block that attends (non-local, windowed, pyramid ...) has, beside its forward(x), a method

    attention(x, at) → tuple[AttentionMap, ...]

that computes from the same input and with the same layers which positions the given ones look at, and a
class attribute `kind`, the field's word for it, such as 'non-local'. It gives one map, or one for each
level of what it compares with; where it is several layers one after the other, one for each layer, and
`attention_by_layer` is True.
`block_inputs` runs a network as usual and notes what each such block received, and `attention_maps`
asks them. So the plain forward keeps its fused kernels, and the full table of all positions by all is
never built for a question about a few.
"""

from dataclasses import dataclass
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn

Grid = tuple[int, int, int]
"""Cells along T, H and W."""


@dataclass(frozen=True)
class AttentionMap:
    """Weights by which some positions of a block attend to all others.

    Attributes:
        weights: float [B, heads, Q, K]: how much value k contributes to each query; times the block's
            values and summed over K they give what the block adds up.
        queries: int64 [Q], flat positions in `query_grid`.
        query_grid: (T, H, W) of the queries' positions.
        key_grid: (T, H, W) of the keys' positions, K of them in all; coarser than the
            queries' where a block pools.
    """

    weights: Tensor
    queries: Tensor
    query_grid: Grid
    key_grid: Grid


def grid_of(features: Tensor) -> Grid:
    """Return the grid of features [B, C, T, H, W]."""
    t, h, w = features.shape[2:]
    return t, h, w


def flat_positions(at: Tensor | None, grid: Grid) -> Tensor:
    """Return flat indices into a grid of (T, H, W) cells, row by row, W fastest.

    Args:
        at: float [Q, 3], moments and places as shares (t, y, x) of the whole, 0 ≤ share < 1; None
            for every cell.
        grid: cells along T, H and W.

    >>> flat_positions(torch.tensor([[0.0, 0.5, 0.99]]), (4, 2, 10))
    tensor([19])
    """
    t, h, w = grid
    if at is None:
        return torch.arange(t * h * w)
    cells = torch.tensor(grid, device=at.device)
    inside = (at * cells).long().clamp(min=torch.zeros_like(cells), max=cells - 1)
    return (inside[:, 0] * h + inside[:, 1]) * w + inside[:, 2]


def block_inputs(network: nn.Module, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Run one plain forward pass; return the output and the input of each block that attends.

    Args:
        network: any model of this package.
        inputs: what its forward takes.

    Returns:
        The network's output, and the blocks' inputs by the block's name, first to last: all that
        their `attention` needs, so that later questions cost no second pass.
    """
    received: dict[str, Tensor] = {}
    thread = get_ident()

    def note(name: str, given: tuple) -> None:
        # Others may be using the same network in threads of their own.
        if get_ident() == thread:
            received[name] = given[0]

    hooks = [
        block.register_forward_pre_hook(lambda _, given, name=name: note(name, given))
        for name, block in network.named_modules()
        if hasattr(block, "attention")
    ]
    try:
        with torch.no_grad():
            return network(*inputs), received
    finally:
        for hook in hooks:
            hook.remove()


def attention_maps(
    network: nn.Module, *inputs: Tensor, at: Tensor | None = None
) -> dict[str, tuple[AttentionMap, ...]]:
    """Return the maps of every block that attends, by the block's name in the network, first to last.

    Args:
        network: any model of this package.
        inputs: what its forward takes.
        at: as in `flat_positions`. None asks for all positions of every block: at 32 frames of
            224 × 224 that takes gigabytes.

    Example:
        >>> maps = attention_maps(network, clip, at=torch.tensor([[0.5, 0.5, 0.5]]))
        >>> {name: levels[0].weights.shape for name, levels in maps.items()}
        {'layer2.1.non_local': torch.Size([1, 1, 1, 3136]), ...}
    """
    _, received = block_inputs(network, *inputs)
    blocks: dict[str, Any] = dict(network.named_modules())
    with torch.no_grad():
        return {name: blocks[name].attention(x, at) for name, x in received.items()}
