"""Residual networks for clips: C2D, I3D, Slow, R3D and MC3 differ only in where they look along time.

Two published trunks. Both begin with a 7×7 convolution over space at half resolution and end with the mean
over everything and one fully connected layer; every convolution is followed by batch norm.

The bottleneck trunk is ResNet-50 or -101 with some kernels stretched over time (Wang et al., Non-local
Neural Networks, CVPR 2018, table 1; Feichtenhofer et al., SlowFast, ICCV 2019, table 1). Its frames stay
apart in space but for the stretched kernels, whose extents over time are, block by block in turn:

    layer                                     C2D    I3D          Slow   I3D-50, 3 × 8 × 224 × 224
    stem    t×7×7, then max-pool 1×3×3        1      5            1        64 × 8 × 56 × 56
    res2    t×1×1, 1×3×3, 1×1×1, three times  1      3  3  3      1       256 × 8 × 56 × 56
    pool2   max-pool 2×1×1                    yes    yes          no      256 × 4 × 56 × 56
    res3    four blocks                       1      3  1  3  1   1       512 × 4 × 28 × 28
    res4    six (23 in ResNet-101)            1      3  1  3  1…  3      1024 × 4 × 14 × 14
    res5    three                             1      1  3  1      3      2048 × 4 ×  7 ×  7

C2D's only dealings with time are pool2 and the mean at the end. I3D can be filled from C2D's 2D kernels,
copied along time and divided by their extent ("inflated"); the lecture names this ResNet-I3D. Slow is
SlowFast's first pathway alone: few frames, and no time until they have become large features.

The basic trunk has two convolutions a block and no pooling (Tran et al., A Closer Look at Spatiotemporal
Convolutions, CVPR 2018, table 1):

    layer                                     R3D     MC3     R3D-18, 3 × 16 × 112 × 112
    stem    3×7×7                                             64 × 16 × 56 × 56
    layer1  t×3×3 twice, two blocks           3       3       64 × 16 × 56 × 56
    layer2                                    3       1      128 ×  8 × 28 × 28      MC3 keeps all 16
    layer3                                    3       1      256 ×  4 × 14 × 14
    layer4                                    3       1      512 ×  2 ×  7 ×  7
"""

from dataclasses import replace

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import video

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import ModelCard, PublishedCost
from har_demo.models.key_map import State, key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.publishers import (
    MMACTION2,
    PYTORCHVIDEO,
    as_fields,
    mmaction2,
    pyslowfast,
    pytorchvideo,
    thirty_views,
)
from har_demo.models.sliding import scores
from har_demo.models.tiny import TINY_DIFFERENCE, TINY_INPUT
from har_demo.models.torchvision_card import torchvision_card

Extent = tuple[int, int, int]


def conv_norm(
    inputs: int, outputs: int, kernel: Extent, stride: Extent = (1, 1, 1)
) -> nn.Sequential:
    """A convolution that keeps the size, its stride aside, and its batch norm."""
    time, height, width = kernel
    padding = (time // 2, height // 2, width // 2)
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, kernel, stride, padding, bias=False), nn.BatchNorm3d(outputs)
    )


def shortcut(inputs: int, outputs: int, stride: Extent) -> nn.Module:
    """The way around a block: nothing, or 1×1×1 where the block changes the shape."""
    if inputs == outputs and stride == (1, 1, 1):
        return nn.Identity()
    return conv_norm(inputs, outputs, (1, 1, 1), stride)


def initialise(network: nn.Module) -> None:
    """Kaiming's for convolutions, small weights for the last layer."""
    for module in network.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)


