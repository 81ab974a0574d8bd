"""Temporal shift module: a look at the neighbouring frames for nothing (Lin et al., ICCV 2019).

In front of each residual branch, an eighth of the channels is moved one frame back in time and
another eighth one frame forward; the rest stays. So each 2D convolution mixes what three
neighbouring frames have found, which is a convolution over time without a multiplication or a
parameter of its own. The shortcut around the branch is not shifted, so that a frame keeps all it
knew of itself.

    channel      0 ... C/8     C/8 ... C/4     C/4 ... C
    frame t has  frame t + 1's frame t - 1's   its own       (beyond the ends: zeros)

All else is TSN: one frame of each of 8 segments, torchvision's ResNet-50, the mean of the segments'
scores. The lecture does not name TSM; it stands here as the cheapest answer to the question of how
2D can see motion.
"""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import Bottleneck

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import ModelCard, ModelInput, Protocol, PublishedCost, Source
from har_demo.models.key_map import key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.label_sets import SOMETHING_V2 as SOMETHING_V2_CLASSES
from har_demo.models.non_local import MMACTION, MMACTION_NL_RULES, Function, NonLocal
from har_demo.models.publishers import SEGMENTS, SOMETHING_V2, as_fields, mmaction2
from har_demo.models.resnet2d import Block, pooled_resnet2d
from har_demo.models.tiny import TINY_INPUT
from har_demo.models.tsn import (
    MIT,
    MIT_SEGMENTS,
    RESNET50_RULES,
    TSN,
    mit_accuracy,
    resnet50_features,
)


class ShiftedConv(nn.Module):
    """A convolution of shifted frames: [B·T, C, H, W] → [B·T, outputs, h, w].

    Args:
        conv: the first convolution of a residual branch.
        frames: T.
    """

    def __init__(self, conv: nn.Conv2d, frames: int):
        super().__init__()
        self.conv = conv
        self.frames = frames

    def forward(self, x: Tensor) -> Tensor:
        clips = x.unflatten(0, (-1, self.frames))  # [B, T, C, H, W]
        return self.conv(shift(clips).flatten(0, 1))


def shift(x: Tensor) -> Tensor:
    """[B, T, C, H, W] with an eighth of the channels from the next frame and one from the last.

    >>> shift(torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1, 1).expand(1, 3, 8, 1, 1))[0, :, :3, 0, 0]
    tensor([[2., 0., 1.],
            [3., 1., 2.],
            [0., 2., 3.]])
    """
    eighth = x.shape[2] // 8
    from_next = F.pad(x[:, 1:, :eighth], (0, 0, 0, 0, 0, 0, 0, 1))
    from_last = F.pad(x[:, :-1, eighth : 2 * eighth], (0, 0, 0, 0, 0, 0, 1, 0))
    return torch.cat([from_next, from_last, x[:, :, 2 * eighth :]], dim=2)


class ThenNonLocal(nn.Module):
    """A block, and a non-local one over all positions of all frames behind it: [B·T, C, H, W].

    Args:
        block: of an image network.
        frames: T.
        function: of a pair, see har_demo.models.non_local.
    """

    def __init__(self, block: Bottleneck, frames: int, function: Function):
        super().__init__()
        self.block = block
        self.frames = frames
        self.non_local = NonLocal(block.bn3.num_features, function=function, **MMACTION)

    def forward(self, x: Tensor) -> Tensor:
        clips = self.block(x).unflatten(0, (-1, self.frames)).transpose(1, 2)
        return self.non_local(clips).transpose(1, 2).flatten(0, 1)


class TSM(TSN):
    """float [B, 3, T, H, W], one frame a segment → logits [B, classes]; TSN with the shift.

    Args:
        features, channels, classes, dropout: as for TSN; the features are of torchvision's
            bottlenecks or of the small network's blocks.
        frames: T.

    >>> tsm_r50(400)(torch.zeros(1, 3, 8, 224, 224)).shape
    torch.Size([1, 400])
    """

    def __init__(
        self, features: nn.Module, channels: int, classes: int, dropout: float, frames: int
    ):
        super().__init__(features, channels, classes, dropout)
        self.frames = frames
        blocks = [m for m in features.modules() if isinstance(m, (Bottleneck, Block))]
        for block in blocks:
            block.conv1 = ShiftedConv(block.conv1, frames)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] != self.frames:  # frames of different clips would be mixed
            raise ValueError(f"This network takes {self.frames} frames, not {x.shape[2]}.")
        return super().forward(x)


