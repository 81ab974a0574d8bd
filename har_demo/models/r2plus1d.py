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

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.video import R2Plus1D_18_Weights

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput, PublishedCost, WeightSource
from har_demo.models.lab import LAB_INPUT


def middle_channels(inputs: int, outputs: int, t: int = 3, d: int = 3) -> int:
    """M, the channels between space and time that match a full t×d×d convolution's parameters.

    >>> middle_channels(64, 64)
    144
    """
    return t * d * d * inputs * outputs // (d * d * inputs + t * outputs)


class Conv2Plus1D(nn.Module):
    """3×3 in space, batch norm, ReLU, 3 in time; `stride` shrinks time and space alike."""

    def __init__(self, inputs: int, middle: int, outputs: int, stride: int = 1):
        super().__init__()
        self.space = nn.Conv3d(
            inputs, middle, (1, 3, 3), stride=(1, stride, stride), padding=(0, 1, 1), bias=False
        )
        self.norm = nn.BatchNorm3d(middle)
        self.time = nn.Conv3d(
            middle, outputs, (3, 1, 1), stride=(stride, 1, 1), padding=(1, 0, 0), bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.time(F.relu(self.norm(self.space(x))))


class Stem(nn.Module):
    """7×7 in space at half resolution, then 3 in time.

    Its 45 middle channels do not follow from the formula, which would give 83; they are the authors'.
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

    def __init__(self, inputs: int, outputs: int, stride: int = 1, authors: bool = False):
        super().__init__()
        # The paper matches the parameters of every convolution by itself. torchvision, whose weights
        # R(2+1)D-18 takes, computes M once per block, from the block's own input.
        middle = middle_channels(inputs, outputs)
        middle2 = middle_channels(outputs, outputs) if authors else middle
        self.conv1 = Conv2Plus1D(inputs, middle, outputs, stride)
        self.norm1 = nn.BatchNorm3d(outputs)
        self.conv2 = Conv2Plus1D(outputs, middle2, outputs)
        self.norm2 = nn.BatchNorm3d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv3d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm3d(outputs)
            )

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
        normalise_input: bring each clip's input to mean 0 and deviation 1 per channel first, so that
            a dark clip, whose frame differences are faint, looks like a bright one.
        authors: compute M for every convolution by itself and add 0.001 to variances, as the authors'
            own networks do; torchvision's has one M per block, and adds 0.00001.

    >>> R2Plus1D(400)(torch.zeros(1, 3, 16, 112, 112)).shape
    torch.Size([1, 400])
    """

    def __init__(
        self,
        classes: int,
        width: int = 64,
        blocks: tuple[int, int, int, int] = (2, 2, 2, 2),
        dropout: float = 0.0,
        normalise_input: bool = False,
        authors: bool = False,
    ):
        super().__init__()

        def layer(inputs: int, outputs: int, count: int, stride: int) -> nn.Sequential:
            first = Block(inputs, outputs, stride, authors)
            return nn.Sequential(first, *(Block(outputs, outputs) for _ in range(count - 1)))

        self.normalise = nn.InstanceNorm3d(3) if normalise_input else nn.Identity()
        self.stem = Stem(width, middle=45 * width // 64)
        self.layer1 = layer(width, width, blocks[0], stride=1)
        self.layer2 = layer(width, 2 * width, blocks[1], stride=2)
        self.layer3 = layer(2 * width, 4 * width, blocks[2], stride=2)
        self.layer4 = layer(4 * width, 8 * width, blocks[3], stride=2)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(8 * width, classes)

        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if isinstance(module, nn.BatchNorm3d) and authors:
                module.eps = 1e-3
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(self.normalise(x))
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        return self.fc(self.dropout(x.mean(dim=(2, 3, 4))))


_PAPER = (
    "Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018"
)
_PAPER_URL = "https://arxiv.org/abs/1711.11248"


def r2plus1d_18(classes: int) -> R2Plus1D:
    """R(2+1)D-18: 31,505,325 parameters for Kinetics-400."""
    return R2Plus1D(classes)


def r2plus1d_34(classes: int) -> R2Plus1D:
    """R(2+1)D-34, the authors' own: 63,697,175 parameters for Kinetics-400."""
    return R2Plus1D(classes, blocks=(3, 4, 6, 3), authors=True)


def r2plus1d_lab(classes: int) -> R2Plus1D:
    """R(2+1)D-10, one block a layer, at half of the paper's width."""
    return R2Plus1D(classes, 32, blocks=(1, 1, 1, 1), dropout=0.3, normalise_input=True)


_KINETICS = R2Plus1D_18_Weights.KINETICS400_V1
_PRESET = _KINETICS.transforms()
_METRICS = _KINETICS.meta["_metrics"]["Kinetics-400"]

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
        weights=(
            WeightSource(
                url=_KINETICS.url,
                sha256=_KINETICS.url.rsplit("-", 1)[1].removesuffix(".pth"),
                bytes=round(_KINETICS.meta["_file_size"] * 2**20),
                licence="BSD-3-Clause (torchvision)",
            ),
        ),
        parameters=_KINETICS.meta["num_params"],
        gmacs=_KINETICS.meta["_ops"],
        published=(PublishedCost("torchvision's code", "verified", 31_505_325, 40.519),),
        accuracy=(
            Accuracy(
                dataset="Kinetics-400",
                top1=_METRICS["acc@1"],
                top5=_METRICS["acc@5"],
                protocol="5 windows of 16 frames at 15 frames per second, centre crop",
                source="torchvision",
            ),
        ),
    ),
    ModelCard(
        name="r2plus1d_34",
        title="R(2+1)D-34",
        family="Factorised 3D convolution",
        year=2018,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="The paper's larger network, over a second of consecutive frames: twice as many blocks, each "
        "3D convolution split into one over space and one over time.",
        size="paper",
        input=ModelInput(
            frames=32,
            fps=30.0,  # the authors bring every video to 30 and take frames in a row
            resize=tuple(_PRESET.resize_size),
            crop=tuple(_PRESET.crop_size),
            mean=tuple(_PRESET.mean),
            std=tuple(_PRESET.std),
        ),
        label_set="Kinetics-400",
        classes=tuple(_KINETICS.meta["categories"]),
        build=r2plus1d_34,
        weights=(
            WeightSource(
                url="https://github.com/moabitcoin/ig65m-pytorch/releases/download/v1.0.0/"
                "r2plus1d_34_clip32_ft_kinetics_from_ig65m-ade133f1.pth",
                sha256="",
                bytes=63_697_175 * 4,  # unverified: the size of its parameters alone
                licence="MIT (ig65m-pytorch, converted from VMZ's)",
            ),
        ),
        parameters=63_697_175,
        gmacs=152.356,
        accuracy=(
            Accuracy(
                dataset="Kinetics-400",
                top1=80.0,
                top5=94.2,
                protocol="pre-trained on 65 million Instagram videos, as this file is; per video",
                source="VMZ model zoo",
            ),
            Accuracy(
                dataset="Kinetics-400",
                top1=72.0,
                top5=90.0,
                protocol="trained from scratch; 10 clips a video, 1 crop",
                source="lecture, Video Swin table",
            ),
        ),
        published=(
            PublishedCost("VMZ's code", "verified", 63_697_175, 152.356),
            PublishedCost("VMZ's code", "verified", 63_697_175, 76.178, frames=16),
            PublishedCost("VMZ's code", "verified", 63_697_175, 38.089, frames=8),
            PublishedCost("VMZ model zoo", "printed", 63.6e6, 199.0, side=128),
            PublishedCost("lecture, Sports-1M table", "printed", gmacs=152),
            PublishedCost("lecture, Video Swin table", "printed", 61.8e6, 75, frames=16),
        ),
        note="The lecture's Video Swin table puts the cost of 16 frames beside the accuracy of 32, and "
        "the parameters of another network.",
    ),
    ModelCard(
        name="r2plus1d_lab",
        title="R(2+1)D (lab size)",
        family="Factorised 3D convolution",
        year=2018,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="R(2+1)D with ten layers at half width, fed with the change from frame to frame, "
        "so that it learns the movement and not the place.",
        size="lab",
        input=replace(LAB_INPUT, modality="difference"),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=r2plus1d_lab,
        parameters=3_127_343,
        gmacs=5.004,
    ),
    ModelCard(
        name="r2plus1d_rgb_lab",
        title="R(2+1)D on plain frames (lab size)",
        family="Factorised 3D convolution",
        year=2018,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="The same small network, trained in the same way on the frames themselves: it can go by "
        "clothes and places as well as by movement. Compare the two where nobody has filmed before.",
        size="lab",
        input=LAB_INPUT,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=r2plus1d_lab,
        parameters=3_127_343,
        gmacs=5.004,
    ),
)
