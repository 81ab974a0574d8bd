"""Pairs of pictures with known flow, and what is done to them before a network sees them.

    pair ──moved, turned, enlarged, mirrored──▶ ──light, colour, noise, patches over what is seen──▶ pair

The first makes motions that nobody rendered; the flow changes with it and stays exact. The second makes
two pictures of one thing differ, as they do in the world.
"""

from dataclasses import dataclass, fields
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Pairs:
    """B pairs of pictures of H × W pixels.

    Attributes:
        before, after: float [B, 3, H, W] in [0, 1].
        flow: float [B, 2, H, W], pixels right and down from a point of `before` to where it is in `after`.
        known: bool [B, H, W], where the flow is known.
        visible: bool [B, H, W], where what is there can also be seen in `after`.
    """

    before: Tensor
    after: Tensor
    flow: Tensor
    known: Tensor
    visible: Tensor

    def __len__(self) -> int:
        return len(self.flow)


def together(parts: list[Pairs]) -> Pairs:
    """Several of one size as one."""
    return Pairs(*(torch.cat([getattr(p, f.name) for p in parts]) for f in fields(Pairs)))


def grid(size: tuple[int, int], device: torch.device) -> Tensor:
    """The pixels of a picture of (width, height), [2, H, W]: right, down, counted from 0."""
    x, y = (torch.arange(side, device=device, dtype=torch.float32) for side in size)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"))


def moved(matrix: Tensor, points: Tensor) -> Tensor:
    """Points [..., 2, H, W] where matrices [..., 2, 3] bring them."""
    turned = torch.einsum("...ij,...jhw->...ihw", matrix[..., :2], points)
    return turned + matrix[..., 2, None, None]


def motion(
    about: Tensor, turn: Tensor, zoom: Tensor, shift: Tensor, shear: Tensor | float = 0.0
) -> Tensor:
    """Matrices [..., 2, 3] that turn by radians, enlarge and shear about a point, and shift.

    Args:
        about, shift: [..., 2], pixels.
        turn, zoom, shear: [...]; 0, 1 and 0 change nothing.
    """
    cos, sin = zoom * turn.cos(), zoom * turn.sin()
    linear = torch.stack(
        [torch.stack([cos, shear * cos - sin], -1), torch.stack([sin, shear * sin + cos], -1)], -2
    )
    rest = about + shift - (linear @ about[..., None])[..., 0]
    return torch.cat([linear, rest[..., None]], -1)


def inverse(matrix: Tensor) -> Tensor:
    """Return the inverses of matrices [..., 2, 3]."""
    # Written out, as torch's own waits for the GPU to say whether there is one.
    (a, b), (c, d) = (row.unbind(-1) for row in matrix[..., :2].unbind(-2))
    linear = torch.stack([torch.stack([d, -b], -1), torch.stack([-c, a], -1)], -2)
    linear = linear / (a * d - b * c)[..., None, None]
    return torch.cat([linear, -linear @ matrix[..., 2:]], -1)


@lru_cache(maxsize=32)
def constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    """Numbers as a float tensor that is sent to the GPU once: sending waits for all that is under way there."""
    return torch.tensor(values, device=device, dtype=torch.float32)


def looked_up(
    picture: Tensor, points: Tensor, mode: str = "bilinear", rim: str = "zeros"
) -> Tensor:
    """A picture [B, C, H, W] at points [B, 2, h, w] in its pixels → [B, C, h, w]."""
    height, width = picture.shape[-2:]
    size = constant((width, height), points.device)
    places = (2 * points.permute(0, 2, 3, 1) + 1) / size - 1
    return F.grid_sample(picture, places, mode=mode, padding_mode=rim, align_corners=False)