def tsm_r50(classes: int) -> TSM:
    """TSM with ResNet-50: 24,327,632 parameters for Kinetics-400, as many as TSN."""
    return TSM(resnet50_features(), 2048, classes, dropout=0.5, frames=8)


def tsm_r50_16(classes: int) -> TSM:
    """TSM with ResNet-50 on 16 frames: as many parameters."""
    return TSM(resnet50_features(), 2048, classes, dropout=0.5, frames=16)


def tsm_nl_r50(classes: int, function: Function = "embedded_gaussian") -> TSM:
    """TSM with ResNet-50 and five non-local blocks: 31,682,000 parameters for Kinetics-400."""
    network = tsm_r50(classes)
    for name, places in (("layer2", (0, 2)), ("layer3", (0, 2, 4))):
        stage = network.features.get_submodule(name)
        assert isinstance(stage, nn.Sequential)
        for place in places:
            block = stage[place]
            assert isinstance(block, Bottleneck)
            stage[place] = ThenNonLocal(block, 8, function)
    return network


def tsm_nl_r50_dot(classes: int) -> TSM:
    """The same with the dot product: as many parameters."""
    return tsm_nl_r50(classes, "dot_product")


def tsm_nl_r50_gaussian(classes: int) -> TSM:
    """The same without θ and φ: 28,007,888 parameters for Kinetics-400."""
    return tsm_nl_r50(classes, "gaussian")


def tsm_tiny(classes: int) -> TSM:
    """The same shift in the small image network that all 2D systems share."""
    return TSM(pooled_resnet2d(), 256, classes, dropout=0.3, frames=8)


_PAPER = "Lin et al., TSM: Temporal Shift Module for Efficient Video Understanding, ICCV 2019"
_PAPER_URL = "https://arxiv.org/abs/1811.08383"

KEY_MAP = key_map(
    *RESNET50_RULES,
    (r"^features\.(layer\d\.\d+)\.conv1\.net\.", r"features.\1.conv1.conv."),
    (r"^cls_head\.fc_cls\.", "fc."),
)
"""mmaction2's names: TSN's, with the first convolution of each block inside the shift."""

NL_KEY_MAP = key_map(
    *MMACTION_NL_RULES,
    (r"^backbone\.(layer\d\.\d+)\.non_local\.", r"features.\1.non_local."),
    (r"^backbone\.(layer\d\.\d+)\.block\.", r"backbone.\1."),
    *RESNET50_RULES,
    (r"^features\.(layer2\.[02]|layer3\.[024])\.(conv|bn|downsample)", r"features.\1.block.\2"),
    (r"\.conv1\.net\.", ".conv1.conv."),
    (r"^cls_head\.fc_cls\.", "fc."),
)
"""The same, where blocks that a non-local one follows are in a module with it."""


MIT_KEY_MAP = key_map(
    (r"^base_model\.", "features."),
    (r"^features\.(layer\d\.\d+)\.conv1\.net\.", r"features.\1.conv1.conv."),
    (r"^new_fc\.", "fc."),
)
"""The authors' names: torchvision's, with the first convolution of each block inside the shift."""

_ZOO = "v1.0/recognition/tsm/tsm_imagenet-pretrained-r50{}_8xb16-{}_{}-rgb/{{}}_{}-{}.pth"


def _segments(frames: int, rate: float) -> ModelInput:
    return replace(SEGMENTS, frames=frames, fps=rate, any_frames=False)


