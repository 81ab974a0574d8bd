"""S3D: I3D with every cube split into a look at space and one along time (Xie et al., ECCV 2018).

    k×k×k convolution   →   1×k×k, batch norm, ReLU   then   k×1×1, batch norm, ReLU

Both halves have as many channels as the cube had outputs. Otherwise it is the network of i3d.py, an
inflated Inception-v1 of the same channels:

    layer                                  output for 3 × 64 × 224 × 224
    conv_1a   7×7×7 split, stride 2         64 × 32 × 112 × 112
    pool_2a   1×3×3, stride 1×2×2           64 × 32 ×  56 ×  56
    conv_2b   1×1×1                         64 × 32 ×  56 ×  56
    conv_2c   3×3×3 split                  192 × 32 ×  56 ×  56
    pool_3a   1×3×3, stride 1×2×2          192 × 32 ×  28 ×  28
    mixed_3b, 3c                           480 × 32 ×  28 ×  28
    pool_4a   3×3×3, stride 2              480 × 16 ×  14 ×  14
    mixed_4b, 4c, 4d, 4e, 4f               832 × 16 ×  14 ×  14
    pool_5a   2×2×2, stride 2              832 ×  8 ×   7 ×   7
    mixed_5b, 5c                          1024 ×  8 ×   7 ×   7
    mean over 2×7×7, stride 1             1024 ×  7 ×   1 ×   1
    logits    1×1×1                       classes × 7, then their mean

Two relatives come with it. S3D-G weighs the channels of every branch by what the whole clip looks
like. The top-heavy network asks where time is needed at all, and leaves it out of all but the
topmost blocks: the paper's answer is that motion is best seen late, between features that mean
something.

The lecture's row "S3D, 8.77 M, 43.47 G" seems to mix two of them: the parameters are near the full
network's, which costs 71.9 GMACs, and the cost is near that of a top-heavy one with its top two or
three blocks in time, which has 6.9 or 7.2 M parameters and costs 41.0 or 42.1.

S3D's published accuracy is of single views of 128 frames. The card asks for 64, as the paper does:
128 frames take 144 GMACs in one go, and a second of video costs the same either way, because a
longer view covers more of it. Any other number does too, from 14 on.
"""

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.video import S3D_Weights

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput, PublishedCost, Source
from har_demo.models.i3d import MIXED, Channels, outputs_of, scaled
from har_demo.models.key_map import State, key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.tiny import TINY_INPUT
from har_demo.models.torchvision_card import torchvision_card


class Unit(nn.Module):
    """Convolution, batch norm, ReLU; `size` and `stride` along T, H and W."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: tuple[int, int, int] = (1, 1, 1),
        stride: tuple[int, int, int] = (1, 1, 1),
    ):
        super().__init__()
        time, height, width = size
        padding = (time // 2, height // 2, width // 2)
        self.conv = nn.Conv3d(inputs, outputs, size, stride, padding, bias=False)
        self.norm = nn.BatchNorm3d(outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


def split(
    inputs: int, outputs: int, size: int, stride: int = 1, time: bool = True
) -> nn.Sequential:
    """A size³ convolution in two: over space, then along time.

    Without time the first half stands alone. Where it had a stride, the larger of two moments in a
    row is kept: that costs no parameter, and the layers above see as many moments as before.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        space=Unit(inputs, outputs, (1, size, size), (1, stride, stride))
    )
    if time:
        layers["time"] = Unit(outputs, outputs, (size, 1, 1), (stride, 1, 1))
    elif stride > 1:
        layers["time"] = nn.MaxPool3d((stride, 1, 1), ceil_mode=True)
    return nn.Sequential(layers)


