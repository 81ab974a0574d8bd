"""Temporal relation networks: frames in order, two to N at a time (Zhou et al., ECCV 2018).

As in TSN, one frame of each of N = 8 segments passes an image network. Instead of an average, a
small network for each scale k reads k frames' features side by side, in their order, so that it can
learn what changed between them. The scores of all scales add up (the paper's equations 1 to 3):

    T_k(V) = h_k( Σ over some i < j < ... < l of g_k(f_i, f_j, ..., f_l) )
    MT_N(V) = T_2(V) + T_3(V) + ... + T_N(V)

    layer                                   output for 3 × 8 × 224 × 224
    ResNet-50, each frame by itself          8 × 2048
    fc                                       8 × 256
    g_k: k·256 → 256, for 3 sets of frames   3 × 256, for each k of 2 ... 7, and 1 × 256 for k = 8
    h_k: 256 → classes, summed               classes

There are 28 pairs of 8 frames, 56 triples and so on; the paper draws 3 at random for each scale.
Here this is done while training. Its public code draws at random when it is tested too, and then
the same video gets another answer each time; here three sets stand fixed for that, spread over the
list of all. The public code also applies h_k to each set and adds the results, which counts h_k's
bias once a set; trained weights expect that, so it is done here.

The paper has BN-Inception; the widely used weights, and this network, have ResNet-50
(torchvision's). The lecture names TRN in its list of references only.
"""

from dataclasses import replace
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import ModelCard, Protocol, PublishedCost, Source
from har_demo.models.key_map import key_map
from har_demo.models.label_sets import SOMETHING_V1 as SOMETHING_V1_CLASSES
from har_demo.models.label_sets import SOMETHING_V2 as SOMETHING_V2_CLASSES
from har_demo.models.publishers import (
    SEGMENTS,
    SOMETHING_V1,
    SOMETHING_V2,
    as_fields,
    mmaction2,
)
from har_demo.models.resnet2d import frame_by_frame, pooled_resnet2d
from har_demo.models.tiny import TINY_DIFFERENCE
from har_demo.models.tsn import RESNET50_RULES, resnet50_features

SETS = 3
"""Sets of frames a scale looks at, the paper's sub-sampling."""