def _kinetics(
    training: str,
    digits: str,
    top1: float,
    top5: float,
    name: str = "mmaction2",
    non_local: str = "",
    parameters: int = 24_327_632,
) -> Source:
    """mmaction2's file of a training such as '1x1x8-100e': clips × frames between × segments, epochs.

    'dense-1x1x8-50e' is on eight frames of pieces of 64 frames, which ten places of a video are tested on.
    """
    frames = int(training.rpartition("-")[0].rpartition("x")[2])
    protocol = Protocol(1, 10, frames=frames, placing="mmaction2", resize=256, crop=(224, 224))
    spec = _segments(frames, frames / 10)
    if training.startswith("dense"):
        protocol = replace(protocol, windows=10, placing="tsm")
        spec = replace(spec, sampling="dense", fps=30 * frames / 64)
    return mmaction2(
        _ZOO.format(non_local, training, "kinetics400", "20220831", digits),
        parameters,
        top1,
        top5,
        protocol,
        spec,
        NL_KEY_MAP if non_local else KEY_MAP,
        about=f"ImageNet, {training.rpartition('-')[2].removesuffix('e')} epochs",
        name=name,
    )


def _something(training: str, digits: str, top1: float, top5: float) -> Source:
    """The same of a training on Something-Something V2, whose clips last four seconds."""
    frames = int(training.partition("-")[0].rpartition("x")[2])
    protocol = Protocol(2, 3, 256, (256, 256), frames=frames, placing="mmaction2")
    return mmaction2(
        _ZOO.format("", training, "sthv2", "20230317", digits),
        23_864_558,
        top1,
        top5,
        protocol,
        _segments(frames, frames / 4),
        KEY_MAP,
        about="ImageNet",
        dataset=SOMETHING_V2,
    )


def _mit(file: str, frames: int, top1: float, ten_crops: float) -> Source:
    """A file of the authors, for Kinetics-400."""
    return Source(
        url=f"{MIT}/TSM_{file}.pth",
        sha256="",
        bytes=24_327_632 * 4,  # unverified: the size of its parameters alone
        licence="MIT (mit-han-lab/temporal-shift-module)",
        name="mit-han-lab",
        key_map=MIT_KEY_MAP,
        input=replace(MIT_SEGMENTS, frames=frames, fps=frames / 10, any_frames=False),
        protocol=Protocol(1),
        accuracy=(
            mit_accuracy(top1, f"{frames} segments, centre crop"),
            mit_accuracy(ten_crops, f"{frames} segments, 10 crops"),
        ),
    )


