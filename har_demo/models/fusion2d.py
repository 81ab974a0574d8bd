"""Fusing frames in an image network, at once, late or slowly (Karpathy et al., CVPR 2014).

How should an image network that reads a clip be connected to time? All answers of the paper are
built of one network, AlexNet for crops of 170 × 170 (C(d, f, s): d filters of f × f, stride s; N:
local response normalisation; P: 2 × 2 max-pool):

    layer                                   output for 3 × 170 × 170
    C(96, 11, 3)  N  P                       96 × 27 × 27
    C(256, 5, 1)  N  P                      256 × 14 × 14
    C(384, 3, 1)  C(384, 3, 1)              384 × 14 × 14
    C(256, 3, 1)  P                         256 ×  7 ×  7
    FC(4096)  FC(4096)                      4096
    FC                                      classes

    single frame   one frame, or several, their scores averaged
    early fusion   the first filters see all T = 10 frames: they become 11 × 11 × 3 × T
    late fusion    two frames 15 apart pass the same convolutions and meet in the first FC
    slow fusion    10 frames; the first filters see 4 of them at a step of 2 (4 responses in time),
                   the second and the third layer's see 2 at a step of 2 (2 responses, then 1)
    multiresolution  a single frame at half the pixels: its centre in full detail (the fovea) and all
                   of it at half the resolution (the context), each through its own convolutions

The paper gives neither padding nor rounding, but that the convolutions end in 7 × 7 × 256 for
170 × 170, and also for the 89 × 89 of the multiresolution network, which lacks the last P.
Convolutions without padding in the first layer and pools that round up meet both.

The lecture tells of these networks under "2D CNN: Fusion of Image Features"; its table by category
and its 65.4 % on UCF101 are slow fusion's. On the page about LSTMs it cites the paper too, which
has none.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, ModelInput
from har_demo.models.label_sets import UCF101
from har_demo.models.resnet2d import Block, ResNet2D, Stem, frame_by_frame, initialise
from har_demo.models.tiny import TINY_CHANGE, TINY_DIFFERENCE, TINY_INPUT


class SingleFrame(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes], each frame's, averaged. Order in time is lost.

    Args:
        tower: the convolutions, [N, 3, H, W] → [N, C, h, w].
        head: the layers after them, → [N, classes].

    >>> SingleFrame(tower(3), dense(256, 101))(torch.zeros(1, 3, 1, 170, 170)).shape
    torch.Size([1, 101])
    """

    def __init__(self, tower: nn.Module, head: nn.Module):
        super().__init__()
        self.tower = tower
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        return frame_by_frame(lambda frame: self.head(self.tower(frame)), x).mean(dim=1)


class EarlyFusion(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; T is fixed by the tower's 3·T input channels.

    A filter over all of 3 colours and T frames is a 2D filter over 3·T channels.

    >>> EarlyFusion(tower(30), dense(256, 101))(torch.zeros(1, 3, 10, 170, 170)).shape
    torch.Size([1, 101])
    """

    def __init__(self, tower: nn.Module, head: nn.Module):
        super().__init__()
        self.tower = tower
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.tower(x.flatten(1, 2)))


class LateFusion(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes], from the first frame and the last.

    The tower sees each alone; the head is the first to see both, side by side in its 2·C channels.

    >>> LateFusion(tower(3), dense(512, 101))(torch.zeros(1, 3, 2, 170, 170)).shape
    torch.Size([1, 101])
    """

    def __init__(self, tower: nn.Module, head: nn.Module):
        super().__init__()
        self.tower = tower
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        ends = torch.stack([x[:, :, 0], x[:, :, -1]], dim=2)
        return self.head(frame_by_frame(self.tower, ends).flatten(1, 2))


class SlowFusion(nn.Module):
    """float [B, 3, 10, H, W] → logits [B, classes], from frames that are fused step by step.

    Args:
        first: up to where frames are fused again, for 4 frames as 12 channels.
        second: likewise, for two of first's responses as channels.
        third: all other convolutions, for two of second's responses as channels.
        head: the layers after the convolutions.

    >>> slow_fusion(101)(torch.zeros(1, 3, 10, 170, 170)).shape
    torch.Size([1, 101])
    """

    def __init__(self, first: nn.Module, second: nn.Module, third: nn.Module, head: nn.Module):
        super().__init__()
        self.first = first
        self.second = second
        self.third = third
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] != 10:  # a few more would be left over at the end, unseen
            raise ValueError(f"Slow fusion takes 10 frames, not {x.shape[2]}.")
        x = along_time(self.first, x, extent=4, stride=2)  # 10 frames → 4 responses
        x = along_time(self.second, x, extent=2, stride=2)  # → 2
        x = along_time(self.third, x, extent=2, stride=2)  # → 1, which has seen all frames
        return self.head(x.flatten(1, 2))


