"""What a training clip may look like without changing its action.

    when     another start, another speed, backwards where the action allows it
    where    another crop and aspect, mirrored, a camera that pans
    light    grey, gamma, brightness, sensor noise: ARID is filmed in the dark

All of it is drawn per clip and done on the device for a whole batch at once.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from har_demo.labels import EVERYDAY
from har_demo.training.data import Footage

# Played backwards, these are the action named; the others change into nothing we have a name for.
_BACKWARDS = {
    "sitting down": "standing up",
    "standing up": "sitting down",
    "bending down": "bending down",
    "jumping jack": "jumping jack",
    "jumping in place": "jumping in place",
    "waving one hand": "waving one hand",
    "waving both hands": "waving both hands",
    "turning around": "turning around",
}
BACKWARDS: tuple[int, ...] = tuple(
    EVERYDAY.index(_BACKWARDS[name]) if name in _BACKWARDS else -1 for name in EVERYDAY
)
"""For each class, what it becomes when played backwards, or -1."""

SPEED = 1.4  # up to so many times faster or slower
SMALLEST_CROP = 0.65  # of the side
ASPECT = 1.3
DRIFT = 0.012  # of the side, per frame
DARKEST, BRIGHTEST = 0.05, 0.5  # mean of a picture
NOISE = 0.15  # deviation at most, of that mean


def draw_windows(footage: Footage, clips: Tensor, frames: int, fps: float) -> tuple[Tensor, Tensor]:
    """A random window of each clip.

    Args:
        footage: where the clips are.
        clips: int64 [B], which clips.
        frames: T, frames of a window.
        fps: how many of them make a second, before the speed changes.

    Returns:
        int64 [B, T] positions in `footage.frames` and int64 [B] labels.
    """
    stride = footage.fps[clips] / fps * _log_uniform(clips, SPEED)
    count = footage.count[clips]
    room = (count - (frames - 1) * stride - 1).clamp(min=0)
    start = _uniform(clips) * room
    steps = torch.arange(frames, device=clips.device)
    within = (start[:, None] + steps * stride[:, None]).floor().long()
    within = torch.minimum(within, count[:, None] - 1)

    labels = footage.labels[clips]
    becomes = torch.tensor(BACKWARDS, device=clips.device)[labels]
    backwards = (becomes >= 0) & (_uniform(clips) < 0.5)
    within = torch.where(backwards[:, None], within.flip(1), within)
    return footage.first[clips][:, None] + within, torch.where(backwards, becomes, labels)


def augment(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """Move and light a batch of windows differently.

    Args:
        frames: uint8 [B, T, 3, S, S].
        size: (height, width) of the result.

    Returns:
        float32 [B, T, 3, height, width] in [0, 1], as a camera with 8 bits would give it.
    """
    return _light(_move(frames, size))


def _move(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """A random crop, stretched to `size`, mirrored half the time, drifting half the time."""
    b, t = frames.shape[:2]
    one = torch.empty(b, device=frames.device)
    side = SMALLEST_CROP + (1 - SMALLEST_CROP) * _uniform(one)
    aspect = _log_uniform(one, ASPECT).sqrt()
    half_w, half_h = (side * aspect).clamp(max=1), (side / aspect).clamp(max=1)
    x = (2 * _uniform(one) - 1) * (1 - half_w)
    y = (2 * _uniform(one) - 1) * (1 - half_h)
    mirror = torch.where(_uniform(one) < 0.5, -1.0, 1.0)

    # A hand-held camera pans at some speed, which wavers.
    speed = torch.randn(b, 1, 2, device=frames.device)
    speed = speed + torch.randn(b, t, 2, device=frames.device).cumsum(1) / math.sqrt(t)
    drift = (2 * DRIFT * speed * _uniform(one)[:, None, None]).cumsum(1)
    drift = (drift - drift.mean(1, keepdim=True)) * (_uniform(one) < 0.7)[:, None, None]

    theta = torch.zeros(b, t, 2, 3, device=frames.device)
    theta[..., 0, 0] = (half_w * mirror)[:, None]
    theta[..., 1, 1] = half_h[:, None]
    theta[..., 0, 2] = x[:, None] + drift[..., 0]
    theta[..., 1, 2] = y[:, None] + drift[..., 1]
    grid = F.affine_grid(theta.flatten(0, 1), [b * t, 3, *size], align_corners=False)
    flat = frames.flatten(0, 1).float() / 255
    moved = F.grid_sample(flat, grid, padding_mode="border", align_corners=False)
    return moved.unflatten(0, (b, t))


def _light(x: Tensor) -> Tensor:
    """Sometimes grey, another gamma, lit or dimmed to another brightness, noisy, rounded to 8 bits."""
    one = torch.empty(len(x), 1, 1, 1, 1, device=x.device)
    grey = x.mean(dim=2, keepdim=True).expand_as(x)
    x = torch.where(_uniform(one) < 0.3, grey, x)
    x = x.clamp(min=1e-4) ** _log_uniform(one, 1.6)
    mean = x.mean(dim=(1, 2, 3, 4), keepdim=True).clamp(min=0.01)
    brightness = DARKEST * (BRIGHTEST / DARKEST) ** _uniform(one)
    brightness = torch.where(_uniform(one) < 0.7, brightness, mean)
    noise = NOISE * brightness * _uniform(one) * (_uniform(one) < 0.5)
    x = x * (brightness / mean) + noise * torch.randn_like(x)
    return x.clamp(0, 1).mul(255).round().div(255)


def _uniform(like: Tensor) -> Tensor:
    """As many numbers in [0, 1)."""
    return torch.rand(like.shape, device=like.device)


def _log_uniform(like: Tensor, most: float) -> Tensor:
    """As many factors between 1 / most and most, their logarithm uniform."""
    return most ** (2 * _uniform(like) - 1)
