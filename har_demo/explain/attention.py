"""Attention from one position of a clip: the weights that a block used, cell by cell, and their statistics.

    ForwardTrace ──blocks──▶ which blocks attend ──attended(at)──▶ AttentionResult: [heads, T, H, W] ──▶ Scores
                                         ──survey───────▶ the same over all positions that can ask

A block computes the rows asked for from the very input it received in the forward pass. For one
position that is one row, however long the clip; a survey takes the positions in pieces and keeps sums,
so that no table of all positions by all is ever built.

Some blocks have weights below nothing (the dot product, CGNL). Shares are then of their sizes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from har_demo.errors import ChoiceError
from har_demo.explain.functions import FUNCTIONS, as_if, has_functions
from har_demo.explain.look import ForwardTrace
from har_demo.models.attention import AttentionMap
from har_demo.models.non_local import Function, NonLocal
from har_demo.threads import in_one_thread

AT_ONCE = 4_000_000
"""Weights that a survey holds at once."""

Grid = tuple[int, int, int]
At = tuple[float, float, float]
"""A moment and a place as shares (t, y, x) of what the model sees, 0 ≤ share < 1."""


@dataclass(frozen=True)
class AttentionBlock:
    """A part of a network that attends.

    Attributes:
        name: in the network; with ':2' behind it for the second of several layers in one module.
        kind: the field's word, such as 'non-local'.
        query_grid: (T, H, W) of the positions that can ask.
        key_grids: of those that answer; several for the levels of a pyramid, finest first.
        heads: maps a position has.
        function: of a pair, where it can be another one; else ''.
        window: (T, H, W) cells that can see each other, where not all can; else None.
        covered: share of height and width that the key cells cover: pooling 2 × 2 leaves out the last
            row of seven.
    """

    name: str
    kind: str
    query_grid: Grid
    key_grids: tuple[Grid, ...]
    heads: int
    function: str = ""
    window: Grid | None = None
    covered: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class AttentionResult:
    """The attention from one position.

    Attributes:
        block: that was asked.
        cell: (t, y, x) of the position in the block's query grid.
        function: of a pair, as used here.
        levels: float32 [heads, T, H, W] for each key grid of the block.
    """

    block: AttentionBlock
    cell: tuple[int, int, int]
    function: str
    levels: tuple[np.ndarray, ...] = field(repr=False)

    def maps(self, head: int | None = None) -> tuple[np.ndarray, ...]:
        """float32 [T, H, W] for each level, of one head or the mean of all.

        Where weights can be negative heads would cancel, so the mean is that of their sizes.

        Raises:
            ChoiceError: there is no such head.
        """
        if head is None:
            several = self.block.heads > 1 and any(level.min() < 0 for level in self.levels)
            return tuple((np.abs(x) if several else x).mean(axis=0) for x in self.levels)
        if head not in range(self.block.heads):
            raise ChoiceError(
                f"{self.block.name} has heads 0 to {self.block.heads - 1}, not {head}: choose among them."
            )
        return tuple(level[head] for level in self.levels)


@dataclass(frozen=True)
class Scores:
    """Statistics of one map; distances are between centres of cells.

    Attributes:
        entropy: in bits, of the shares of all cells of all levels.
        cells: how many there are.
        even: over how many cells attention would be spread, were it even: 2 to the entropy.
        space: mean distance in the picture, in widths of what the model sees.
        even_space: the same if all cells got alike.
        time: mean distance in time, in seconds, and if all cells got alike.
        same_moment: share of attention that stays at the asking moment, as far as the grid can tell.
        negative: share of weight that is below nothing.
        levels: share of every level.
        total: sum of the weights' sizes: 1 for a softmax, less where padding took some, 0 where the
            function gives nothing to any cell.
    """

    entropy: float
    cells: int
    even: float
    space: float
    even_space: float
    time: float
    even_time: float
    same_moment: float
    negative: float
    levels: tuple[float, ...]
    total: float


@dataclass(frozen=True)
class AttentionSummary:
    """All positions that can ask, taken together.

    Attributes:
        queries: how many.
        entropy: mean over their maps, in bits.
        independence: mean cosine between the maps of two positions, 1 when all look at the same; the
            measure by which GCNet found that non-local blocks hardly look at who asks (Cao et al.,
            ICCVW 2019). 1 as well where only one position asks.
        mean: float32 [T, H, W] for each level: the mean of all maps, as shares.
    """

    queries: int
    entropy: float
    independence: float
    mean: tuple[np.ndarray, ...] = field(repr=False)


def blocks(trace: ForwardTrace) -> tuple[AttentionBlock, ...]:
    """The blocks of a look that attend, first to last; none for most networks."""
    if "blocks" in trace.remembered:
        return trace.remembered["blocks"]
    network = trace.network()
    found = []
    for name, x in trace.received.items():
        module = network.get_submodule(name)
        maps = _ask(module, x, (0.5, 0.5, 0.5))
        layers = [[m] for m in maps] if getattr(module, "attention_by_layer", False) else [maps]
        for number, levels in enumerate(layers):
            found.append(
                AttentionBlock(
                    name=f"{name}:{number + 1}" if len(layers) > 1 else name,
                    kind=_kind(module),
                    query_grid=levels[0].query_grid,
                    key_grids=tuple(level.key_grid for level in levels),
                    heads=levels[0].weights.shape[1],
                    function=getattr(module, "function", "embedded_gaussian")
                    if has_functions(module)
                    else "",
                    window=module.fitted(levels[0].query_grid)[0]
                    if hasattr(module, "fitted")
                    else None,
                    covered=_covered(module, levels[0]),
                )
            )
    return trace.remembered.setdefault("blocks", tuple(found))


def block(trace: ForwardTrace, name: str | None = None) -> AttentionBlock:
    """The block of that name, the last where none is named.

    Raises:
        ChoiceError: the model has none, or none of that name.
    """
    every = blocks(trace)
    if not every:
        raise ChoiceError(
            f"{trace.card.title} has no attention between places, so there is no such map: "
            "choose another model, or class activation."
        )
    if name is None:
        return every[-1]
    for found in every:
        if found.name == name:
            return found
    names = ", ".join(found.name for found in every)
    raise ChoiceError(f"{trace.card.title} has no block '{str(name)[:60]}': it has {names}.")


def share_of(trace: ForwardTrace, x: float, y: float, frame: int) -> At:
    """A pixel of the clip as it was given, and the number of a sampled frame from 0, as shares.

    Raises:
        ChoiceError: the model does not see that place, or there is no such frame.
    """
    if frame not in range(len(trace.frames)):
        raise ChoiceError(
            f"There are sampled frames 0 to {len(trace.frames) - 1}, not {frame}: choose among them."
        )
    source = trace.clip.source
    left, top, right, bottom = (
        side * whole / kept
        for side, whole, kept in zip(
            trace.box,
            (source.width, source.height) * 2,
            (trace.clip.width, trace.clip.height) * 2,
            strict=True,
        )
    )
    if not (left <= x < right and top <= y < bottom):
        raise ChoiceError(
            f"{trace.card.title} sees x from {left:.0f} to {right:.0f} and y from {top:.0f} to "
            f"{bottom:.0f} of this clip, so choose a point in there, not {x:g},{y:g}."
        )
    t = (frame + 0.5) / len(trace.frames)
    return t, (y - top) / (bottom - top), (x - left) / (right - left)


def attended(
    trace: ForwardTrace, of: AttentionBlock, at: At, function: Function | None = None
) -> AttentionResult:
    """Return the attention from the position of a block that holds `at`.

    Args:
        trace: the look.
        of: one of its blocks.
        at: a moment and a place.
        function: of a pair, computed from the same input and the same weights; the block's own where
            none is named.

    Raises:
        ChoiceError: the function does not exist, or the block's cannot be another.
    """
    if not all(0 <= share < 1 for share in at):
        raise ChoiceError("A place is given as shares from 0 up to, not with, 1.")
    maps = _ask(*_module(trace, of, function), at, _layer(of))
    (flat,) = maps[0].queries.tolist()
    cell = tuple(int(i) for i in np.unravel_index(flat, of.query_grid))
    levels = tuple(m.weights[0, :, 0].unflatten(1, m.key_grid).float().numpy() for m in maps)
    return AttentionResult(of, cell, function or of.function, levels)


def scores(trace: ForwardTrace, result: AttentionResult, head: int | None = None) -> Scores:
    """Compute the statistics of one map."""
    maps = result.maps(head)
    weights = np.concatenate([level.ravel() for level in maps]).astype(np.float64)
    shares = _shares(torch.from_numpy(weights)).numpy()
    entropy = abs(
        float((shares * np.log2(shares, where=shares > 0, out=np.zeros_like(shares))).sum())
    )

    asked = centres(result.block.query_grid)[
        np.ravel_multi_index(result.cell, result.block.query_grid)
    ]
    keys = np.concatenate([centres(grid) for grid in result.block.key_grids])
    keys[:, 1:] *= result.block.covered
    left, top, right, bottom = trace.box
    tall = (bottom - top) / (right - left)
    space = np.hypot((keys[:, 1] - asked[1]) * tall, keys[:, 2] - asked[2])
    time = np.abs(_moment(trace, keys[:, 0]) - _moment(trace, asked[:1]))
    now = np.concatenate([_at_moment(grid, asked[0]) for grid in result.block.key_grids])
    ends = np.cumsum([level.size for level in maps])[:-1]
    return Scores(
        entropy=entropy,
        cells=len(shares),
        even=2**entropy,
        space=float(shares @ space),
        even_space=float(space.mean()),
        time=float(shares @ time),
        even_time=float(time.mean()),
        same_moment=float(shares[now].sum()),
        negative=float(shares[weights < 0].sum()),
        levels=tuple(float(part.sum()) for part in np.split(shares, ends)),
        total=float(np.abs(weights).sum()),
    )


def survey(
    trace: ForwardTrace,
    of: AttentionBlock,
    head: int | None = None,
    function: Function | None = None,
) -> AttentionSummary:
    """All positions of a block that can ask, a few at a time; done once for each look.

    Raises:
        ChoiceError: as `attended` and `AttentionResult.maps`.
    """
    if head is not None and head not in range(of.heads):
        raise ChoiceError(f"{of.name} has heads 0 to {of.heads - 1}, not {head}.")
    asked = (of.name, head, function or of.function)
    if asked not in trace.remembered:
        trace.remembered[asked] = _survey(trace, of, head, function)
    return trace.remembered[asked]


def _survey(
    trace: ForwardTrace, of: AttentionBlock, head: int | None, function: Function | None
) -> AttentionSummary:
    entropy, queries, summed, units = 0.0, 0, 0.0, 0.0
    for weights in rows_of(trace, of, head, function):
        shares = _shares(weights.double())
        entropy -= torch.xlogy(shares, shares).sum().item() / np.log(2)
        queries += len(shares)
        summed = summed + shares.sum(dim=0)
        # The cosines of all pairs add up to the square of the sum of unit vectors.
        units = units + nn.functional.normalize(weights.double(), dim=1).sum(dim=0)
    pairs = queries * (queries - 1)
    independence = (units.square().sum().item() - queries) / pairs if pairs else 1.0
    mean = (summed / queries).split([int(np.prod(grid)) for grid in of.key_grids])
    return AttentionSummary(
        queries=queries,
        entropy=entropy / queries,
        independence=independence,
        mean=tuple(
            part.unflatten(0, grid).float().numpy()
            for part, grid in zip(mean, of.key_grids, strict=True)
        ),
    )


def rows_of(
    trace: ForwardTrace,
    of: AttentionBlock,
    head: int | None = None,
    function: Function | None = None,
) -> Iterator[Tensor]:
    """The maps of all positions of a block in order, float32 [some, cells of all levels]."""
    module, x = _module(trace, of, function)
    count, cells = int(np.prod(of.query_grid)), sum(int(np.prod(grid)) for grid in of.key_grids)
    step = max(1, AT_ONCE // (cells * of.heads))
    places = torch.from_numpy(centres(of.query_grid)).float()
    for start in range(0, count, step):
        maps = _ask(module, x, places[start : start + step], _layer(of))
        weights = torch.cat([m.weights[0] for m in maps], dim=-1)  # [heads, some, cells]
        if head is not None:
            yield weights[head].cpu()
        else:
            several = of.heads > 1 and (weights < 0).any()
            yield (weights.abs() if several else weights).mean(dim=0).cpu()


def connections(
    result: AttentionResult, k: int, head: int | None = None
) -> list[tuple[int, Grid, float]]:
    """The k strongest, strongest first: number of the level, (t, y, x) of the cell, and its weight.

    Fewer, where not so many have at least a hundredth of the strongest's weight.
    """
    maps = result.maps(head)
    every = np.concatenate([np.abs(level).ravel() for level in maps])
    starts = np.cumsum([0] + [level.size for level in maps])
    best = []
    for flat in np.argsort(-every, kind="stable")[:k]:
        if every[flat] <= every.max() / 100:
            break
        level = int(np.searchsorted(starts, flat, side="right")) - 1
        cell = tuple(int(i) for i in np.unravel_index(flat - starts[level], maps[level].shape))
        best.append((level, cell, float(maps[level][cell])))
    return best


def difference(
    a: AttentionResult, b: AttentionResult, head: int | None = None
) -> tuple[np.ndarray, ...]:
    """Return the attention that `b` gives to each cell beyond that of `a`, in shares: float32 [T, H, W] a level.

    Weights keep their sign, so that a cell which counts against in `b` alone is far below nothing.
    """
    shares = []
    for found in (a, b):
        maps = found.maps(head)
        total = sum(float(np.abs(level).sum()) for level in maps)
        shares.append([level / max(total, 1e-30) for level in maps])
    return tuple(after - before for before, after in zip(*shares, strict=True))


def moved(a: AttentionResult, b: AttentionResult, head: int | None = None) -> float:
    """Share of attention that lands elsewhere in `b` than in `a`: their total variation distance."""
    p, q = (
        _shares(
            torch.from_numpy(np.concatenate([level.ravel() for level in x.maps(head)])).double()
        )
        for x in (a, b)
    )
    return float((p - q).abs().sum() / 2)


def centres(grid: Grid) -> np.ndarray:
    """float64 [cells, 3]: the middle of every cell as shares (t, y, x), W fastest.

    >>> centres((1, 1, 2)).tolist()
    [[0.5, 0.5, 0.25], [0.5, 0.5, 0.75]]
    """
    axes = [(np.arange(n) + 0.5) / n for n in grid]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def _kind(module: nn.Module) -> str:
    shifted = ", shifted" if getattr(module, "shifted", False) else ""
    return module.kind + shifted


def _covered(module: nn.Module, attention_map: AttentionMap) -> tuple[float, float]:
    """Share of height and width that a non-local block's pooled positions come from."""
    if not isinstance(module, NonLocal):
        return 1.0, 1.0
    _, h, w = (
        q // k * k / q
        for q, k in zip(attention_map.query_grid, attention_map.key_grid, strict=True)
    )
    return h, w


