"""Stages become pictures: one ray through every pixel, the surface it meets, and the light there.

    stage ──rays──▶ Hits (depth, which solid, where on it) ──paint, light, shadows──▶ linear RGB

Everything is batched torch and runs on CPU and GPU alike; nothing is approximated but soft shadows, for
which limbs are rows of balls.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from har_demo.research.people import texture
from har_demo.research.people.solids import (
    BOX,
    CAPSULE,
    ELLIPSOID,
    nearest,
    own_normal,
    own_point,
    room_wall,
)
from har_demo.research.people.stage import CEILING, FLOOR, SCENERY, WALLS, Stage

TILE = 16  # pixels: moving solids are looked for only in tiles that they touch
RAYS_AT_ONCE = {"cpu": 2**17, "cuda": 2**23}
LIT_AT_ONCE = {"cpu": 2**14, "cuda": 2**23}
EDGE = 0.04  # what neighbouring pixels differ by, in roots of light, where more rays are worth it
SOFTNESS = 0.10  # metres that a shadow's edge widens per metre from what casts it


@dataclass(frozen=True)
class Hits:
    """Hits of the rays of F frames, P rays a frame.

    Attributes:
        depth: float [F, P], metres along the view.
        which: int64 [F, P]: a solid, or N + FLOOR, WALLS or CEILING.
        point: float [F, P, 3] in the world.
        own: float [F, P, 3], the same point in the coordinates of what was hit.
        normal: float [F, P, 3] in the world.
    """

    depth: Tensor
    which: Tensor
    point: Tensor
    own: Tensor
    normal: Tensor


def render(stage: Stage, size: tuple[int, int], samples: int = 1) -> Tensor:
    """Linear RGB float [F, 3, H, W] of all frames.

    Args:
        stage: the frames.
        size: (width, height) in pixels.
        samples: rays along either side of a pixel where it differs from its neighbours; elsewhere, and
            everywhere if this is 1, one ray goes through its middle.
    """
    width, height = size
    pixels, _ = pixel_grid(size, stage.eye.device)
    # Where in a pixel its rays go through, in picture heights off the middle.
    steps = ((torch.arange(samples) + 0.5) / samples - 0.5).to(pixels) / height
    spots = torch.cartesian_prod(steps, steps).view(-1, 2)
    pictures = []
    for some in _chunks(stage, width * height):
        hits = trace(some, pixels, size)
        light = _lit(some, hits)
        if samples > 1:
            edges = _edges(light, hits.which, size)
            chosen = _first(edges)
            finer = sum(_lit(some, cast(some, pixels[chosen] + spot)) for spot in spots) / len(
                spots
            )
            finer = light.scatter(1, chosen[..., None].expand_as(finer), finer)
            light = torch.where(edges[..., None], finer, light)
        pictures.append(light.view(len(some), height, width, 3).permute(0, 3, 1, 2))
    return torch.cat(pictures)


def _edges(light: Tensor, which: Tensor, size: tuple[int, int]) -> Tensor:
    """bool [F, P]: whether a pixel looks other than a neighbour, or shows another solid."""
    look = light.clamp(min=0).sqrt().unflatten(1, size[::-1])  # as different as eyes see it
    solid = which.unflatten(1, size[::-1])
    edges = torch.zeros_like(solid, dtype=torch.bool)
    for axis, length in ((1, size[1] - 1), (2, size[0] - 1)):
        other = solid.diff(dim=axis) != 0
        other |= look.diff(dim=axis).abs().amax(-1) > EDGE
        for start in (0, 1):  # the pixels on both sides
            edges.narrow(axis, start, length).logical_or_(other)
    return edges.flatten(1)


def _first(wanted: Tensor) -> Tensor:
    """int64 [F, K] of bool [F, P]: in every frame all that are wanted, and others to make up K."""
    most = max(1, int(wanted.sum(1).max()))
    return wanted.byte().argsort(dim=1, descending=True, stable=True)[:, :most]


def pixel_grid(size: tuple[int, int], device: torch.device) -> tuple[Tensor, tuple[int, int]]:
    """Middles of all pixels, [H * W, 2] in picture heights right and up of the centre, and the size."""
    width, height = size
    x = (torch.arange(width, device=device) + 0.5 - width / 2) / height
    y = (height / 2 - torch.arange(height, device=device) - 0.5) / height
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).view(-1, 2), size


def trace(stage: Stage, pixels: Tensor, size: tuple[int, int]) -> Hits:
    """Rays through all pixels of a picture of (width, height), as `pixel_grid` gives them."""
    directions = rays(stage, pixels.expand(len(stage), -1, -1))
    still = stage.role == SCENERY
    depth, which = _met(stage, still, directions)
    frame, tile = _touched(stage, ~still, size).nonzero(as_tuple=True)
    rows = _tiles(size, stage.eye.device)[tile]  # [A, TILE²] pixels; past the rim some twice
    at = (frame[:, None].expand_as(rows), rows)
    _moving(stage, ~still, directions, at, depth, which)
    return _hits(stage, directions, depth, which)


def cast(stage: Stage, pixels: Tensor) -> Hits:
    """Rays through any places of the picture, float [F, P, 2] in picture heights off its middle."""
    directions = rays(stage, pixels)
    depth, which = _met(stage, torch.ones_like(stage.role, dtype=torch.bool), directions)
    return _hits(stage, directions, depth, which)


def _moving(stage: Stage, wanted: Tensor, directions, at, depth: Tensor, which: Tensor) -> None:
    """Put moving solids into `depth` and `which` at (frames, rays) [A, P], where they are nearer."""
    frame, ray = at
    if not frame.numel():
        return
    first = frame[:, 0]
    near, solid = nearest(_some(stage, wanted, first), stage.eye[first], directions[frame, ray])
    closer = near < depth[frame, ray]
    at = (frame[closer], ray[closer])
    depth[at] = near[closer]
    which[at] = wanted.nonzero()[:, 0][solid[closer]]


def rays(stage: Stage, pixels: Tensor) -> Tensor:
    """Directions [F, P, 3] that gain a metre of depth per unit."""
    flat = pixels / stage.focal[:, None, None]
    right, up, back = stage.axes.unbind(1)
    return flat[..., :1] * right[:, None] + flat[..., 1:] * up[:, None] - back[:, None]


def _met(stage: Stage, wanted: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Depth and number of the nearest of the wanted solids and the room."""
    frames = torch.arange(len(stage), device=directions.device)
    depth, which = nearest(_some(stage, wanted, frames), stage.eye, directions)
    which = wanted.nonzero()[:, 0][which]
    wall_depth, side = room_wall(stage.low, stage.high, stage.eye, directions)
    surface = torch.tensor([WALLS, FLOOR, WALLS, WALLS, CEILING, WALLS], device=side.device)[side]
    behind = wall_depth < depth
    return torch.where(behind, wall_depth, depth), torch.where(behind, len(wanted) + surface, which)


