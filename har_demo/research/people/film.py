"""From light to pixels: exposure, lens, sensor noise and the traces of compression.

linear RGB ──exposure, tint──▶ ──noise of light and sensor──▶ ──gamma──▶ ──blocks──▶ uint8
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Recording:
    """Settings of a recording camera; numbers for all frames, or tensors [F, 1, 1, 1] of one value a frame.

    Attributes:
        exposure: factor on the light; 1 is daylight, 0.02 the dark of a street at night.
        tint: factors of red, green and blue: [3, 1, 1], or [F, 3, 1, 1].
        grain: deviation of the noise at full brightness; the darker, the more shows.
        read_noise: deviation of the sensor's own noise, in linear units of the recorded picture.
        gain: how far the camera brightens again what is too dark, 1 not at all.
        compression: 0 is none, 1 like a small web video, 3 like a poor one.
    """

    exposure: float | Tensor = 1.0
    tint: float | Tensor = 1.0
    grain: float | Tensor = 0.0
    read_noise: float | Tensor = 0.0
    gain: float | Tensor = 1.0
    compression: float | Tensor = 0.0


def develop(light: Tensor, film: Recording, seeds: Tensor | None = None) -> Tensor:
    """uint8 [F, 3, H, W] of linear RGB float [F, 3, H, W]; `seeds` int64 [F] draw the noise, if any."""
    picture = light * film.exposure * film.tint
    if seeds is not None:
        spread = torch.as_tensor(film.grain) * picture.clamp(min=0).sqrt() + film.read_noise
        picture = picture + spread * noise(seeds, picture.shape[1:])
    picture = (picture * film.gain).clamp(0, 1)
    picture = torch.where(
        picture <= 0.0031308, 12.92 * picture, 1.055 * picture.clamp(min=1e-6) ** (1 / 2.4) - 0.055
    )
    return (_blocky(picture, film.compression) * 255).round().clamp(0, 255).byte()


def noise(seeds: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Bell-shaped noise float [F, *shape], mean 0 and deviation 1.

    A frame's seed alone decides, so it has the same noise in any batch and on any machine.
    """
    places = torch.arange(math.prod(shape), dtype=torch.int32, device=seeds.device)
    first = _mixed(_mixed(seeds[:, None].int()) + places * 747796405)
    second = _mixed(first + 1)
    # Four random numbers 0..1 add up to nearly a bell of deviation √(4 / 12).
    four = sum((h & 0xFFFF) + (h >> 16 & 0xFFFF) for h in (first, second))
    return ((four.float() / 0xFFFF - 2) * 3**0.5).unflatten(1, shape)


def _mixed(h: Tensor) -> Tensor:
    """int32 numbers scattered over all of int32; products wrap, on every machine alike."""
    h = (h ^ (h >> 16 & 0xFFFF)) * -2048144789
    h = (h ^ (h >> 13 & 0x7FFFF)) * -1028477387
    return h ^ (h >> 16 & 0xFFFF)


# Steps of the 8×8 frequencies in JPEG's example table for brightness (ITU-T T.81, table K.1).
_STEPS = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)


def _blocky(picture: Tensor, strength: float | Tensor) -> Tensor:
    """Quantise the frequencies of 8×8 blocks of a picture in 0..1."""
    strength = torch.as_tensor(strength, dtype=picture.dtype, device=picture.device)
    if not strength.any():
        return picture
    height, width = picture.shape[-2:]
    padded = F.pad(picture, (0, -width % 8, 0, -height % 8), mode="replicate")
    n = torch.arange(8, device=picture.device)
    basis = torch.cos(torch.pi * (n + 0.5) * n[:, None] / 8) * (0.25**0.5)
    basis[0] *= 0.5**0.5
    blocks = padded.unflatten(-1, (-1, 8)).unflatten(-3, (-1, 8)).transpose(-3, -2)
    steps = torch.tensor(_STEPS, device=picture.device).view(8, 8) / 255
    # 0 leaves a block as it is: its step is as small as rounding to whole numbers.
    steps = (steps * strength.reshape(-1, *[1] * 5)).clamp(min=1e-3)
    spectrum = basis @ blocks @ basis.T
    coarse = (spectrum / steps).round() * steps
    restored = (basis.T @ coarse @ basis).transpose(-3, -2).flatten(-2).flatten(-3, -2)
    return restored[..., :height, :width].clamp(0, 1)