class Bottleneck(nn.Module):
    """Fewer channels by t×1×1, 1×3×3 among them, back to many by 1×1×1; float [B, C, T, H, W].

    `non_local` follows the block; it does nothing until a block of long-range dependencies is put there.

    >>> Bottleneck(256, 128, time=3, stride=2)(torch.zeros(1, 256, 4, 56, 56)).shape
    torch.Size([1, 512, 4, 28, 28])
    """

    def __init__(self, inputs: int, middle: int, time: int, stride: int = 1):
        super().__init__()
        outputs = 4 * middle
        self.conv1 = conv_norm(inputs, middle, (time, 1, 1))
        self.conv2 = conv_norm(middle, middle, (1, 3, 3), (1, stride, stride))
        self.conv3 = conv_norm(middle, outputs, (1, 1, 1))
        self.shortcut = shortcut(inputs, outputs, (1, stride, stride))
        self.non_local = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.conv1(x))
        y = F.relu(self.conv2(y))
        y = self.conv3(y)
        return self.non_local(F.relu(y + self.shortcut(x)))


C2D = (1, (1,), (1,), (1,), (1,))
I3D = (5, (3,), (3, 1), (3, 1), (1, 3))
HEAVY_I3D = (5, (3,), (3,), (3,), (3,))
SLOW = (1, (1,), (1,), (3,), (3,))
"""Extents over time of the stem, and of the blocks of res2 to res5 in turn, from the first again."""


