"""The same block with another pairwise function f, over the same weights.

The non-local paper finds that its four functions do about equally well, and takes that for a sign that
not the softmax but being non-local is what counts. Here a reader can see what they have in common: θ
and φ stay as they were trained, and only f changes. Two need a word:

- the Gaussian compares x itself and uses neither θ nor φ;
- the concatenation has a vector w_f of its own. A block trained with another function has none, and
  gets one in which every channel counts alike, so that its map says how large θ(x_i) and φ(x_j) are.
"""

from copy import deepcopy
from typing import get_args

from torch import Tensor, nn

from har_demo.models.attention import AttentionMap, flat_positions
from har_demo.models.non_local import Function, NonLocal, pairs, rows
from har_demo.models.pyramid import PYRAMID, PyramidNonLocal

FUNCTIONS: tuple[Function, ...] = get_args(Function)
TITLES = {
    "gaussian": "Gaussian",
    "embedded_gaussian": "embedded Gaussian",
    "dot_product": "dot product",
    "concatenation": "concatenation",
}


def has_functions(block: nn.Module) -> bool:
    """Tell whether the block's pairwise function f can be another one."""
    return isinstance(block, NonLocal | PyramidNonLocal)


def as_if(block: NonLocal | PyramidNonLocal, function: Function) -> nn.Module:
    """A copy of the block whose `attention` uses another pairwise function."""
    return AsIf(block, function)


class AsIf(nn.Module):
    """The attention of a block, had it been given another pairwise function."""

    def __init__(self, block: NonLocal | PyramidNonLocal, function: Function):
        super().__init__()
        self.block = deepcopy(block)
        self.function = function
        inner, channels = block.g.weight.shape[:2]
        # A block that scales divides by the root of what it compares.
        scales = getattr(block, "factor", 1.0) != 1.0
        self.factor = (channels if function == "gaussian" else inner) ** -0.5 if scales else 1.0
        if function == "gaussian":
            self.block.theta = self.block.phi = nn.Identity()
        self.w_f = getattr(block, "w_f", None)
        if function == "concatenation" and self.w_f is None:
            compared = channels if isinstance(self.block.theta, nn.Identity) else inner
            self.w_f = nn.Linear(2 * compared, 1, bias=False, device=block.g.weight.device)
            nn.init.constant_(self.w_f.weight, (2 * compared) ** -0.5)
        self.asked: tuple[Tensor, Tensor, Tensor] | None = None  # x, θ, φ of the question before

    def attention(self, x: Tensor, at: Tensor | None = None) -> tuple[AttentionMap, ...]:
        """As the block's own: one map, or one for each level of the pyramid.

        A clip is asked about many places, so that θ and φ of the last one are kept.
        """
        if self.asked is None or self.asked[0] is not x:
            theta, phi, _ = self.block.embed(x)
            self.asked = x, theta, phi
        _, theta, phi = self.asked
        if isinstance(self.block, PyramidNonLocal):
            query_grid, key_grids = PYRAMID[0], PYRAMID
        else:
            query_grid, key_grids = tuple(x.shape[2:]), (tuple(phi.shape[2:]),)
            theta, phi = rows(theta), rows(phi)
        queries = flat_positions(at, query_grid).to(x.device)
        weights = pairs(self.function, theta[:, queries], phi, self.factor, self.w_f)
        levels = weights[:, None].split([t * h * w for t, h, w in key_grids], dim=-1)
        return tuple(
            AttentionMap(level, queries, query_grid, grid)
            for level, grid in zip(levels, key_grids, strict=True)
        )