def _some(stage: Stage, wanted: Tensor, frame: Tensor):
    """The wanted solids in these frames."""
    solids = stage.solids
    return type(solids)(
        solids.kind[wanted],
        *(x[:, wanted][frame] for x in (solids.place, solids.turn, solids.size)),
    )


def _hits(stage: Stage, directions: Tensor, depth: Tensor, which: Tensor) -> Hits:
    point = stage.eye[:, None] + depth[..., None] * directions
    solid = which.clamp(max=len(stage.role) - 1)
    frame = torch.arange(len(stage), device=depth.device)[:, None]
    place, turn, size = (
        x[frame, solid] for x in (stage.solids.place, stage.solids.turn, stage.solids.size)
    )
    kind = stage.solids.kind[solid]
    own = own_point(point, place, turn)
    normal = own_normal(kind, own, size)
    # Flat faces are painted in two coordinates: across a face the third does not change.
    own = torch.where((kind == BOX)[..., None], own * (1 - normal.abs()), own)
    normal = (turn @ normal[..., None])[..., 0]

    room = (which >= len(stage.role))[..., None]
    away = torch.minimum(point - stage.low[:, None], stage.high[:, None] - point)
    wall = F.one_hot(away.argmin(-1), 3).to(point.dtype)
    middle = (stage.low + stage.high)[:, None] / 2
    inward = wall * (middle - point).sign()
    own = torch.where(room, point * (1 - wall), own)
    return Hits(depth, which, point, own, torch.where(room, inward, normal))