_NL = partial(
    ModelCard,
    family="Long-range dependencies",
    year=2019,
    paper=_PAPER,
    paper_url=_PAPER_URL,
    size="paper",
    label_set="Kinetics-400",
    classes=KINETICS400,
    attends=True,
)
_PRINTED_NL = "mmaction2 model zoo"


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="tsm_r50",
        title="TSM (ResNet-50)",
        chapter="fusion",
        family="2D fusion",
        year=2019,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="Moves a few channels one frame forward and a few one frame back before each block: "
        "an image network sees motion without one more parameter or multiplication.",
        size="paper",
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=tsm_r50,
        parameters=24_327_632,
        gmacs=32.698,
        **as_fields(
            _kinetics("1x1x8-100e", "a6db1e5d", 73.22, 90.22),
            _kinetics("1x1x8-50e", "64d69186", 73.18, 90.56, "mmaction2-50e"),
            _kinetics("dense-1x1x8-50e", "f55d3c2b", 73.38, 90.78, "mmaction2-dense"),
            _mit("kinetics_RGB_resnet50_shift8_blockres_avg_segment8_e50", 8, 71.2, 72.8),
        ),
        published=(
            PublishedCost(
                "mmaction2's metafile of tsm_r50_1x1x8_50e_kinetics400_rgb",
                "printed",
                parameters=24_327_632,
                gmacs=32.966,
                classes=400,
            ),
        ),
        note="mmaction2 prints 0.8 % more multiply-adds: its counter includes normalisation, "
        "activations and pooling.",
    ),
    ModelCard(
        name="tsm_r50_16",
        title="TSM (ResNet-50), 16 frames",
        family="2D fusion",
        year=2019,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="TSM on twice as many frames: neighbours are closer, so that what moved is easier to match.",
        size="paper",
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=tsm_r50_16,
        parameters=24_327_632,
        gmacs=65.395,
        published=(PublishedCost("mmaction2 model zoo", "printed", gmacs=65.75),),
        **as_fields(
            _kinetics("1x1x16-50e", "042b1748", 75.12, 91.55),
            _mit("kinetics_RGB_resnet50_shift8_blockres_avg_segment16_e50", 16, 72.6, 73.7),
        ),
    ),
    _NL(
        name="tsm_nl_r50",
        title="TSM-NL (ResNet-50)",
        idea="TSM with five blocks in which every position of every frame looks at all others: shifted "
        "channels for what is near in time, attention for what is far.",
        build=tsm_nl_r50,
        parameters=31_682_000,
        gmacs=61.098,
        published=(PublishedCost(_PRINTED_NL, "printed", 31.68e6, 61.30),),
        **as_fields(
            _kinetics(
                "1x1x8-50e",
                "35eddb57",
                74.34,
                91.23,
                non_local="-nl-embedded-gaussian",
                parameters=31_682_000,
            )
        ),
    ),
    _NL(
        name="tsm_nl_r50_dot",
        title="TSM-NL (ResNet-50), dot product",
        idea="The same network, whose positions are compared by a plain dot product without a softmax.",
        build=tsm_nl_r50_dot,
        parameters=31_682_000,
        gmacs=61.098,
        published=(PublishedCost(_PRINTED_NL, "printed", 31.68e6, 61.30),),
        **as_fields(
            _kinetics(
                "1x1x8-50e",
                "108bfde5",
                74.49,
                91.15,
                non_local="-nl-dot-product",
                parameters=31_682_000,
            )
        ),
    ),
    _NL(
        name="tsm_nl_r50_gaussian",
        title="TSM-NL (ResNet-50), Gaussian",
        idea="The same network without learned questions and offers: positions look at those whose "
        "features are already like theirs.",
        build=tsm_nl_r50_gaussian,
        parameters=28_007_888,
        gmacs=58.857,
        published=(PublishedCost(_PRINTED_NL, "printed", 28.00e6, 59.06),),
        **as_fields(
            _kinetics(
                "1x1x8-50e",
                "7e54dacf",
                73.66,
                90.99,
                non_local="-nl-gaussian",
                parameters=28_007_888,
            )
        ),
    ),
    ModelCard(
        name="tsm_r50_sthv2",
        title="TSM (ResNet-50) on Something-Something V2",
        family="2D fusion",
        year=2019,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="TSM where order is everything: pushing left and pushing right look alike in any one frame.",
        size="paper",
        label_set=SOMETHING_V2,
        classes=SOMETHING_V2_CLASSES,
        build=tsm_r50,
        parameters=23_864_558,
        gmacs=32.698,
        **as_fields(_something("1x1x8-50e", "be0fc26e", 62.72, 87.70)),
    ),
    ModelCard(
        name="tsm_r50_16_sthv2",
        title="TSM (ResNet-50), 16 frames, on Something-Something V2",
        family="2D fusion",
        year=2019,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="The same on twice as many frames.",
        size="paper",
        label_set=SOMETHING_V2,
        classes=SOMETHING_V2_CLASSES,
        build=tsm_r50_16,
        parameters=23_864_558,
        gmacs=65.395,
        **as_fields(_something("1x1x16-50e", "ec6696ad", 64.16, 88.61)),
    ),
    ModelCard(
        name="tsm_lab",
        title="TSM (tiny)",
        chapter="fusion",
        tiny_of="tsm_r50",
        family="2D fusion",
        year=2019,
        paper=_PAPER,
        paper_url=_PAPER_URL,
        idea="TSN's small network with channels shifted between eight frames: the same size and "
        "cost, and yet it can tell a clip from its reverse.",
        size="tiny",
        input=replace(TINY_INPUT, frames=8, fps=4.0, any_frames=False),
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=tsm_tiny,
        parameters=1_240_263,
        gmacs=1.659,
    ),
)
