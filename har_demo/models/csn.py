"""CSN: mix channels in one place, look around in another (Tran et al., ICCV 2019).

A k×k×k convolution from C_in to C_out channels in G groups reads, for every output channel, only
the C_in/G channels of its group. The paper counts three things of it (its equations 1 to 3, which
the lecture shows): parameters, multiply-adds, and channel interactions, the pairs of input channels
that meet in an output. Parameters and cost fall with G; interactions fall faster, and
accuracy tends to fall with them. So a CSN takes the extreme, G = C_in (a depthwise convolution: no
interactions at all), and leaves the mixing of channels to 1×1×1 convolutions, which are cheap. Two
ways to do so in the bottleneck of a 3D ResNet:

    3D ResNet     1×1×1              3×3×3              1×1×1     everything in one place
    ip-CSN        1×1×1      1×1×1 → 3×3×3 depthwise    1×1×1     interactions preserved
    ir-CSN        1×1×1              3×3×3 depthwise    1×1×1     interactions reduced

    layer            output for 3 × 32 × 224 × 224       blocks of 101 layers, of 152
    stem, 3×7×7       64 × 32 × 112 × 112
    max-pool, 1×3×3   64 × 32 ×  56 ×  56
    layer1           256 × 32 ×  56 ×  56                 3      3
    layer2           512 × 16 ×  28 ×  28                 4      8
    layer3          1024 ×  8 ×  14 ×  14                23     36
    layer4          2048 ×  4 ×   7 ×   7                 3      3
    mean over time and space, fc    classes

The costs in the lecture's table of Sports-1M (56.5, 63.6, 74.0 and 83.3) are those of this view.
The 109 it prints for ip-CSN-152 in the table of Kinetics-400 is the same network on 32 × 256 × 256,
as it is tested.
"""

from dataclasses import replace
from functools import partial
from math import comb
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, PublishedCost, Source, spread_over
from har_demo.models.key_map import key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.publishers import (
    MMACTION2,
    PYTORCHVIDEO,
    as_fields,
    mmaction2,
    pytorchvideo,
    thirty_views,
)
from har_demo.models.r2plus1d import Conv2Plus1D, middle_channels
from har_demo.models.sliding import scores
from har_demo.models.tiny import TINY_INPUT

Kernel = Literal["depthwise", "full", "split"]