def _lit(stage: Stage, hits: Hits) -> Tensor:
    """Linear RGB [F, P, 3], some rays of all frames at a time: so little fits a processor's cache."""
    step = max(1, LIT_AT_ONCE.get(stage.eye.device.type, 2**20) // len(stage))
    starts = range(0, hits.depth.shape[1], step)
    return torch.cat([_shaded(stage, _part(hits, slice(a, a + step))) for a in starts], 1)


def _part(hits: Hits, some: slice) -> Hits:
    return Hits(*(values[:, some] for values in vars(hits).values()))


def _shaded(stage: Stage, hits: Hits) -> Tensor:
    """Linear RGB [F, P, 3]: paint × (light from the sun, less in shadows, and from all sides)."""
    painted = texture.colour(hits.own, stage.paint[stage.clip], hits.which)
    way, sun, sky = stage.light[stage.clip].unbind(1)
    slope = (hits.normal * way[:, None]).sum(-1)
    body = torch.cat([stage.role != SCENERY, stage.role.new_zeros(3, dtype=torch.bool)])[hits.which]
    soft = torch.where(body, (slope * 0.6 + 0.4).clamp(min=0), slope.clamp(min=0))
    shade = torch.where(body, 1.0, _shadow(stage, hits, way))
    above = 0.65 + 0.35 * hits.normal[..., 1]
    light = sun[:, None] * (soft * shade)[..., None] + sky[:, None] * above[..., None]
    # The sky and a lamp-lit ceiling shine by themselves.
    ceiling = (hits.which == len(stage.role) + CEILING)[..., None]
    return painted * torch.where(ceiling, 1.0, light)


def _shadow(stage: Stage, hits: Hits, way: Tensor) -> Tensor:
    """Share of the sun that reaches a point, [F, P]: soft shadows of what moves, hard ones of boxes."""
    ball, radius = _balls(stage)  # [F, K, 3], [F, K]
    point, way = hits.point, way[:, None]
    along = (ball * way).sum(-1)[:, None] - (point * way).sum(-1, keepdim=True)
    apart2 = ball.square().sum(-1)[:, None] - 2 * point @ ball.mT
    apart2 = apart2 + point.square().sum(-1, keepdim=True)
    off = (apart2 - along.square()).clamp(min=0).sqrt()
    edge = 0.03 + SOFTNESS * along.clamp(min=0)
    hidden = ((radius[:, None] + edge - off) / (2 * edge)).clamp(0, 1) * (along > 0)
    lit = 1 - hidden.amax(-1)

    boxes = (stage.role == SCENERY) & (stage.solids.kind == BOX)
    place, turn, size = (
        x[:, boxes] for x in (stage.solids.place, stage.solids.turn, stage.solids.size)
    )
    start = torch.einsum("fpk,fnki->fpni", point + 2e-3 * hits.normal, turn)
    start = start - torch.einsum("fnk,fnki->fni", place, turn)[:, None]
    own_way = torch.einsum("fpk,fnki->fpni", way, turn)
    own_way = torch.where(own_way.abs() < 1e-6, 1e-6, own_way)
    middle, half = -start / own_way, (size[:, None] / own_way).abs()
    enter, leave = (middle - half).amax(-1), (middle + half).amin(-1)
    blocked = ((enter < leave) & (leave > 1e-3)).any(-1)
    return torch.where(blocked, 0.0, lit)


def _balls(stage: Stage) -> tuple[Tensor, Tensor]:
    """The moving solids as balls, three along every limb: enough for a shadow; [F, K, 3], [F, K]."""
    moving = stage.role != SCENERY
    limbs = moving & (stage.solids.kind == CAPSULE)
    round_ = moving & (stage.solids.kind != CAPSULE)
    place, turn, size = stage.solids.place, stage.solids.turn, stage.solids.size
    along = size[:, limbs, 1:2] * turn[:, limbs, :, 1]
    middles = (place[:, round_], place[:, limbs] - along, place[:, limbs], place[:, limbs] + along)
    thick = size[:, limbs, 0]
    return torch.cat(middles, 1), torch.cat([size[:, round_].mean(-1), thick, thick, thick], 1)


def _touched(stage: Stage, wanted: Tensor, size: tuple[int, int]) -> Tensor:
    """bool [F, tiles]: whether the ball around any wanted solid reaches into a tile of the picture."""
    place, extent = stage.solids.place[:, wanted], stage.solids.size[:, wanted]
    kind = stage.solids.kind[wanted]
    radius = torch.where(kind == CAPSULE, extent[..., 0] + extent[..., 1], extent.norm(dim=-1))
    radius = torch.where(kind == ELLIPSOID, extent.amax(-1), radius)
    seen = (place - stage.eye[:, None]) @ stage.axes.mT
    depth = -seen[..., 2]
    # A ball's outline reaches beyond its projected radius when it is near and off the middle.
    scale = size[1] * stage.focal[:, None] / (depth - radius).clamp(min=0.05)
    x = size[0] / 2 + scale * seen[..., 0] * (depth - radius).clamp(min=0.05) / depth.clamp(
        min=0.05
    )
    y = size[1] / 2 - scale * seen[..., 1] * (depth - radius).clamp(min=0.05) / depth.clamp(
        min=0.05
    )
    reach = scale * radius * 1.3 + 1
    behind = depth < -radius
    across = torch.arange(-(-size[0] // TILE), device=x.device) * TILE
    down = torch.arange(-(-size[1] // TILE), device=x.device) * TILE
    in_x = (across + TILE > (x - reach)[..., None]) & (across < (x + reach)[..., None])
    in_y = (down + TILE > (y - reach)[..., None]) & (down < (y + reach)[..., None])
    both = in_y[..., :, None] & in_x[..., None, :] & ~behind[..., None, None]
    return both.any(1).flatten(1)


def _tiles(size: tuple[int, int], device: torch.device) -> Tensor:
    """int64 [tiles, TILE²]: the pixels of every tile; past the rim, those on it again."""
    width, height = size
    x = torch.arange(-(-width // TILE) * TILE, device=device).clamp(max=width - 1).view(-1, TILE)
    y = torch.arange(-(-height // TILE) * TILE, device=device).clamp(max=height - 1).view(-1, TILE)
    pixel = y[:, None, :, None] * width + x[None, :, None, :]
    return pixel.reshape(-1, TILE * TILE)


def _chunks(stage: Stage, pixels: int) -> Iterator[Stage]:
    """Few enough frames at a time to keep memory flat and, on a processor, inside its cache."""
    step = max(1, RAYS_AT_ONCE.get(stage.eye.device.type, 2**20) // pixels)
    for start in range(0, len(stage), step):
        yield stage.frames(slice(start, start + step))