def along_time(network: nn.Module, x: Tensor, extent: int, stride: int) -> Tensor:
    """Apply a network of images to `extent` neighbours at a time, stacked as channels.

    Its first convolution then is one in space and time, of that extent and stride, without padding.

    Args:
        network: [N, extent·C, H, W] → [N, C', h, w].
        x: [B, C, T, H, W].

    Returns:
        [B, C', (T - extent) / stride + 1, h, w].
    """
    neighbours = x.unfold(2, extent, stride)  # [B, C, T', H, W, extent]
    stacked = neighbours.movedim(-1, 2).flatten(1, 2)  # [B, C·extent, T', H, W]
    return frame_by_frame(network, stacked).transpose(1, 2)


class MultiResolution(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes], each frame's, averaged.

    Args:
        fovea, context: the convolutions of the two streams, [N, 3, H/2, W/2] → [N, C, h, w].
        head: the layers after them, for both streams' channels.

    >>> multiresolution(101)(torch.zeros(1, 3, 1, 178, 178)).shape
    torch.Size([1, 101])
    """

    def __init__(self, fovea: nn.Module, context: nn.Module, head: nn.Module):
        super().__init__()
        self.fovea = fovea
        self.context = context
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        return frame_by_frame(self.scores, x).mean(dim=1)

    def scores(self, frame: Tensor) -> Tensor:
        """float [N, 3, H, W] → [N, classes]."""
        height, width = frame.shape[2] // 2, frame.shape[3] // 2
        top, left = (frame.shape[2] - height) // 2, (frame.shape[3] - width) // 2
        detail = self.fovea(frame[:, :, top : top + height, left : left + width])
        whole = self.context(F.avg_pool2d(frame, 2))
        return self.head(torch.cat([detail, whole], dim=1))


# The paper's layers


def first_layer(inputs: int) -> nn.Sequential:
    """C(96, 11, 3)-N-P: [N, inputs, 170, 170] → [N, 96, 27, 27]."""
    return nn.Sequential(nn.Conv2d(inputs, 96, 11, stride=3), nn.ReLU(), _normalise(), _pool())


def second_layer(inputs: int) -> nn.Sequential:
    """C(256, 5, 1)-N-P: [N, inputs, 27, 27] → [N, 256, 14, 14]."""
    return nn.Sequential(nn.Conv2d(inputs, 256, 5, padding=2), nn.ReLU(), _normalise(), _pool())


def last_layers(inputs: int, pool: bool = True) -> nn.Sequential:
    """C(384, 3, 1)-C(384, 3, 1)-C(256, 3, 1)-P: [N, inputs, 14, 14] → [N, 256, 7, 7]."""
    return nn.Sequential(
        nn.Conv2d(inputs, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        _pool() if pool else nn.Identity(),
    )


def tower(inputs: int, last_pool: bool = True) -> nn.Sequential:
    """All convolutions: [N, inputs, 170, 170] → [N, 256, 7, 7]."""
    return nn.Sequential(first_layer(inputs), second_layer(96), last_layers(256, last_pool))


def dense(channels: int, classes: int, side: int = 7) -> nn.Sequential:
    """FC(4096)-FC(4096)-FC(classes): [N, channels, side, side] → [N, classes]; dropout as in AlexNet."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(channels * side * side, 4096),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(4096, 4096),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(4096, classes),
    )


def _normalise() -> nn.LocalResponseNorm:
    # AlexNet's k = 2, n = 5, α = 1e-4, β = 0.75; it multiplies a sum by α, PyTorch a mean.
    return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(2, ceil_mode=True)


def single_frame(classes: int) -> SingleFrame:
    """Karpathy's baseline."""
    return SingleFrame(tower(3), dense(256, classes))


def early_fusion(classes: int) -> EarlyFusion:
    """Ten frames in the first filters."""
    return EarlyFusion(tower(3 * 10), dense(256, classes))


