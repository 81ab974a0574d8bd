"""RAFT: flow as a guess that is corrected again and again (Teed and Deng, ECCV 2020), from torchvision.

    both frames ──encoder──▶ features at 1/8 ──all pairs of places──▶ how alike, at four scales
    first frame ──encoder──▶ context ─┐              │ looked up around the guess
                     guess, at first 0 ┴─▶ GRU ─▶ correction ──▶ guess … 12 times, then × 8

Compared is every place with every other, once; what a correction needs is only looked up. So small
things that move far are found, which methods that go from coarse to fine lose.
"""

from torch import Tensor, nn
from torchvision.models import optical_flow

from har_demo.models.card import WeightSource

MULTIPLE = 8  # sides of pictures are multiples of it
LEAST = 128  # pixels a side, for the coarsest of the four scales to be more than a point
UPDATES = 12  # corrections, as published accuracies were measured

HUB = "https://download.pytorch.org/models"
SMALL = WeightSource(f"{HUB}/raft_small_C_T_V2-01064c6d.pth", "01064c6d", 4_006_609, "BSD-3-Clause")
"""torchvision's own training on FlyingChairs and FlyingThings3D."""
LARGE = WeightSource(
    f"{HUB}/raft_large_C_T_SKHT_V2-ff5fadd5.pth", "ff5fadd5", 21_106_786, "BSD-3-Clause"
)
"""torchvision's own training on the same and then on Sintel, KITTI and HD1K."""


def raft_small() -> nn.Module:
    """990,162 parameters, not yet trained."""
    return optical_flow.raft_small(weights=None)


def raft_large() -> nn.Module:
    """5,257,536 parameters, not yet trained."""
    return optical_flow.raft_large(weights=None)


def guesses(
    network: nn.Module, before: Tensor, after: Tensor, updates: int = UPDATES
) -> list[Tensor]:
    """All guesses, one after each correction: a list of [B, 2, H, W], in pixels right and down.

    Args:
        before, after: float [B, 3, H, W] in [0, 1], sides multiples of MULTIPLE and at least LEAST.
    """
    # What torchvision makes inside is then made on the GPU and not sent there, which would wait.
    with before.device:
        return network(before * 2 - 1, after * 2 - 1, num_flow_updates=updates)


def answer(network: nn.Module, before: Tensor, after: Tensor) -> Tensor:
    """The last guess, [B, 2, H, W]."""
    return guesses(network, before, after)[-1]
