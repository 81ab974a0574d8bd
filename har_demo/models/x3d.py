"""X3D: a tiny image network, expanded one step at a time (Feichtenhofer, CVPR 2020).

The paper starts from a 2D network so small that it hardly recognises anything, and asks again and
again which one expansion pays best: longer clips (γ_t), a higher frame rate (γ_τ), larger frames
(γ_s), more channels (γ_w), wider bottlenecks (γ_b) or more blocks (γ_d). What comes out looks like
nobody's design: high resolution, many frames, and layers far thinner than a ResNet's, all its 3×3×3
convolutions depthwise.

    layer                                  output of X3D-M, 3 × 16 × 224²   blocks: XS to M, L
    stem    1×3×3, then 5×1×1 depthwise     24 × 16 × 112 × 112
    layer1  1×1×1 to  54, 3×3×3, to  24     24 × 16 ×  56 ×  56                       3      5
    layer2  1×1×1 to 108, 3×3×3, to  48     48 × 16 ×  28 ×  28                       5     10
    layer3  1×1×1 to 216, 3×3×3, to  96     96 × 16 ×  14 ×  14                      11     25
    layer4  1×1×1 to 432, 3×3×3, to 192    192 × 16 ×   7 ×   7                       7     15
    conv5   1×1×1                          432 × 16 ×   7 ×   7
    mean over time and space, fc1          2048
    fc2                                    classes

XS, S and M are the same network on 4 × 160², 13 × 160² and 16 × 224²: no layer strides over time,
so any clip will do. The lecture's table has a row X3D-XXL with 144 G and 20.3 M, for which no
configuration is public.

The first shortcut of layer1 strides but keeps its 24 channels. pytorchvideo, whose weights are used
here, gives it no batch norm. PySlowFast (the authors' code) and mmaction2 do, which makes 48 more
parameters and a network that those weights do not fit, nor theirs this one.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import ModelCard, ModelInput, PublishedCost, spread_over
from har_demo.models.key_map import State, key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.publishers import (
    PYTORCHVIDEO,
    as_fields,
    mmaction2,
    pyslowfast,
    pytorchvideo,
    thirty_views,
)
from har_demo.models.sliding import scores
from har_demo.models.tiny import TINY_INPUT


def multiple_of_eight(channels: float) -> int:
    """The nearest multiple of 8, one step up where that would lose over a tenth; 8 at the least.

    >>> [multiple_of_eight(channels / 16) for channels in (54, 108, 216, 432)]
    [8, 8, 16, 32]
    """
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


class SqueezeExcite(nn.Module):
    """Weigh every channel by a number from 0 to 1 that depends on the means of all of them.

    float [B, C, T, H, W] → the same shape. Through it each block sees the whole clip.
    """

    def __init__(self, channels: int):
        super().__init__()
        few = multiple_of_eight(channels / 16)
        self.squeeze = nn.Conv3d(channels, few, 1)
        self.excite = nn.Conv3d(few, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = x.mean(dim=(2, 3, 4), keepdim=True)
        return x * self.excite(F.relu(self.squeeze(y))).sigmoid()


class Block(nn.Module):
    """An inverted bottleneck: widen, look around within each channel, narrow; the input is added.

    float [B, inputs, T, H, W] → [B, outputs, T, H/stride, W/stride]

    Args:
        inputs, outputs: channels.
        stride: of space alone.
        excite: whether channels are weighed by squeeze and excitation; every second block does.
        norm_every_shortcut: see X3D.

    >>> Block(24, 48, stride=2, excite=True)(torch.zeros(1, 24, 4, 14, 14)).shape
    torch.Size([1, 48, 4, 7, 7])
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: int,
        excite: bool,
        norm_every_shortcut: bool = False,
    ):
        super().__init__()
        wide = int(2.25 * outputs)  # γ_b
        self.widen = nn.Conv3d(inputs, wide, 1, bias=False)
        self.widen_norm = nn.BatchNorm3d(wide)
        self.depthwise = nn.Conv3d(
            wide, wide, 3, stride=(1, stride, stride), padding=1, groups=wide, bias=False
        )
        self.depthwise_norm = nn.BatchNorm3d(wide)
        self.weigh = SqueezeExcite(wide) if excite else nn.Identity()
        self.narrow = nn.Conv3d(wide, outputs, 1, bias=False)
        self.narrow_norm = nn.BatchNorm3d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            normed = inputs != outputs or norm_every_shortcut
            self.shortcut = nn.Sequential(
                nn.Conv3d(inputs, outputs, 1, stride=(1, stride, stride), bias=False),
                nn.BatchNorm3d(outputs) if normed else nn.Identity(),
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.widen_norm(self.widen(x)))
        y = self.weigh(self.depthwise_norm(self.depthwise(y)))
        y = F.silu(y)  # the paper's swish
        y = self.narrow_norm(self.narrow(y))
        return F.relu(y + self.shortcut(x))


