"""Flat shapes that slide over each other: flow that is exact because everything is computed from it.

    background, 9 shapes ──each with a picture and a motion──▶ two pictures, flow, what can be seen in both

As FlyingChairs (Dosovitskiy et al., ICCV 2015), with shapes for the chairs and textures for the photographs:
unlike rendered people, these look like nothing in particular, so a network learns to compare.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from har_demo.research.training.flow.augment import (
    Pairs,
    constant,
    grid,
    inverse,
    looked_up,
    motion,
    moved,
)

SHAPES = 9


@dataclass(frozen=True)
class MovingLayer:
    """One shape in each of B pictures.

    Attributes:
        motion: [B, 2, 3], where its points go.
        paper: [B, 2, 3], from pixels to those of its texture.
        which: int64 [B], its texture.
        middle, radius, turn, longer, kind: float [B, 2] or [B], see `_outside`.
        waves: float [B, 3, 2], heights and phases of a blob's rim.
    """

    motion: Tensor
    paper: Tensor
    which: Tensor
    middle: Tensor
    radius: Tensor
    turn: Tensor
    longer: Tensor
    kind: Tensor
    waves: Tensor


def draw(bank: Tensor, count: int, size: tuple[int, int]) -> Pairs:
    """`count` pairs of (width, height) pixels, as torch's seed draws them, on the bank's device.

    Args:
        bank: textures, uint8 [N, 3, h, w].
    """
    points = grid(size, bank.device).expand(count, 2, size[1], size[0])
    background, *shapes = _layers(bank, count, size)
    before = _papered(bank, background, points)
    after = _papered(bank, background, moved(inverse(background.motion), points))
    flow = moved(background.motion, points) - points
    top = torch.zeros(count, size[1], size[0], device=bank.device)
    for number, shape in enumerate(shapes, start=1):
        outside = _outside(shape, points)
        before = torch.lerp(before, _papered(bank, shape, points), _covering(outside))
        back = moved(inverse(shape.motion), points)
        cover = _covering(_outside(shape, back))
        after = torch.lerp(after, _papered(bank, shape, back), cover)
        on = outside < 0
        flow = torch.where(on[:, None], moved(shape.motion, points) - points, flow)
        top = torch.where(on, float(number), top)

    there = points + flow
    limit = constant(size, bank.device).view(2, 1, 1) - 0.5
    visible = ((there >= -0.5) & (there <= limit)).all(1)
    for number, shape in enumerate(shapes, start=1):
        over = _outside(shape, moved(inverse(shape.motion), there)) < 0
        visible &= ~(over & (top < number))
    return Pairs(before, after, flow, torch.ones_like(visible), visible)


def _layers(bank: Tensor, count: int, size: tuple[int, int]) -> list[MovingLayer]:
    """The background and the shapes before it, from the farthest to the nearest."""
    device = bank.device
    extent = constant(size, device)
    papers = constant(tuple(bank.shape[:1:-1]), device)
    short = min(size)

    def chance(low: float, high: float, *shape: int) -> Tensor:
        return torch.empty(count, *shape, device=device).uniform_(low, high)

    def normal(*shape: int) -> Tensor:
        return torch.randn(count, *shape, device=device)

    # How lively a scene is: mostly a few pixels, sometimes a good part of the picture.
    lively = chance(math.log(0.004), math.log(0.1)).exp() * short
    camera = (chance(0, 1) < 0.75).float() * chance(0, 1)
    centre = (extent / 2).expand(count, 2)
    behind = motion(
        centre,
        camera * 0.04 * normal(),
        (camera * 0.04 * normal()).exp(),
        (camera * lively)[:, None] * normal(2),
        camera * 0.03 * normal(),
    )

    layers = []
    for number in range(SHAPES + 1):
        middle = chance(0, 1, 2) * extent
        shift = papers / 2 - centre + 0.1 * papers * normal(2)
        paper = motion(centre, chance(-math.pi, math.pi), chance(0.5, 1.2), shift)
        moves = (chance(0, 1) < 0.85).float()
        own = motion(
            middle,
            moves * 0.12 * normal(),
            (moves * 0.06 * normal()).exp(),
            (moves * lively)[:, None] * normal(2),
        )
        layers.append(
            MovingLayer(
                motion=behind if number == 0 else _after(behind, own),
                paper=paper,
                which=torch.randint(len(bank), (count,), device=device),
                middle=middle,
                radius=chance(math.log(0.02), math.log(0.3)).exp() * short,
                turn=chance(0, math.pi),
                longer=chance(0, 1.2).exp(),
                kind=chance(0, 5),
                waves=torch.stack([chance(0, 0.25, 3), chance(0, 2 * math.pi, 3)], -1),
            )
        )
    return layers


def _after(second: Tensor, first: Tensor) -> Tensor:
    """One motion and then another, as one."""
    rest = second[..., :2] @ first[..., 2:] + second[..., 2:]
    return torch.cat([second[..., :2] @ first[..., :2], rest], -1)


def _outside(layer: MovingLayer, points: Tensor) -> Tensor:
    """About how many pixels points [B, 2, H, W] lie outside the shape, less than 0 inside it: [B, H, W]."""

    def wide(values: Tensor) -> Tensor:
        return values[:, None, None]

    right, below = (points - layer.middle[..., None, None]).unbind(1)
    cos, sin = wide(layer.turn.cos()), wide(layer.turn.sin())
    x = (right * cos + below * sin) / wide(layer.longer)
    y = below * cos - right * sin
    radius, kind = wide(layer.radius), wide(layer.kind)

    far = (x.square() + y.square()).sqrt()
    angle = torch.atan2(y, x)
    rim = sum(
        wide(layer.waves[:, i, 0]) * (k * angle + wide(layer.waves[:, i, 1])).sin()
        for i, k in enumerate((2, 3, 5))
    )
    blob = far - radius * (1 + rim)
    box = torch.maximum(x.abs(), y.abs()) - radius
    ring = (far - radius).abs() - radius / 4
    reach = 2 * radius  # a stick, as arms and legs are
    stick = ((x - x.clamp(-reach, reach)).square() + y.square()).sqrt() - radius / 3
    diamond = (x.abs() + y.abs() - radius) * 0.7
    shapes = torch.stack([blob, box, ring, stick, diamond])
    chosen = kind.long().clamp(max=4).expand_as(blob)[None]
    return shapes.gather(0, chosen)[0]


def _covering(outside: Tensor) -> Tensor:
    """Share of a pixel that the shape covers, [B, 1, H, W]."""
    return (0.5 - outside).clamp(0, 1)[:, None]


def _papered(bank: Tensor, layer: MovingLayer, points: Tensor) -> Tensor:
    """The layer's texture at points, [B, 3, H, W]."""
    pictures = bank[layer.which].float() / 255
    return looked_up(pictures, moved(layer.paper, points), rim="reflection")
