"""P3D: a deep image network whose 3×3 convolutions learn time beside space (Qiu et al., ICCV 2017).

A 3×3×3 convolution is replaced by S, 1×3×3 in space, and T, 3×1×1 in time, each with batch norm and
ReLU. Three ways to join the two take turns in the bottlenecks of a residual network:

    A   T(S(x))              one after the other
    B   S(x) + T(x)          side by side
    C   S(x) + T(S(x))       one after the other, with a way past T

P3D-199 is made of ResNet-152; with four layers in each of the 47 bottlenecks that have a T, it has
199:

    layer                                     output for 3 × 16 × 160 × 160
    conv1   1×7×7, norm, ReLU                   64 × 16 × 80 × 80
    pool    2×3×3                               64 ×  8 × 40 × 40
    res2    3 bottlenecks A B C                256 ×  8 × 40 × 40
    res3    8 bottlenecks A B C A B C A B      512 ×  4 × 20 × 20     a pool of 2×1×1 before each of
    res4   36 bottlenecks C A B ...           1024 ×  2 × 10 × 10     these three stages halves time
    res5    3 bottlenecks of images           2048 ×  1 ×  5 ×  5     one frame is left: S alone
    mean, fc                                   classes

The lecture has it as a row of the table of Sports-1M: 66.4 % and 87.4 % (video@1 and @5).
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import cycle, islice, repeat
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput, PublishedCost, Source
from har_demo.models.key_map import State, key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.resnet3d import conv_norm, shortcut
from har_demo.models.tiny import TINY_INPUT

Kind = Literal["A", "B", "C", "S"]


class SpaceTime(nn.Module):
    """S and T joined in one of three ways, or S alone: float [B, C, T, H, W] → the same shape."""

    def __init__(self, channels: int, kind: Kind):
        super().__init__()
        self.kind = kind
        self.space = conv_norm(channels, channels, (1, 3, 3))
        if kind != "S":
            self.time = conv_norm(channels, channels, (3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        space = F.relu(self.space(x))
        if self.kind == "A":
            return F.relu(self.time(space))
        if self.kind == "B":
            return space + F.relu(self.time(x))
        if self.kind == "C":
            return space + F.relu(self.time(space))
        return space


class Bottleneck(nn.Module):
    """1×1×1 down to `width` channels, space and time, 1×1×1 up to four times as many; a shortcut.

    >>> Bottleneck(256, 128, "A", stride=2)(torch.zeros(1, 256, 4, 40, 40)).shape
    torch.Size([1, 512, 4, 20, 20])
    """

    def __init__(self, inputs: int, width: int, kind: Kind, stride: int = 1):
        super().__init__()
        steps = (1, stride, stride)
        self.reduce = conv_norm(inputs, width, (1, 1, 1), steps)
        self.space_time = SpaceTime(width, kind)
        self.expand = conv_norm(width, 4 * width, (1, 1, 1))
        self.shortcut = shortcut(inputs, 4 * width, steps)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.reduce(x))
        y = self.expand(self.space_time(y))
        return F.relu(y + self.shortcut(x))


class P3D(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; T of 16 or more.

    Args:
        classes: number of outputs.
        width: channels inside res2; twice as many in each later stage.
        blocks: bottlenecks of res2 to res5.
        dropout: share of features dropped before the last layer while training.

    >>> P3D(400)(torch.zeros(1, 3, 16, 160, 160)).shape
    torch.Size([1, 400])
    """

    def __init__(
        self,
        classes: int,
        width: int = 64,
        blocks: tuple[int, int, int, int] = (3, 8, 36, 3),
        dropout: float = 0.5,
    ):
        super().__init__()
        turns: cycle[Kind] = cycle(("A", "B", "C"))  # on from stage to stage

        def stage(inputs: int, width: int, kinds: Iterable[Kind], stride: int) -> nn.Sequential:
            first, *others = kinds
            rest = (Bottleneck(4 * width, width, kind) for kind in others)
            return nn.Sequential(Bottleneck(inputs, width, first, stride), *rest)

        self.conv1 = conv_norm(3, width, (1, 7, 7), stride=(1, 2, 2))
        self.res2 = stage(width, width, islice(turns, blocks[0]), stride=1)
        self.res3 = stage(4 * width, 2 * width, islice(turns, blocks[1]), stride=2)
        self.res4 = stage(8 * width, 4 * width, islice(turns, blocks[2]), stride=2)
        self.res5 = stage(16 * width, 8 * width, repeat("S", blocks[3]), stride=2)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(32 * width, classes)

        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))
        x = F.max_pool3d(x, (2, 3, 3), stride=2, padding=(0, 1, 1))
        x = F.max_pool3d(self.res2(x), (2, 1, 1))
        x = F.max_pool3d(self.res3(x), (2, 1, 1))
        x = F.max_pool3d(self.res4(x), (2, 1, 1))
        x = self.res5(x)
        return self.fc(self.dropout(x.mean(dim=(2, 3, 4))))


