"""R(2+1)D: each 3D convolution becomes one in space, then one in time (Tran et al., CVPR 2018).

A t×d×d convolution from N to N' channels is replaced by

    1×d×d  N → M     space
    batch norm, ReLU
    t×1×1  M → N'    time

with M chosen so that both have together as many parameters as the one they replace:
M = ⌊t d² N N' / (d² N + t N')⌋. The same cost buys one more non-linearity and an easier optimisation.
Around it stands a plain residual network, here of 18 layers; that of 34 has 3, 4, 6 and 3 blocks:

    layer                          output for 3 × 16 × 112 × 112
    stem    1×7×7, then 3×1×1       64 × 16 × 56 × 56
    layer1  two blocks              64 × 16 × 56 × 56
    layer2  two blocks             128 ×  8 × 28 × 28
    layer3  two blocks             256 ×  4 × 14 × 14
    layer4  two blocks             512 ×  2 ×  7 ×  7
    mean over time and space, fc    classes
"""

from dataclasses import replace
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.video import R2Plus1D_18_Weights

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput, PublishedCost, Source, spread_over
from har_demo.models.key_map import key_map
from har_demo.models.publishers import (
    MMACTION2,
    PYTORCHVIDEO,
    as_fields,
    mmaction2,
    pytorchvideo,
    thirty_views,
)
from har_demo.models.resnet3d import (
    PYTORCHVIDEO_RULES,
    conv_norm,
    initialise,
    shortcut,
)
from har_demo.models.sliding import scores
from har_demo.models.tiny import TINY_DIFFERENCE, TINY_INPUT
from har_demo.models.torchvision_card import public_file


def middle_channels(inputs: int, outputs: int, t: int = 3, d: int = 3) -> int:
    """M, the channels between space and time that match a full t×d×d convolution's parameters.

    >>> middle_channels(64, 64)
    144
    """
    return t * d * d * inputs * outputs // (d * d * inputs + t * outputs)


Publisher = Literal["torchvision", "VMZ", "mmaction2"]
"""Whose network it is: VMZ is the authors' own code; see R2Plus1D for the differences."""


class Conv2Plus1D(nn.Module):
    """size×size in space, batch norm, ReLU, size in time; `stride` shrinks time and space alike."""

    def __init__(self, inputs: int, middle: int, outputs: int, stride: int = 1, size: int = 3):
        super().__init__()
        rim = size // 2
        self.space = nn.Conv3d(
            inputs,
            middle,
            (1, size, size),
            stride=(1, stride, stride),
            padding=(0, rim, rim),
            bias=False,
        )
        self.norm = nn.BatchNorm3d(middle)
        self.time = nn.Conv3d(
            middle, outputs, (size, 1, 1), stride=(stride, 1, 1), padding=(rim, 0, 0), bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.time(F.relu(self.norm(self.space(x))))


class Stem(nn.Module):
    """7×7 in space at half resolution, then 3 in time.

    Its 45 middle channels do not follow from the formula, which would give 83; they are the authors'.
    mmaction2 goes by the formula.
    """

    def __init__(self, outputs: int, middle: int):
        super().__init__()
        self.space = nn.Conv3d(
            3, middle, (1, 7, 7), stride=(1, 2, 2), padding=(0, 3, 3), bias=False
        )
        self.norm1 = nn.BatchNorm3d(middle)
        self.time = nn.Conv3d(middle, outputs, (3, 1, 1), padding=(1, 0, 0), bias=False)
        self.norm2 = nn.BatchNorm3d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm1(self.space(x)))
        return F.relu(self.norm2(self.time(x)))


