"""MFNet: a 3D residual network sliced into thin parallel fibres (Chen et al., ECCV 2018).

A convolution from C to C channels connects every channel with every other. MFNet slices the
channels into N = 16 fibres that are convolved apart, as groups, which leaves one connection in N.
Apart, fibres learn nothing from each other; so a multiplexer, two 1×1×1 convolutions around a
bottleneck, sends information across all fibres at the entrance of every unit. The sum is a 3D
network of eight million parameters. A unit, with norm and ReLU before every convolution:

    x ─┬─ multiplexer ─(+ x)─ 3×3×3 in fibres ─ 1×3×3 in fibres ─(+)─
       └────────────────── shortcut ──────────────────────────────┘

In the first unit of a stage, where the widths change, 1×1×1 across all fibres takes the place of
the 1×3×3, and another 1×1×1 that of the shortcut.

    layer                            output for 3 × 16 × 224 × 224
    conv1   3×5×5, norm, ReLU         16 × 16 × 112 × 112
    pool    1×3×3                     16 × 16 ×  56 ×  56
    conv2   3 units                   96 ×  8 ×  56 ×  56     the only step that shrinks time
    conv3   4 units                  192 ×  8 ×  28 ×  28
    conv4   6 units                  384 ×  8 ×  14 ×  14
    conv5   3 units                  768 ×  8 ×   7 ×   7
    norm, ReLU, mean over time and space, fc        classes

The authors' code accepts 16 frames of 224 × 224 only, because it ends in a pool of 8×7×7. There
that is the mean over all that is left, which is what stands here; so other lengths and sizes work
as well.

The lecture has MFNet in the table of PNL, with 200 classes: 7.84 M parameters, as counted here, and
11.17 G multiply-adds. The authors' code, run and counted, comes to 11.05 G.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput, PublishedCost, Source
from har_demo.models.key_map import key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.tiny import TINY_INPUT


class NormReLUConv(nn.Module):
    """Batch norm, ReLU and a convolution that keeps the size, but for its stride."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int, int] = (1, 1, 1),
        stride: tuple[int, int, int] = (1, 1, 1),
        groups: int = 1,
    ):
        super().__init__()
        self.norm = nn.BatchNorm3d(inputs)
        time, height, width = kernel
        padding = (time // 2, height // 2, width // 2)
        self.conv = nn.Conv3d(
            inputs, outputs, kernel, stride=stride, padding=padding, groups=groups, bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.relu(self.norm(x)))


class Multiplexer(nn.Module):
    """Mixes all channels, and so all fibres, through a bottleneck; a residual around it."""

    def __init__(self, channels: int, bottleneck: int):
        super().__init__()
        self.squeeze = NormReLUConv(channels, bottleneck)
        self.expand = NormReLUConv(bottleneck, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.expand(self.squeeze(x))


class MultiFibreUnit(nn.Module):
    """Multiplexer, then two convolutions; [B, inputs, T, H, W] → [B, outputs, T', H', W'].

    Args:
        inputs, outputs: channels.
        fibres: groups that the channels are sliced into.
        stride: of the first convolution, over time, height and width.
        first: whether the unit opens a stage: its second convolution mixes all fibres, and its
            shortcut is a convolution.

    >>> MultiFibreUnit(96, 192, 16, (1, 2, 2), first=True)(torch.zeros(1, 96, 8, 56, 56)).shape
    torch.Size([1, 192, 8, 28, 28])
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        fibres: int,
        stride: tuple[int, int, int] = (1, 1, 1),
        first: bool = False,
    ):
        super().__init__()
        self.multiplexer = Multiplexer(inputs, outputs // 4)
        self.conv1 = NormReLUConv(inputs, outputs, (3, 3, 3), stride, groups=fibres)
        if first:
            self.conv2 = NormReLUConv(outputs, outputs)
            self.shortcut: nn.Module = NormReLUConv(inputs, outputs, stride=stride)
        else:
            self.conv2 = NormReLUConv(outputs, outputs, (1, 3, 3), groups=fibres)
            self.shortcut = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        # The shortcut leaves before the multiplexer, not after it.
        return self.conv2(self.conv1(self.multiplexer(x))) + self.shortcut(x)


def stage(inputs: int, outputs: int, units: int, fibres: int, stride: tuple[int, int, int]):
    """The units of one stage; only the first has another width and a stride."""
    first = MultiFibreUnit(inputs, outputs, fibres, stride, first=True)
    return nn.Sequential(
        first, *(MultiFibreUnit(outputs, outputs, fibres) for _ in range(units - 1))
    )


class MFNet(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; any T and size, as it ends in a mean.

    Args:
        classes: number of outputs.
        fibres: N, also the channels of conv1; conv2 has 6 N and the later stages twice as many
            each, so that a fibre is as thick as the paper's however many there are.
        dropout: share of features dropped before the last layer while training. The authors use
            none on Kinetics and 0.5 to fine-tune on small sets.

    >>> MFNet(400)(torch.zeros(1, 3, 16, 224, 224)).shape
    torch.Size([1, 400])
    """

    def __init__(self, classes: int, fibres: int = 16, dropout: float = 0.0):
        super().__init__()
        width = 6 * fibres
        self.conv1 = nn.Conv3d(
            3, fibres, (3, 5, 5), stride=(1, 2, 2), padding=(1, 2, 2), bias=False
        )
        self.norm1 = nn.BatchNorm3d(fibres)
        self.conv2 = stage(fibres, width, 3, fibres, stride=(2, 1, 1))
        self.conv3 = stage(width, 2 * width, 4, fibres, stride=(1, 2, 2))
        self.conv4 = stage(2 * width, 4 * width, 6, fibres, stride=(1, 2, 2))
        self.conv5 = stage(4 * width, 8 * width, 3, fibres, stride=(1, 2, 2))
        self.norm5 = nn.BatchNorm3d(8 * width)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(8 * width, classes)

        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                # By the inputs of a channel, which are those of its fibre alone.
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm1(self.conv1(x)))
        x = F.max_pool3d(x, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
        x = self.conv2(x)
        x = self.conv3(x)
        x = self.conv4(x)
        x = self.conv5(x)
        x = F.relu(self.norm5(x))
        return self.fc(self.dropout(x.mean(dim=(2, 3, 4))))


_PAPER = "Chen et al., Multi-Fiber Networks for Video Recognition, ECCV 2018"
_PAPER_URL = "https://arxiv.org/abs/1807.11195"
_CODE = "cypw/PyTorch-MFNet"

MFNET_INPUT = ModelInput(
    frames=16,
    fps=15.0,  # every second frame of Kinetics' usual 30 a second
    resize=(256, 256),
    crop=(224, 224),
    # The authors subtract (124, 117, 104) from values up to 255 and multiply by 0.0167.
    mean=(124 / 255, 117 / 255, 104 / 255),
    std=(1 / (255 * 0.0167),) * 3,
)


def mfnet(classes: int) -> MFNet:
    """The paper's network: 7,996,368 parameters for Kinetics-400."""
    return MFNet(classes)


def mfnet_tiny(classes: int) -> MFNet:
    """Half as many fibres, each as thick as the paper's."""
    return MFNet(classes, fibres=8, dropout=0.3)


KEY_MAP = key_map(
    (r"^conv1\.conv\.", "conv1."),
    (r"^conv1\.bn\.", "norm1."),
    (r"^tail\.bn\.", "norm5."),
    (r"^classifier\.", "fc."),
    *((rf"\.B0{unit}\.", f".{unit - 1}.") for unit in range(1, 7)),
    (r"\.conv_i1\.", ".multiplexer.squeeze."),
    (r"\.conv_i2\.", ".multiplexer.expand."),
    (r"\.conv_m([12])\.", r".conv\1."),
    (r"\.conv_w1\.", ".shortcut."),
    (r"\.bn\.", ".norm."),
)
"""The authors write norm, ReLU and convolution as one module, and count units from B01."""


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="mfnet",
        title="MFNet",
        chapter="grouped",
        hue=224,
        family="Grouped 3D convolution",
        year=2018,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Slices a 3D network into sixteen thin fibres that are convolved apart, which costs a "
        "fraction, and lets them exchange what they found at the entrance of every unit.",
        size="paper",
        input=MFNET_INPUT,
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=mfnet,
        by_hand=(
            Source(
                url="https://github.com/cypw/PyTorch-MFNet",
                sha256="",
                bytes=7_996_368 * 4,  # unverified: the size of its parameters alone
                licence="MIT (cypw/PyTorch-MFNet)",
                name="cypw",
                key_map=KEY_MAP,
            ),
        ),
        parameters=7_996_368,
        gmacs=11.045,
        accuracy=(
            Accuracy(
                dataset="Kinetics-400",
                top1=72.8,
                top5=None,
                protocol="RGB, clips of 16 frames; their number is not stated there",
                source=_CODE,
            ),
            Accuracy(
                dataset="Mini-Kinetics-200",
                top1=78.35,
                top5=None,
                protocol="not stated",
                source="lecture, PNL table",
            ),
        ),
        published=(
            PublishedCost(
                source=f"{_CODE}'s code",
                status="verified",
                parameters=7_996_368,
                gmacs=11.045,
                classes=400,
            ),
            PublishedCost(
                source=f"{_CODE}'s code",
                status="verified",
                parameters=7_842_568,
                gmacs=11.045,
                classes=200,
            ),
            PublishedCost(
                source="lecture, PNL table",
                status="printed",
                parameters=7.84e6,
                gmacs=11.17,
                classes=200,
            ),
        ),
        note="The authors keep their weights on Google Drive, which no program fetches reliably: "
        "download the file by hand and give it as your own.",
    ),
    ModelCard(
        name="mfnet_lab",
        title="MFNet (tiny)",
        chapter="grouped",
        tiny_of="mfnet",
        family="Grouped 3D convolution",
        year=2018,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="MFNet with eight fibres instead of sixteen, each as thick as the paper's, for small "
        "pictures.",
        size="tiny",
        input=TINY_INPUT,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=mfnet_tiny,
        parameters=3_262_087,
        gmacs=1.2246,
    ),
)
