"""Colours that belong to points of a surface: cloth, skin, walls and floors out of formulas.

A texture is a function of a point in the solid's own coordinates, in metres, so it moves with the solid
and fits around every corner; nothing is stored. Each surface has its own numbers, so all pixels of
many clips are coloured in one go.
"""

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

PLAIN, STRIPES, CHECKS, BLOTCHES, TILES = range(5)
PATTERNS = 5


@dataclass(frozen=True)
class Paint:
    """Paint of N surfaces in each of B clips.

    Attributes:
        base, second: float [B, N, 3], linear RGB in 0..1; patterns go from one to the other.
        pattern: int64 [B, N], one of the PATTERNS.
        scale: float [B, N], repetitions of the pattern per metre.
        grain: float [B, N], how far fine noise lightens and darkens, 0 for none.
        seed: float [B, N], moves the noise, so that no two surfaces have the same.
    """

    base: Tensor
    second: Tensor
    pattern: Tensor
    scale: Tensor
    grain: Tensor
    seed: Tensor

    def __getitem__(self, clips) -> "Paint":
        return Paint(*(getattr(self, field.name)[clips] for field in fields(self)))

    def to(self, device: torch.device | str) -> "Paint":
        return Paint(*(getattr(self, field.name).to(device) for field in fields(self)))


def colour(point: Tensor, paint: Paint, surface: Tensor) -> Tensor:
    """Linear RGB [F, P, 3] of surface points.

    Args:
        point: [F, P, 3] in the surfaces' own coordinates.
        paint: for the same frames, F in place of B.
        surface: int64 [F, P], which of the N.
    """

    def mine(values: Tensor) -> Tensor:
        if values.dim() == 3:
            surface3 = surface[..., None].expand(-1, -1, values.shape[-1])
            return values.gather(1, surface3)
        return values.gather(1, surface)

    pattern, scale, seed = mine(paint.pattern), mine(paint.scale), mine(paint.seed)
    scaled = point * scale[..., None]
    wave = torch.sin(2 * math.pi * scaled)
    stripes = (wave[..., 1] > 0).float()
    checks = ((wave >= 0).sum(-1) % 2).float()
    blotches = (noise(scaled + seed[..., None]) * 3 - 1).clamp(0, 1)
    # A joint is where any coordinate comes close to a whole number; one that is 0 does not count,
    # because flat faces have no third coordinate.
    away = (scaled - scaled.round()).abs() + (scaled == 0)
    tiles = (away.amin(-1) < 0.03).float()
    share = torch.zeros_like(stripes)
    for which, value in (
        (STRIPES, stripes),
        (CHECKS, checks),
        (BLOTCHES, blotches),
        (TILES, tiles),
    ):
        share = torch.where(pattern == which, value, share)
    base, second = mine(paint.base), mine(paint.second)
    plain = base + share[..., None] * (second - base)
    rough = noise(point * 9 + seed[..., None]) + 0.5 * noise(point * 31 + 2 * seed[..., None])
    return plain * (1 + mine(paint.grain) * (rough - 0.75))[..., None].clamp(min=0)


def noise(point: Tensor) -> Tensor:
    """Value noise: random numbers 0..1 at whole coordinates, smooth between; [..., 3] to [...]."""
    corner = point.floor()
    part = point - corner
    part = part * part * (3 - 2 * part)
    # Whole numbers overflow and wrap here, on every machine alike: that is what mixes them.
    low = corner.int() * torch.tensor(_MIXERS, dtype=torch.int32, device=point.device)
    x, y, z = low.unbind(-1)
    u, v, w = part.unbind(-1)

    def along_x(h: Tensor) -> Tensor:
        return torch.lerp(_random(h + x), _random(h + (x + _MIXERS[0])), u)

    def along_y(h: Tensor) -> Tensor:
        return torch.lerp(along_x(h + y), along_x(h + (y + _MIXERS[1])), v)

    return torch.lerp(along_y(z), along_y(z + _MIXERS[2]), w)


_MIXERS = (374761393, 668265263, 1103515245)


def _random(h: Tensor) -> Tensor:
    """A number 0..1 for each int32, the same every time."""
    h = (h ^ (h >> 13)) * 1274126177
    return ((h ^ (h >> 16)) & 0xFFFF).float() * (1 / 0xFFFF)