class Relation(nn.Module):
    """One scale: float [B, N, D], the features of N frames → float [B, classes].

    Args:
        k: frames that are related with each other.
        frames: N.
        width: D.
        classes: number of outputs.

    >>> Relation(2, frames=8, width=256, classes=174)(torch.zeros(1, 8, 256)).shape
    torch.Size([1, 174])
    """

    every: Tensor
    fixed: Tensor

    def __init__(self, k: int, frames: int, width: int, classes: int):
        super().__init__()
        self.g = nn.Linear(k * width, width)
        self.h = nn.Linear(width, classes)
        every = list(combinations(range(frames), k))
        count = min(SETS, len(every))
        fixed = [every[(2 * i + 1) * len(every) // (2 * count)] for i in range(count)]
        # Tables of indices, which follow the network to its device but are no parameters.
        self.register_buffer("every", torch.tensor(every), persistent=False)
        self.register_buffer("fixed", torch.tensor(fixed), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        sets = self.drawn() if self.training else self.fixed  # [count, k]
        x = F.relu(x[:, sets]).flatten(2)  # [B, count, k·D]
        return self.h(F.relu(self.g(x))).sum(dim=1)

    def drawn(self) -> Tensor:
        """As many sets of frames as are fixed, int64 [count, k], none twice."""
        order = torch.randperm(len(self.every), device=self.every.device)
        return self.every[order[: len(self.fixed)]]


class TRN(nn.Module):
    """float [B, 3, N, H, W], one frame a segment → logits [B, classes].

    Args:
        features: an image network, [B, 3, H, W] → [B, channels].
        channels: of its features.
        frames: N.
        classes: number of outputs.
        dropout: share of the features dropped while training.
        width: numbers a frame and a relation are told in.

    >>> trn_r50(174)(torch.zeros(1, 3, 8, 224, 224)).shape
    torch.Size([1, 174])
    """

    def __init__(
        self,
        features: nn.Module,
        channels: int,
        frames: int,
        classes: int,
        dropout: float,
        width: int = 256,
    ):
        super().__init__()
        self.features = features
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(channels, width)
        # All frames first and pairs last, as the public files number them.
        self.relations = nn.ModuleList(
            Relation(k, frames, width, classes) for k in range(frames, 1, -1)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = frame_by_frame(self.features, x)  # [B, N, channels]
        x = self.fc(self.dropout(x))  # [B, N, width]
        return sum(relation(x) for relation in self.relations)


def trn_r50(classes: int) -> TRN:
    """Multi-scale TRN with ResNet-50: 26,641,154 parameters for Something-Something V2."""
    return TRN(resnet50_features(), 2048, 8, classes, dropout=0.8)


def trn_tiny(classes: int) -> TRN:
    """Relations of half the width on the small image network that all 2D systems share."""
    return TRN(pooled_resnet2d(), 256, 8, classes, dropout=0.3, width=128)


_PAPER = "Zhou et al., Temporal Relational Reasoning in Videos, ECCV 2018"
_PAPER_URL = "https://arxiv.org/abs/1711.08496"

KEY_MAP = key_map(
    *RESNET50_RULES,
    (r"^cls_head\.fc_cls\.", "fc."),
    # Each scale is a list of ReLU, g, ReLU and h.
    (r"^cls_head\.consensus\.fc_fusion_scales\.(\d)\.1\.", r"relations.\1.g."),
    (r"^cls_head\.consensus\.fc_fusion_scales\.(\d)\.3\.", r"relations.\1.h."),
)
"""mmaction2's names: TSN's for the ResNet-50, and the authors' for the relations."""


_Scores = tuple[float, float]


def _something(version: int, digits: str, accurate: _Scores, efficient: _Scores) -> Source:
    """mmaction2's file for a version of Something-Something; (top-1, top-5) as it is tested in two ways."""
    twice = mmaction2(
        f"v1.0/recognition/trn/trn_imagenet-pretrained-r50_8xb16-1x1x8-50e_sthv{version}-rgb/"
        f"{{}}_20220815-{digits}.pth",
        26_641_154,
        *accurate,
        Protocol(2, 3, 256, (256, 256), placing="mmaction2"),
        # Something-Something's clips last four seconds.
        replace(SEGMENTS, fps=2.0, any_frames=False),
        KEY_MAP,
        about="ImageNet",
        dataset=SOMETHING_V1 if version == 1 else SOMETHING_V2,
    )
    top1, top5 = efficient
    words = "1 window of 8 frames, centre crop of 224 × 224, ImageNet"
    once = replace(twice.accuracy[0], top1=top1, top5=top5, protocol=words)
    return replace(twice, accuracy=(*twice.accuracy, once))


_NOTE = (
    "Its published accuracies come from sets of frames drawn at random; here they are "
    "fixed, so that a video always gets the same answer."
)


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="trn_r50",
        title="TRN multi-scale (ResNet-50)",
        chapter="fusion",
        family="2D fusion",
        year=2018,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Lets small networks read two, three, up to all eight frames side by side and in "
        "order, so that it learns what became of things between them.",
        size="paper",
        label_set=SOMETHING_V2,
        classes=SOMETHING_V2_CLASSES,
        build=trn_r50,
        parameters=26_641_154,
        gmacs=32.708,
        **as_fields(_something(2, "e01617db", (51.20, 78.42), (47.65, 76.27))),
        published=(
            PublishedCost(
                "mmaction2's code",
                "verified",
                parameters=26_641_154,
                gmacs=32.708,
                classes=174,
            ),
        ),
        note=_NOTE,
    ),
    ModelCard(
        name="trn_r50_sthv1",
        title="TRN multi-scale (ResNet-50) on Something-Something V1",
        family="2D fusion",
        year=2018,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="TRN on the first version of the data set that it was made for, whose films are small.",
        size="paper",
        label_set=SOMETHING_V1,
        classes=SOMETHING_V1_CLASSES,
        build=trn_r50,
        parameters=26_641_154,
        gmacs=32.708,
        **as_fields(_something(1, "e13db2e9", (33.65, 62.22), (31.60, 60.15))),
        note=_NOTE,
    ),
    ModelCard(
        name="trn_lab",
        title="TRN multi-scale (tiny)",
        chapter="fusion",
        tiny_of="trn_r50",
        family="2D fusion",
        year=2018,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Relates what the shared small image network sees in eight changes from frame to frame, in "
        "order, two to eight at a time; compare it with TSN, which averages the same features.",
        size="tiny",
        input=replace(TINY_DIFFERENCE, frames=8, fps=4.0, any_frames=False),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=trn_tiny,
        parameters=1_872_689,
        gmacs=1.661,
    ),
)
