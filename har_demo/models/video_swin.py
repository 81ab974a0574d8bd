"""Video Swin: attention inside boxes of space and time that shift (Liu et al., CVPR 2022).

Attention of every patch to every other costs the square of their number: the 50,176 patches of a
clip make 2.5 thousand million pairs. In Video Swin a patch attends only inside its own window of
P × M × M patches, P of them along time. In every second block the windows are shifted by half a window
along all three axes, so that patches which a border kept apart meet in the next block. As in a
convolutional network, four stages see ever coarser pictures with ever more channels; time stays at half
of the frames.

    layer                                       Swin-T for 3 × 32 × 224 × 224 (T × H × W × channels)
    patches of 2×4×4 pixels, linear embedding   16 × 56 × 56 ×  96
    stage 1   2 blocks                          16 × 56 × 56 ×  96
    stage 2   merge 2×2 patches, 2 blocks       16 × 28 × 28 × 192
    stage 3   merge 2×2 patches, 6 blocks       16 × 14 × 14 × 384
    stage 4   merge 2×2 patches, 2 blocks       16 ×  7 ×  7 × 768
    layer norm, mean over time and space, fc    classes

The attention of one window adds a learned bias B for each relative position: softmax(QKᵀ/√d + B) V.

The lecture's table gives 88, 166, 282, 604 and 2107 GFLOPs for T, S, B, L and L at 384²: multiply-adds
of one view of 32 frames, as counted here. torchvision's documentation prints half of that for T, S and
B because it counts 16 frames.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import video
from torchvision.ops import StochasticDepth

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.attention import AttentionMap, flat_positions
from har_demo.models.card import Accuracy, ModelCard, ModelInput, Protocol, PublishedCost, Source
from har_demo.models.key_map import key_map
from har_demo.models.label_sets import KINETICS400
from har_demo.models.label_sets import SOMETHING_V2 as SOMETHING_V2_CLASSES
from har_demo.models.publishers import MMACTION2, SOMETHING_V2, as_fields, describe, mmaction2
from har_demo.models.resnet3d import BasicBlock, conv_norm
from har_demo.models.tiny import TINY_INPUT
from har_demo.models.torchvision_card import PORTED, public_file, torchvision_card

Sides = tuple[int, int, int]
"""Numbers of cells along T, H and W."""


def relative_positions(window: Sides) -> Tensor:
    """Row of the bias table for each pair of a window's cells: int64 [cells, cells].

    Two cells are less than P apart along time and less than M along height and width, so there are
    (2P-1) (2M-1) (2M-1) different offsets.

    >>> relative_positions((1, 1, 2))  # offsets to the left, none, to the right: rows 0, 1, 2
    tensor([[1, 0],
            [2, 1]])
    """
    p, m, n = window
    cells = torch.cartesian_prod(torch.arange(p), torch.arange(m), torch.arange(n))
    offsets = cells[:, None] - cells[None, :] + torch.tensor([p - 1, m - 1, n - 1])
    return (offsets[..., 0] * (2 * m - 1) + offsets[..., 1]) * (2 * n - 1) + offsets[..., 2]


def to_windows(x: Tensor, window: Sides, shift: Sides, padding: int = 0) -> Tensor:
    """[B, T, H, W, C] → [B · windows, cells of one window, C].

    Pads the far ends to whole windows, and rolls the grid instead of the windows: `shift` cells from
    the front of each axis go to its end, where they fill up the windows that the shift cut short.
    """
    t, h, w = (-cells % side for cells, side in zip(x.shape[1:4], window, strict=True))
    x = F.pad(x, (0, 0, 0, w, 0, h, 0, t), value=padding)
    x = x.roll([-cells for cells in shift], dims=(1, 2, 3))
    b, t, h, w, c = x.shape
    p, m, n = window
    x = x.reshape(b, t // p, p, h // m, m, w // n, n, c)
    return x.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(-1, p * m * n, c)


def from_windows(x: Tensor, window: Sides, shift: Sides, grid: Sides) -> Tensor:
    """Undo `to_windows` for a grid of T × H × W cells."""
    p, m, n = window
    t, h, w = (-(-cells // side) for cells, side in zip(grid, window, strict=True))
    x = x.reshape(-1, t, h, w, p, m, n, x.shape[-1])
    x = x.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(-1, t * p, h * m, w * n, x.shape[-1])
    x = x.roll(shift, dims=(1, 2, 3))
    return x[:, : grid[0], : grid[1], : grid[2]]


def regions(grid: Sides, window: Sides, shift: Sides, device: torch.device) -> Tensor:
    """Number of the part of the grid, of eight, that each cell of each shifted window came from: int64 [windows, cells].

    Rolling brings together in one window what lies at opposite ends of the clip. Such strangers are of
    different parts, and must not see each other.
    """
    rolled = []
    for cells, side, rolled_cells in zip(grid, window, shift, strict=True):
        padded = -(-cells // side) * side
        rolled.append((torch.arange(padded, device=device) < rolled_cells).long())
    t, h, w = rolled
    region = 4 * t[:, None, None] + 2 * h[:, None] + w
    return to_windows(region[None, ..., None], window, shift).squeeze(2)


class WindowAttention(nn.Module):
    """Multi-head attention inside windows: [B, T, H, W, C] → the same shape.

    Args:
        channels: C.
        heads: C / heads channels each.
        window: P × M × M cells.
        shifted: move the windows by half of their sides.

    >>> WindowAttention(96, 3, (8, 7, 7), shifted=True)(torch.zeros(1, 16, 56, 56, 96)).shape
    torch.Size([1, 16, 56, 56, 96])
    """

    kind = "windowed attention"
    bias_rows: Tensor

    def __init__(self, channels: int, heads: int, window: Sides, shifted: bool):
        super().__init__()
        self.heads, self.window, self.shifted = heads, window, shifted
        offsets = math.prod(2 * side - 1 for side in window)
        self.bias_table = nn.Parameter(torch.empty(offsets, heads))
        self.register_buffer("bias_rows", relative_positions(window), persistent=False)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        nn.init.trunc_normal_(self.bias_table, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        t, h, w = x.shape[1:4]
        grid = (t, h, w)
        window, shift = self.fitted(grid)
        q, k, v = self.queries_keys_values(to_windows(x, window, shift))
        mask = self.mask(grid, window, shift).to(q.dtype)
        if any(shift):
            mask = mask.repeat(x.shape[0], 1, 1, 1)  # one for each window of each clip
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        y = self.proj(y.transpose(1, 2).flatten(2))
        return from_windows(y, window, shift, grid)

    def fitted(self, grid: Sides) -> tuple[Sides, Sides]:
        """Window and shift for this grid: along an axis that one window covers there is no shift."""
        sides = tuple(zip(grid, self.window, strict=True))
        window = tuple(min(cells, side) for cells, side in sides)
        shift = tuple(side // 2 if self.shifted and cells > side else 0 for cells, side in sides)
        return cast(Sides, window), cast(Sides, shift)

    def queries_keys_values(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Each [B · windows, heads, cells, C / heads]."""
        return self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind()

    def mask(self, grid: Sides, window: Sides, shift: Sides) -> Tensor:
        """Bias and mask added to QKᵀ/√d: [windows or 1, heads, cells, cells], -∞ between cells of different parts."""
        bias = self.bias(math.prod(window))
        if not any(shift):
            return bias[None]
        region = regions(grid, window, shift, bias.device)
        apart = region[:, :, None] != region[:, None, :]
        return bias.masked_fill(apart[:, None], float("-inf"))

    def bias(self, cells: int) -> Tensor:
        """B for each pair of a window's cells: [heads, cells, cells]."""
        # In a window that shrank to a small grid the authors look up the first cells of the full one.
        # Along time these are the right offsets. Along height and width they are not, but trained
        # weights only meet whole windows there, and other biases would not give the public outputs.
        return self.bias_table[self.bias_rows[:cells, :cells]].permute(2, 0, 1).contiguous()

    def attention(self, x: Tensor, at: Tensor | None = None) -> tuple[AttentionMap, ...]:
        """Maps of the positions `at` on the whole grid: 0 outside their window.

        At the far ends windows are filled up with padding, which takes its share of attention: these
        rows sum to less than 1. Padding adds only the bias of the values, as every cell does, so the
        rows times the values without bias, plus that bias, are what the layer projects.
        """
        t, h, w = x.shape[1:4]
        grid = (t, h, w)
        window, shift = self.fitted(grid)
        queries = flat_positions(at, grid).to(x.device)

        # Send each cell's number along the way of its features; padding gets the one after the last.
        count = math.prod(grid)
        numbers = torch.arange(count, device=x.device).reshape(1, *grid, 1)
        numbers = to_windows(numbers, window, shift, padding=count).squeeze(2)
        place = numbers.flatten().argsort()[queries]
        window_of, cell_of = place // numbers.shape[1], place % numbers.shape[1]

        q, k, _ = self.queries_keys_values(to_windows(x, window, shift))
        q = q.unflatten(0, (x.shape[0], -1)).transpose(2, 3).flatten(1, 2)[:, place]
        k = k.unflatten(0, (x.shape[0], -1))[:, window_of]
        scores = torch.einsum("bqhc,bqhkc->bhqk", q, k) / math.sqrt(q.shape[-1])
        # The mask's rows for these cells alone: in full it is as large as all windows' attention.
        scores = scores + self.bias(numbers.shape[1])[:, cell_of]
        region = regions(grid, window, shift, x.device)
        apart = region[window_of, cell_of, None] != region[window_of]
        weights = scores.masked_fill(apart, float("-inf")).softmax(dim=-1)

        full = weights.new_zeros(*weights.shape[:3], count + 1)
        full.scatter_(3, numbers[window_of].expand_as(weights), weights)
        return (AttentionMap(full[..., :count], queries, grid, grid),)


