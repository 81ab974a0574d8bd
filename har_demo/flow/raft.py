"""RAFT: flow as a guess that is corrected again and again (Teed and Deng, ECCV 2020), from torchvision.

    both frames ──encoder──▶ features at 1/8 ──all pairs of places──▶ how alike, at four scales
    first frame ──encoder──▶ context ─┐              │ looked up around the guess
                     guess, at first 0 ┴─▶ GRU ─▶ correction ──▶ guess … 12 times, then × 8

Compared is every place with every other, once; what a correction needs is only looked up. So small
things that move far are found, which methods that go from coarse to fine lose.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import optical_flow

from har_demo.models.card import Source
from har_demo.models.key_map import key_map

MULTIPLE = 8  # sides of pictures are multiples of it
LEVELS = 4  # scales at which places are compared
LEAST = 128  # pixels a side, for the coarsest of the four scales to be more than a point
UPDATES = 12  # corrections, as published accuracies were measured

HUB = "https://download.pytorch.org/models"
SMALL = Source(f"{HUB}/raft_small_C_T_V2-01064c6d.pth", "01064c6d", 4_006_609, "BSD-3-Clause")
"""torchvision's own training on FlyingChairs and FlyingThings3D."""
LARGE = Source(f"{HUB}/raft_large_C_T_SKHT_V2-ff5fadd5.pth", "ff5fadd5", 21_106_786, "BSD-3-Clause")
"""torchvision's own training on the same and then on Sintel, KITTI and HD1K."""

_ENCODERS = r"^(feature|context)_encoder"
PRINCETON_KEY_MAP = key_map(
    (r"^fnet\.", "feature_encoder."),
    (r"^cnet\.", "context_encoder."),
    (rf"({_ENCODERS})\.conv1\.", r"\1.convnormrelu.0."),
    (rf"({_ENCODERS})\.norm1\.", r"\1.convnormrelu.1."),
    (rf"({_ENCODERS})\.conv2\.", r"\1.conv."),
    (rf"({_ENCODERS}\.layer\d\.\d)\.conv(\d)\.", r"\1.convnormrelu\3.0."),
    (rf"({_ENCODERS}\.layer\d\.\d)\.norm(\d)\.", r"\1.convnormrelu\3.1."),
    (r"^update_block\.encoder\.convc(\d)\.", r"update_block.motion_encoder.convcorr\1.0."),
    (r"^update_block\.encoder\.convf(\d)\.", r"update_block.motion_encoder.convflow\1.0."),
    (r"^update_block\.encoder\.conv\.", "update_block.motion_encoder.conv.0."),
    (
        r"^update_block\.gru\.conv([zrq])(\d)\.",
        r"update_block.recurrent_block.convgru\2.conv\1.",
    ),
    (r"^update_block\.gru\.", "update_block.recurrent_block.convgru1."),
    (r"^update_block\.mask\.0\.", "mask_predictor.convrelu.0."),
    (r"^update_block\.mask\.2\.", "mask_predictor.conv."),
    # The norm of a shortcut, which is listed a second time there.
    drop=(r"^(fnet|cnet)\.layer\d\.\d\.norm[34]\.",),
)
"""The names of princeton-vl/RAFT, the authors' code, whose raft-things.pth and others a person may have."""


def raft_small() -> nn.Module:
    """990,162 parameters, not yet trained."""
    return optical_flow.raft_small(weights=None)


def raft_large() -> nn.Module:
    """5,257,536 parameters, not yet trained."""
    return optical_flow.raft_large(weights=None)