def grouped_parameters(inputs: int, outputs: int, k: int, groups: int = 1) -> int:
    """Parameters of a k×k×k convolution in groups: C_out · C_in/G · k³ (equation 1).

    A full 3×3×3 convolution, and the 1×1×1 and depthwise 3×3×3 that replace it:

    >>> grouped_parameters(256, 256, k=3)
    1769472
    >>> grouped_parameters(256, 256, k=1) + grouped_parameters(256, 256, k=3, groups=256)
    72448
    """
    return outputs * (inputs // groups) * k**3


def grouped_macs(
    inputs: int, outputs: int, k: int, groups: int, positions: tuple[int, int, int]
) -> int:
    """Its multiply-adds for an output of `positions` (T, H, W): equation 1 times THW (equation 2).

    >>> grouped_macs(256, 256, k=3, groups=256, positions=(8, 14, 14))
    10838016
    """
    t, h, w = positions
    return grouped_parameters(inputs, outputs, k, groups) * t * h * w


def channel_interactions(inputs: int, outputs: int, groups: int = 1) -> int:
    """Pairs of input channels that meet, over all outputs: C_out · (C_in/G choose 2) (equation 3).

    It does not depend on the kernel, so a 1×1×1 convolution has as many as a 3×3×3 one:

    >>> channel_interactions(256, 256)
    8355840
    >>> channel_interactions(256, 256, groups=256)
    0
    """
    return outputs * comb(inputs // groups, 2)


class Bottleneck(nn.Module):
    """Reduce the channels, look around within each of them, expand; the input is added.

    float [B, inputs, T, H, W] → [B, 4·width, T/stride, H/stride, W/stride]

    Args:
        inputs: channels that come in.
        width: channels of the depthwise convolution; four times as many go out.
        stride: of time and space alike.
        preserve: ip-CSN's additional 1×1×1 convolution. No ReLU stands between it and the depthwise
            one: together they replace one convolution.
        kernel: what looks around: 'depthwise', or, to compare with, the 'full' 3×3×3 of a 3D ResNet
            or one of as many parameters that is 'split' into space and time, as in R(2+1)D.

    >>> Bottleneck(64, 64)(torch.zeros(1, 64, 4, 14, 14)).shape
    torch.Size([1, 256, 4, 14, 14])
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        stride: int = 1,
        preserve: bool = False,
        kernel: Kernel = "depthwise",
    ):
        super().__init__()
        outputs = 4 * width
        self.reduce = nn.Conv3d(inputs, width, 1, bias=False)
        self.reduce_norm = nn.BatchNorm3d(width)
        self.interact: nn.Module = nn.Identity()
        if preserve:
            self.interact = nn.Sequential(
                nn.Conv3d(width, width, 1, bias=False), nn.BatchNorm3d(width)
            )
        if kernel == "split":
            middle = middle_channels(width, width)
            self.depthwise: nn.Module = Conv2Plus1D(width, middle, width, stride)
        else:
            groups = width if kernel == "depthwise" else 1
            self.depthwise = nn.Conv3d(
                width, width, 3, stride=stride, padding=1, groups=groups, bias=False
            )
        self.depthwise_norm = nn.BatchNorm3d(width)
        self.expand = nn.Conv3d(width, outputs, 1, bias=False)
        self.expand_norm = nn.BatchNorm3d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv3d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm3d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.reduce_norm(self.reduce(x)))
        y = self.interact(y)
        y = F.relu(self.depthwise_norm(self.depthwise(y)))
        y = self.expand_norm(self.expand(y))
        return F.relu(y + self.shortcut(x))


class CSN(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; any T and size, as it ends in a mean.

    Args:
        classes: number of outputs.
        preserve: True for ip-CSN, False for ir-CSN.
        blocks: residual blocks of each of the four layers.
        width: channels of the stem and of layer1's depthwise convolutions.
        kernel: see Bottleneck.
        epsilon: of the batch norms. The authors have 0.001; weights trained with one
            value are not for another.
        dropout: share of features dropped before the last layer while training.

    >>> CSN(400, preserve=False)(torch.zeros(1, 3, 8, 64, 64)).shape
    torch.Size([1, 400])
    """

    side: int | None = (
        None  # of the squares that the last mean is taken over, see models/sliding.py
    )

    def __init__(
        self,
        classes: int,
        preserve: bool,
        blocks: tuple[int, int, int, int] = (3, 4, 23, 3),
        width: int = 64,
        epsilon: float = 1e-3,
        dropout: float = 0.0,
        kernel: Kernel = "depthwise",
    ):
        super().__init__()

        def layer(inputs: int, width: int, count: int, stride: int) -> nn.Sequential:
            first = Bottleneck(inputs, width, stride, preserve, kernel)
            rest = (Bottleneck(4 * width, width, 1, preserve, kernel) for _ in range(count - 1))
            return nn.Sequential(first, *rest)

        self.stem = nn.Conv3d(3, width, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False)
        self.stem_norm = nn.BatchNorm3d(width)
        self.layer1 = layer(width, width, blocks[0], stride=1)
        self.layer2 = layer(4 * width, 2 * width, blocks[1], stride=2)
        self.layer3 = layer(8 * width, 4 * width, blocks[2], stride=2)
        self.layer4 = layer(16 * width, 8 * width, blocks[3], stride=2)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(32 * width, classes)

        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                # By what comes in: PyTorch reckons what goes out as if there were no groups.
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
            elif isinstance(module, nn.BatchNorm3d):
                module.eps = epsilon
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem_norm(self.stem(x)))
        x = F.max_pool3d(x, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        return scores(x, lambda mean: self.fc(self.dropout(mean)), self.side)


def ir_csn_101(classes: int) -> CSN:
    """22,213,776 parameters for Kinetics-400; its public weights have PyTorch's epsilon."""
    return CSN(classes, preserve=False, epsilon=1e-5)


def ip_csn_101(classes: int) -> CSN:
    """24,601,616 parameters for Kinetics-400."""
    return CSN(classes, preserve=True)


def ir_csn_152(classes: int) -> CSN:
    """29,703,568 parameters for Kinetics-400."""
    return CSN(classes, preserve=False, blocks=(3, 8, 36, 3))


def ir_csn_50(classes: int) -> CSN:
    """13,131,152 parameters for Kinetics-400."""
    return CSN(classes, preserve=False, blocks=(3, 4, 6, 3))


def ip_csn_152(classes: int) -> CSN:
    """33,016,592 parameters for Kinetics-400."""
    return CSN(classes, preserve=True, blocks=(3, 8, 36, 3))


def csn_tiny(classes: int, preserve: bool, width: int = 32, kernel: Kernel = "depthwise") -> CSN:
    """26 layers at half of the paper's width."""
    return CSN(classes, preserve, (2, 2, 2, 2), width, dropout=0.3, kernel=kernel)


_PYTORCHVIDEO = replace(PYTORCHVIDEO, **spread_over(32, 2))
# Of VMZ's networks, and of what mmaction2 took over from there.
_VMZ = replace(MMACTION2, mean=(0.43216, 0.394666, 0.37645), std=(0.22803, 0.22145, 0.216989))
_SPORTS = "lecture, Sports-1M table"


def _reference(code: str, parameters: int, gmacs: float) -> PublishedCost:
    """Cost of the reference's own code, for 400 classes and 32 × 224 × 224."""
    return PublishedCost(code, "verified", parameters, gmacs, classes=400, frames=32, side=224)


def _sports(top1: float, top5: float) -> Accuracy:
    return Accuracy("Sports-1M", top1, top5, "per video, 10 windows, trained from scratch", _SPORTS)


_card = partial(
    ModelCard,
    family="Grouped 3D convolution",
    year=2019,
    paper="Tran et al., Video Classification with Channel-Separated Convolutional Networks, "
    "ICCV 2019",
    paper_url="https://arxiv.org/abs/1904.02811",
)
_paper = partial(_card, size="paper", label_set="Kinetics-400", classes=KINETICS400)
_tiny = partial(
    _card,
    size="tiny",
    input=TINY_INPUT,
    label_set=LABEL_SET,
    classes=EVERYDAY,
)

# VMZ, the authors' code, numbers the layers of nn.Sequential; mmaction2 keeps every convolution with its
# norm in a module of its own; pytorchvideo calls the three convolutions a, b and c.
_MMACTION_RULES = (
    (r"^backbone\.conv1\.conv\.", "stem."),
    (r"^backbone\.conv1\.bn\.", "stem_norm."),
    (r"^backbone\.", ""),
    (r"\.conv1\.conv\.", ".reduce."),
    (r"\.conv1\.bn\.", ".reduce_norm."),
    (r"\.conv3\.conv\.", ".expand."),
    (r"\.conv3\.bn\.", ".expand_norm."),
    (r"\.downsample\.conv\.", ".shortcut.0."),
    (r"\.downsample\.bn\.", ".shortcut.1."),
    (r"^cls_head\.fc_cls\.", "fc."),
)
_VMZ_RULES = (
    (r"^stem\.0\.", "stem."),
    (r"^stem\.1\.", "stem_norm."),
    (r"\.conv1\.0\.", ".reduce."),
    (r"\.conv1\.1\.", ".reduce_norm."),
    (r"\.conv3\.0\.", ".expand."),
    (r"\.conv3\.1\.", ".expand_norm."),
    (r"\.downsample\.", ".shortcut."),
)
_PYTORCHVIDEO_RULES = (
    (r"^blocks\.0\.conv\.", "stem."),
    (r"^blocks\.0\.norm\.", "stem_norm."),
    (r"^blocks\.5\.proj\.", "fc."),
    (r"^blocks\.(\d)\.res_blocks\.", r"layer\1."),
    (r"\.branch1_conv\.", ".shortcut.0."),
    (r"\.branch1_norm\.", ".shortcut.1."),
    (r"\.branch2\.conv_a\.", ".reduce."),
    (r"\.branch2\.norm_a\.", ".reduce_norm."),
    (r"\.branch2\.conv_b\.", ".depthwise."),
    (r"\.branch2\.norm_b\.", ".depthwise_norm."),
    (r"\.branch2\.conv_c\.", ".expand."),
    (r"\.branch2\.norm_c\.", ".expand_norm."),
)
_VMZ_IR = ((r"\.conv2\.0\.", ".depthwise."), (r"\.conv2\.1\.", ".depthwise_norm."))
PYTORCHVIDEO_KEY_MAP = key_map(*_PYTORCHVIDEO_RULES)
VMZ_IR_KEY_MAP = key_map(*_VMZ_RULES, *_VMZ_IR)
MMACTION2_IR_KEY_MAP = key_map(
    *_MMACTION_RULES,
    (r"\.conv2\.0\.conv\.", ".depthwise."),
    (r"\.conv2\.0\.bn\.", ".depthwise_norm."),
)
MMACTION2_IP_KEY_MAP = key_map(
    *_MMACTION_RULES,
    (r"\.conv2\.0\.conv\.", ".interact.0."),
    (r"\.conv2\.0\.bn\.", ".interact.1."),
    (r"\.conv2\.1\.conv\.", ".depthwise."),
    (r"\.conv2\.1\.bn\.", ".depthwise_norm."),
)
VMZ_IP_KEY_MAP = key_map(
    *_VMZ_RULES,
    (r"\.conv2\.0\.2\.", ".depthwise."),
    (r"\.conv2\.0\.", ".interact."),
    (r"\.conv2\.1\.", ".depthwise_norm."),
)

# kind, name here, path there, pre-training, top-1, top-5, the numbers that pixels are normalised by
_ZOO = (
    (
        "ir",
        "mmaction2-ig65m",
        "v1.0/recognition/csn/ircsn_ig65m-pretrained-r152_8xb12-32x2x1-58e_kinetics400-rgb/"
        "{}_20220811-c7a3cc5b",
        "IG-65M",
        82.87,
        95.90,
        MMACTION2,
    ),
    (
        "ir",
        "mmaction2-ig65m-frozen",
        "v1.0/recognition/csn/ircsn_ig65m-pretrained-r152-bnfrozen_8xb12-32x2x1-58e_kinetics400-rgb/"
        "{}_20220811-7d1dacde",
        "IG-65M, batch norms frozen",
        82.84,
        95.92,
        MMACTION2,
    ),
    (
        "ir",
        "mmaction2",
        "recognition/csn/vmz/vmz_ircsn_from_scratch_r152_32x2x1_180e_kinetics400_rgb_20210617-5c933ae1",
        "from scratch, VMZ's weights",
        76.53,
        92.28,
        _VMZ,
    ),
    (
        "ir",
        "mmaction2-sports1m",
        "recognition/csn/vmz/"
        "vmz_ircsn_sports1m_pretrained_r152_32x2x1_58e_kinetics400_rgb_20210617-b9b10241",
        "Sports-1M, VMZ's weights",
        78.57,
        93.44,
        _VMZ,
    ),
    (
        "ip",
        "mmaction2",
        "recognition/csn/vmz/vmz_ipcsn_from_scratch_r152_32x2x1_180e_kinetics400_rgb_20210617-d565828d",
        "from scratch, VMZ's weights",
        77.80,
        93.10,
        _VMZ,
    ),
    (
        "ip",
        "mmaction2-ig65m",
        "recognition/csn/vmz/"
        "vmz_ipcsn_ig65m_pretrained_r152_32x2x1_58e_kinetics400_rgb_20210617-c3be9793",
        "IG-65M, VMZ's weights",
        82.68,
        95.69,
        MMACTION2,
    ),
    (
        "ip",
        "mmaction2-sports1m",
        "recognition/csn/vmz/"
        "vmz_ipcsn_sports1m_pretrained_r152_32x2x1_58e_kinetics400_rgb_20210617-3367437a",
        "Sports-1M, VMZ's weights",
        79.07,
        93.82,
        _VMZ,
    ),
    (
        "ir-50",
        "mmaction2",
        "v1.0/recognition/csn/ircsn_ig65m-pretrained-r50-bnfrozen_8xb12-32x2x1-58e_kinetics400-rgb/"
        "{}_20220811-44395bae",
        "IG-65M, batch norms frozen",
        79.44,
        94.26,
        MMACTION2,
    ),
)


def _zoo(kind: str, parameters: int) -> tuple[Source, ...]:
    """mmaction2's files of one network; the first is the one trained from scratch, if there is one."""
    key_map = MMACTION2_IP_KEY_MAP if kind == "ip" else MMACTION2_IR_KEY_MAP
    found = [
        mmaction2(
            f"{path}.pth",
            parameters,
            top1,
            top5,
            thirty_views(256, "mmaction2"),
            spec,
            key_map,
            name=name,
            about=about,
        )
        for of, name, path, about, top1, top5, spec in _ZOO
        if of == kind
    ]
    return tuple(sorted(found, key=lambda source: source.name != "mmaction2"))


def _vmz(kind: str, pretraining: str, file: str, top1: float, top5: float) -> Source:
    """A file of VMZ's PyTorch branch (pt/vmz/models/utils.py, commit 03b22cf)."""
    of = {"ir": (29_703_568, VMZ_IR_KEY_MAP), "ip": (33_016_592, VMZ_IP_KEY_MAP)}
    parameters, key_map = of[kind]
    return Source(
        url="https://github.com/bjuncek/VMZ/releases/download/test_models/"
        f"{kind}CSN_152_ft_kinetics_from_{file}.pth",
        sha256="",
        bytes=parameters * 4,  # unverified: the size of its parameters alone
        licence="Apache-2.0 (VMZ)",
        name=f"VMZ-{pretraining.lower().replace('-', '')}",
        key_map=key_map,
        input=_VMZ,
        accuracy=(
            Accuracy(
                "Kinetics-400",
                top1,
                top5,
                f"32 frames, per video, {pretraining}",
                "VMZ model zoo (c2/tutorials/model_zoo.md, commit 1549231)",
            ),
        ),
    )


CARDS: tuple[ModelCard, ...] = (
    _paper(
        name="ir_csn_101",
        title="ir-CSN-101",
        idea="Lets every 3×3×3 filter watch a single channel and leaves the mixing of channels to "
        "the cheap 1×1×1 convolutions around it: a deep 3D network at a fraction of the cost.",
        build=ir_csn_101,
        key_map=VMZ_IR_KEY_MAP,
        parameters=22_213_776,
        gmacs=56.468,
        **as_fields(
            pytorchvideo(
                "CSN_32x2_R101",
                22_213_776,
                77.0,
                92.9,
                _PYTORCHVIDEO,
                PYTORCHVIDEO_KEY_MAP,
                ir_csn_101,
            ),
            papers=(_sports(74.8, 92.6),),
        ),
        published=(
            _reference("VMZ's and pytorchvideo's code", 22_213_776, 56.468),
            PublishedCost(_SPORTS, "printed", gmacs=56.5, classes=487),
        ),
    ),
    _paper(
        name="ip_csn_101",
        title="ip-CSN-101",
        idea="Splits every 3×3×3 convolution into a 1×1×1 one, which mixes channels as fully as "
        "before, and a depthwise one, which looks around within each channel.",
        input=_VMZ,
        build=ip_csn_101,
        key_map=VMZ_IP_KEY_MAP,
        parameters=24_601_616,
        gmacs=63.559,
        accuracy=(_sports(74.9, 92.6),),
        published=(
            _reference("VMZ's code", 24_601_616, 63.559),
            PublishedCost(_SPORTS, "printed", gmacs=63.6, classes=487),
        ),
        note="No weights of this depth are public; ip-CSN-152 has some.",
    ),
    _paper(
        name="ir_csn_50",
        title="ir-CSN-50",
        idea="The shallowest public ir-CSN: 50 layers, which began with 65 million videos from Instagram.",
        build=ir_csn_50,
        parameters=13_131_152,
        gmacs=42.309,
        published=(PublishedCost("mmaction2 model zoo", "printed", 13.13e6, 55.90, side=256),),
        **as_fields(*_zoo("ir-50", 13_131_152)),
    ),
    _paper(
        name="ir_csn_152",
        title="ir-CSN-152",
        chapter="grouped",
        idea="Goes to 152 layers with ir-CSN: depthwise 3×3×3 filters are so light that all of "
        "them cost less than half of what R(2+1)D's 34 layers do on as many frames.",
        build=ir_csn_152,
        key_map=VMZ_IR_KEY_MAP,
        parameters=29_703_568,
        gmacs=74.046,
        **as_fields(
            *_zoo("ir", 29_703_568),
            _vmz("ir", "IG-65M", "ig65m_f126851907", 82.6, 95.3),
            _vmz("ir", "Sports-1M", "Sports1M_f101599884", 78.2, 93.0),
            papers=(_sports(75.5, 92.7),),
        ),
        published=(
            _reference("VMZ's and mmaction2's code", 29_703_568, 74.046),
            PublishedCost(_SPORTS, "printed", gmacs=74.0, classes=487),
        ),
    ),
    _paper(
        name="ip_csn_152",
        title="ip-CSN-152",
        chapter="grouped",
        idea="Goes to 152 layers with ip-CSN: as many channel interactions as a 3D ResNet, at a "
        "fraction of its cost; and keeping the two jobs apart, the authors find, makes it overfit "
        "less.",
        build=ip_csn_152,
        key_map=VMZ_IP_KEY_MAP,
        parameters=33_016_592,
        gmacs=83.295,
        **as_fields(
            *_zoo("ip", 33_016_592),
            _vmz("ip", "IG-65M", "ig65m_f133090949", 82.5, 95.3),
            _vmz("ip", "Sports-1M", "Sports1M_f111279053", 78.8, 93.5),
            papers=(_sports(75.5, 92.8),),
        ),
        published=(
            _reference("VMZ's and mmaction2's code", 33_016_592, 83.295),
            PublishedCost(_SPORTS, "printed", gmacs=83.3, classes=487),
            PublishedCost(
                "lecture, Video Swin table", "printed", parameters=32.8e6, gmacs=109, side=256
            ),
        ),
    ),
    _tiny(
        name="ir_csn_lab",
        title="ir-CSN (tiny)",
        chapter="grouped",
        tiny_of="ir_csn_152",
        idea="A small ir-CSN of 26 layers at half width; "
        "compare it with ip-CSN, which has one 1×1×1 convolution more in every block.",
        build=partial(csn_tiny, preserve=False),
        parameters=2_005_191,
        gmacs=1.370,
    ),
    _tiny(
        name="ip_csn_lab",
        title="ip-CSN (tiny)",
        chapter="grouped",
        tiny_of="ip_csn_152",
        idea="A small ip-CSN of 26 layers at half width; "
        "it has all the channel interactions that ir-CSN gives up.",
        build=partial(csn_tiny, preserve=True),
        parameters=2_181_191,
        gmacs=1.497,
    ),
)