def late_fusion(classes: int) -> LateFusion:
    """Two frames in the first fully connected layer."""
    return LateFusion(tower(3), dense(2 * 256, classes))


def slow_fusion(classes: int) -> SlowFusion:
    """Ten frames, four and then twice two at a time."""
    return SlowFusion(
        first_layer(4 * 3), second_layer(2 * 96), last_layers(2 * 256), dense(256, classes)
    )


def multiresolution(classes: int) -> MultiResolution:
    """Frames of 178 × 178, 89 × 89 in either stream."""
    fovea, context = tower(3, last_pool=False), tower(3, last_pool=False)
    return MultiResolution(fovea, context, dense(2 * 256, classes))


# The tiny sizes: the same connections to time in the image network that all 2D systems share there. It
# has batch normalisation instead of N, and the mean of its map goes to two small FC, as 4096 units
# would need more clips than there are.


def small_head(channels: int, classes: int) -> nn.Sequential:
    """[N, channels, h, w] → [N, classes]."""
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(channels, 256),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(256, classes),
    )


def single_frame_tiny(classes: int) -> SingleFrame:
    """One frame."""
    return SingleFrame(ResNet2D(), small_head(256, classes))


def early_fusion_tiny(classes: int) -> EarlyFusion:
    """Ten frames in the stem."""
    return EarlyFusion(ResNet2D(inputs=3 * 10), small_head(256, classes))


def late_fusion_tiny(classes: int) -> LateFusion:
    """Two frames in the head."""
    return LateFusion(ResNet2D(), small_head(2 * 256, classes))


def slow_fusion_tiny(classes: int) -> SlowFusion:
    """Ten frames: four in the stem, two in layer2, two in layer3."""
    network = SlowFusion(
        nn.Sequential(Stem(4 * 3, 32), Block(32, 32)),
        Block(2 * 32, 64, stride=2),
        nn.Sequential(Block(2 * 64, 128, stride=2), Block(128, 256, stride=2)),
        small_head(256, classes),
    )
    initialise(network)
    return network


def multiresolution_tiny(classes: int) -> MultiResolution:
    """Two streams of 56 × 56."""
    return MultiResolution(ResNet2D(), ResNet2D(), small_head(2 * 256, classes))


_PAPER = "Karpathy et al., Large-scale Video Classification with Convolutional Neural Networks, CVPR 2014"
_PAPER_URL = (
    "https://openaccess.thecvf.com/content_cvpr_2014/html/"
    "Karpathy_Large-scale_Video_Classification_2014_CVPR_paper.html"
)
_SPORTS = "trained on Sports-1M, hit@1, clips of a video averaged"
_NOTE = (
    "No weights are public, and the paper prints no cost: paddings follow from its 7 × 7 × 256 "
    "before the first fully connected layer. It classified Sports-1M's 487 sports; here it has "
    "UCF101's classes, to which its authors transferred it."
)


def _input(frames: int, fps: float, **other) -> ModelInput:
    """A centre crop of 170 × 170 pixels, 117 subtracted; films of 30 frames a second."""
    picture = ModelInput(
        frames=frames,
        fps=fps,
        resize=200,
        crop=(170, 170),
        mean=(117 / 255, 117 / 255, 117 / 255),
        std=(1 / 255, 1 / 255, 1 / 255),
        any_frames=False,
    )
    return replace(picture, **other)


def _paper_card(name: str, title: str, **rest) -> ModelCard:
    return ModelCard(
        name=name,
        title=title,
        family="2D fusion",
        year=2014,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        size="paper",
        label_set="UCF101",
        classes=UCF101,
        note=_NOTE,
        **rest,
    )


def _tiny_card(name: str, title: str, input: ModelInput, **rest) -> ModelCard:
    return ModelCard(
        name=name,
        title=f"{title} (tiny)",
        family="2D fusion",
        year=2014,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        size="tiny",
        input=input,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        **rest,
    )


_TEN_FRAMES = replace(TINY_INPUT, frames=10, fps=5.0, any_frames=False)  # of two seconds
_CHANGES = (
    "The paper's sees frames. Of plain frames this one learned too little of new, dark places to be asked "
    "about them; of changes from frame to frame it learned far more."
)

