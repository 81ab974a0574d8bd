"""SlowFast: few frames with many channels, many frames with few (Feichtenhofer et al., ICCV 2019).

What is there changes slowly, what it does changes fast. So a Slow pathway reads a quarter of the
frames (α = 4) with a full ResNet and looks along time only in its last stages; a Fast pathway reads every
frame with an eighth of the channels (β = 1/8), looks along time in every stage, and never halves
it. After each stage the Fast features are handed to the Slow pathway by a lateral convolution over
time with stride α, and never the other way. Although it sees four times as many frames, Fast and
its laterals make up a sixth of the cost.

    for 3 × 32 × 224²     Slow: t   output             Fast: t   output
    conv1   t×7×7         1           64 × 8 × 112²    5           8 × 32 × 112²
    pool1   1×3×3                     64 × 8 ×  56²                8 × 32 ×  56²
    res2    t×1×1 ...     1          256 × 8 ×  56²    3          32 × 32 ×  56²
    res3                  1          512 × 8 ×  28²    3          64 × 32 ×  28²
    res4                  3         1024 × 8 ×  14²    3         128 × 32 ×  14²
    res5                  3         2048 × 8 ×   7²    3         256 × 32 ×   7²
    lateral1 to lateral4, behind pool1 to res4: k×1×1 over the Fast features with stride 4, to twice
        their channels, batch norm, ReLU; beside the Slow ones: 64 + 16, 256 + 64 ... 1024 + 256
    mean over time and space of each pathway, joined: 2304; fc: classes (table 1, section 3.3)

"8×8" names the Slow pathway: 8 frames, 8 apart. 16×8 has 64 frames for the Fast one. Its ResNet-101
keeps t = 3 in the first 6 of res4's 23 blocks only (the authors' R101_50_50), so it has fewer
parameters than the 8×8.

The lecture's table prints 234 G and 59.9 M for SlowFast R101+NL. The authors' configuration of it
has 60.08 M, and costs 183.0 at 224 × 224 and 242.0 at 256 × 256.

mmaction2's SlowFast has no batch norm in its laterals, 928 parameters fewer: another network, whose
weights are not for this one.
"""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.card import Accuracy, ModelCard, PublishedCost, spread_over
from har_demo.models.key_map import State, key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.non_local import insert
from har_demo.models.publishers import (
    MMACTION2,
    PYTORCHVIDEO,
    as_fields,
    mmaction2,
    pyslowfast,
    pytorchvideo,
    thirty_views,
)
from har_demo.models.resnet3d import (
    CAFFE2_DROPPED,
    CAFFE2_RULES,
    RESNET101,
    TINY_BLOCKS,
    TINY_WIDTH,
    Bottleneck,
    conv_norm,
    initialise,
)
from har_demo.models.sliding import scores
from har_demo.models.tiny import TINY_INPUT

ALPHA = 4
"""Frames of the Fast pathway for one of the Slow."""

BETA = 8
"""Channels of the Slow pathway for one of the Fast."""

SLOW_TIME, FAST_TIME = (1, 1, 1, 3, 3), (5, 3, 3, 3, 3)
"""Extents over time of the stem, and of the blocks of res2 to res5."""