class Block(nn.Module):
    """Two factorised convolutions and a shortcut around them."""

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, publisher: Publisher = "torchvision"
    ):
        super().__init__()
        # The paper matches the parameters of every convolution by itself. torchvision, whose weights
        # R(2+1)D-18 takes, computes M once per block, from the block's own input.
        middle = middle_channels(inputs, outputs)
        middle2 = middle if publisher == "torchvision" else middle_channels(outputs, outputs)
        self.conv1 = Conv2Plus1D(inputs, middle, outputs, stride)
        self.norm1 = nn.BatchNorm3d(outputs)
        self.conv2 = Conv2Plus1D(outputs, middle2, outputs)
        self.norm2 = nn.BatchNorm3d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            conv: nn.Module = nn.Conv3d(inputs, outputs, 1, stride=stride, bias=False)
            if publisher == "mmaction2":
                conv = Conv2Plus1D(
                    inputs, middle_channels(inputs, outputs, d=1), outputs, stride, size=1
                )
            self.shortcut = nn.Sequential(conv, nn.BatchNorm3d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return F.relu(y + self.shortcut(x))


class R2Plus1D(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; any T and size, as it ends in a mean.

    Args:
        classes: number of outputs.
        width: channels of the stem and layer1; the later layers have 2, 4 and 8 times as many.
        blocks: residual blocks per layer; (2, 2, 2, 2) makes the 18-layer network.
        dropout: share of features dropped before the last layer while training.
        publisher: 'torchvision' computes M once a block and adds 0.00001 to variances. 'VMZ' computes M
            for every convolution by itself and adds 0.001. 'mmaction2' does so too, but adds 0.00001
            inside of factorised convolutions; it factorises the stem by the formula and the shortcuts as
            well, and halves what the stem gives by a max-pool.

    >>> R2Plus1D(400)(torch.zeros(1, 3, 16, 112, 112)).shape
    torch.Size([1, 400])
    """

    def __init__(
        self,
        classes: int,
        width: int = 64,
        blocks: tuple[int, int, int, int] = (2, 2, 2, 2),
        dropout: float = 0.0,
        publisher: Publisher = "torchvision",
    ):
        super().__init__()

        def layer(inputs: int, outputs: int, count: int, stride: int) -> nn.Sequential:
            first = Block(inputs, outputs, stride, publisher)
            return nn.Sequential(first, *(Block(outputs, outputs) for _ in range(count - 1)))

        self.pool: nn.Module
        if publisher == "mmaction2":
            self.stem = Stem(width, middle_channels(3, width, d=7))
            self.pool = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))
        else:
            self.stem = Stem(width, middle=45 * width // 64)
            self.pool = nn.Identity()
        self.layer1 = layer(width, width, blocks[0], stride=1)
        self.layer2 = layer(width, 2 * width, blocks[1], stride=2)
        self.layer3 = layer(2 * width, 4 * width, blocks[2], stride=2)
        self.layer4 = layer(4 * width, 8 * width, blocks[3], stride=2)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(8 * width, classes)

        initialise(self)
        for name, module in self.named_modules():
            if publisher != "torchvision" and isinstance(module, nn.BatchNorm3d):
                inside = name.endswith((".norm", "stem.norm1"))
                module.eps = 1e-5 if inside and publisher == "mmaction2" else 1e-3

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.stem(x))
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        return self.fc(self.dropout(x.mean(dim=(2, 3, 4))))


class SplitBottleneck(nn.Module):
    """Fewer channels, 3 in time, 3×3 in space, back to four times as many; and a shortcut around them.

    Inside a bottleneck M is simply its width: time and space together have 12/27 of the parameters of
    the 3×3×3 convolution they stand for. And time comes first.
    """

    def __init__(self, inputs: int, middle: int, strides: tuple[int, int]):
        super().__init__()
        outputs, (t, s) = 4 * middle, strides
        self.conv1 = conv_norm(inputs, middle, (1, 1, 1))
        self.time = conv_norm(middle, middle, (3, 1, 1), (t, 1, 1))
        self.space = conv_norm(middle, middle, (1, 3, 3), (1, s, s))
        self.conv3 = conv_norm(middle, outputs, (1, 1, 1))
        self.shortcut = shortcut(inputs, outputs, (t, s, s))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.conv1(x))
        y = F.relu(self.time(y))
        y = F.relu(self.space(y))
        y = self.conv3(y)
        return F.relu(y + self.shortcut(x))


class R2Plus1D50(nn.Module):
    """pytorchvideo's R(2+1)D of 50 layers: float [B, 3, T, H, W] → logits [B, classes]; any T and size.

    The paper has no such network. Its stem does not look along time, and nothing is pooled until the end.

    >>> R2Plus1D50(400)(torch.zeros(1, 3, 16, 224, 224)).shape
    torch.Size([1, 400])
    """

    side: int | None = (
        None  # of the squares that the last mean is taken over, see models/sliding.py
    )

    def __init__(self, classes: int):
        super().__init__()

        def stage(inputs: int, middle: int, count: int, strides: tuple[int, int]) -> nn.Sequential:
            rest = (SplitBottleneck(4 * middle, middle, (1, 1)) for _ in range(count - 1))
            return nn.Sequential(SplitBottleneck(inputs, middle, strides), *rest)

        self.stem = conv_norm(3, 64, (1, 7, 7), (1, 2, 2))  # 64 × 16 × 112 × 112
        self.res2 = stage(64, 64, 3, (1, 2))  # 256 × 16 × 56 × 56
        self.res3 = stage(256, 128, 4, (1, 2))  # 512 × 16 × 28 × 28
        self.res4 = stage(512, 256, 6, (2, 2))  # 1024 × 8 × 14 × 14
        self.res5 = stage(1024, 512, 3, (2, 2))  # 2048 × 4 × 7 × 7
        self.fc = nn.Linear(2048, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = self.res2(x)
        x = self.res3(x)
        x = self.res4(x)
        x = self.res5(x)
        return scores(x, self.fc, self.side)


_PAPER = (
    "Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018"
)
_PAPER_URL = "https://arxiv.org/abs/1711.11248"


def r2plus1d_18(classes: int) -> R2Plus1D:
    """R(2+1)D-18: 31,505,325 parameters for Kinetics-400."""
    return R2Plus1D(classes)


def r2plus1d_34(classes: int) -> R2Plus1D:
    """R(2+1)D-34, the authors' own: 63,697,175 parameters for Kinetics-400."""
    return R2Plus1D(classes, blocks=(3, 4, 6, 3), publisher="VMZ")


def r2plus1d_34_mmaction2(classes: int) -> R2Plus1D:
    """R(2+1)D-34 of mmaction2: 63,759,281 parameters for Kinetics-400."""
    return R2Plus1D(classes, blocks=(3, 4, 6, 3), publisher="mmaction2")


def r2plus1d_tiny(classes: int) -> R2Plus1D:
    """R(2+1)D-10, one block a layer, at half of the paper's width."""
    return R2Plus1D(classes, 32, blocks=(1, 1, 1, 1), dropout=0.3)


_KINETICS = R2Plus1D_18_Weights.KINETICS400_V1
_PRESET = _KINETICS.transforms()

KEY_MAP = key_map(
    (r"^stem\.0\.", "stem.space."),
    (r"^stem\.1\.", "stem.norm1."),
    (r"^stem\.3\.", "stem.time."),
    (r"^stem\.4\.", "stem.norm2."),
    (r"\.conv([12])\.1\.", r".norm\1."),
    (r"\.conv([12])\.0\.0\.", r".conv\1.space."),
    (r"\.conv([12])\.0\.1\.", r".conv\1.norm."),
    (r"\.conv([12])\.0\.3\.", r".conv\1.time."),
    (r"\.downsample\.", ".shortcut."),
)
"""torchvision numbers layers inside nn.Sequential, the ReLUs between them included."""

MMACTION2_KEY_MAP = key_map(
    (r"^backbone\.conv1\.conv\.conv_s\.", "stem.space."),
    (r"^backbone\.conv1\.conv\.bn_s\.", "stem.norm1."),
    (r"^backbone\.conv1\.conv\.conv_t\.", "stem.time."),
    (r"^backbone\.conv1\.bn\.", "stem.norm2."),
    (r"^backbone\.", ""),
    (r"\.conv([12])\.bn\.", r".norm\1."),
    (r"\.downsample\.bn\.", ".shortcut.1."),
    (r"\.conv([12])\.conv\.", r".conv\1."),
    (r"\.downsample\.conv\.", ".shortcut.0."),
    (r"\.conv_s\.", ".space."),
    (r"\.bn_s\.", ".norm."),
    (r"\.conv_t\.", ".time."),
    (r"^cls_head\.fc_cls\.", "fc."),
)
"""mmaction2 keeps every factorised convolution and the norm behind it in a module of their own."""

R50_KEY_MAP = key_map(
    (r"\.branch2\.conv_b\.conv_t\.", ".time.0."),
    (r"\.branch2\.conv_b\.norm\.", ".time.1."),
    (r"\.branch2\.conv_b\.conv_xy\.", ".space.0."),
    (r"\.branch2\.norm_b\.", ".space.1."),
    *PYTORCHVIDEO_RULES,
)
"""pytorchvideo counts the norm between time and space to the two."""


_VMZ = ModelInput(
    frames=32,
    fps=30.0,  # the authors bring every video to 30 and take frames in a row
    resize=tuple(_PRESET.resize_size),
    crop=tuple(_PRESET.crop_size),
    mean=tuple(_PRESET.mean),
    std=tuple(_PRESET.std),
)


def _ig65m(
    name: str, frames: int, digits: str, input: ModelInput, top1: float, top5: float
) -> Source:
    """A file of ig65m-pytorch, with the accuracy that VMZ states for what it was converted from."""
    return Source(
        url="https://github.com/moabitcoin/ig65m-pytorch/releases/download/v1.0.0/"
        f"r2plus1d_34_clip{frames}_ft_kinetics_from_ig65m-{digits}.pth",
        sha256="",
        bytes=255_061_555,  # its publisher does not say; people who have the larger one do
        licence="MIT (ig65m-pytorch, converted from VMZ's)",
        name=name,
        key_map=KEY_MAP,
        input=input,
        accuracy=(
            Accuracy(
                dataset="Kinetics-400",
                top1=top1,
                top5=top5,
                protocol="pre-trained on 65 million Instagram videos, as this file is; per video",
                source="VMZ model zoo",
            ),
        ),
    )


# name here, frames × rate, digits, top-1, top-5
_MMACTION2 = (
    ("mmaction2", 32, 2, "4270588c", 75.46, 92.28),
    ("mmaction2-8x8", 8, 8, "47cfe041", 69.76, 88.41),
)


def _mmaction2(name: str, frames: int, rate: int, digits: str, top1: float, top5: float) -> Source:
    return mmaction2(
        f"v1.0/recognition/r2plus1d/r2plus1d_r34_8xb8-{frames}x{rate}x1-180e_kinetics400-rgb/"
        f"{{}}_20220812-{digits}.pth",
        63_759_281,
        top1,
        top5,
        thirty_views(256, "mmaction2"),
        replace(MMACTION2, frames=frames, fps=30 / rate),
        MMACTION2_KEY_MAP,
        name=name,
        about="from scratch",
        build=r2plus1d_34_mmaction2,
    )


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="r2plus1d_18",
        title="R(2+1)D-18",
        family="Factorised 3D convolution",
        year=2018,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Splits every 3D convolution into one over space and one over time, at the same "
        "number of parameters: one more non-linearity, and easier to train.",
        size="paper",
        input=ModelInput(
            frames=16,
            fps=15.0,  # the rate torchvision's accuracy was measured at
            resize=tuple(_PRESET.resize_size),
            crop=tuple(_PRESET.crop_size),
            mean=tuple(_PRESET.mean),
            std=tuple(_PRESET.std),
        ),
        label_set="Kinetics-400",
        classes=tuple(_KINETICS.meta["categories"]),
        build=r2plus1d_18,
        weights=(public_file(_KINETICS, key_map=KEY_MAP),),
        parameters=_KINETICS.meta["num_params"],
        gmacs=_KINETICS.meta["_ops"],
        published=(PublishedCost("torchvision's code", "verified", 31_505_325, 40.519),),
        accuracy=public_file(_KINETICS).accuracy,
    ),
    ModelCard(
        name="r2plus1d_34",
        title="R(2+1)D-34",
        chapter="factorised",
        family="Factorised 3D convolution",
        year=2018,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="The paper's larger network, over a second of consecutive frames: twice as many blocks, each "
        "3D convolution split into one over space and one over time.",
        size="paper",
        label_set="Kinetics-400",
        classes=tuple(_KINETICS.meta["categories"]),
        build=r2plus1d_34,
        parameters=63_697_175,
        gmacs=152.356,
        published=(
            PublishedCost("VMZ's code", "verified", 63_697_175, 152.356),
            PublishedCost("VMZ's code", "verified", 63_697_175, 76.178, frames=16),
            PublishedCost("VMZ's code", "verified", 63_697_175, 38.089, frames=8),
            PublishedCost("VMZ model zoo", "printed", 63.6e6, 199.0, side=128),
            PublishedCost("lecture, Sports-1M table", "printed", gmacs=152),
            PublishedCost("lecture, Video Swin table", "printed", 61.8e6, 75, frames=16),
        ),
        **as_fields(
            _ig65m("ig65m-pytorch", 32, "ade133f1", _VMZ, 80.0, 94.2),
            *(_mmaction2(*fields) for fields in _MMACTION2),
            _ig65m("ig65m-pytorch-8", 8, "0aa0550b", replace(_VMZ, frames=8), 74.9, 91.8),
            papers=(
                Accuracy(
                    dataset="Kinetics-400",
                    top1=72.0,
                    top5=90.0,
                    protocol="trained from scratch; 10 clips a video, 1 crop",
                    source="lecture, Video Swin table",
                ),
            ),
        ),
        note="The lecture's Video Swin table puts the cost of 16 frames beside the accuracy of 32, and "
        "the parameters of another network.",
    ),
    ModelCard(
        name="r2plus1d_r50",
        title="R(2+1)D ResNet-50",
        family="Factorised 3D convolution",
        year=2018,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="The split between space and time inside the bottlenecks of ResNet-50, at 224 × 224: "
        "less than half of the 34 layers' parameters.",
        size="paper",
        label_set="Kinetics-400",
        classes=tuple(_KINETICS.meta["categories"]),
        build=R2Plus1D50,
        parameters=28_107_600,
        gmacs=57.534,
        published=(
            PublishedCost("pytorchvideo's code", "verified", 28_107_600, 57.534),
            PublishedCost("pytorchvideo model zoo", "printed", 28.11e6, 76.45, side=256),
        ),
        note="Not in the paper: it is pytorchvideo's, and its blocks look along time before space.",
        **as_fields(
            pytorchvideo(
                "R2PLUS1D_16x4_R50",
                28_107_600,
                76.01,
                92.23,
                replace(PYTORCHVIDEO, **spread_over(16, 4)),
                R50_KEY_MAP,
                R2Plus1D50,
            )
        ),
    ),
    ModelCard(
        name="r2plus1d_lab",
        title="R(2+1)D (tiny)",
        tiny_of="r2plus1d_34",
        family="Factorised 3D convolution",
        year=2018,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="R(2+1)D with ten layers at half width, fed with the change from frame to frame, "
        "so that it learns the movement and not the place.",
        size="tiny",
        input=TINY_DIFFERENCE,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=r2plus1d_tiny,
        parameters=3_134_025,
        gmacs=5.004,
    ),
    ModelCard(
        name="r2plus1d_rgb_lab",
        title="R(2+1)D on plain frames (tiny)",
        chapter="factorised",
        tiny_of="r2plus1d_34",
        family="Factorised 3D convolution",
        year=2018,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="The same small network, trained in the same way on the frames themselves: it can go by "
        "clothes and places as well as by movement. Compare the two where nobody has filmed before.",
        size="tiny",
        input=TINY_INPUT,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=r2plus1d_tiny,
        parameters=3_134_025,
        gmacs=5.004,
    ),
)