def guesses(
    network: nn.Module, before: Tensor, after: Tensor, updates: int = UPDATES
) -> list[Tensor]:
    """All guesses, one after each correction: a list of [B, 2, H, W], in pixels right and down.

    The parts are torchvision's and so are the numbers. Its own loop sends some to the GPU at every
    turn, so that a step with it cannot be recorded as a CUDA graph.

    Args:
        before, after: float [B, 3, H, W] in [0, 1], sides multiples of MULTIPLE and at least LEAST.
    """
    both = torch.cat([before, after]) * 2 - 1
    features, later = network.feature_encoder(both).chunk(2)
    scales, radius = compared(features, later), network.corr_block.radius
    parts = network.context_encoder(both[: len(before)])
    size = network.update_block.hidden_state_size
    hidden, context = parts[:, :size].tanh(), parts[:, size:].relu()
    rows, columns = (torch.arange(side, device=both.device) for side in features.shape[2:])
    start = torch.stack(torch.meshgrid(columns, rows, indexing="xy")).to(both.dtype)
    start = start.expand(len(before), -1, -1, -1)
    guess, found = start, []
    for _ in range(updates):
        guess = guess.detach()  # each correction learns for itself, as in the paper
        seen = looked_up(scales, guess, radius)
        hidden, correction = network.update_block(hidden, context, seen, guess - start)
        guess = guess + correction
        mask = network.mask_predictor(hidden) if network.mask_predictor else None
        found.append(enlarged(guess - start, mask))
    return found


def compared(before: Tensor, after: Tensor) -> list[Tensor]:
    """Return the similarity of every place of one map to every place of another, maps [B, C, h, w].

    Returns:
        [B·h·w, 1, h, w], and the same with `after` at a half, a quarter and an eighth of its size.
    """
    batch, channels, height, width = before.shape
    alike = before.flatten(2).transpose(1, 2) @ after.flatten(2) / math.sqrt(channels)
    scales = [alike.view(batch * height * width, 1, height, width)]
    for _ in range(LEVELS - 1):
        scales.append(F.avg_pool2d(scales[-1], 2))
    return scales


def looked_up(scales: list[Tensor], guess: Tensor, radius: int) -> Tensor:
    """Return similarities of `compared` around guesses [B, 2, h, w], in places: [B, LEVELS · (2 radius + 1)², h, w]."""
    batch, _, height, width = guess.shape
    side = torch.arange(-radius, radius + 1, device=guess.device, dtype=guess.dtype)
    around = torch.stack(torch.meshgrid(side, side, indexing="ij"), dim=-1)
    middle = guess.permute(0, 2, 3, 1).reshape(-1, 1, 1, 2)
    found = []
    for level, scale in enumerate(scales):
        places = middle / 2**level + around
        # From places to −1 … 1, as torch wants them.
        across, down = (2 * places[..., i] / (scale.shape[3 - i] - 1) - 1 for i in (0, 1))
        seen = F.grid_sample(scale, torch.stack([across, down], dim=-1), align_corners=True)
        found.append(seen.view(batch, height, width, -1))
    return torch.cat(found, dim=-1).permute(0, 3, 1, 2).contiguous()


def enlarged(flow: Tensor, mask: Tensor | None) -> Tensor:
    """Flow [B, 2, h, w] in places as [B, 2, 8h, 8w] in pixels.

    With a mask [B, 9·8·8, h, w] each pixel is a weighted mean of the nine places around it, else
    between the four next to it.
    """
    if mask is None:
        return 8 * F.interpolate(flow, scale_factor=8, mode="bilinear", align_corners=True)
    batch, _, height, width = flow.shape
    weights = mask.view(batch, 1, 9, 8, 8, height, width).softmax(dim=2)
    around = F.unfold(8 * flow, 3, padding=1).view(batch, 2, 9, 1, 1, height, width)
    mean = (weights * around).sum(dim=2)  # [B, 2, 8, 8, h, w]
    return mean.permute(0, 1, 4, 2, 5, 3).reshape(batch, 2, 8 * height, 8 * width)


def answer(network: nn.Module, before: Tensor, after: Tensor, updates: int = UPDATES) -> Tensor:
    """The last guess, [B, 2, H, W]."""
    return guesses(network, before, after, updates)[-1]
