"""CorrNet: match each frame with the one before it, at several depths (Wang et al., CVPR 2020).

FlowNet finds optical flow by correlation: it compares what is at one place of a frame with what was
at all places around it in the frame before. CorrNet makes the comparison a layer of a classifier,
with a filter that learns which movements of which channels matter. For a movement d of up to ±3
steps in each direction, K = 7:

    S_d(t, i) = mean over channels c of a group of  W_c,t,d · x_c(t, i) · x_c(t-1, i - d)

so a value is high where what is at i now was at i - d before: where it moved by d. A step is two
positions (dilation 2), which covers 13 × 13 with 49 comparisons. The first frame is compared with
itself. A block of it adds what it finds to the features (the paper's correlation-sum):

    1×1×1, C → C/4, norm, ReLU      thinner features to compare
    correlation                     32 groups times 49 movements = 1568 channels
    1×1×1, 1568 → C, norm           plus x, ReLU

Such blocks stand in R(2+1)D after res2, res3 and res4, and in the deepest network in the middle of
res4 as well:

    layer                                     output for 3 × 32 × 224 × 224
    stem    1×7×7                               64 × 32 × 112 × 112
    res2     3 bottlenecks, correlation        256 × 32 ×  56 ×  56
    res3     4 bottlenecks, correlation        512 × 32 ×  28 ×  28
    res4    12 bottlenecks, correlation,
            11 bottlenecks, correlation       1024 × 16 ×  14 ×  14
    res5     3 bottlenecks                    2048 ×  8 ×   7 ×   7
    mean over time and space, fc              classes

A reconstruction: the authors published no code. The operator, K, the dilation, the places of the
blocks and the depths are the paper's; that C is quartered, that there are 32 groups and that each
frame has filters of its own is recalled, and agrees with what others have built after it. The
bottlenecks and strides are those of R(2+1)D-50 as the same group's pytorchvideo has it. The lecture
prints 224 G (table of Video Swin); here it is 260 G, and with 16 groups it would be 225 G. The
comparisons themselves are no matrix products and are not counted: about 0.6 G more.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput, PublishedCost
from har_demo.models.label_sets import KINETICS400
from har_demo.models.r2plus1d import SplitBottleneck
from har_demo.models.resnet3d import conv_norm, initialise
from har_demo.models.tiny import TINY_INPUT

K = 7
"""Movements compared along each axis: -3 to 3 steps."""

DILATION = 2
"""Positions of one step."""


class Correlation(nn.Module):
    """float [B, C, T, H, W] → float [B, groups · K², T, H, W]: correlation of each place with its neighbours in the next frame.

    Channel g · K² + y · K + x belongs to group g and the movement of y - 3 steps down and x - 3 to
    the right.

    Args:
        channels: C.
        frames: T; every frame has filters of its own.
        groups: of channels that are compared together.

    >>> Correlation(64, frames=32, groups=32)(torch.zeros(1, 64, 32, 56, 56)).shape
    torch.Size([1, 1568, 32, 56, 56])
    """

    def __init__(self, channels: int, frames: int, groups: int):
        super().__init__()
        self.groups = groups
        # Ones: plain correlation, as in FlowNet, to begin with.
        self.weight = nn.Parameter(torch.ones(channels, frames, K * K))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[3:]
        before = torch.cat([x[:, :, :1], x[:, :, :-1]], dim=2)
        before = F.pad(before, [DILATION * (K // 2)] * 4)  # nothing was outside the picture
        matches = []
        for y in range(K):
            for x_ in range(K):
                top, left = DILATION * (K - 1 - y), DILATION * (K - 1 - x_)
                there = before[..., top : top + height, left : left + width]
                match = self.weight[:, :, y * K + x_, None, None] * x * there
                matches.append(match.unflatten(1, (self.groups, -1)).mean(dim=2))
        return torch.stack(matches, dim=2).flatten(1, 2)


class CorrelationBlock(nn.Module):
    """Add the correlations to the features: float [B, C, T, H, W] → the same shape."""

    def __init__(self, channels: int, frames: int, groups: int):
        super().__init__()
        self.reduce = conv_norm(channels, channels // 4, (1, 1, 1))
        self.correlation = Correlation(channels // 4, frames, groups)
        self.expand = conv_norm(groups * K * K, channels, (1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.reduce(x))
        return F.relu(x + self.expand(self.correlation(y)))


class CorrNet(nn.Module):
    """float [B, 3, frames, H, W] → logits [B, classes]; any size, but no other number of frames.

    Args:
        classes: number of outputs.
        frames: of the clip; each has filters of its own.
        width: channels of the stem and inside res2; twice as many inside each later stage.
        runs: bottlenecks of res2, res3 and res4; a correlation block follows each run of them.
        last: bottlenecks of res5.
        groups: of channels that a correlation compares together.
        dropout: share of features dropped before the last layer while training.

    >>> CorrNet(400)(torch.zeros(1, 3, 32, 224, 224)).shape
    torch.Size([1, 400])
    """

    def __init__(
        self,
        classes: int,
        frames: int = 32,
        width: int = 64,
        runs: tuple[tuple[int, ...], ...] = ((3,), (4,), (12, 11)),
        last: int = 3,
        groups: int = 32,
        dropout: float = 0.0,
    ):
        super().__init__()
        halved = (frames + 1) // 2

        def run(inputs: int, middle: int, count: int, strides: tuple[int, int]) -> nn.Sequential:
            rest = (SplitBottleneck(4 * middle, middle, (1, 1)) for _ in range(count - 1))
            return nn.Sequential(SplitBottleneck(inputs, middle, strides), *rest)

        def stage(inputs: int, middle: int, counts: tuple[int, ...], frames: int, strides):
            parts = []
            for count in counts:
                parts += [
                    run(inputs, middle, count, strides),
                    CorrelationBlock(4 * middle, frames, groups),
                ]
                inputs, strides = 4 * middle, (1, 1)
            return nn.Sequential(*parts)

        self.stem = conv_norm(3, width, (1, 7, 7), (1, 2, 2))
        self.res2 = stage(width, width, runs[0], frames, (1, 2))
        self.res3 = stage(4 * width, 2 * width, runs[1], frames, (1, 2))
        self.res4 = stage(8 * width, 4 * width, runs[2], halved, (2, 2))
        self.res5 = run(16 * width, 8 * width, last, (2, 2))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(32 * width, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = self.res2(x)
        x = self.res3(x)
        x = self.res4(x)
        x = self.res5(x)
        return self.fc(self.dropout(x.mean(dim=(2, 3, 4))))


def corrnet_101(classes: int) -> CorrNet:
    """Four correlation blocks among 33 bottlenecks."""
    return CorrNet(classes)


def corrnet_tiny(classes: int) -> CorrNet:
    """One bottleneck a stage, a correlation of four groups after each of the first three."""
    return CorrNet(
        classes, frames=16, width=24, runs=((1,), (1,), (1,)), last=1, groups=4, dropout=0.3
    )


_PAPER = "Wang et al., Video Modeling with Correlation Networks, CVPR 2020"
_PAPER_URL = "https://arxiv.org/abs/1906.03349"
_NOTE = (
    "Reconstruction: the authors published neither code nor weights. The correlation is the "
    "paper's; its number of groups, a filter for each frame and the quartered channels are "
    "recalled, and the network around it is pytorchvideo's R(2+1)D."
)

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="corrnet_101",
        title="CorrNet-101",
        chapter="factorised",
        family="Factorised 3D convolution",
        year=2020,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Matches every frame with the one before it, in all directions and with filters that "
        "learn which movements matter, at several depths of a factorised 3D network.",
        size="paper",
        input=ModelInput(
            frames=32,
            fps=15.0,  # every second frame of 30 a second; recalled from the paper, not checked
            resize=256,
            crop=(224, 224),
            mean=(0.45, 0.45, 0.45),
            std=(0.225, 0.225, 0.225),
            any_frames=False,
        ),
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=corrnet_101,
        parameters=56_181_968,
        gmacs=260.370,
        accuracy=(
            Accuracy(
                dataset="Kinetics-400",
                top1=79.2,
                top5=None,
                protocol="10 windows, 3 crops",
                source="lecture, Video Swin table",
            ),
        ),
        published=(PublishedCost("lecture, Video Swin table", "printed", gmacs=224.0),),
        note=_NOTE + " It costs 260 G multiply-adds here, where 224 G are printed.",
    ),
    ModelCard(
        name="corrnet_lab",
        title="CorrNet (tiny)",
        chapter="factorised",
        tiny_of="corrnet_101",
        family="Factorised 3D convolution",
        year=2020,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Four bottlenecks, and behind three of them the match of every frame with the one "
        "before it: the network is told what moved where.",
        size="tiny",
        input=replace(TINY_INPUT, any_frames=False),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=corrnet_tiny,
        parameters=1_587_423,
        gmacs=1.4446,
        note=_NOTE,
    ),
)