class Gate(nn.Module):
    """S3D-G's self-gating: every channel is weighed by what the whole clip looks like.

    y = σ(W · mean(x) + b) · x, with the mean over T, H and W: attention to channels, not to places.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.fc = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        weights = torch.sigmoid(self.fc(x.mean(dim=(2, 3, 4))))
        return weights[:, :, None, None, None] * x


class Mixed(nn.Module):
    """I3D's Inception block with its cubes split.

    float [B, inputs, T, H, W] → float [B, outputs_of(channels), T, H, W]

    Args:
        inputs, channels: as of I3D's.
        time: False leaves out whatever reaches from moment to moment, the pool's reach included.
        gated: weigh the outputs of every branch, see `Gate`.
    """

    def __init__(self, inputs: int, channels: Channels, time: bool, gated: bool):
        super().__init__()
        c0, reduced1, c1, reduced2, c2, c3 = channels
        reach = 1 if time else 0
        pool = nn.MaxPool3d((1 + 2 * reach, 3, 3), stride=1, padding=(reach, 1, 1))
        self.branch0 = Unit(inputs, c0)
        self.branch1 = nn.Sequential(Unit(inputs, reduced1), split(reduced1, c1, 3, time=time))
        self.branch2 = nn.Sequential(Unit(inputs, reduced2), split(reduced2, c2, 3, time=time))
        self.branch3 = nn.Sequential(pool, Unit(inputs, c3))
        self.gates = nn.ModuleList(Gate(c) if gated else nn.Identity() for c in (c0, c1, c2, c3))

    def forward(self, x: Tensor) -> Tensor:
        branches = self.branch0(x), self.branch1(x), self.branch2(x), self.branch3(x)
        gated = [gate(branch) for gate, branch in zip(self.gates, branches, strict=True)]
        return torch.cat(gated, dim=1)


class S3D(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes], T from 14 on.

    Args:
        classes: number of outputs.
        width: all channels are the paper's times this; see i3d.scaled.
        gated: True makes S3D-G.
        time_from: the first block that looks along time, as named in MIXED. Those below it, and the
            convolutions below all blocks, do not. '3b', the lowest, is the plain S3D.

    >>> S3D(400)(torch.zeros(1, 3, 64, 224, 224)).shape
    torch.Size([1, 400])
    """

    def __init__(
        self,
        classes: int,
        width: float = 1.0,
        gated: bool = False,
        time_from: str = "3b",
    ):
        super().__init__()
        everywhere = time_from == "3b"
        blocks = {name: scaled(channels, width) for name, channels in MIXED.items()}
        narrow, wide = int(64 * width), int(192 * width)

        def mixed(name: str, inputs: int) -> Mixed:
            return Mixed(inputs, blocks[name], time=name >= time_from, gated=gated)

        def after(before: str, name: str) -> Mixed:
            return mixed(name, outputs_of(blocks[before]))

        self.trunk = nn.Sequential(
            OrderedDict(
                conv_1a=split(3, narrow, 7, stride=2, time=everywhere),
                pool_2a=nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
                conv_2b=Unit(narrow, narrow),
                conv_2c=split(narrow, wide, 3, time=everywhere),
                pool_3a=nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
                mixed_3b=mixed("3b", wide),
                mixed_3c=after("3b", "3c"),
                pool_4a=nn.MaxPool3d(3, stride=2, padding=1),
                mixed_4b=after("3c", "4b"),
                mixed_4c=after("4b", "4c"),
                mixed_4d=after("4c", "4d"),
                mixed_4e=after("4d", "4e"),
                mixed_4f=after("4e", "4f"),
                pool_5a=nn.MaxPool3d(2, stride=2),
                mixed_5b=after("4f", "5b"),
                mixed_5c=after("5b", "5c"),
            )
        )
        self.dropout = nn.Dropout(0.2)
        self.logits = nn.Conv3d(int(1024 * width), classes, 1)

        for module in self.trunk.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.logits.weight, std=0.01)
        assert self.logits.bias is not None
        nn.init.zeros_(self.logits.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.trunk(x)
        # 2×7×7 at the paper's 224 pixels: all of space, two moments of time.
        x = F.avg_pool3d(x, (2, *x.shape[3:]), stride=1)
        x = self.logits(self.dropout(x))
        return x.mean(dim=(2, 3, 4))


def s3d(classes: int) -> S3D:
    """S3D: 8,320,048 parameters for Kinetics-400."""
    return S3D(classes)


def s3d_g(classes: int) -> S3D:
    """S3D with gates: 9,508,000 parameters for Kinetics-400."""
    return S3D(classes, gated=True)


def s3d_top_heavy(classes: int) -> S3D:
    """Time in the top two blocks only: 6,859,696 parameters for Kinetics-400."""
    return S3D(classes, time_from="5b")


def s3d_tiny(classes: int) -> S3D:
    """Half of the paper's width."""
    return S3D(classes, width=1 / 2)


_ABOUT: dict[str, Any] = {
    "family": "Factorised 3D convolution",
    "year": 2018,
    "paper": "Xie et al., Rethinking Spatiotemporal Feature Learning: "
    "Speed-Accuracy Trade-offs in Video Classification, ECCV 2018",
    "paper_url": "https://arxiv.org/abs/1712.04851",
}
# The paper's; without public weights nothing else sets a rate or a scale.
_INPUT = ModelInput(
    frames=64,
    fps=25.0,
    resize=256,
    crop=(224, 224),
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
)

# torchvision numbers S3D's layers; TengdaHan's code names each twice: alone and in a block.
_LAYERS = {
    "conv_1a": 0,
    "conv_2b": 2,
    "conv_2c": 3,
    "mixed_3b": 5,
    "mixed_3c": 6,
    "mixed_4b": 8,
    "mixed_4c": 9,
    "mixed_4d": 10,
    "mixed_4e": 11,
    "mixed_4f": 12,
    "mixed_5b": 14,
    "mixed_5c": 15,
}
_SPLIT = r"(conv_1a|conv_2c|branch[12]\.1)"

_keys = key_map(
    # torchvision: 0 and 1 are space and time, and inside of each convolution and norm.
    *((rf"^features\.{number}\.", f"trunk.{name}.") for name, number in _LAYERS.items()),
    (rf"{_SPLIT}\.0\.", r"\1.space."),
    (rf"{_SPLIT}\.1\.", r"\1.time."),
    (r"\.0\.weight$", ".conv.weight"),
    (r"\.1\.(weight|bias|running_mean|running_var|num_batches_tracked)$", r".norm.\1"),
    (r"^classifier\.norm\.", "logits."),
    # TengdaHan
    (r"^b\.Conv_", "trunk.conv_"),
    (r"^b\.Mixed_", "trunk.mixed_"),
    (r"\.branch0\.0\.", ".branch0."),
    (r"\.(conv|bn)1\.", r".space.\1."),
    (r"\.(conv|bn)2\.", r".time.\1."),
    (r"\.bn\.", ".norm."),
    (r"\.gating_b(\d)\.", r".gates.\1."),
    (r"^fc\.", "logits."),
    drop=(r"^b\.block\d\.",),
)


def key_map_s3d(state: State) -> dict[str, Tensor]:
    """Return the parameters of torchvision's or of TengdaHan's S3D under our names.

    TengdaHan's last layer is linear where ours is a 1×1×1 convolution: the same numbers.
    """
    mapped = _keys(state)
    last = mapped.get("logits.weight")
    if last is not None and last.dim() == 2:
        mapped["logits.weight"] = last[:, :, None, None, None]
    return mapped


KYLEMIN_KEY_MAP = key_map(
    (r"^module\.", ""),
    *((rf"^base\.{number}\.", f"trunk.{name}.") for name, number in _LAYERS.items()),
    (r"\.branch0\.0\.", ".branch0."),
    (r"\.(conv|bn)_s\.", r".space.\1."),
    (r"\.(conv|bn)_t\.", r".time.\1."),
    (r"\.bn\.", ".norm."),
    (r"^fc\.0\.", "logits."),
)
"""kylemin numbers the layers as torchvision does, and of a split convolution says _s and _t."""


CARDS: tuple[ModelCard, ...] = (
    torchvision_card(
        s3d,
        S3D_Weights.KINETICS400_V1,
        name="s3d",
        title="S3D",
        chapter="factorised",
        **_ABOUT,
        idea=(
            "An Inception network stretched over time, with each 3D filter split into one that "
            "looks at a frame and one that looks along time: better and cheaper than the cube."
        ),
        frames=64,
        fps=15,
        gmacs=71.916,
        key_map=key_map_s3d,
        by_hand=(
            Source(
                url="https://github.com/kylemin/S3D",
                file="S3D_kinetics400.pt",
                sha256="",
                bytes=8_320_048 * 4,  # unverified: the size of its parameters alone
                licence="MIT (kylemin/S3D)",
                name="kylemin",
                key_map=KYLEMIN_KEY_MAP,
                input=_INPUT,  # of which its publisher states the range of pixels alone
                accuracy=(
                    Accuracy(
                        "Kinetics-400",
                        72.08,
                        90.35,
                        "frames and views not stated",
                        "kylemin/S3D, README (commit 098fd72)",
                    ),
                ),
            ),
        ),
        published=(
            PublishedCost("torchvision's code", "verified", 8_320_048, 71.916),
            PublishedCost("torchvision's code", "verified", 8_320_048, 17.979, frames=16),
            PublishedCost("torchvision's code", "verified", 8_320_048, 143.833, frames=128),
            PublishedCost("kylemin/S3D's code", "verified", 8_320_048, 71.916),
            PublishedCost("paper, as recalled", "unverified", gmacs=66.38),
            PublishedCost(
                "lecture, PNL table (its cost fits the top-heavy network)",
                "printed",
                8.77e6,
                43.47,
                classes=200,
            ),
        ),
    ),
    ModelCard(
        name="s3d_g",
        title="S3D-G",
        **_ABOUT,
        idea="S3D with gates: after each branch of a block, every channel is dimmed or let "
        "through by what the whole clip looks like.",
        size="paper",
        input=_INPUT,
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=s3d_g,
        key_map=key_map_s3d,
        parameters=9_508_000,
        gmacs=71.917,
        published=(
            PublishedCost(
                "TengdaHan/ActionClassification's code",
                "verified",
                9_508_000,
                71.915,
            ),
            PublishedCost("paper, as recalled", "unverified", 11.56e6),
        ),
        note="The paper's count of parameters, as recalled, is higher than that of the public "
        "code, which gates the four branches of each of the nine blocks and nothing else.",
    ),
    ModelCard(
        name="s3d_top_heavy",
        title="S3D, top-heavy",
        **_ABOUT,
        idea="Looks along time in its top two blocks only and at single frames below: at little "
        "more than half of the cost, because motion is best seen between features that mean "
        "something.",
        size="paper",
        input=_INPUT,
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=s3d_top_heavy,
        parameters=6_859_696,
        gmacs=41.0,
        published=(
            PublishedCost(
                "torchvision's S3D without its convolutions along time below the top two blocks",
                "verified",
                6_859_696,
                41.0,
            ),
            PublishedCost("lecture, PNL table, row S3D", "printed", gmacs=43.47, classes=200),
        ),
        note="A reconstruction: which blocks of the paper's fast network look along time, and how "
        "its stem halves the frames without doing so, could not be checked against its code. Here "
        "it keeps the larger of two; skipping every second frame would cost 37.2 GMACs.",
    ),
    ModelCard(
        name="s3d_lab",
        title="S3D (tiny)",
        chapter="factorised",
        tiny_of="s3d",
        **_ABOUT,
        idea="S3D at half of its width. Compare it with "
        "I3D of the same width, whose cubes are whole.",
        size="tiny",
        input=TINY_INPUT,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=s3d_tiny,
        parameters=2_005_175,
        gmacs=1.237,
    ),
)