class Block(nn.Module):
    """Attention, then two layers for each patch alone; layer norm before each, a shortcut around each.

    Args:
        channels: of input and output, [B, T, H, W, channels].
        window, shifted: as in WindowAttention; 32 channels a head.
        drop_path: how often, while training, a clip takes only the shortcut.

    >>> Block(96, (8, 7, 7), shifted=False)(torch.zeros(1, 16, 56, 56, 96)).shape
    torch.Size([1, 16, 56, 56, 96])
    """

    def __init__(self, channels: int, window: Sides, shifted: bool, drop_path: float = 0.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attn = WindowAttention(channels, channels // 32, window, shifted)
        self.norm2 = nn.LayerNorm(channels)
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.fc2 = nn.Linear(4 * channels, channels)
        self.drop_path = StochasticDepth(drop_path, "row")

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.fc2(F.gelu(self.fc1(self.norm2(x)))))


class PatchEmbedding(nn.Module):
    """float [B, 3, T, H, W] → [B, T/2, H/4, W/4, channels]: each 2×4×4 patch by one linear layer."""

    PATCH = (2, 4, 4)

    def __init__(self, channels: int):
        super().__init__()
        self.proj = nn.Conv3d(3, channels, self.PATCH, stride=self.PATCH)
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        t, h, w = (-size % side for size, side in zip(x.shape[2:], self.PATCH, strict=True))
        x = self.proj(F.pad(x, (0, w, 0, h, 0, t)))
        return self.norm(x.permute(0, 2, 3, 4, 1))


class ConvolutionalStem(nn.Module):
    """Patches of 2×8×8 pixels by a small residual network: float [B, 3, T, H, W] → [B, T/2, H/8, W/8, channels].

    From few clips a transformer learns far sooner behind convolutions (Xiao et al., Early Convolutions
    Help Transformers See Better, NeurIPS 2021).

    >>> ConvolutionalStem(64)(torch.zeros(1, 3, 16, 112, 112)).shape
    torch.Size([1, 8, 14, 14, 64])
    """

    def __init__(self, channels: int):
        super().__init__()
        self.first = conv_norm(3, channels // 4, (3, 5, 5), (1, 2, 2))
        self.blocks = nn.Sequential(
            BasicBlock(channels // 4, channels // 2, time=3, stride=(2, 2, 2)),
            BasicBlock(channels // 2, channels, time=3, stride=(1, 2, 2)),
        )
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(F.relu(self.first(x)))
        return self.norm(x.permute(0, 2, 3, 4, 1))


class PatchMerging(nn.Module):
    """[B, T, H, W, C] → [B, T, H/2, W/2, 2C]: the channels of four neighbours by one linear layer."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, (0, 0, 0, x.shape[3] % 2, 0, x.shape[2] % 2))
        upper, lower = x[:, :, 0::2], x[:, :, 1::2]
        # Down the left column first, then down the right one, as all public code has it.
        corners = upper[..., 0::2, :], lower[..., 0::2, :], upper[..., 1::2, :], lower[..., 1::2, :]
        return self.reduction(self.norm(torch.cat(corners, dim=-1)))


class Stage(nn.Module):
    """Merged patches (not in the first stage), then blocks, their windows in turn plain and shifted."""

    def __init__(self, merge: nn.Module, blocks: list[Block]):
        super().__init__()
        self.merge = merge
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.merge(x))


class VideoSwin(nn.Module):
    """float [B, 3, T, H, W] → logits [B, classes]; any T and size, as it ends in a mean.

    Args:
        classes: number of outputs.
        width: channels of the first stage; each later stage doubles them.
        depths: blocks of each stage.
        window: P × M × M patches that attend to each other.
        drop_path: of the last block; it grows evenly from 0 in the first.
        dropout: before the last layer.
        embed: makes what turns a clip into patches, of a number of channels.

    >>> VideoSwin(400)(torch.zeros(1, 3, 32, 224, 224)).shape
    torch.Size([1, 400])
    """

    def __init__(
        self,
        classes: int,
        width: int = 96,
        depths: tuple[int, ...] = (2, 2, 6, 2),
        window: Sides = (8, 7, 7),
        drop_path: float = 0.1,
        dropout: float = 0.5,
        embed: Callable[[int], nn.Module] = PatchEmbedding,
    ):
        super().__init__()
        self.patch_embed = embed(width)
        count = sum(depths)
        rates = iter([drop_path * i / (count - 1) for i in range(count)])
        self.stages = nn.ModuleList()
        channels = width
        for depth in depths:
            merge: nn.Module = nn.Identity()
            if self.stages:
                merge = PatchMerging(channels)
                channels *= 2
            blocks = [Block(channels, window, i % 2 == 1, next(rates)) for i in range(depth)]
            self.stages.append(Stage(merge, blocks))
        self.norm = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, classes)

        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed(x)
        for stage in self.stages:
            x = stage(x)
        x = self.norm(x).mean(dim=(1, 2, 3))
        return self.head(self.dropout(x))


def swin3d_t(classes: int) -> VideoSwin:
    """28,158,070 parameters for Kinetics-400."""
    return VideoSwin(classes)


def swin3d_s(classes: int) -> VideoSwin:
    """49,816,678 parameters for Kinetics-400: three times as many blocks in the third stage."""
    return VideoSwin(classes, depths=(2, 2, 18, 2), drop_path=0.2)


def swin3d_b(classes: int) -> VideoSwin:
    """88,048,984 parameters for Kinetics-400: a third wider than S."""
    return VideoSwin(classes, width=128, depths=(2, 2, 18, 2), drop_path=0.3)


def swin3d_b_sthv2(classes: int) -> VideoSwin:
    """Swin-B whose windows reach over twice as many frames."""
    return VideoSwin(classes, 128, depths=(2, 2, 18, 2), window=(16, 7, 7), drop_path=0.4)


def swin3d_l(classes: int) -> VideoSwin:
    """196,953,916 parameters for Kinetics-400: twice as wide as S, with mmaction2's drop-path."""
    return VideoSwin(classes, width=192, depths=(2, 2, 18, 2), drop_path=0.4)


def swin3d_l_384(classes: int) -> VideoSwin:
    """199,999,516 parameters for Kinetics-400: larger windows have more relative positions."""
    return VideoSwin(classes, 192, depths=(2, 2, 18, 2), window=(8, 12, 12), drop_path=0.4)


def swin_tiny(classes: int, window: Sides = (4, 7, 7)) -> VideoSwin:
    """Two stages, at two thirds of the width of Swin-T's first, behind a residual network of five layers.

    Grids of 8 × 14 × 14 and 7 × 7 patches hold whole windows of 4 × 7 × 7, which shift along time too; a
    third stage would hold less than one. It begins from nothing and has little time, so it must learn
    fast: convolutions see the first details, weights begin as large as keeps a signal's size, no block
    is left out and little is dropped.
    """
    network = VideoSwin(
        classes, 64, (2, 4), window, drop_path=0.0, dropout=0.2, embed=ConvolutionalStem
    )
    for module in network.stages.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=module.in_features**-0.5)
    return network


_WORDS: dict[str, Any] = {
    "family": "Video transformer",
    "year": 2022,
    "paper": "Liu et al., Video Swin Transformer, CVPR 2022",
    "paper_url": "https://arxiv.org/abs/2106.13230",
}
# 32 frames, every second one of clips at 30 per second.
_VIEW: dict[str, Any] = {"frames": 32, "fps": 15}
_PORTED = PORTED.format("Video-Swin-Transformer")


def _published(parameters: int, gmacs: float, printed: tuple[float, float], halved: float | None):
    """Counted on the authors' code; (10⁶ parameters, GMACs) of the lecture; torchvision's GMACs."""
    millions, printed_gmacs = printed
    found = (
        PublishedCost("Video-Swin-Transformer's code", "verified", parameters, gmacs),
        PublishedCost("lecture, Video Swin table", "printed", millions * 1e6, printed_gmacs),
    )
    if halved is None:
        return found
    source = "torchvision's documentation, which counts 16 frames"
    return (*found, PublishedCost(source, "verified", parameters, halved, frames=16))


# torchvision counts stages and mergings in one list; the authors, and mmaction2 after them, keep each
# merging at the end of the stage before it. The tables of relative positions follow from the window's
# size, so that nobody needs them.
_TABLES = r"\.relative_position_index$"
_BIAS = (r"\.relative_position_bias_table$", ".bias_table")
TORCHVISION_KEY_MAP = key_map(
    *((rf"^features\.{2 * i}\.", f"stages.{i}.blocks.") for i in range(4)),
    *((rf"^features\.{2 * i - 1}\.", f"stages.{i}.merge.") for i in range(1, 4)),
    (r"\.mlp\.0\.", ".fc1."),
    (r"\.mlp\.3\.", ".fc2."),
    _BIAS,
    drop=(_TABLES,),
)
AUTHORS_KEY_MAP = key_map(
    (r"^backbone\.", ""),
    *((rf"^layers\.{i - 1}\.downsample\.", f"stages.{i}.merge.") for i in range(1, 4)),
    (r"^layers\.", "stages."),
    (r"\.mlp\.fc", ".fc"),
    (r"^norm3\.", "norm."),
    (r"^cls_head\.fc_cls\.", "head."),
    _BIAS,
    drop=(_TABLES,),
)
"""The authors' names, and mmaction2's after them."""

# As both test: the short side is cropped no further.
_INPUT = replace(MMACTION2, resize=224)
_TWELVE_VIEWS = Protocol(4, 3, 224, (224, 224), placing="mmaction2")
_README = "Video-Swin-Transformer, README"


def _authors(
    file: str,
    parameters: int,
    top1: float,
    top5: float,
    about: str,
    name: str = "authors",
    input: ModelInput = _INPUT,
    protocol: Protocol = _TWELVE_VIEWS,
    dataset: str = "Kinetics-400",
) -> Source:
    words = f"{describe(protocol)}, {about}"
    return Source(
        url=f"https://github.com/SwinTransformer/storage/releases/download/v1.0.4/{file}.pth",
        sha256="",
        bytes=parameters * 4,  # unverified: the size of its parameters alone
        licence="Apache-2.0 (Video-Swin-Transformer)",
        name=name,
        key_map=AUTHORS_KEY_MAP,
        input=input,
        protocol=protocol,
        accuracy=(Accuracy(dataset, top1, top5, words, _README),),
    )


def _mmaction2(file: str, digits: str, parameters: int, top1: float, top5: float) -> Source:
    return mmaction2(
        f"v1.0/recognition/swin/swin-{file}_8xb8-amp-32x2x1-30e_kinetics400-rgb/{{}}_20220930-{digits}.pth",
        parameters,
        top1,
        top5,
        _TWELVE_VIEWS,
        _INPUT,
        AUTHORS_KEY_MAP,
        about="ImageNet-22K" if "in22k" in file else "ImageNet-1K",
    )


CARDS: tuple[ModelCard, ...] = (
    torchvision_card(
        swin3d_t,
        video.Swin3D_T_Weights.KINETICS400_V1,
        name="swin3d_t",
        title="Video Swin-T",
        chapter="transformer",
        hue=292,
        idea=(
            "Patches attend only to their neighbours inside small boxes of space and time; the "
            "boxes shift from layer to layer, so that news spreads through the clip."
        ),
        gmacs=87.764,
        key_map=TORCHVISION_KEY_MAP,
        attends=True,
        licence=_PORTED,
        published=_published(28_158_070, 87.764, (28.2, 88), 43.882),
        others=(
            _authors(
                "swin_tiny_patch244_window877_kinetics400_1k", 28_158_070, 78.8, 93.6, "ImageNet-1K"
            ),
            _mmaction2("tiny-p244-w877_in1k-pre", "241016b2", 28_158_070, 78.90, 93.77),
        ),
        **_VIEW,
        **_WORDS,
    ),
    torchvision_card(
        swin3d_s,
        video.Swin3D_S_Weights.KINETICS400_V1,
        name="swin3d_s",
        title="Video Swin-S",
        idea=(
            "Video Swin-T with its third stage three times as deep: the same boxes of attention, "
            "more steps of reasoning."
        ),
        gmacs=165.682,
        key_map=TORCHVISION_KEY_MAP,
        attends=True,
        licence=_PORTED,
        published=_published(49_816_678, 165.682, (49.8, 166), 82.841),
        others=(
            _authors(
                "swin_small_patch244_window877_kinetics400_1k",
                49_816_678,
                80.6,
                94.5,
                "ImageNet-1K",
            ),
            _mmaction2("small-p244-w877_in1k-pre", "e91ab986", 49_816_678, 80.54, 94.46),
        ),
        **_VIEW,
        **_WORDS,
    ),
    torchvision_card(
        swin3d_b,
        # The same network also has weights that began with ImageNet-1K: 2.2 points lower.
        video.Swin3D_B_Weights.KINETICS400_IMAGENET22K_V1,
        name="swin3d_b",
        title="Video Swin-B",
        idea=(
            "Video Swin-S with a third more channels, started from pictures of 22 thousand "
            "classes before it saw any video."
        ),
        gmacs=281.333,
        key_map=TORCHVISION_KEY_MAP,
        attends=True,
        licence=_PORTED,
        published=_published(88_048_984, 281.333, (88.1, 282), 140.667),
        others=(
            replace(
                public_file(video.Swin3D_B_Weights.KINETICS400_V1, _PORTED, TORCHVISION_KEY_MAP),
                name="torchvision-1k",
            ),
            _authors(
                "swin_base_patch244_window877_kinetics400_22k",
                88_048_984,
                82.7,
                95.5,
                "ImageNet-22K",
            ),
            _authors(
                "swin_base_patch244_window877_kinetics400_1k",
                88_048_984,
                80.6,
                94.6,
                "ImageNet-1K",
                "authors-1k",
            ),
            _mmaction2("base-p244-w877_in1k-pre", "182ec6cc", 88_048_984, 80.57, 94.49),
        ),
        **_VIEW,
        **_WORDS,
    ),
    ModelCard(
        name="swin3d_b_sthv2",
        title="Video Swin-B on Something-Something V2",
        idea=(
            "Video Swin-B with boxes twice as long in time, trained where the order of the frames is "
            "everything."
        ),
        size="paper",
        label_set=SOMETHING_V2,
        classes=SOMETHING_V2_CLASSES,
        build=swin3d_b_sthv2,
        attends=True,
        parameters=88_834_038,
        gmacs=320.356,
        published=(PublishedCost("Video-Swin-Transformer, README", "printed", 89e6, 320.6),),
        **as_fields(
            _authors(
                "swin_base_patch244_window1677_sthv2",
                88_834_038,
                69.6,
                92.7,
                "Kinetics-400",
                input=replace(_INPUT, fps=8.0, sampling="segments"),
                protocol=Protocol(1, 3, 224, (224, 224), placing="mmaction2"),
                dataset=SOMETHING_V2,
            ),
        ),
        **_WORDS,
    ),
    ModelCard(
        name="swin3d_l",
        title="Video Swin-L",
        idea=(
            "Video Swin-S at twice its width: seven times the parameters of Video Swin-T, started "
            "from pictures of 22 thousand classes."
        ),
        size="paper",
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=swin3d_l,
        attends=True,
        parameters=196_953_916,
        gmacs=603.269,
        **as_fields(
            _mmaction2("large-p244-w877_in22k-pre", "78ad8b11", 196_953_916, 83.46, 95.91),
            papers=(
                Accuracy(
                    "Kinetics-400",
                    83.1,
                    95.9,
                    "4 windows, 3 crops, ImageNet-22K",
                    "lecture, Video Swin table",
                ),
            ),
        ),
        published=_published(196_953_916, 603.269, (197.0, 604), None),
        **_WORDS,
    ),
    ModelCard(
        name="swin3d_l_384",
        title="Video Swin-L (384↑)",
        idea=(
            "Video Swin-L on frames three times as large, with windows that grow along: the finest "
            "detail, at three and a half times the cost."
        ),
        size="paper",
        # Unverified: as at 224.
        input=replace(_INPUT, resize=384, crop=(384, 384)),
        label_set="Kinetics-400",
        classes=KINETICS400,
        build=swin3d_l_384,
        key_map=AUTHORS_KEY_MAP,
        attends=True,
        parameters=199_999_516,
        gmacs=2106.380,
        accuracy=(
            Accuracy(
                dataset="Kinetics-400",
                top1=84.9,
                top5=96.7,
                protocol="10 windows of 32 frames, 5 crops each; 84.6 and 96.5 with 4 and 3",
                source="lecture, Video Swin table",
            ),
        ),
        published=_published(199_999_516, 2106.380, (200.0, 2107), None),
        note="Neither the authors nor mmaction2 list weights of this network for Kinetics-400.",
        **_WORDS,
    ),
    ModelCard(
        name="swin_lab",
        title="Video Swin (tiny)",
        chapter="transformer",
        tiny_of="swin3d_t",
        idea=(
            "Video Swin with two stages and smaller windows behind a few layers of convolutions, so "
            "that it learns from scratch, without the pictures that the paper's began with."
        ),
        size="tiny",
        input=TINY_INPUT,
        label_set=LABEL_SET,
        classes=EVERYDAY,
        build=swin_tiny,
        attends=True,
        parameters=1_169_539,
        gmacs=1.340,
        **_WORDS,
    ),
)