def slow_frames(frames: int) -> list[int]:
    """Indices of the Fast pathway's frames that the Slow one sees: a quarter, from the first to the last.

    The public weights were trained so (torch.linspace from end to end), not on 0, 4, 8 ... 28.

    >>> slow_frames(32)
    [0, 4, 8, 13, 17, 22, 26, 31]
    """
    few = -(-frames // ALPHA)  # rounded up, as the laterals' stride does
    return [i * (frames - 1) // max(few - 1, 1) for i in range(few)]


class Pathway(nn.Module):
    """The layers of one pathway; SlowFast runs them stage by stage, as one hands over to the other.

    Args:
        width: channels of the stem; the stages have 4, 8, 16 and 32 times as many.
        received: channels that a lateral adds for each one of the stem's or a stage's, as a share.
        time: SLOW_TIME or FAST_TIME.
        blocks: residual blocks of res2 to res5.
        timed: how many of res4's blocks look along time, from its first.
    """

    def __init__(
        self,
        width: int,
        received: float,
        time: tuple[int, ...],
        blocks: tuple[int, int, int, int],
        timed: int,
    ):
        super().__init__()

        def stage(
            inputs: int, middle: int, count: int, extent: int, timed: int, stride: int = 2
        ) -> nn.Sequential:
            inputs += int(received * inputs)
            first = Bottleneck(inputs, middle, extent, stride)
            rest = (
                Bottleneck(4 * middle, middle, extent if index < timed else 1)
                for index in range(1, count)
            )
            return nn.Sequential(first, *rest)

        self.stem = nn.Sequential(
            conv_norm(3, width, (time[0], 7, 7), (1, 2, 2)),
            nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        two, three, four, five = blocks
        self.res2 = stage(width, width, two, time[1], two, stride=1)
        self.res3 = stage(4 * width, 2 * width, three, time[2], three)
        self.res4 = stage(8 * width, 4 * width, four, time[3], timed)
        self.res5 = stage(16 * width, 8 * width, five, time[4], five)


class Lateral(nn.Module):
    """Hand the Fast features over to the Slow pathway.

    Slow [B, S, T/4, H, W] and Fast [B, F, T, H, W] → [B, S + 2F, T/4, H, W]. Each slow frame gets
    `kernel` fast ones, so that a little of their order in time arrives too. A plain one neither
    normalises nor cuts off what it hands over.
    """

    def __init__(self, fast: int, kernel: int, plain: bool = False):
        super().__init__()
        self.conv = conv_norm(fast, 2 * fast, (kernel, 1, 1), (ALPHA, 1, 1))
        if plain:
            self.conv[1] = nn.Identity()
        self.plain = plain

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        received = self.conv(fast)
        return torch.cat([slow, received if self.plain else F.relu(received)], dim=1)


class SlowFast(nn.Module):
    """float [B, 3, T, H, W], the Fast pathway's frames → logits [B, classes]; any T and size.

    Args:
        classes: number of outputs.
        blocks: residual blocks of res2 to res5, of both pathways.
        lateral: extent over time of the lateral convolutions.
        timed: how many of res4's blocks look along time, from its first; None for all.
        width: channels of the Slow stem; the Fast one has an eighth.
        plain: whether laterals are plain and the Slow pathway sees every fourth frame from the first, as
            in mmaction2's.

    >>> SlowFast(400)(torch.zeros(1, 3, 32, 224, 224)).shape
    torch.Size([1, 400])
    """

    side: int | None = (
        None  # of the squares that the last mean is taken over, see models/sliding.py
    )

    def __init__(
        self,
        classes: int,
        blocks: tuple[int, int, int, int] = (3, 4, 6, 3),
        lateral: int = 7,
        timed: int | None = None,
        width: int = 64,
        plain: bool = False,
    ):
        super().__init__()
        self.plain = plain
        thin = width // BETA
        timed = blocks[2] if timed is None else timed
        # A lateral has twice the Fast channels, which are an eighth of the Slow ones.
        self.slow = Pathway(width, 2 / BETA, SLOW_TIME, blocks, timed)
        self.fast = Pathway(thin, 0, FAST_TIME, blocks, timed)
        self.lateral1 = Lateral(thin, lateral, plain)
        self.lateral2 = Lateral(4 * thin, lateral, plain)
        self.lateral3 = Lateral(8 * thin, lateral, plain)
        self.lateral4 = Lateral(16 * thin, lateral, plain)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(32 * (width + thin), classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        fast = x
        if self.plain:
            slow = fast[:, :, ::ALPHA]
        else:
            slow = torch.stack([fast[:, :, t] for t in slow_frames(x.shape[2])], dim=2)
        slow, fast = self.slow.stem(slow), self.fast.stem(fast)
        slow = self.lateral1(slow, fast)
        slow, fast = self.slow.res2(slow), self.fast.res2(fast)
        slow = self.lateral2(slow, fast)
        slow, fast = self.slow.res3(slow), self.fast.res3(fast)
        slow = self.lateral3(slow, fast)
        slow, fast = self.slow.res4(slow), self.fast.res4(fast)
        slow = self.lateral4(slow, fast)
        slow, fast = self.slow.res5(slow), self.fast.res5(fast)
        both = torch.cat([path.mean(dim=2, keepdim=True) for path in (slow, fast)], dim=1)
        return scores(both, lambda mean: self.fc(self.dropout(mean)), self.side)


def with_non_local(network: SlowFast, res3: tuple[int, ...], res4: tuple[int, ...]) -> SlowFast:
    """The network with non-local blocks behind those blocks of its Slow pathway.

    They are of the dot-product kind and ask a quarter of the positions, as the authors have them.
    """
    insert(network.slow, res3, res4, function="dot_product", subsample=True, pool_first=True)
    return network


def slowfast_r50_8x8(classes: int) -> SlowFast:
    """SlowFast 8×8, ResNet-50: 34,566,488 parameters for Kinetics-400."""
    return SlowFast(classes)


def slowfast_r50_8x8_mmaction2(classes: int) -> SlowFast:
    """SlowFast 8×8, ResNet-50, of mmaction2: 34,565,560 parameters for Kinetics-400."""
    return SlowFast(classes, plain=True)


def slowfast_r101_8x8_mmaction2(classes: int) -> SlowFast:
    """SlowFast 8×8, ResNet-101, of mmaction2, whose laterals look at seven frames."""
    return SlowFast(classes, RESNET101, plain=True)


def slowfast_r101_8x8(classes: int) -> SlowFast:
    """SlowFast 8×8, ResNet-101: 62,826,968 parameters for Kinetics-400."""
    return SlowFast(classes, RESNET101, lateral=5)


def slowfast_r101_16x8(classes: int) -> SlowFast:
    """SlowFast 16×8, ResNet-101: 53,774,808 parameters for Kinetics-400."""
    return SlowFast(classes, RESNET101, lateral=5, timed=6)


def slowfast_nl_r50_8x8(classes: int) -> SlowFast:
    """SlowFast 8×8 with five non-local blocks, ResNet-50: 41,838,680 parameters."""
    return with_non_local(SlowFast(classes, lateral=5), res3=(1, 3), res4=(1, 3, 5))


def slowfast_nl_r101_16x8(classes: int) -> SlowFast:
    """SlowFast 16×8 with three non-local blocks, ResNet-101: 60,080,088 parameters."""
    return with_non_local(slowfast_r101_16x8(classes), res3=(), res4=(6, 13, 20))


def slowfast_tiny(classes: int) -> SlowFast:
    """SlowFast with 26 layers at three eighths of the width, its slow pathway as wide as the tiny Slow.

    As in the paper's deepest ones, not every block of res4 looks along time: here the first alone.
    """
    return SlowFast(classes, TINY_BLOCKS, timed=1, width=TINY_WIDTH)


_8x8 = replace(PYTORCHVIDEO, **spread_over(32, 2))  # of the Fast pathway, in two seconds
_16x8 = replace(_8x8, **spread_over(64, 2))

_card = partial(
    ModelCard,
    year=2019,
    paper="Feichtenhofer et al., SlowFast Networks for Video Recognition, ICCV 2019",
    paper_url="https://arxiv.org/abs/1812.03982",
)
_paper = partial(_card, size="paper", label_set="Kinetics-400", classes=KINETICS400)
_tiny = partial(
    _card,
    size="tiny",
    input=replace(TINY_INPUT, frames=32, fps=16.0),
    label_set=LABEL_SET,
    classes=EVERYDAY,
)


def _reference(code: str, parameters: int, gmacs: float, side: int | None = None) -> PublishedCost:
    return PublishedCost(code, "verified", parameters, gmacs, classes=400, side=side)


_PYTORCHVIDEO_RULES = (
    (r"^blocks\.6\.proj\.", "fc."),
    (r"\.multipathway_fusion\.conv_fast_to_slow\.", ".lateral.0."),
    (r"\.multipathway_fusion\.norm\.", ".lateral.1."),
    (r"\.multipathway_blocks\.0\.", ".slow."),
    (r"\.multipathway_blocks\.1\.", ".fast."),
    # What comes out of the stem, number 0, goes through lateral1; number 1 is res2.
    *((rf"^blocks\.{i}\.lateral\.", f"lateral{i + 1}.conv.") for i in range(4)),
    (r"^blocks\.0\.(slow|fast)\.conv\.", r"\1.stem.0.0."),
    (r"^blocks\.0\.(slow|fast)\.norm\.", r"\1.stem.0.1."),
    *((rf"^blocks\.{i}\.(slow|fast)\.res_blocks\.", rf"\1.res{i + 1}.") for i in range(1, 5)),
    (r"\.branch1_conv\.", ".shortcut.0."),
    (r"\.branch1_norm\.", ".shortcut.1."),
    (r"\.branch2\.conv_a\.", ".conv1.0."),
    (r"\.branch2\.norm_a\.", ".conv1.1."),
    (r"\.branch2\.conv_b\.", ".conv2.0."),
    (r"\.branch2\.norm_b\.", ".conv2.1."),
    (r"\.branch2\.conv_c\.", ".conv3.0."),
    (r"\.branch2\.norm_c\.", ".conv3.1."),
)
# Caffe2 gives what belongs to the Fast pathway a t.
CAFFE2_SLOWFAST_RULES = (
    (r"^t_pool1_subsample_bn_", "s1_fuse.bn."),
    (r"^t_pool1_subsample_", "s1_fuse.conv_f2s_"),
    (r"^t_res(\d)_\d+_branch2c_bn_subsample_bn_", r"s\1_fuse.bn."),
    (r"^t_res(\d)_\d+_branch2c_bn_subsample_", r"s\1_fuse.conv_f2s_"),
    (r"^t_conv1_w$", "s1.pathway1_stem.conv.weight"),
    (r"^t_res_conv1_bn_", "s1.pathway1_stem.bn."),
    (r"^t_res(\d)_(\d+)_branch1_", r"s\1.pathway1_res\2.branch1_"),
    (r"^t_res(\d)_(\d+)_branch2([abc])_", r"s\1.pathway1_res\2.branch2.\3_"),
    *CAFFE2_RULES,
)
_PYSLOWFAST_RULES = (
    (r"^head\.projection\.", "fc."),
    (r"^s(\d)_fuse\.conv_f2s\.", r"lateral\1.conv.0."),
    (r"^s(\d)_fuse\.bn\.", r"lateral\1.conv.1."),
    (r"^s(\d)\.pathway0_", r"slow.res\1."),
    (r"^s(\d)\.pathway1_", r"fast.res\1."),
    (r"\.res1\.stem\.conv\.", ".stem.0.0."),
    (r"\.res1\.stem\.bn\.", ".stem.0.1."),
    (r"\.nonlocal(\d+)\.conv_out\.", r".\1.non_local.w_z."),
    (r"\.nonlocal(\d+)\.conv_(theta|phi|g)\.", r".\1.non_local.\2."),
    (r"\.nonlocal(\d+)\.bn\.", r".\1.non_local.norm."),
    (r"\.(res\d)\.res(\d+)\.", r".\1.\2."),
    (r"\.branch1\.", ".shortcut.0."),
    (r"\.branch1_bn\.", ".shortcut.1."),
    (r"\.branch2\.a\.", ".conv1.0."),
    (r"\.branch2\.a_bn\.", ".conv1.1."),
    (r"\.branch2\.b\.", ".conv2.0."),
    (r"\.branch2\.b_bn\.", ".conv2.1."),
    (r"\.branch2\.c\.", ".conv3.0."),
    (r"\.branch2\.c_bn\.", ".conv3.1."),
)
PYTORCHVIDEO_KEY_MAP = key_map(*_PYTORCHVIDEO_RULES)
PYSLOWFAST_KEY_MAP = key_map(*CAFFE2_SLOWFAST_RULES, *_PYSLOWFAST_RULES, drop=CAFFE2_DROPPED)

_mmaction2_names = key_map(
    (r"^backbone\.slow_path\.conv1_lateral\.conv\.", "lateral1.conv.0."),
    (r"^backbone\.slow_path\.layer1_lateral\.conv\.", "lateral2.conv.0."),
    (r"^backbone\.slow_path\.layer2_lateral\.conv\.", "lateral3.conv.0."),
    (r"^backbone\.slow_path\.layer3_lateral\.conv\.", "lateral4.conv.0."),
    (r"^backbone\.(slow|fast)_path\.conv1\.conv\.", r"\1.stem.0.0."),
    (r"^backbone\.(slow|fast)_path\.conv1\.bn\.", r"\1.stem.0.1."),
    *((rf"^backbone\.(slow|fast)_path\.layer{i}\.", rf"\1.res{i + 1}.") for i in range(1, 5)),
    (r"\.(conv[123])\.conv\.", r".\1.0."),
    (r"\.(conv[123])\.bn\.", r".\1.1."),
    (r"\.downsample\.conv\.", ".shortcut.0."),
    (r"\.downsample\.bn\.", ".shortcut.1."),
    (r"^cls_head\.fc_cls\.", "fc."),
)


def mmaction2_key_map(state: State) -> dict[str, Tensor]:
    """Lead from mmaction2's names to ours; its last layer is given the Fast features first."""
    ours = _mmaction2_names(state)
    last = ours.get("fc.weight")
    if last is not None and "cls_head.fc_cls.weight" in state:
        fast = last.shape[1] // (BETA + 1)
        ours["fc.weight"] = torch.cat([last[:, fast:], last[:, :fast]], dim=1)
    return ours


CARDS: tuple[ModelCard, ...] = (
    _paper(
        name="slowfast_r50_8x8",
        title="SlowFast 8×8, ResNet-50",
        chapter="volume",
        family="3D convolution",
        idea="Two pathways in one network: a heavy one sees few frames and learns what things are, "
        "a light one sees four times as many and learns how they move.",
        build=slowfast_r50_8x8,
        parameters=34_566_488,
        gmacs=50.309,
        published=(
            _reference("pytorchvideo's code", 34_566_488, 50.309),
            _reference("pytorchvideo's code", 34_566_488, 65.712, side=256),
            PublishedCost("pytorchvideo model zoo", "printed", 34.57e6, 65.71, side=256),
        ),
        **as_fields(
            pytorchvideo(
                "SLOWFAST_8x8_R50",
                34_566_488,
                76.94,
                92.69,
                _8x8,
                PYTORCHVIDEO_KEY_MAP,
                slowfast_r50_8x8,
            ),
            mmaction2(
                "v1.0/recognition/slowfast/slowfast_r50_8xb8-8x8x1-256e_kinetics400-rgb/"
                "{}_20220818-1cb6dfc8.pth",
                34_565_560,
                76.80,
                92.99,
                thirty_views(256, "mmaction2"),
                MMACTION2,
                mmaction2_key_map,
                build=slowfast_r50_8x8_mmaction2,
            ),
            pyslowfast(
                "model_zoo/kinetics400/SLOWFAST_8x8_R50.pkl",
                34_566_488,
                77.0,
                92.6,
                _8x8,
                PYSLOWFAST_KEY_MAP,
                slowfast_r50_8x8,
            ),
        ),
    ),
    _paper(
        name="slowfast_r101_8x8",
        title="SlowFast 8×8, ResNet-101",
        family="3D convolution",
        idea="SlowFast with 23 blocks instead of 6 in the fourth stage of both pathways.",
        build=slowfast_r101_8x8,
        key_map=PYSLOWFAST_KEY_MAP,
        parameters=62_826_968,
        gmacs=96.397,
        published=(
            _reference("pytorchvideo's code", 62_826_968, 96.397),
            PublishedCost("pytorchvideo model zoo", "printed", 62.83e6, 127.20, side=256),
        ),
        **as_fields(
            pytorchvideo(
                "SLOWFAST_8x8_R101",
                62_826_968,
                77.90,
                93.27,
                _8x8,
                PYTORCHVIDEO_KEY_MAP,
                slowfast_r101_8x8,
            ),
            mmaction2(
                "v1.0/recognition/slowfast/slowfast_r101_8xb8-8x8x1-256e_kinetics400-rgb/"
                "{}_20220901-9c0e09bd.pth",
                62_912_312,
                78.65,
                93.88,
                thirty_views(256, "mmaction2"),
                MMACTION2,
                mmaction2_key_map,
                build=slowfast_r101_8x8_mmaction2,
            ),
        ),
    ),
    _paper(
        name="slowfast_r101_16x8",
        title="SlowFast 16×8, ResNet-101",
        family="3D convolution",
        idea="SlowFast on clips of four seconds: 16 frames for the slow pathway, 64 for the fast "
        "one.",
        build=slowfast_r101_16x8,
        key_map=PYSLOWFAST_KEY_MAP,
        parameters=53_774_808,
        gmacs=163.095,
        published=(
            _reference("pytorchvideo's code", 53_774_808, 163.095),
            _reference("pytorchvideo's code", 53_774_808, 213.024, side=256),
            PublishedCost("pytorchvideo model zoo", "printed", 53.77e6, 215.61, side=256),
        ),
        **as_fields(
            pytorchvideo(
                "SLOWFAST_16x8_R101_50_50",
                53_774_808,
                78.70,
                93.61,
                _16x8,
                PYTORCHVIDEO_KEY_MAP,
                slowfast_r101_16x8,
            ),
        ),
    ),
    _paper(
        name="slowfast_nl_r50_8x8",
        title="SlowFast 8×8 + NL, ResNet-50",
        family="Long-range dependencies",
        idea="SlowFast whose slow pathway also has five non-local blocks, in which every position "
        "looks at every other of the clip at once.",
        input=_8x8,
        build=slowfast_nl_r50_8x8,
        key_map=PYSLOWFAST_KEY_MAP,
        attends=True,
        parameters=41_838_680,
        gmacs=72.229,
        published=(_reference("PySlowFast's code", 41_838_680, 72.229),),
        note="The authors' code has its configuration, their model zoo no weights of it.",
    ),
    _paper(
        name="slowfast_nl_r101_16x8",
        title="SlowFast 16×8 + NL, ResNet-101",
        family="Long-range dependencies",
        idea="The SlowFast of the lecture's table: 64 frames, 101 layers, and three non-local "
        "blocks in the slow pathway's fourth stage.",
        input=_16x8,
        build=slowfast_nl_r101_16x8,
        key_map=PYSLOWFAST_KEY_MAP,
        attends=True,
        parameters=60_080_088,
        gmacs=182.979,
        accuracy=(
            Accuracy(
                "Kinetics-400",
                79.8,
                93.9,
                "10 clips of every video, 3 crops of 256 × 256",
                "lecture, Video Swin table",
            ),
        ),
        published=(
            _reference("PySlowFast's code", 60_080_088, 182.979),
            _reference("PySlowFast's code", 60_080_088, 242.012, side=256),
            PublishedCost("lecture, Video Swin table", "printed", 59.9e6, 234, side=256),
        ),
        note="The authors' code has its configuration, their model zoo no weights of it. 234 in "
        "the lecture is near what this network costs at 256 × 256.",
    ),
    _tiny(
        name="slowfast_lab",
        title="SlowFast (tiny)",
        chapter="volume",
        tiny_of="slowfast_r50_8x8",
        family="3D convolution",
        idea="SlowFast with 26 layers at three eighths of the width on 32 frames of two seconds; "
        "compare it with Slow, which has no fast pathway.",
        build=slowfast_tiny,
        parameters=2_736_369,
        gmacs=1.3068,
    ),
)
