"""PNL: regions, not pixels, look at each other, at several scales (Xu et al., Neurocomputing 2021).

A reconstruction. Neither code nor text of the paper could be had; what stands here follows the
lecture's words and its table. The words: the non-local block relates pixels, while "playing
basketball" shows in the relation of two regions, the boy and the backboard; PNL takes such regional
correlation at several scales through a pyramid, with the embedded Gaussian as the function of a
pair.

    pyramid   means of x over 4×7×7, 2×4×4 and 1×2×2 regions, each level half as fine as the last
    θ         1×1×1, C → C/8, on the 196 regions of the finest level: they ask
    φ, g      1×1×1, C → C/8, on the 232 regions of all levels: they answer
    U         1×1×1, C/8 → C/8, on the values g of each coarser level
    y_i       Σ_j softmax_j(θ_iᵀ φ_j) U g_j, one softmax over all levels
    W_z       each position gets its region's y; 1×1×1, C/8 → C; batch norm, γ = 0 at first; plus x

The table decides the rest. In it MFNet-NL, -PNL ×1 and -PNL ×5 add to MFNet's 7.84 M parameters and
11.17 G:

                   lecture            here             with
    MFNet-NL   +0.31 M  +0.49 G   +0.297 M  +0.525 G   one non-local block in conv4, pooled first
    PNL ×1     +0.08 M  +0.05 G   +0.080 M  +0.046 G   one module in conv4
    PNL ×5     +0.28 M  +0.21 G   +0.279 M  +0.205 G   two in conv3, three in conv4, as NL's five

- C/8 channels inside: with C/8, four convolutions at conv4 have 0.08 M parameters.
- Regions that ask, not positions: θ and W_z on all positions cost 0.058 G in either stage, five
  times that is 0.29 G. One of the two on all positions costs 0.029 G, and the rest of +0.05 and
  +0.21 G is a pyramid of some 230 regions, in either stage the same number.
- W_z is the one on all positions, as the non-local block has it. As it sees copies of its region
  there, it could be taken once a region, for 0.025 G less; the lecture's numbers suggest that it
  was not.
- U: without it ×5 comes to 8.11 M, and the lecture prints 8.12 M. The finest level needs none,
  because W_z follows.

Pooling by the mean, the grids themselves and where U sits are guesses among those that fit the
numbers. The table cites the CGNL paper for MFNet-NL too; it must be the PNL authors' own.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.attention import AttentionMap, flat_positions
from har_demo.models.card import Accuracy, ModelCard, PublishedCost
from har_demo.models.label_sets import KINETICS400
from har_demo.models.mfnet import MFNET_INPUT, MFNet, mfnet_tiny
from har_demo.models.non_local import Function, NonLocal, rows
from har_demo.models.tiny import TINY_INPUT

PYRAMID = ((4, 7, 7), (2, 4, 4), (1, 2, 2))
"""Regions along T, H and W of each level, finest first; their sizes depend on the map."""

Places = Callable[[MFNet, Callable[[int], nn.Module]], MFNet]
"""Puts blocks into a network: `one` or `five`."""


class PyramidNonLocal(nn.Module):
    """float [B, C, T, H, W] → the same shape; the identity until it is trained.

    >>> PyramidNonLocal(384)(torch.zeros(1, 384, 8, 14, 14)).shape
    torch.Size([1, 384, 8, 14, 14])
    """

    kind = "pyramid non-local"

    def __init__(self, channels: int):
        super().__init__()
        inner = channels // 8
        self.theta = nn.Conv3d(channels, inner, 1)
        self.phi = nn.Conv3d(channels, inner, 1)
        self.g = nn.Conv3d(channels, inner, 1)
        coarser = [nn.Conv3d(inner, inner, 1, bias=False) for _ in PYRAMID[1:]]
        self.u = nn.ModuleList([nn.Identity(), *coarser])
        self.w_z = nn.Conv3d(inner, channels, 1)
        self.norm = nn.BatchNorm3d(channels)

        for conv in (self.theta, self.phi, self.g, self.w_z):
            nn.init.normal_(conv.weight, std=0.01)
            assert conv.bias is not None
            nn.init.zeros_(conv.bias)
        for transform in coarser:
            nn.init.dirac_(transform.weight)  # the identity: all levels speak alike at first
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        theta, phi, g = self.embed(x)
        y = F.scaled_dot_product_attention(theta[:, None], phi[:, None], g[:, None], scale=1.0)
        y = y[:, 0].transpose(1, 2).unflatten(2, PYRAMID[0])
        y = F.interpolate(y, size=x.shape[2:], mode="nearest")
        return x + self.norm(self.w_z(y))

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """θ [B, 196, C/8] of the finest level, and φ and U g [B, 232, C/8] of all, finest first."""
        regions = [F.adaptive_avg_pool3d(x, grid) for grid in PYRAMID]
        phi = torch.cat([rows(self.phi(level)) for level in regions], dim=1)
        g = [rows(u(self.g(level))) for u, level in zip(self.u, regions, strict=True)]
        return rows(self.theta(regions[0])), phi, torch.cat(g, dim=1)

    def attention(self, x: Tensor, at: Tensor | None = None) -> tuple[AttentionMap, ...]:
        """One map per level, finest first; their weights together sum to 1.

        The regions of the finest level ask, so `at` names those that hold the given places.
        """
        theta, phi, _ = self.embed(x)
        queries = flat_positions(at, PYRAMID[0]).to(x.device)
        weights = (theta[:, queries] @ phi.mT).softmax(dim=-1)
        levels = weights[:, None].split([t * h * w for t, h, w in PYRAMID], dim=-1)
        return tuple(
            AttentionMap(level, queries, PYRAMID[0], grid)
            for level, grid in zip(levels, PYRAMID, strict=True)
        )


def one(network: MFNet, block: Callable[[int], nn.Module]) -> MFNet:
    """The network with block(channels) before the last unit of conv4."""
    network.conv4.insert(5, block(network.norm5.num_features // 2))
    return network


def five(network: MFNet, block: Callable[[int], nn.Module]) -> MFNet:
    """The network with block(channels) after every second unit of conv3 and conv4."""
    channels = network.norm5.num_features
    for stage, narrower in ((network.conv3, 4), (network.conv4, 2)):
        # From the back, so that an insertion moves none of the places still to come.
        for after in range(len(stage), 0, -2):
            stage.insert(after, block(channels // narrower))
    return network


_pooled_first = partial(NonLocal, subsample=True, pool_first=True)


def mfnet_nl(classes: int) -> MFNet:
    """One sub-sampled non-local block, before the last unit of conv4."""
    return one(MFNet(classes), _pooled_first)


def mfnet_pnl_x1(classes: int) -> MFNet:
    """One pyramid, before the last unit of conv4."""
    return one(MFNet(classes), PyramidNonLocal)


def mfnet_pnl_x5(classes: int) -> MFNet:
    """A pyramid after every second unit of conv3 and conv4."""
    return five(MFNet(classes), PyramidNonLocal)


def mfnet_nl_tiny(
    classes: int, places: Places = one, function: Function = "embedded_gaussian"
) -> MFNet:
    """Tiny MFNet with the non-local block in the same place, or in five."""
    return places(mfnet_tiny(classes), partial(_pooled_first, function=function))


def mfnet_pnl_tiny(classes: int, places: Places = one) -> MFNet:
    """Tiny MFNet with the pyramid in the same place, or in five."""
    return places(mfnet_tiny(classes), PyramidNonLocal)


_PNL: dict[str, Any] = {
    "family": "Long-range dependencies",
    "year": 2021,
    "paper": "Xu et al., PNL: Efficient Long-Range Dependencies Extraction with Pyramid Non-Local "
    "Module for Action Recognition, Neurocomputing 2021",
    "paper_url": "https://arxiv.org/abs/2006.05091",
}
_RECONSTRUCTION = (
    "Reconstruction: neither code nor text of the paper could be had. The module follows the "
    "lecture's words, and its sizes are chosen so that the lecture's parameters and multiply-adds "
    "hold; the grids of regions and the way levels are joined are guesses."
)


def _paper(top1: float, **words) -> ModelCard:
    accuracy = Accuracy("Mini-Kinetics-200", top1, None, "not stated", "lecture, PNL table")
    return ModelCard(
        **_PNL,
        size="paper",
        input=MFNET_INPUT,
        label_set="Kinetics-400",
        classes=KINETICS400,
        accuracy=(accuracy,),
        **words,
    )


def _tiny(**words) -> ModelCard:
    return ModelCard(
        **_PNL, size="tiny", input=TINY_INPUT, label_set=LABEL_SET, classes=EVERYDAY, **words
    )


def _printed(parameters: float, gmacs: float) -> PublishedCost:
    return PublishedCost("lecture, PNL table", "printed", parameters, gmacs, classes=200)


CARDS: tuple[ModelCard, ...] = (
    _paper(
        name="mfnet_nl",
        title="MFNet-NL",
        chapter="far",
        idea="MFNet with one non-local block, in which every position asks every second row and "
        "column of the clip: what the pyramid is measured against.",
        build=mfnet_nl,
        attends=True,
        parameters=8_293_008,
        gmacs=11.5705,
        published=(
            PublishedCost(
                "cypw/PyTorch-MFNet's code with a sub-sampled non-local block put into conv4",
                "verified",
                parameters=8_139_208,
                gmacs=11.570,
                classes=200,
            ),
            _printed(8.15e6, 11.66),
        ),
        top1=79.74,
        note="Reconstruction: the lecture names MFNet-NL without saying where its block sits. One "
        "sub-sampled block in conv4 comes nearest to what it prints: 8.14 M parameters for 8.15 M.",
    ),
    _paper(
        name="mfnet_pnl_x1",
        title="MFNet-PNL (×1)",
        chapter="far",
        idea="MFNet with one pyramid of regions, large and small, that look at each other instead "
        "of single positions: cheaper than a non-local block, and nearer to how a scene is made up.",
        build=mfnet_pnl_x1,
        attends=True,
        parameters=8_076_000,
        gmacs=11.091,
        published=(_printed(7.92e6, 11.22),),
        top1=82.16,
        note=_RECONSTRUCTION,
    ),
    _paper(
        name="mfnet_pnl_x5",
        title="MFNet-PNL (×5)",
        idea="MFNet with five pyramids of regions, two in its third stage and three in its "
        "fourth, so that what regions found can be related again.",
        build=mfnet_pnl_x5,
        attends=True,
        parameters=8_275_728,
        gmacs=11.2503,
        published=(_printed(8.12e6, 11.38),),
        top1=83.09,
        note=_RECONSTRUCTION,
    ),
    _tiny(
        name="mfnet_nl_lab",
        title="MFNet-NL (tiny)",
        chapter="far",
        tiny_of="mfnet_nl",
        idea="The small MFNet with one non-local block: every position of its fourth stage can "
        "look at the whole clip.",
        build=mfnet_nl_tiny,
        attends=True,
        parameters=3_336_679,
        gmacs=1.2472,
    ),
    _tiny(
        name="mfnet_pnl_lab",
        title="MFNet-PNL (tiny)",
        chapter="far",
        tiny_of="mfnet_pnl_x1",
        idea="The small MFNet with one pyramid: regions of its fourth stage look at larger and "
        "smaller regions of the whole clip.",
        build=mfnet_pnl_tiny,
        attends=True,
        parameters=3_282_319,
        gmacs=1.2317,
        note=_RECONSTRUCTION,
    ),
)