def p3d_199(classes: int) -> P3D:
    """The paper's network: 66,492,240 parameters for Kinetics-400."""
    return P3D(classes)


def p3d_tiny(classes: int) -> P3D:
    """A, B and C twice each, and one bottleneck of images."""
    return P3D(classes, width=24, blocks=(1, 2, 3, 1), dropout=0.3)


_PAPER = (
    "Qiu et al., Learning Spatio-Temporal Representation with Pseudo-3D Residual Networks, "
    "ICCV 2017"
)
_PAPER_URL = "https://arxiv.org/abs/1711.10305"

_names = key_map(
    (r"^conv1_custom\.", "conv1.0."),
    (r"^bn1\.", "conv1.1."),
    *((rf"^layer{i}\.", f"res{i + 1}.") for i in range(1, 5)),
    (r"\.conv1\.", ".reduce.0."),
    (r"\.bn1\.", ".reduce.1."),
    (r"\.conv(2|_normal)\.", ".space_time.space.0."),
    (r"\.bn(2|_normal)\.", ".space_time.space.1."),
    (r"\.conv3\.", ".space_time.time.0."),
    (r"\.bn3\.", ".space_time.time.1."),
    (r"\.conv4\.", ".expand.0."),
    (r"\.bn4\.", ".expand.1."),
    (r"\.downsample\.", ".shortcut."),
)


def key_map_p3d(state: State) -> dict[str, Tensor]:
    """Lead from qijiezhao/pseudo-3d-pytorch's names to ours; its last stage has filters of images."""
    return {
        name: tensor.unsqueeze(2) if tensor.dim() == 4 else tensor
        for name, tensor in _names(state).items()
    }


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="p3d_199",
        title="P3D-199",
        chapter="factorised",
        hue=200,
        family="Factorised 3D convolution",
        year=2017,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Takes a very deep image network and puts a small convolution over time beside each "
        "one over space, in three arrangements that take turns.",
        size="paper",
        input=ModelInput(
            frames=16,
            fps=25.0,  # sixteen frames in a row; the videos' own rate is not stated
            resize=256,  # as qijiezhao/pseudo-3d-pytorch states it; its crop is 160
            crop=(160, 160),
            mean=(0.485, 0.456, 0.406),
            std=(0.229, 0.224, 0.225),
            any_frames=False,
            any_side=False,
        ),
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=p3d_199,
        parameters=66_492_240,
        gmacs=18.403,
        accuracy=(
            Accuracy(
                dataset="Sports-1M",
                top1=66.4,
                top5=87.4,
                protocol="per video",
                source="lecture, Sports-1M table",
            ),
        ),
        published=(
            PublishedCost(
                source="qijiezhao/pseudo-3d-pytorch's code",
                status="verified",
                parameters=66_492_240,
                gmacs=18.403,
                classes=400,
            ),
        ),
        by_hand=(
            Source(
                url="https://github.com/qijiezhao/pseudo-3d-pytorch",
                sha256="",
                bytes=66_492_240 * 4,  # unverified: the size of its parameters alone
                licence="MIT (qijiezhao/pseudo-3d-pytorch; converted from the authors' Caffe file)",
                name="qijiezhao",
                key_map=key_map_p3d,
                file="p3d_rgb_199.checkpoint.pth.tar",
            ),
        ),
        note="Its weights are on Google Drive and Baidu alone, where a program cannot fetch them; the file "
        "p3d_rgb_199.checkpoint.pth.tar fits, should you have it.",
    ),
    ModelCard(
        name="p3d_lab",
        title="P3D (tiny)",
        chapter="factorised",
        tiny_of="p3d_199",
        family="Factorised 3D convolution",
        year=2017,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="P3D with seven narrow bottlenecks: each of the three arrangements of space and time "
        "twice, and a last one without time.",
        size="tiny",
        input=replace(TINY_INPUT, any_frames=False),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=p3d_tiny,
        parameters=1_618_671,
        gmacs=0.4092,
    ),
)