CARDS: tuple[ModelCard, ...] = (
    _paper_card(
        "single_frame",
        "Single frame",
        chapter="fusion",
        hue=28,
        idea="Classifies each frame as a picture of its own and averages the scores: the baseline "
        "that any use of motion has to beat.",
        input=_input(1, 30.0, any_frames=True),
        build=single_frame,
        parameters=72_326_629,
        gmacs=1.225,
        accuracy=(Accuracy("Sports-1M", 59.3, None, _SPORTS, "the paper's abstract"),),
    ),
    _paper_card(
        "early_fusion",
        "Early Fusion",
        chapter="fusion",
        idea="Stacks ten frames like colour channels, so that the very first filters see motion, "
        "and nothing after them does.",
        input=_input(10, 30.0),
        build=early_fusion,
        parameters=72_640_261,
        gmacs=2.140,
        accuracy=(Accuracy("Sports-1M", 57.7, None, _SPORTS, "the paper, unverified"),),
    ),
    _paper_card(
        "late_fusion",
        "Late Fusion",
        chapter="fusion",
        idea="Looks at two frames half a second apart with the same filters and compares them "
        "only in the first fully connected layer.",
        input=_input(2, 2.0),  # 15 frames apart at 30 a second
        build=late_fusion,
        parameters=123_706_853,
        gmacs=2.433,
        accuracy=(Accuracy("Sports-1M", 59.3, None, _SPORTS, "the paper, unverified"),),
    ),
    _paper_card(
        "slow_fusion",
        "Slow Fusion",
        chapter="fusion",
        idea="Fuses ten frames little by little: each of the first three layers joins a few "
        "neighbours, so that higher layers see more of time.",
        input=_input(10, 30.0),
        build=slow_fusion,
        parameters=73_930_309,
        gmacs=4.266,
        accuracy=(
            Accuracy("Sports-1M", 60.9, None, _SPORTS, "the paper's abstract"),
            Accuracy(
                "UCF101",
                65.4,
                None,
                "Sports-1M pre-training, last three layers trained again",
                "lecture, two-stream table",
            ),
        ),
    ),
    _paper_card(
        "multiresolution",
        "Multiresolution CNN",
        idea="Spends half the pixels: one stream sees the centre of the frame in detail, another "
        "the whole frame coarsely, as the eye does.",
        input=_input(1, 30.0, any_frames=True, crop=(178, 178)),
        build=multiresolution,
        parameters=127_454_053,
        gmacs=0.7151,
    ),
    _tiny_card(
        "single_frame_lab",
        "Single frame",
        chapter="fusion",
        tiny_of="single_frame",
        input=TINY_CHANGE,
        idea="Classifies the change from one frame to the next as a picture by itself, with the small "
        "image network that all 2D systems share here: what can be told from one moment.",
        note=_CHANGES,
        build=single_frame_tiny,
        parameters=1_306_055,
        gmacs=0.2075,
    ),
    _tiny_card(
        "early_fusion_lab",
        "Early Fusion",
        chapter="fusion",
        tiny_of="early_fusion",
        input=_TEN_FRAMES,
        idea="Stacks ten frames like colour channels in front of the shared small image network: "
        "only its first layer sees motion.",
        build=early_fusion_tiny,
        parameters=1_348_391,
        gmacs=0.3403,
    ),
    _tiny_card(
        "late_fusion_lab",
        "Late Fusion",
        chapter="fusion",
        tiny_of="late_fusion",
        input=replace(TINY_CHANGE, frames=5),  # the first and the last are a second apart
        idea="Two changes from frame to frame, a second apart, go through the shared small image "
        "network one by one and are compared at the end.",
        note=_CHANGES,
        build=late_fusion_tiny,
        parameters=1_371_591,
        gmacs=0.4150,
    ),
    _tiny_card(
        "slow_fusion_lab",
        "Slow Fusion",
        chapter="fusion",
        tiny_of="slow_fusion",
        input=_TEN_FRAMES,
        idea="Ten frames meet little by little in three layers of the small image network, four, "
        "then two, then two at a time.",
        build=slow_fusion_tiny,
        parameters=1_422_567,
        gmacs=0.6953,
    ),
    _tiny_card(
        "multiresolution_lab",
        "Multiresolution CNN",
        tiny_of="multiresolution",
        input=replace(TINY_DIFFERENCE, frames=1),
        idea="The centre of one change from frame to frame in detail and the whole of it coarsely, "
        "each through a small image network of its own.",
        note=_CHANGES,
        build=multiresolution_tiny,
        parameters=2_601_831,
        gmacs=0.1107,
    ),
)