class X3D(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; any T and size, as it ends in a mean.

    Args:
        classes: number of outputs.
        width: γ_w, which multiplies 12, 24, 48 and 96 channels.
        depth: γ_d, which multiplies 1, 2, 5 and 3 blocks, rounded up.
        norm_every_shortcut: normalise the first shortcut too; see the top of this file.
        dropout: share of features dropped before the last layer while training.

    >>> X3D(400)(torch.zeros(1, 3, 4, 160, 160)).shape
    torch.Size([1, 400])
    """

    side: int | None = (
        None  # of the squares that the last mean is taken over, see models/sliding.py
    )

    def __init__(
        self,
        classes: int,
        width: float = 2.0,
        depth: float = 2.2,
        norm_every_shortcut: bool = False,
        dropout: float = 0.5,
    ):
        super().__init__()
        channels = [round(width * basis) for basis in (12, 24, 48, 96)]
        blocks = [math.ceil(depth * basis) for basis in (1, 2, 5, 3)]

        def layer(inputs: int, outputs: int, count: int) -> nn.Sequential:
            return nn.Sequential(
                *(
                    Block(
                        inputs if first else outputs,
                        outputs,
                        stride=2 if first else 1,
                        excite=index % 2 == 0,
                        norm_every_shortcut=norm_every_shortcut,
                    )
                    for index in range(count)
                    for first in [index == 0]
                )
            )

        stem = channels[0]
        self.stem_space = nn.Conv3d(
            3, stem, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1), bias=False
        )
        self.stem_time = nn.Conv3d(
            stem, stem, (5, 1, 1), padding=(2, 0, 0), groups=stem, bias=False
        )
        self.stem_norm = nn.BatchNorm3d(stem)
        self.layer1 = layer(stem, channels[0], blocks[0])
        self.layer2 = layer(channels[0], channels[1], blocks[1])
        self.layer3 = layer(channels[1], channels[2], blocks[2])
        self.layer4 = layer(channels[2], channels[3], blocks[3])
        wide = int(2.25 * channels[3])
        self.conv5 = nn.Conv3d(channels[3], wide, 1, bias=False)
        self.conv5_norm = nn.BatchNorm3d(wide)
        self.fc1 = nn.Conv3d(wide, 2048, 1, bias=False)  # after the mean, so on one position
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(2048, classes)

        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                # By what comes in: PyTorch reckons what goes out as if there were no groups.
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        nn.init.normal_(self.fc2.weight, std=0.01)
        nn.init.zeros_(self.fc2.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem_time(self.stem_space(x))
        x = F.relu(self.stem_norm(x))
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        x = F.relu(self.conv5_norm(self.conv5(x)))
        return scores(x, self.classify, self.side)

    def classify(self, means: Tensor) -> Tensor:
        """Score means of features: [..., C] → logits [..., classes]."""
        x = F.linear(means, self.fc1.weight.flatten(1))
        return self.fc2(self.dropout(F.relu(x)))


def x3d_m(classes: int) -> X3D:
    """X3D-XS, S and M: 3,794,274 parameters for Kinetics-400."""
    return X3D(classes)


def x3d_m_normed(classes: int) -> X3D:
    """X3D-XS, S and M as PySlowFast builds them: 48 parameters more."""
    return X3D(classes, norm_every_shortcut=True)


def x3d_l_normed(classes: int) -> X3D:
    """X3D-L as PySlowFast builds it."""
    return X3D(classes, depth=5.0, norm_every_shortcut=True)


def x3d_l(classes: int) -> X3D:
    """X3D-L, deeper: 6,153,384 parameters for Kinetics-400."""
    return X3D(classes, depth=5.0)


def x3d_xl(classes: int) -> X3D:
    """X3D-XL, wider than L: 11,087,571 parameters for Kinetics-400, built as PySlowFast does."""
    return X3D(classes, width=2.9, depth=5.0, norm_every_shortcut=True)


def x3d_tiny(classes: int) -> X3D:
    """The paper's network before its depth was expanded: 11 blocks."""
    return X3D(classes, depth=1.0)


def _input(frames: int, rate: int, side: int, resize: int) -> ModelInput:
    """Frames × rate as in the paper, of Kinetics' 30 frames per second."""
    view = spread_over(frames, rate)
    return replace(PYTORCHVIDEO, resize=resize, crop=(side, side), **view)


def _costs(parameters: int, gmacs: float, side: int, zoo: float) -> tuple[PublishedCost, ...]:
    """Of pytorchvideo's code on views as in training, and as its model zoo prints it for testing.

    The zoo's crops are larger, and it counts normalisation and other elementwise work too.
    """
    return (
        PublishedCost("pytorchvideo's code", "verified", parameters, gmacs, classes=400),
        PublishedCost("pytorchvideo model zoo, test crop", "printed", gmacs=zoo, side=side),
    )


_card = partial(
    ModelCard,
    family="Grouped 3D convolution",
    year=2020,
    paper="Feichtenhofer, X3D: Expanding Architectures for Efficient Video Recognition, CVPR 2020",
    paper_url="https://arxiv.org/abs/2004.04730",
)
_paper = partial(_card, size="paper", label_set="Kinetics-400", classes=KINETICS400)

KEY_MAP = key_map(
    (r"^blocks\.0\.conv\.conv_t\.", "stem_space."),
    (r"^blocks\.0\.conv\.conv_xy\.", "stem_time."),
    (r"^blocks\.0\.norm\.", "stem_norm."),
    (r"^blocks\.5\.pool\.pre_conv\.", "conv5."),
    (r"^blocks\.5\.pool\.pre_norm\.", "conv5_norm."),
    (r"^blocks\.5\.pool\.post_conv\.", "fc1."),
    (r"^blocks\.5\.proj\.", "fc2."),
    (r"^blocks\.(\d)\.res_blocks\.", r"layer\1."),
    (r"\.branch1_conv\.", ".shortcut.0."),
    (r"\.branch1_norm\.", ".shortcut.1."),
    (r"\.branch2\.conv_a\.", ".widen."),
    (r"\.branch2\.norm_a\.", ".widen_norm."),
    (r"\.branch2\.conv_b\.", ".depthwise."),
    (r"\.branch2\.norm_b\.0\.", ".depthwise_norm."),
    (r"\.branch2\.norm_b\.1\.block\.0\.", ".weigh.squeeze."),
    (r"\.branch2\.norm_b\.1\.block\.2\.", ".weigh.excite."),
    (r"\.branch2\.conv_c\.", ".narrow."),
    (r"\.branch2\.norm_c\.", ".narrow_norm."),
)
"""pytorchvideo's names for XS to L. Its stem has them crossed: what it calls conv_t is over space."""

PYSLOWFAST_KEY_MAP = key_map(
    (r"^s1\.pathway0_stem\.conv_xy\.", "stem_space."),
    (r"^s1\.pathway0_stem\.conv\.", "stem_time."),
    (r"^s1\.pathway0_stem\.bn\.", "stem_norm."),
    (r"^s2\.pathway0_res", "layer1."),
    (r"^s3\.pathway0_res", "layer2."),
    (r"^s4\.pathway0_res", "layer3."),
    (r"^s5\.pathway0_res", "layer4."),
    (r"^head\.conv_5\.", "conv5."),
    (r"^head\.conv_5_bn\.", "conv5_norm."),
    (r"^head\.lin_5\.", "fc1."),
    (r"^head\.projection\.", "fc2."),
    (r"\.branch1\.", ".shortcut.0."),
    (r"\.branch1_bn\.", ".shortcut.1."),
    (r"\.branch2\.a\.", ".widen."),
    (r"\.branch2\.a_bn\.", ".widen_norm."),
    (r"\.branch2\.b\.", ".depthwise."),
    (r"\.branch2\.b_bn\.", ".depthwise_norm."),
    (r"\.branch2\.se\.fc1\.", ".weigh.squeeze."),
    (r"\.branch2\.se\.fc2\.", ".weigh.excite."),
    (r"\.branch2\.c\.", ".narrow."),
    (r"\.branch2\.c_bn\.", ".narrow_norm."),
)
"""PySlowFast's names."""

MMACTION2_KEY_MAP = key_map(
    (r"^backbone\.conv1_s\.conv\.", "stem_space."),
    (r"^backbone\.conv1_t\.conv\.", "stem_time."),
    (r"^backbone\.conv1_t\.bn\.", "stem_norm."),
    (r"^backbone\.conv5\.conv\.", "conv5."),
    (r"^backbone\.conv5\.bn\.", "conv5_norm."),
    (r"^backbone\.(layer\d)\.", r"\1."),
    (r"\.downsample\.conv\.", ".shortcut.0."),
    (r"\.downsample\.bn\.", ".shortcut.1."),
    (r"\.conv1\.conv\.", ".widen."),
    (r"\.conv1\.bn\.", ".widen_norm."),
    (r"\.conv2\.conv\.", ".depthwise."),
    (r"\.conv2\.bn\.", ".depthwise_norm."),
    (r"\.se_module\.fc1\.", ".weigh.squeeze."),
    (r"\.se_module\.fc2\.", ".weigh.excite."),
    (r"\.conv3\.conv\.", ".narrow."),
    (r"\.conv3\.bn\.", ".narrow_norm."),
    (r"^cls_head\.fc1\.", "fc1."),
    (r"^cls_head\.fc2\.", "fc2."),
)
"""mmaction2's names; it took the parameters over from PySlowFast."""


def mmaction2_key_map(state: State) -> dict[str, Tensor]:
    """Lead from mmaction2's names to ours; its fc1 is linear where ours is a 1×1×1 convolution."""
    ours = MMACTION2_KEY_MAP(state)
    if "fc1.weight" in ours and ours["fc1.weight"].dim() == 2:
        ours["fc1.weight"] = ours["fc1.weight"][:, :, None, None, None]
    return ours


# name: parameters; as pytorchvideo and as PySlowFast print top-1 and top-5; what mmaction2 has of it
_PRINTED = {
    "x3d_xs": (3_794_274, 69.12, 88.63, 69.5, None),
    "x3d_s": (3_794_274, 73.33, 91.27, 73.5, ("s_13x6x1", "623825a0", 73.3)),
    "x3d_m": (3_794_274, 75.94, 92.72, 76.2, ("m_16x5x1", "3f42382a", 76.4)),
    "x3d_l": (6_153_384, 77.44, 93.31, 77.5, None),
}


def _sources(
    name: str,
    spec: ModelInput,
    side: int,
    build: Callable[[int], nn.Module],
    normed: Callable[[int], nn.Module],
) -> dict:
    """Fields of a card: pytorchvideo's file, PySlowFast's and, if there is one, mmaction2's.

    Args:
        name: of the card.
        spec: its input.
        side: of the crops that accuracies are of.
        build: the card's network.
        normed: the network whose first shortcut is normalised too, as the last two have it.
    """
    parameters, top1, top5, authors, zoo = _PRINTED[name]
    found = [
        pytorchvideo(name.upper(), parameters, top1, top5, spec, KEY_MAP, build, side=side),
        pyslowfast(
            f"x3d_models/{name}.pyth",
            parameters + 48,
            authors,
            None,
            spec,
            PYSLOWFAST_KEY_MAP,
            normed,
            side=side,
        ),
    ]
    if zoo:
        kind, digits, theirs = zoo
        found.append(
            mmaction2(
                f"v1.0/recognition/x3d/facebook/x3d_{kind}_facebook-kinetics400-rgb_20201027-{digits}.pth",
                parameters + 48,
                theirs,
                None,
                thirty_views(side, "pyslowfast"),
                replace(spec, mean=(0.45,) * 3, std=(57.38 / 255,) * 3, geometry="mmaction2"),
                mmaction2_key_map,
                about="PySlowFast's weights",
                build=normed,
            )
        )
    return as_fields(*found)


CARDS: tuple[ModelCard, ...] = (
    _paper(
        name="x3d_xs",
        title="X3D-XS",
        idea="The smallest step of an expansion: a thin network of depthwise 3D convolutions on "
        "four frames, grown from a tiny image network by whatever paid best.",
        build=x3d_m,
        parameters=3_794_274,
        gmacs=0.605,
        **_sources(
            "x3d_xs", _input(frames=4, rate=12, side=160, resize=182), 182, x3d_m, x3d_m_normed
        ),
        published=_costs(3_794_274, 0.605, side=182, zoo=0.91),
    ),
    _paper(
        name="x3d_s",
        title="X3D-S",
        idea="The same network as X3D-XS, fed with thirteen frames in place of four: more frames a "
        "second and a longer clip were the next best things to pay for.",
        build=x3d_m,
        parameters=3_794_274,
        gmacs=1.963,
        **_sources(
            "x3d_s", _input(frames=13, rate=6, side=160, resize=182), 182, x3d_m, x3d_m_normed
        ),
        published=_costs(3_794_274, 1.963, side=182, zoo=2.96),
    ),
    _paper(
        name="x3d_m",
        title="X3D-M",
        chapter="grouped",
        idea="A thin network of depthwise 3D convolutions that keeps all 16 frames to the end: "
        "about as accurate as networks of ten times its cost.",
        build=x3d_m,
        parameters=3_794_274,
        gmacs=4.732,
        **_sources(
            "x3d_m", _input(frames=16, rate=5, side=224, resize=256), 256, x3d_m, x3d_m_normed
        ),
        published=_costs(3_794_274, 4.732, side=256, zoo=6.72),
    ),
    _paper(
        name="x3d_l",
        title="X3D-L",
        idea="X3D with twice the blocks on frames of 312 × 312: depth and resolution grow, the "
        "channels stay few.",
        build=x3d_l,
        parameters=6_153_384,
        gmacs=18.368,
        **_sources(
            "x3d_l", _input(frames=16, rate=5, side=312, resize=356), 356, x3d_l, x3d_l_normed
        ),
        published=_costs(6_153_384, 18.368, side=356, zoo=26.64),
    ),
    _paper(
        name="x3d_xl",
        title="X3D-XL",
        idea="X3D-L with 1.45 times its channels: the last step of the expansion for which the "
        "factors are known.",
        input=_input(frames=16, rate=5, side=312, resize=356),
        build=x3d_xl,
        key_map=PYSLOWFAST_KEY_MAP,
        parameters=11_087_571,
        gmacs=36.650,
        published=(
            PublishedCost(
                "PySlowFast's code, width 2.9 and depth 5",
                "verified",
                11_087_571,
                36.650,
                classes=400,
            ),
            PublishedCost(
                "PySlowFast's code, width 2.9 and depth 5",
                "verified",
                11_087_571,
                49.449,
                classes=400,
                side=356,
            ),
        ),
        note="Derived: X3D-L's public configuration with width 2.9. Neither a configuration nor "
        "weights of XL are public; of the XXL in the lecture's table (144 G, 20.3 M) not even the "
        "factors.",
    ),
    _card(
        name="x3d_lab",
        title="X3D (tiny)",
        chapter="grouped",
        tiny_of="x3d_m",
        idea="X3D with 11 blocks: few channels, depthwise "
        "convolutions, and all 16 frames kept to the end.",
        size="tiny",
        input=TINY_INPUT,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=x3d_tiny,
        parameters=1_913_435,
        gmacs=0.628,
    ),
)
