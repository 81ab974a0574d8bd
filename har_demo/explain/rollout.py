"""Attention rollout: what a transformer's answer rests on, through all of its layers (Abnar and Zuidema, 2020).

One layer's attention says where its inputs came from, but they are mixtures already. Rollout follows the
mixing back to the first layer: half of what a position holds it kept itself, by the shortcut around
attention, and half it took from others, so that a layer mixes by ½ I + ½ A and the layers multiply.

The paper multiplies the matrices of all layers. Here only one row of the product is wanted, that of the
answer, so a vector goes back instead, layer by layer: r ← ½ r + ½ r A, with the rows of A computed a few
at a time. It needs no table of all positions by all, and so no limit on the length of a clip.

- Swin: the answer is the mean of all last positions, so r starts even; where four patches were merged,
  their cell's share goes to all four alike.
- Action Transformer: the answer is the query, which reads the memory in each layer; what it keeps of
  itself to the end came from the centre frame and is left out of the map.

It knows no class and no sign: it says what was mixed in, not what is evidence for the answer.
"""

import math

import numpy as np
import torch
from torch import Tensor

from har_demo.errors import ChoiceError
from har_demo.explain.activation import Activation
from har_demo.explain.attention import AttentionBlock, blocks, rows_of
from har_demo.explain.look import ForwardTrace

KINDS = ("windowed attention", "transformer head")


def rollout(trace: ForwardTrace) -> Activation:
    """Attention rollout of a transformer's answer over time and picture, with shares as values.

    Returns:
        An Activation at the resolution of the first layer; its target is the likeliest class, though
        any other would give the same map.

    Raises:
        ChoiceError: the model is no transformer whose layers can be asked.
    """
    every = [block for block in blocks(trace) if block.kind.startswith(KINDS)]
    if not every:
        raise ChoiceError(
            f"{trace.card.title} is not made of attention layers one behind the other, so there is no "
            "rollout: choose grad-cam."
        )
    follow = _query if every[0].kind == "transformer head" else _mean
    return Activation(
        method="rollout",
        target=int(trace.scores.argmax()),
        layer=f"all {len(every)} attention layers",
        values=follow(trace, every),
    )


def _mean(trace: ForwardTrace, every: list[AttentionBlock]) -> np.ndarray:
    """From an even share of every last position back to the first layer, float32 [T, H, W]."""
    grid = every[-1].query_grid
    share = torch.full(grid, 1 / math.prod(grid), dtype=torch.float64)
    for block in reversed(every):
        share = _unmerged(share, block.query_grid)
        asked = share.flatten()
        taken, start = torch.zeros_like(asked), 0
        for rows in rows_of(trace, block):
            # What fell on padding is shared out among the places that exist.
            some = asked[start : start + len(rows)] / rows.sum(dim=1)
            taken += some.float() @ rows
            start += len(rows)
        share = (asked / 2 + taken / 2).reshape(block.query_grid)
    return share.float().numpy()


def _unmerged(share: Tensor, grid: tuple[int, int, int]) -> Tensor:
    """Shares [T, h, w] on the finer grid that they were merged from, as much to each of four."""
    if tuple(share.shape) == grid:
        return share
    fine = share
    for axis in (1, 2):
        fine = fine.repeat_interleave(2, dim=axis).narrow(axis, 0, grid[axis])
    # At an odd side the last cell was merged with padding and gives its share to fewer.
    for axis in (1, 2):
        if grid[axis] % 2 == 0:
            fine = fine / 2
        else:
            many = torch.full((grid[axis],), 0.5, dtype=fine.dtype)
            many[-1] = 1.0
            fine = fine * many.reshape([-1 if a == axis else 1 for a in range(3)])
    return fine


def _query(trace: ForwardTrace, every: list[AttentionBlock]) -> np.ndarray:
    """Return what one query read of the memory, layer by layer, float32 [T, H, W]."""
    read = torch.zeros(math.prod(every[0].key_grids[0]), dtype=torch.float64)
    for block in every:
        (row,) = torch.cat(list(rows_of(trace, block))).double()
        read = read / 2 + row / 2
    return (read / read.sum()).reshape(every[0].key_grids[0]).float().numpy()
