"""Tests of a map's faithfulness: delete what it calls important, and shuffle what the model learned.

Deletion and insertion (Petsiuk et al., BMVC 2018). The cells of the map are ranked. Deletion greys them
out one after another, the most important first, and watches the class's probability fall: the smaller
the area under that curve, the better the map found what counts. Insertion starts from a clip so blurred
that little can be seen, and brings the same cells back: there a large area is good. How large is large
depends on the clip and the model, so the same cells are also taken in an order by chance. A map that is
not better than chance says nothing.

Randomised weights (Adebayo et al., NeurIPS 2018). All parameters keep their values but trade places, so
that nothing learned is left. A map that stays as it was shows the picture's edges, not the model.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.explain.activation import Activation, activation
from har_demo.explain.look import ForwardTrace
from har_demo.threads import in_one_thread

STEPS = 16
CHANCES = 2  # orders by chance that are averaged
SHUFFLES = 3  # of the parameters
AT_ONCE = 4  # views in one forward pass
BLUR = 16  # cells of the input whose mean takes their place, along height and width


@dataclass(frozen=True)
class Faithfulness:
    """The probability of a class as cells are deleted or inserted.

    Attributes:
        shares: float64 [steps + 1], of the cells that are gone, or back: 0 to 1.
        deletion, insertion: float64 [steps + 1], probability of the class, by the map's order.
        deletion_by_chance, insertion_by_chance: the same, cells in an order by chance.
        cells: how many the map has.
    """

    shares: np.ndarray = field(repr=False)
    deletion: np.ndarray = field(repr=False)
    insertion: np.ndarray = field(repr=False)
    deletion_by_chance: np.ndarray = field(repr=False)
    insertion_by_chance: np.ndarray = field(repr=False)
    cells: int

    def area(self, curve: str) -> float:
        """Area under one of the curves, 0 to 1, by its name."""
        return float(np.trapezoid(getattr(self, curve), self.shares))

    @property
    def better(self) -> tuple[bool, bool]:
        """(deletion, insertion): whether the map does better than a random order."""
        return (
            self.area("deletion") < self.area("deletion_by_chance"),
            self.area("insertion") > self.area("insertion_by_chance"),
        )


def faithfulness(
    trace: ForwardTrace,
    result: Activation,
    steps: int = STEPS,
    on_progress: Callable[[float], None] | None = None,
) -> Faithfulness:
    """Delete and insert what a map calls important, and the same by chance.

    Args:
        trace: the look that the map explains.
        result: the map.
        steps: into how many the cells are dealt.
        on_progress: called with the share that is done.
    """
    say = on_progress or (lambda done: None)
    network = trace.network()
    device = next(network.parameters()).device
    inputs = [x.to(device) for x in trace.inputs]
    count = result.values.size
    steps = min(steps, count)
    generator = np.random.default_rng(0)
    # Among equals, such as the many that are nothing, chance decides.
    by_map = np.lexsort((generator.random(count), -result.values.ravel()))
    orders = [by_map, *(generator.permutation(count) for _ in range(CHANCES))]
    edges = np.linspace(0, count, steps + 1).round().astype(int)
    start = [_blurred(x) for x in inputs]

    curves = np.empty((len(orders), 2, steps + 1))
    for number, order in enumerate(orders):
        taken = torch.zeros(steps + 1, count, dtype=torch.bool)
        for step, edge in enumerate(edges):
            taken[step, order[:edge]] = True
        taken = taken.unflatten(1, result.values.shape).to(device)
        for way in range(2):
            parts = []
            for first in range(0, steps + 1, AT_ONCE):
                some = taken[first : first + AT_ONCE]
                given = [
                    _where(some, y, x) if way else _where(some, torch.zeros_like(x), x, swap=True)
                    for x, y in zip(inputs, start, strict=True)
                ]
                logits = _logits(network, given)
                shares = (logits / trace.provenance.temperature).softmax(dim=-1)
                parts.append(shares[:, result.target].cpu())
                done = (number * 2 + way + (first + len(some)) / (steps + 1)) / len(orders) / 2
                say(done)
            curves[number, way] = torch.cat(parts).numpy()
    chance = curves[1:].mean(axis=0)
    return Faithfulness(
        shares=edges / count,
        deletion=curves[0, 0],
        insertion=curves[0, 1],
        deletion_by_chance=chance[0],
        insertion_by_chance=chance[1],
        cells=count,
    )


def stays_when_shuffled(trace: ForwardTrace, result: Activation, seeds: int = SHUFFLES) -> float:
    """Rank correlation of a map with those of the same network after its parameters traded places.

    The mean over some shufflings. Near 0 is as it should be; near 1 the map does not depend on what
    the model learned. A shuffled network whose map is empty counts as 0. For class activation alone.
    """
    network = trace.network()
    others = [
        activation(trace, result.target, result.method, shuffled(network, seed)).values
        for seed in range(seeds)
    ]
    return float(np.mean([rank_correlation(result.values, other) for other in others]))


def shuffled(network: nn.Module, seed: int = 0) -> nn.Module:
    """A copy whose parameters keep their values but not their places, each tensor for itself."""
    generator = torch.Generator().manual_seed(seed)
    other = deepcopy(network)
    for parameter in other.parameters():
        order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
        values = parameter.data.flatten()[order]
        parameter.data.copy_(values.reshape(parameter.shape))
    return other


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's, of two maps of the same shape; 0 where one is the same everywhere."""
    from scipy.stats import spearmanr

    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(spearmanr(a.ravel(), b.ravel()).statistic)


@in_one_thread
@torch.inference_mode()
def _logits(network: nn.Module, inputs: Sequence[Tensor]) -> Tensor:
    return network(*inputs).float()


def _where(taken: Tensor, absent: Tensor, present: Tensor, swap: bool = False) -> Tensor:
    """`present` where cells are taken and `absent` elsewhere, or with `swap` the other way round.

    Args:
        taken: bool [S, T, H, W], of the map's grid.
        absent, present: [1, C, t, h, w].

    Returns:
        [S, C, t, h, w].
    """
    mask = F.interpolate(taken[:, None].float(), present.shape[2:], mode="nearest") > 0.5
    return torch.where(mask ^ swap, present, absent).contiguous(
        memory_format=torch.channels_last_3d
    )


def _blurred(x: Tensor) -> Tensor:
    """[1, C, T, H, W] with so little detail that no action is seen: means of boxes, made smooth."""
    t, h, w = x.shape[2:]
    coarse = F.adaptive_avg_pool3d(x, (1, max(1, h // BLUR), max(1, w // BLUR)))
    smooth = F.interpolate(coarse[:, :, 0], (h, w), mode="bilinear", align_corners=False)
    return smooth[:, :, None].expand(-1, -1, t, -1, -1).contiguous()