def _layer(of: AttentionBlock) -> int | None:
    """Return which of the maps of a module with several layers is this block's; None for all."""
    _, colon, number = of.name.partition(":")
    return int(number) - 1 if colon else None


def _module(
    trace: ForwardTrace, of: AttentionBlock, function: Function | None
) -> tuple[nn.Module, Tensor]:
    """The block itself, with another function if one is asked for, and what it received."""
    name, _, _ = of.name.partition(":")
    module = trace.network().get_submodule(name)
    if function is not None and function not in FUNCTIONS:
        raise ChoiceError(
            f"There is no function '{str(function)[:60]}': choose {', '.join(FUNCTIONS)}."
        )
    if function is not None and function != of.function:
        if not of.function:
            raise ChoiceError(
                f"The function of a pair can be chosen in non-local blocks alone; {of.name} is "
                f"{of.kind}."
            )
        asked = ("as if", name, function)
        if asked not in trace.remembered:
            trace.remembered[asked] = as_if(module, function)
        module = trace.remembered[asked]
    return module, trace.received[name]


@in_one_thread
def _ask(
    module: nn.Module, x: Tensor, at: At | Tensor, layer: int | None = None
) -> tuple[AttentionMap, ...]:
    """The module's maps of some places, on the CPU."""
    device = next(module.parameters()).device
    with torch.no_grad():
        maps = module.attention(x.to(device), torch.as_tensor(at).reshape(-1, 3).float().to(device))
    maps = maps if layer is None else maps[layer : layer + 1]
    return tuple(
        AttentionMap(m.weights.cpu(), m.queries.cpu(), m.query_grid, m.key_grid) for m in maps
    )


def _shares(weights: Tensor) -> Tensor:
    """Sizes of weights [..., K] as shares of their sum; even where all are nothing."""
    sizes = weights.abs()
    total = sizes.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, sizes / total.clamp(min=1e-300), 1 / sizes.shape[-1])


def _moment(trace: ForwardTrace, shares: np.ndarray) -> np.ndarray:
    """Seconds into the clip of some shares of the window."""
    steps = shares * len(trace.frames) - 0.5
    return np.interp(steps, np.arange(len(trace.frames)), trace.seconds)


def _at_moment(grid: Grid, share: float) -> np.ndarray:
    """bool [cells]: which cells of a grid hold that moment."""
    t = np.arange(int(np.prod(grid))) // (grid[1] * grid[2])
    return t == min(int(share * grid[0]), grid[0] - 1)