def spread(size: tuple[int, int], pairs: Pairs) -> Pairs:
    """Other pairs of (width, height) pixels: both pictures turned, enlarged, mirrored and cut out alike,
    and every second time the later one once more a little, as if a camera had moved.
    """
    count, device = len(pairs), pairs.flow.device
    full = constant(tuple(pairs.flow.shape[:1:-1]), device)
    here = constant(size, device)

    def chance(low: float, high: float, *shape: int) -> Tensor:
        return torch.empty(count, *shape, device=device).uniform_(low, high)

    # From pixels of the new picture to those of the old one; most of what is seen lies inside.
    shrink = (full / here).amin() / chance(0.0, 0.9).exp()
    room = (full - here * shrink[:, None]).clamp(min=0) / 2
    shift = (full - here) / 2 + room * chance(-1, 1, 2)
    own = motion((here / 2).expand(count, 2), chance(-0.3, 0.3), shrink, shift)
    mirrored = torch.where(chance(0, 1) < 0.5, -1.0, 1.0)
    own[:, :, 2] += own[:, :, 0] * torch.where(mirrored < 0, here[0] - 1, 0.0)[:, None]
    own[:, :, 0] *= mirrored[:, None]

    # Where a point of the first new picture is in the second, were nothing in it to move.
    moves = (chance(0, 1) < 0.5).float()
    camera = motion(
        (here / 2).expand(count, 2),
        moves * 0.04 * torch.randn(count, device=device),
        (moves * 0.04 * torch.randn(count, device=device)).exp(),
        (moves * chance(0, 2.5).exp())[:, None] * torch.randn(count, 2, device=device),
    )
    points = grid(size, device).expand(count, 2, size[1], size[0])
    source = moved(own, points)
    flow = looked_up(pairs.flow, source, "nearest")
    there = moved(camera, moved(inverse(own), source + flow))
    seen = torch.stack([pairs.known, pairs.visible], 1).float()
    known, visible = (looked_up(seen, source, "nearest") > 0.5).unbind(1)
    inside = (there >= -0.5) & (there <= here.view(2, 1, 1) - 0.5)
    return Pairs(
        looked_up(pairs.before, source),
        looked_up(pairs.after, moved(own, moved(inverse(camera), points))),
        there - points,
        known,
        visible & inside.all(1),
    )


def relit(pairs: Pairs) -> Pairs:
    """The same flow under another light: contrast, colour, blur and noise, a little different in `after`,
    which also loses some patches.
    """
    count, device = len(pairs), pairs.flow.device

    def chance(low: float, high: float, *shape: int) -> Tensor:
        return torch.empty(count, *shape, 1, 1, device=device).uniform_(low, high)

    def some(share: float) -> Tensor:
        return (chance(0, 1, 1) < share).float()

    differs, noisy, blurred = some(0.4), some(0.5) * chance(0, 0.06, 1), some(0.2)
    gamma, gain = chance(-0.5, 0.5, 1), chance(-0.5, 0.3, 1)
    colour, tint, offset = chance(0, 1.5, 1), chance(-0.2, 0.2, 3), chance(-0.15, 0.15, 1)
    dark = some(0.1) * chance(0.5, 2.0, 1)

    def one(picture: Tensor) -> Tensor:
        grey = picture.mean(1, keepdim=True)
        picture = (grey + colour * (picture - grey)).clamp(1e-3, 1)
        picture = picture ** (gamma + differs * chance(-0.1, 0.1, 1)).exp()
        light = gain + tint - dark + differs * chance(-0.15, 0.15, 3)
        picture = picture * light.exp() + offset * (dark == 0)
        soft = F.avg_pool2d(F.pad(picture, (1, 1, 1, 1), mode="replicate"), 3, 1)
        picture = picture + blurred * (soft - picture)
        return (picture + noisy * (-dark / 2).exp() * torch.randn_like(picture)).clamp(0, 1)

    return Pairs(
        one(pairs.before), _patched(one(pairs.after)), pairs.flow, pairs.known, pairs.visible
    )


def _patched(picture: Tensor, most: int = 2) -> Tensor:
    """Half of the pictures with up to `most` plain rectangles in them, as things that come between."""
    count, _, height, width = picture.shape
    x, y = grid((width, height), picture.device)
    plain = picture.mean(dim=(2, 3), keepdim=True)
    for _ in range(most):
        draw = torch.rand(count, 5, 1, 1, device=picture.device)
        inside = ((x / width - draw[:, 0]).abs() < 0.02 + 0.1 * draw[:, 2]) & (
            (y / height - draw[:, 1]).abs() < 0.02 + 0.1 * draw[:, 3]
        )
        hidden = inside & (draw[:, 4] < 0.3)
        picture = torch.where(hidden[:, None], plain, picture)
    return picture