class BottleneckNet(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; any T (from 2 where there is pool2) and size.

    Args:
        classes: number of outputs.
        time: C2D, I3D, HEAVY_I3D or SLOW.
        blocks: residual blocks of res2 to res5; (3, 4, 6, 3) makes ResNet-50, 23 for the 6 ResNet-101.
        pool2: frames after res2 that become one; 1 for no pooling.
        stem_stride: stride over time of the stem's convolution and of its pooling. The paper has 2 at
            32 frames; networks of 8 frames keep all of them.
        rim: pixels of padding around what the stem pools; mmaction2's C2D has none.
        width: channels of the stem; res2 to res5 have 4, 8, 16 and 32 times as many.

    >>> BottleneckNet(400, I3D)(torch.zeros(1, 3, 8, 224, 224)).shape
    torch.Size([1, 400])
    """

    side: int | None = (
        None  # of the squares that the last mean is taken over, see models/sliding.py
    )

    def __init__(
        self,
        classes: int,
        time: tuple,
        blocks: tuple[int, int, int, int] = (3, 4, 6, 3),
        pool2: int = 2,
        stem_stride: int = 1,
        width: int = 64,
        rim: int = 1,
    ):
        super().__init__()

        def stage(inputs: int, middle: int, count: int, extents: tuple[int, ...], stride: int):
            first = Bottleneck(inputs, middle, extents[0], stride)
            rest = (
                Bottleneck(4 * middle, middle, extents[i % len(extents)]) for i in range(1, count)
            )
            return nn.Sequential(first, *rest)

        self.stem = conv_norm(3, width, (time[0], 7, 7), (stem_stride, 2, 2))
        self.pool1 = nn.MaxPool3d((1, 3, 3), (stem_stride, 2, 2), (0, rim, rim))
        self.res2 = stage(width, width, blocks[0], time[1], stride=1)
        self.pool2 = nn.MaxPool3d((pool2, 1, 1))
        self.res3 = stage(4 * width, 2 * width, blocks[1], time[2], stride=2)
        self.res4 = stage(8 * width, 4 * width, blocks[2], time[3], stride=2)
        self.res5 = stage(16 * width, 8 * width, blocks[3], time[4], stride=2)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(32 * width, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(F.relu(self.stem(x)))
        x = self.pool2(self.res2(x))
        x = self.res3(x)
        x = self.res4(x)
        x = self.res5(x)
        return scores(x, lambda mean: self.fc(self.dropout(mean)), self.side)


class BasicBlock(nn.Module):
    """Two convolutions of t×3×3 and a shortcut around them; float [B, C, T, H, W]."""

    def __init__(self, inputs: int, outputs: int, time: int, stride: Extent = (1, 1, 1)):
        super().__init__()
        self.conv1 = conv_norm(inputs, outputs, (time, 3, 3), stride)
        self.conv2 = conv_norm(outputs, outputs, (time, 3, 3))
        self.shortcut = shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.conv1(x))
        y = self.conv2(y)
        return F.relu(y + self.shortcut(x))


class BasicNet(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; any T and size.

    Args:
        classes: number of outputs.
        time: extent over time of the convolutions of layer1 to layer4: all 3 for R3D; for MC3 ("mixed
            convolutions") 3 in layer1 and 1 behind it.
        blocks: residual blocks per layer; two each make the 18-layer network.
        width: channels of the stem and layer1; the later layers have 2, 4 and 8 times as many.

    >>> BasicNet(400)(torch.zeros(1, 3, 16, 112, 112)).shape
    torch.Size([1, 400])
    """

    def __init__(
        self,
        classes: int,
        time: tuple[int, int, int, int] = (3, 3, 3, 3),
        blocks: int = 2,
        width: int = 64,
    ):
        super().__init__()

        def layer(inputs: int, outputs: int, extent: int, stride: int) -> nn.Sequential:
            rest = (BasicBlock(outputs, outputs, extent) for _ in range(blocks - 1))
            # A layer that does not look along time does not shrink it either.
            strides = (stride if extent > 1 else 1, stride, stride)
            return nn.Sequential(BasicBlock(inputs, outputs, extent, strides), *rest)

        self.stem = conv_norm(3, width, (3, 7, 7), (1, 2, 2))
        self.layer1 = layer(width, width, time[0], stride=1)
        self.layer2 = layer(width, 2 * width, time[1], stride=2)
        self.layer3 = layer(2 * width, 4 * width, time[2], stride=2)
        self.layer4 = layer(4 * width, 8 * width, time[3], stride=2)
        self.fc = nn.Linear(8 * width, classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        return self.fc(x.mean(dim=(2, 3, 4)))


RESNET101 = (3, 4, 23, 3)


def c2d_r50(classes: int) -> BottleneckNet:
    """C2D ResNet-50: 24,327,632 parameters for Kinetics-400."""
    return BottleneckNet(classes, C2D)


def c2d_r50_mmaction2(classes: int) -> BottleneckNet:
    """C2D ResNet-50 as mmaction2 has it, whose first pooling has no padding: as many parameters."""
    return BottleneckNet(classes, C2D, rim=0)


def i3d_r50(classes: int) -> BottleneckNet:
    """I3D ResNet-50: 28,043,472 parameters for Kinetics-400."""
    return BottleneckNet(classes, I3D)


def i3d_r101(classes: int) -> BottleneckNet:
    """I3D ResNet-101: 51,754,192 parameters for Kinetics-400."""
    return BottleneckNet(classes, I3D, RESNET101)


def i3d_r50_32(classes: int) -> BottleneckNet:
    """I3D ResNet-50 for 32 frames, which its stem brings to 8 at once."""
    return BottleneckNet(classes, I3D, stem_stride=2)


def i3d_r50_heavy(classes: int) -> BottleneckNet:
    """I3D ResNet-50 that looks along time in every block and keeps all frames up to res2."""
    return BottleneckNet(classes, HEAVY_I3D)


def slow_r101(classes: int) -> BottleneckNet:
    """Slow ResNet-101: 60,359,120 parameters for Kinetics-400."""
    return BottleneckNet(classes, SLOW, RESNET101, pool2=1)


def slow_r50(classes: int) -> BottleneckNet:
    """Slow ResNet-50: 32,454,096 parameters for Kinetics-400."""
    return BottleneckNet(classes, SLOW, pool2=1)


def r3d_18(classes: int) -> BasicNet:
    """R3D-18: 33,371,472 parameters for Kinetics-400."""
    return BasicNet(classes)


def mc3_18(classes: int) -> BasicNet:
    """MC3-18: 11,695,440 parameters for Kinetics-400."""
    return BasicNet(classes, time=(3, 1, 1, 1))


TINY_BLOCKS = (2, 2, 2, 2)
TINY_WIDTH = 24
"""Of the tiny bottleneck networks: 26 layers at three eighths of the papers' width."""


def c2d_tiny(classes: int) -> BottleneckNet:
    """C2D with 26 layers."""
    return BottleneckNet(classes, C2D, TINY_BLOCKS, width=TINY_WIDTH)


def i3d_resnet_tiny(classes: int) -> BottleneckNet:
    """I3D with 26 layers."""
    return BottleneckNet(classes, I3D, TINY_BLOCKS, width=TINY_WIDTH)


def slow_tiny(classes: int) -> BottleneckNet:
    """Slow with 26 layers."""
    return BottleneckNet(classes, SLOW, TINY_BLOCKS, pool2=1, width=TINY_WIDTH)


def r3d_tiny(classes: int) -> BasicNet:
    """R3D-10, one block a layer, at half of the paper's width."""
    return BasicNet(classes, blocks=1, width=32)


_TRAN = (
    "Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018"
)
_TRAN_URL = "https://arxiv.org/abs/1711.11248"
_WANG = "Wang et al., Non-local Neural Networks, CVPR 2018"
_WANG_URL = "https://arxiv.org/abs/1711.07971"
_SLOWFAST = "Feichtenhofer et al., SlowFast Networks for Video Recognition, ICCV 2019"
_SLOWFAST_URL = "https://arxiv.org/abs/1812.03982"

# Public names; ours number a convolution 0 and its batch norm 1.
PYSLOWFAST_RULES = (
    (r"^s1\.pathway0_stem\.conv\.", "stem.0."),
    (r"^s1\.pathway0_stem\.bn\.", "stem.1."),
    (r"^s(\d)\.pathway0_res(\d+)\.", r"res\1.\2."),
    (r"\.branch1\.", ".shortcut.0."),
    (r"\.branch1_bn\.", ".shortcut.1."),
    (r"\.branch2\.a\.", ".conv1.0."),
    (r"\.branch2\.a_bn\.", ".conv1.1."),
    (r"\.branch2\.b\.", ".conv2.0."),
    (r"\.branch2\.b_bn\.", ".conv2.1."),
    (r"\.branch2\.c\.", ".conv3.0."),
    (r"\.branch2\.c_bn\.", ".conv3.1."),
    (r"^head\.projection\.", "fc."),
)

MMACTION_RULES = (
    (r"^backbone\.conv1\.conv\.", "stem.0."),
    (r"^backbone\.conv1\.bn\.", "stem.1."),
    (r"^backbone\.layer1\.", "res2."),
    (r"^backbone\.layer2\.", "res3."),
    (r"^backbone\.layer3\.", "res4."),
    (r"^backbone\.layer4\.", "res5."),
    (r"\.(conv[123])\.conv\.", r".\1.0."),
    (r"\.(conv[123])\.bn\.", r".\1.1."),
    (r"\.downsample\.conv\.", ".shortcut.0."),
    (r"\.downsample\.bn\.", ".shortcut.1."),
    (r"^cls_head\.fc_cls\.", "fc."),
)

_PYTORCHVIDEO_BLOCKS_RULES = (
    (r"^blocks\.0\.conv\.", "stem.0."),
    (r"^blocks\.0\.norm\.", "stem.1."),
    (r"\.branch1_conv\.", ".shortcut.0."),
    (r"\.branch1_norm\.", ".shortcut.1."),
    (r"\.branch2\.conv_a\.", ".conv1.0."),
    (r"\.branch2\.norm_a\.", ".conv1.1."),
    (r"\.branch2\.conv_b\.", ".conv2.0."),
    (r"\.branch2\.norm_b\.", ".conv2.1."),
    (r"\.branch2\.conv_c\.", ".conv3.0."),
    (r"\.branch2\.norm_c\.", ".conv3.1."),
)

# pytorchvideo numbers whatever comes in turn, and in C2D and I3D pool2 takes the number 2.
PYTORCHVIDEO_POOLED_RULES = (
    *_PYTORCHVIDEO_BLOCKS_RULES,
    (r"^blocks\.1\.res_blocks\.", "res2."),
    (r"^blocks\.3\.res_blocks\.", "res3."),
    (r"^blocks\.4\.res_blocks\.", "res4."),
    (r"^blocks\.5\.res_blocks\.", "res5."),
    (r"^blocks\.6\.proj\.", "fc."),
)
PYTORCHVIDEO_RULES = (
    *_PYTORCHVIDEO_BLOCKS_RULES,
    (r"^blocks\.1\.res_blocks\.", "res2."),
    (r"^blocks\.2\.res_blocks\.", "res3."),
    (r"^blocks\.3\.res_blocks\.", "res4."),
    (r"^blocks\.4\.res_blocks\.", "res5."),
    (r"^blocks\.5\.proj\.", "fc."),
)

CAFFE2_RULES = (
    (r"^conv1_w$", "s1.pathway0_stem.conv.weight"),
    (r"^res_conv1_bn_", "s1.pathway0_stem.bn."),
    (r"^res(\d)_(\d+)_branch1_", r"s\1.pathway0_res\2.branch1_"),
    (r"^res(\d)_(\d+)_branch2([abc])_", r"s\1.pathway0_res\2.branch2.\3_"),
    (r"^nonlocal_conv(\d)_(\d+)_(theta|phi|g|out)_", r"s\1.pathway0_nonlocal\2.conv_\3_"),
    (r"^nonlocal_conv(\d)_(\d+)_bn_", r"s\1.pathway0_nonlocal\2.bn."),
    (r"^pred_", "head.projection_"),
    (r"_bn_(s|b|rm|riv)$", r"_bn.\1"),
    (r"bn\.s$", "bn.weight"),
    (r"bn\.b$", "bn.bias"),
    (r"bn\.rm$", "bn.running_mean"),
    (r"bn\.riv$", "bn.running_var"),
    (r"_w$", ".weight"),
    (r"_b$", ".bias"),
)
"""Names of PySlowFast's older files, which Caffe2 wrote, to its own."""

CAFFE2_DROPPED = (r"_momentum$", r"^lr$", r"^model_iter$")

POOLED_KEY_MAP = key_map(*PYTORCHVIDEO_POOLED_RULES)
PYSLOWFAST_KEY_MAP = key_map(*CAFFE2_RULES, *PYSLOWFAST_RULES, drop=CAFFE2_DROPPED)
MMACTION_KEY_MAP = key_map(*MMACTION_RULES)
SLOW_KEY_MAP = key_map(*PYTORCHVIDEO_RULES)

# mmaction2's C2D runs frame by frame: its filters are those of an image network.
_C2D_MMACTION_NAMES = key_map(*MMACTION_RULES)


def c2d_mmaction2_key_map(state: State) -> dict[str, Tensor]:
    """Lead from mmaction2's C2D to ours, whose filters are one frame deep."""
    return {
        name: tensor.unsqueeze(2) if tensor.dim() == 4 else tensor
        for name, tensor in _C2D_MMACTION_NAMES(state).items()
    }


TORCHVISION_KEY_MAP = key_map((r"\.downsample\.", ".shortcut."))


# name here, folder and file there, frames, rate, pre-training, top-1, top-5
_SLOWONLY = (
    (
        "mmaction2",
        "slowonly_imagenet-pretrained-r50_8xb16-8x8x1-steplr-150e_kinetics400-rgb",
        "{}_20220901-df42dc84",
        8,
        8,
        "ImageNet",
        75.96,
        92.40,
    ),
    (
        "mmaction2-scratch",
        "slowonly_r50_8xb16-8x8x1-256e_kinetics400-rgb",
        "{}_20220901-2132fc87",
        8,
        8,
        "from scratch",
        74.82,
        91.80,
    ),
    (
        "mmaction2-4x16",
        "slowonly_imagenet-pretrained-r50_8xb16-4x16x1-steplr-150e_kinetics400-rgb",
        "{}_20220901-e7b65fad",
        4,
        16,
        "ImageNet",
        74.83,
        91.60,
    ),
)


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="c2d_r50",
        title="C2D ResNet-50",
        family="2D fusion",
        year=2018,
        paper=_WANG,
        paper_url=_WANG_URL,
        idea="An image network looks at every frame by itself; only one pooling and the mean at the end "
        "join the frames. What it misses is what the others gain from time.",
        size="paper",
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=c2d_r50,
        key_map=PYSLOWFAST_KEY_MAP,
        parameters=24_327_632,
        gmacs=19.493,
        published=(
            PublishedCost("pytorchvideo's and PySlowFast's code", "verified", 24_327_632, 19.493),
            PublishedCost("PySlowFast's code", "verified", 24_327_632, 77.970, frames=32),
            PublishedCost("pytorchvideo model zoo", "printed", 24.33e6, 25.89, side=256),
        ),
        **as_fields(
            pytorchvideo(
                "C2D_8x8_R50", 24_327_632, 71.46, 89.68, PYTORCHVIDEO, POOLED_KEY_MAP, c2d_r50
            ),
            mmaction2(
                "v1.0/recognition/c2d/c2d_r50-in1k-pre_8xb32-8x8x1-100e_kinetics400-rgb/"
                "{}_20221027-3ca304fa.pth",
                24_327_632,
                73.89,
                91.21,
                thirty_views(224, "mmaction2"),
                replace(MMACTION2, frames=8, fps=3.75),
                c2d_mmaction2_key_map,
                about="ImageNet",
                build=c2d_r50_mmaction2,
            ),
        ),
    ),
    ModelCard(
        name="i3d_r50",
        title="I3D ResNet-50",
        family="3D convolution",
        year=2018,
        paper=_WANG,
        paper_url=_WANG_URL,
        idea="An image network stretched into time: in every other block the first kernel spans three "
        "frames, filled at the start with copies of the image network's.",
        size="paper",
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=i3d_r50,
        parameters=28_043_472,
        gmacs=28.408,
        published=(
            PublishedCost("pytorchvideo's and PySlowFast's code", "verified", 28_043_472, 28.408),
            PublishedCost("pytorchvideo model zoo", "printed", 28.04e6, 37.53, side=256),
        ),
        **as_fields(
            pytorchvideo(
                "I3D_8x8_R50", 28_043_472, 73.27, 90.70, PYTORCHVIDEO, POOLED_KEY_MAP, i3d_r50
            ),
            pyslowfast(
                "model_zoo/kinetics400/I3D_8x8_R50.pkl",
                28_043_472,
                73.5,
                90.8,
                PYTORCHVIDEO,
                PYSLOWFAST_KEY_MAP,
                i3d_r50,
            ),
        ),
    ),
    ModelCard(
        name="i3d_r50_32",
        title="I3D ResNet-50, 32 frames",
        family="3D convolution",
        year=2018,
        paper=_WANG,
        paper_url=_WANG_URL,
        idea="The same network given four times as many frames, which its first layers bring to eight: "
        "finer in time where it costs little.",
        size="paper",
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=i3d_r50_32,
        parameters=28_043_472,
        gmacs=33.128,
        **as_fields(
            mmaction2(
                "v1.0/recognition/i3d/i3d_imagenet-pretrained-r50_8xb8-32x2x1-100e_kinetics400-rgb/"
                "{}_20220812-e213c223.pth",
                28_043_472,
                73.47,
                91.27,
                thirty_views(256, "mmaction2"),
                MMACTION2,
                MMACTION_KEY_MAP,
                about="ImageNet",
            ),
        ),
        published=(PublishedCost("mmaction2's code", "verified", 28_043_472, 33.128),),
    ),
    ModelCard(
        name="i3d_r50_heavy",
        title="I3D ResNet-50, heavy",
        family="3D convolution",
        year=2018,
        paper=_WANG,
        paper_url=_WANG_URL,
        idea="I3D that spares no filter: every block looks along time, and all 32 frames are kept through "
        "the first stage, at five times the cost.",
        size="paper",
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=i3d_r50_heavy,
        parameters=33_024_208,
        gmacs=126.782,
        published=(PublishedCost("mmaction2 model zoo", "printed", 33.0e6, 166.3, side=256),),
        **as_fields(
            mmaction2(
                "v1.0/recognition/i3d/i3d_imagenet-pretrained-r50-heavy_8xb8-32x2x1-100e_kinetics400-rgb/"
                "{}_20220812-ed501b31.pth",
                33_024_208,
                76.21,
                92.48,
                thirty_views(256, "mmaction2"),
                MMACTION2,
                MMACTION_KEY_MAP,
                about="ImageNet",
            ),
        ),
    ),
    ModelCard(
        name="i3d_r101",
        title="I3D ResNet-101",
        family="3D convolution",
        year=2018,
        paper=_WANG,
        paper_url=_WANG_URL,
        idea="The stretched ResNet with 23 blocks instead of 6 in its fourth stage.",
        size="paper",
        input=PYTORCHVIDEO,
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=i3d_r101,
        key_map=PYSLOWFAST_KEY_MAP,
        parameters=51_754_192,
        gmacs=46.956,
        note="No public weights of this network are known that can be opened here.",
    ),
    ModelCard(
        name="slow_r50",
        title="Slow ResNet-50",
        family="3D convolution",
        year=2019,
        paper=_SLOWFAST,
        paper_url=_SLOWFAST_URL,
        idea="Few frames, all of them kept to the end, and joined only in the last two stages, where "
        "features are large enough that what moved can still be matched.",
        size="paper",
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=slow_r50,
        parameters=32_454_096,
        gmacs=41.741,
        published=(
            PublishedCost("pytorchvideo's and mmaction2's code", "verified", 32_454_096, 41.741),
            PublishedCost("pytorchvideo's code", "verified", 32_454_096, 54.521, side=256),
            PublishedCost("pytorchvideo model zoo", "printed", 32.45e6, 54.52, side=256),
        ),
        **as_fields(
            pytorchvideo(
                "SLOW_8x8_R50", 32_454_096, 74.58, 91.63, PYTORCHVIDEO, SLOW_KEY_MAP, slow_r50
            ),
            *(
                mmaction2(
                    f"v1.0/recognition/slowonly/{folder}/{file}.pth",
                    32_454_096,
                    top1,
                    top5,
                    thirty_views(256, "mmaction2"),
                    replace(MMACTION2, frames=frames, fps=30 / rate),
                    MMACTION_KEY_MAP,
                    about=about,
                    name=name,
                )
                for name, folder, file, frames, rate, about, top1, top5 in _SLOWONLY
            ),
            pyslowfast(
                "model_zoo/kinetics400/SLOWONLY_8x8_R50.pkl",
                32_454_096,
                74.8,
                91.6,
                PYTORCHVIDEO,
                PYSLOWFAST_KEY_MAP,
                slow_r50,
            ),
        ),
    ),
    ModelCard(
        name="slow_r101",
        title="Slow ResNet-101",
        family="3D convolution",
        year=2019,
        paper=_SLOWFAST,
        paper_url=_SLOWFAST_URL,
        idea="Slow with 23 blocks instead of 6 in its fourth stage.",
        size="paper",
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=slow_r101,
        parameters=60_359_120,
        gmacs=85.414,
        published=(PublishedCost("mmaction2 model zoo", "printed", 60.36e6, 112, side=256),),
        **as_fields(
            mmaction2(
                "v1.0/recognition/slowonly/slowonly_r101_8xb16-8x8x1-196e_kinetics400-rgb/"
                "{}_20220901-e6281431.pth",
                60_359_120,
                76.28,
                92.70,
                thirty_views(256, "mmaction2"),
                replace(MMACTION2, frames=8, fps=3.75),
                MMACTION_KEY_MAP,
            ),
        ),
    ),
    torchvision_card(
        r3d_18,
        video.R3D_18_Weights.KINETICS400_V1,
        name="r3d_18",
        title="R3D-18",
        family="3D convolution",
        year=2018,
        paper=_TRAN,
        paper_url=_TRAN_URL,
        idea="An 18-layer residual network whose every filter is a 3×3×3 cube, so that each layer "
        "looks at space and time at once.",
        frames=16,
        fps=15,
        gmacs=40.697,
        key_map=TORCHVISION_KEY_MAP,
        published=(PublishedCost("torchvision's code", "verified", 33_371_472, 40.697),),
    ),
    torchvision_card(
        mc3_18,
        video.MC3_18_Weights.KINETICS400_V1,
        name="mc3_18",
        title="MC3-18",
        family="3D convolution",
        year=2018,
        paper=_TRAN,
        paper_url=_TRAN_URL,
        idea="Only the first layers look across time; the later ones treat every frame as a "
        "picture, which saves two thirds of R3D-18's parameters.",
        frames=16,
        fps=15,
        gmacs=43.343,
        key_map=TORCHVISION_KEY_MAP,
        published=(PublishedCost("torchvision's code", "verified", 11_695_440, 43.343),),
    ),
    ModelCard(
        name="c2d_lab",
        title="C2D (tiny)",
        tiny_of="c2d_r50",
        family="2D fusion",
        year=2018,
        paper=_WANG,
        paper_url=_WANG_URL,
        idea="A small C2D of 26 layers, to which others add kernels over time and non-local "
        "blocks. It sees changes from frame to frame, those see the frames themselves.",
        size="tiny",
        input=TINY_DIFFERENCE,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=c2d_tiny,
        parameters=2_000_607,
        gmacs=0.9705,
    ),
    ModelCard(
        name="i3d_resnet_lab",
        title="I3D ResNet (tiny)",
        tiny_of="i3d_r50",
        family="3D convolution",
        year=2018,
        paper=_WANG,
        paper_url=_WANG_URL,
        idea="The same small network with kernels over three frames in every other block, "
        "trained from scratch.",
        size="tiny",
        input=TINY_INPUT,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=i3d_resnet_tiny,
        parameters=2_361_471,
        gmacs=1.904,
    ),
    ModelCard(
        name="slow_lab",
        title="Slow (tiny)",
        tiny_of="slow_r50",
        family="3D convolution",
        year=2019,
        paper=_SLOWFAST,
        paper_url=_SLOWFAST_URL,
        idea="A narrower C2D (tiny) on half as many frames, with kernels over time in its last two "
        "stages only.",
        size="tiny",
        input=replace(TINY_INPUT, frames=8, fps=4.0),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=slow_tiny,
        parameters=2_553_567,
        gmacs=0.938,
    ),
    ModelCard(
        name="r3d_lab",
        title="R3D (tiny)",
        tiny_of="r3d_18",
        family="3D convolution",
        year=2018,
        paper=_TRAN,
        paper_url=_TRAN_URL,
        idea="R3D with ten layers at half width: the same as "
        "the small R(2+1)D but for its cubes, which are not split.",
        size="tiny",
        input=TINY_INPUT,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=r3d_tiny,
        parameters=3_608_967,
        gmacs=5.326,
    ),
)
