"""Temporal shift module: a look at the neighbouring frames for nothing (Lin et al., ICCV 2019).

In front of each residual branch, an eighth of the channels is moved one frame back in time and
another eighth one frame forward; the rest stays. So each 2D convolution mixes what three
neighbouring frames have found, which is a convolution over time without a multiplication or a
parameter of its own. The shortcut around the branch is not shifted, so that a frame keeps all it
knew of itself.

    channel      0 ... C/8     C/8 ... C/4     C/4 ... C
    frame t has  frame t + 1's frame t - 1's   its own       (beyond the ends: zeros)

All else is TSN: one frame of each of 8 segments, torchvision's ResNet-50, the mean of the segments'
scores. The lecture does not name TSM; it stands here as the cheapest answer to the question of how
2D can see motion.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import Bottleneck

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, PublishedCost, Source
from har_demo.models.key_map import key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.resnet2d import Block, pooled_resnet2d
from har_demo.models.tiny import TINY_INPUT
from har_demo.models.tsn import MMACTION2_INPUT, RESNET50_RULES, TSN, resnet50_features


class ShiftedConv(nn.Module):
    """A convolution of shifted frames: [B·T, C, H, W] → [B·T, outputs, h, w].

    Args:
        conv: the first convolution of a residual branch.
        frames: T.
    """

    def __init__(self, conv: nn.Conv2d, frames: int):
        super().__init__()
        self.conv = conv
        self.frames = frames

    def forward(self, x: Tensor) -> Tensor:
        clips = x.unflatten(0, (-1, self.frames))  # [B, T, C, H, W]
        return self.conv(shift(clips).flatten(0, 1))


def shift(x: Tensor) -> Tensor:
    """[B, T, C, H, W] with an eighth of the channels from the next frame and one from the last.

    >>> shift(torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1, 1).expand(1, 3, 8, 1, 1))[0, :, :3, 0, 0]
    tensor([[2., 0., 1.],
            [3., 1., 2.],
            [0., 2., 3.]])
    """
    eighth = x.shape[2] // 8
    from_next = F.pad(x[:, 1:, :eighth], (0, 0, 0, 0, 0, 0, 0, 1))
    from_last = F.pad(x[:, :-1, eighth : 2 * eighth], (0, 0, 0, 0, 0, 0, 1, 0))
    return torch.cat([from_next, from_last, x[:, :, 2 * eighth :]], dim=2)


class TSM(TSN):
    """float [B, 3, T, H, W], one frame a segment → logits [B, classes]; TSN with the shift.

    Args:
        features, channels, classes, dropout: as for TSN; the features are of torchvision's
            bottlenecks or of the small network's blocks.
        frames: T.

    >>> tsm_r50(400)(torch.zeros(1, 3, 8, 224, 224)).shape
    torch.Size([1, 400])
    """

    def __init__(
        self, features: nn.Module, channels: int, classes: int, dropout: float, frames: int
    ):
        super().__init__(features, channels, classes, dropout)
        self.frames = frames
        blocks = [m for m in features.modules() if isinstance(m, (Bottleneck, Block))]
        for block in blocks:
            block.conv1 = ShiftedConv(block.conv1, frames)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] != self.frames:  # frames of different clips would be mixed
            raise ValueError(f"This network takes {self.frames} frames, not {x.shape[2]}.")
        return super().forward(x)


def tsm_r50(classes: int) -> TSM:
    """TSM with ResNet-50: 24,327,632 parameters for Kinetics-400, as many as TSN."""
    return TSM(resnet50_features(), 2048, classes, dropout=0.5, frames=8)


def tsm_tiny(classes: int) -> TSM:
    """The same shift in the small image network that all 2D systems share."""
    return TSM(pooled_resnet2d(), 256, classes, dropout=0.3, frames=8)


_PAPER = "Lin et al., TSM: Temporal Shift Module for Efficient Video Understanding, ICCV 2019"
_PAPER_URL = "https://arxiv.org/abs/1811.08383"

KEY_MAP = key_map(
    *RESNET50_RULES,
    (r"^features\.(layer\d\.\d+)\.conv1\.net\.", r"features.\1.conv1.conv."),
    (r"^cls_head\.fc_cls\.", "fc."),
)
"""mmaction2's names: TSN's, with the first convolution of each block inside the shift."""


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="tsm_r50",
        title="TSM (ResNet-50)",
        chapter="fusion",
        family="2D fusion",
        year=2019,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Moves a few channels one frame forward and a few one frame back before each block: "
        "an image network sees motion without one more parameter or multiplication.",
        size="paper",
        input=replace(MMACTION2_INPUT, any_frames=False),
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=tsm_r50,
        key_map=KEY_MAP,
        weights=(
            Source(
                url="https://download.openmmlab.com/mmaction/v1.0/recognition/tsm/"
                "tsm_imagenet-pretrained-r50_8xb16-1x1x8-100e_kinetics400-rgb/"
                "tsm_imagenet-pretrained-r50_8xb16-1x1x8-100e_kinetics400-rgb"
                "_20220831-a6db1e5d.pth",
                sha256="a6db1e5d",
                bytes=24_327_632 * 4,  # unverified: the size of its parameters alone
                licence="Apache-2.0 (mmaction2)",
            ),
        ),
        parameters=24_327_632,
        gmacs=32.698,
        accuracy=(
            Accuracy(
                dataset="Kinetics-400",
                top1=73.11,
                top5=90.06,
                protocol="8 segments, 10 crops",
                source="mmaction2 model zoo",
            ),
        ),
        published=(
            PublishedCost(
                "mmaction2's metafile of tsm_r50_1x1x8_50e_kinetics400_rgb",
                "printed",
                parameters=24_327_632,
                gmacs=32.966,
                classes=400,
            ),
        ),
        note="mmaction2 prints 0.8 % more multiply-adds: its counter includes normalisation, "
        "activations and pooling.",
    ),
    ModelCard(
        name="tsm_lab",
        title="TSM (tiny)",
        chapter="fusion",
        tiny_of="tsm_r50",
        family="2D fusion",
        year=2019,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="TSN's small network with channels shifted between eight frames: the same size and "
        "cost, and yet it can tell a clip from its reverse.",
        size="tiny",
        input=replace(TINY_INPUT, frames=8, fps=4.0, any_frames=False),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=tsm_tiny,
        parameters=1_240_263,
        gmacs=1.659,
    ),
)
