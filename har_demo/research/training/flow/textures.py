"""Pictures of nothing, with the detail of photographs: what synthetic scenes are papered with.

    clouds of all grain sizes ─▶ covered by hundreds of shapes, each in a colour and grain of its own

Photographs are made of things in front of other things, and of grain that looks alike at every scale.
Both can be had without a camera ("dead leaves": Lee, Mumford and Huang, IJCV 2001).
"""

import math

import torch
from torch import Tensor

AT_ONCE = 32  # pictures that are painted together


def bank(count: int, size: tuple[int, int], leaves: int, device: torch.device) -> Tensor:
    """uint8 [count, 3, height, width] pictures of (width, height) pixels, as torch's seed draws them.

    Args:
        leaves: shapes in each; 0 leaves clouds.
    """
    groups = [min(AT_ONCE, count - start) for start in range(0, count, AT_ONCE)]
    return torch.cat([(_painted(n, size, leaves, device) * 255).byte() for n in groups])


def clouds(count: int, size: tuple[int, int], device: torch.device) -> Tensor:
    """Noise float [count, 3, height, width], mean 0 and deviation 1, coarse or fine as chance will have it."""
    width, height = size
    down = torch.fft.fftfreq(height, device=device)[:, None] * height
    across = torch.fft.rfftfreq(width, device=device)[None] * width
    frequency = (down.square() + across.square()).sqrt().clamp(min=1)
    steep = torch.empty(count, 1, 1, 1, device=device).uniform_(0.6, 2.2)
    white = torch.randn(count, 3, *frequency.shape, 2, device=device)
    noise = torch.fft.irfft2(torch.view_as_complex(white) / frequency**steep, s=(height, width))
    # Colours of one thing mostly get lighter and darker together.
    grey = noise.mean(1, keepdim=True)
    coloured = torch.empty(count, 1, 1, 1, device=device).uniform_(0, 0.7)
    noise = grey + coloured * (noise - grey)
    spread = noise.std(dim=(1, 2, 3), keepdim=True).clamp(min=1e-6)
    return (noise - noise.mean(dim=(1, 2, 3), keepdim=True)) / spread


def _painted(count: int, size: tuple[int, int], leaves: int, device: torch.device) -> Tensor:
    """float [count, 3, height, width] in [0, 1]."""
    width, height = size
    y = torch.arange(height, device=device).view(1, 1, -1, 1)
    x = torch.arange(width, device=device).view(1, 1, 1, -1)
    grain = clouds(count, size, device)

    def chance(low: float, high: float, channels: int = 1) -> Tensor:
        return torch.empty(count, channels, 1, 1, device=device).uniform_(low, high)

    def colour() -> Tensor:
        grey = chance(0, 1)
        return grey + vivid * (chance(0, 1, 3) - grey)

    vivid = chance(0.05, 0.8)
    picture = chance(0.2, 0.8, 3) + chance(0.02, 0.25) * clouds(count, size, device)
    for _ in range(leaves):
        # Many small ones, few large ones.
        radius = chance(math.log(2), math.log(min(size) / 3)).exp()
        turn, longer = chance(0, math.pi), chance(0, 1.2).exp()
        right, below = x - chance(0, width), y - chance(0, height)
        own_x = (right * turn.cos() + below * turn.sin()) / longer
        own_y = below * turn.cos() - right * turn.sin()
        round_ = own_x.square() + own_y.square() < radius.square()
        square = torch.maximum(own_x.abs(), own_y.abs()) < radius
        stripe = (own_x.abs() < 4 * radius) & (own_y.abs() < radius / 4)
        kind = chance(0, 3)
        leaf = torch.where(kind < 1, round_, torch.where(kind < 2, square, stripe))
        moved = grain.roll(tuple(torch.randint(0, min(size), (2,)).tolist()), (2, 3))
        picture = torch.where(leaf, colour() + chance(0, 0.4) ** 2 * moved, picture)
    return picture.clamp(0, 1)
