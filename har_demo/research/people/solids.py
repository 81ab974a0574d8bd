"""Ellipsoids, capsules and boxes, and where rays of light meet them: exactly, for every pixel.

A solid is a rigid thing: a shape of fixed size with a place and a turn in every frame. So a point of its
surface is known by its coordinates in the solid's own frame, and where that point is a moment later is
known too. That is what makes the optical flow of a rendered clip exact.

    ellipsoid   |p / size| = 1                         size: three radii
    capsule     everything within size[0] of the segment from -size[1] to +size[1] along y
    box         |p| ≤ size                             size: three half edges
    room        a box seen from inside, fixed in the world: floor, ceiling and walls

Rays start at the camera and are as long as one metre of depth: `t` along them is depth in metres. As
all rays of a frame start at one place, the quadratic equations of a pixel and a solid are matrix products.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

NEAR = 0.05  # metres: what is closer is behind the lens
FAR = 1e4
ELLIPSOID, CAPSULE, BOX = range(3)


@dataclass(frozen=True)
class Solids:
    """N rigid solids in F frames.

    Attributes:
        kind: int64 [N], ascending: ELLIPSOIDs first, then CAPSULEs, then BOXes.
        place: float [F, N, 3], the middle, in metres.
        turn: float [F, N, 3, 3], columns are the solid's own axes in the world.
        size: float [F, N, 3], constant over the frames of one clip.
    """

    kind: Tensor
    place: Tensor
    turn: Tensor
    size: Tensor

    def __getitem__(self, frames) -> "Solids":
        return Solids(self.kind, self.place[frames], self.turn[frames], self.size[frames])

    def to(self, device: torch.device | str) -> "Solids":
        return Solids(*(getattr(self, field.name).to(device) for field in fields(self)))


def joined(first: Solids, *others: Solids) -> tuple[Solids, Tensor]:
    """Solids of the same frames in one, sorted by kind.

    Returns:
        The solids, and int64 [N]: where each of them stood in the row of all that were given.
    """
    every = (first, *others)
    order = torch.cat([s.kind for s in every]).sort(stable=True)
    place, turn, size = (
        torch.cat([getattr(s, name) for s in every], 1)[:, order.indices]
        for name in ("place", "turn", "size")
    )
    return Solids(order.values, place, turn, size), order.indices


def nearest(solids: Solids, origin: Tensor, rays: Tensor) -> tuple[Tensor, Tensor]:
    """The first solid each ray meets.

    Args:
        solids: N of them in F frames.
        origin: [F, 3], the camera.
        rays: [F, P, 3], directions.

    Returns:
        depth [F, P], FAR where nothing is met, and int64 [F, P], which solid.
    """
    ways = {ELLIPSOID: _ellipsoids, CAPSULE: _capsules, BOX: _boxes}
    depths = []
    for kind, count in zip(*solids.kind.unique_consecutive(return_counts=True), strict=True):
        start = sum(d.shape[-1] for d in depths)
        some = slice(start, start + int(count))
        depths.append(
            ways[int(kind)](
                solids.place[:, some], solids.turn[:, some], solids.size[:, some], origin, rays
            )
        )
    return torch.cat(depths, -1).min(-1)


def room_wall(low: Tensor, high: Tensor, origin: Tensor, rays: Tensor) -> tuple[Tensor, Tensor]:
    """Intersect rays that start inside a room with its floor, ceiling and walls.

    Args:
        low, high: [F, 3], the room's corners; the floor is at low[:, 1].

    Returns:
        depth [F, P] and int64 [F, P]: 0, 1, 2 for the low side along x, y, z; 3, 4, 5 for the high.
    """
    ahead = rays > 0
    wall = torch.where(ahead, high[:, None], low[:, None])
    safe = torch.where(rays.abs() < 1e-9, 1e-9, rays)
    depth, axis = ((wall - origin[:, None]) / safe).abs().min(-1)
    return depth, axis + 3 * ahead.gather(-1, axis[..., None])[..., 0]


def _ellipsoids(place, turn, size, origin, rays):
    """|S⁻¹Rᵀ(o + t d - c)|² = 1 with M = R S⁻² Rᵀ: (dᵀMd) t² + 2 (dᵀM(o - c)) t + … = 0."""
    m = (turn / size[..., None, :].square()) @ turn.mT  # [F, N, 3, 3]
    apart = origin[:, None] - place
    m_apart = (m @ apart[..., None])[..., 0]
    x, y, z = rays.unbind(-1)
    products = torch.stack([x * x, y * y, z * z, x * y, x * z, y * z], -1)
    twice = torch.tensor([1.0, 1, 1, 2, 2, 2], device=rays.device)
    forms = m[..., [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]] * twice  # [F, N, 6]
    a = products @ forms.mT
    b = rays @ m_apart.mT
    c = ((apart * m_apart).sum(-1) - 1)[:, None]
    return _first_root(a, b, c)


def _capsules(place, turn, size, origin, rays):
    """A cylinder between two spheres: the cylinder where the ray meets it between its ends, or a sphere."""
    axis = 2 * size[..., 1:2] * turn[..., 1]  # [F, N, 3], from one end to the other
    apart = origin[:, None] - (place - axis / 2)
    radius2 = size[..., 0].square()
    along2 = axis.square().sum(-1)[:, None]
    apart2 = apart.square().sum(-1)[:, None]
    axis_apart = (axis * apart).sum(-1)[:, None]
    ray2 = rays.square().sum(-1, keepdim=True)
    ray_axis = rays @ axis.mT
    ray_apart = rays @ apart.mT

    a = (along2 * ray2 - ray_axis.square()).clamp(min=1e-9)
    b = along2 * ray_apart - axis_apart * ray_axis
    c = along2 * (apart2 - radius2[:, None]) - axis_apart.square()
    cylinder = _first_root(a, b, c)
    height = axis_apart + cylinder * ray_axis
    low = _first_root(ray2, ray_apart, apart2 - radius2[:, None])
    other2 = apart2 - 2 * axis_apart + along2
    high = _first_root(ray2, ray_apart - ray_axis, other2 - radius2[:, None])
    between = (height > 0) & (height < along2)
    return torch.where(between, cylinder, torch.minimum(low, high))


def _boxes(place, turn, size, origin, rays):
    """Inside a box is inside three pairs of planes: enter the last of them, leave the first."""
    own_origin = ((origin[:, None] - place)[..., None, :] @ turn)[:, None, :, 0]  # [F, 1, N, 3]
    own_rays = torch.einsum("fpk,fnki->fpni", rays, turn)
    own_rays = torch.where(own_rays.abs() < 1e-9, 1e-9, own_rays)
    middle = -own_origin / own_rays
    half = (size[:, None] / own_rays).abs()
    enter, leave = (middle - half).amax(-1), (middle + half).amin(-1)
    return torch.where((enter < leave) & (enter > NEAR), enter, FAR)


def _first_root(a, b, c):
    """The smaller t of a t² + 2 b t + c = 0, or FAR where there is none ahead."""
    inside = b * b - a * c
    t = (-b - inside.clamp(min=0).sqrt()) / a
    return torch.where((inside > 0) & (t > NEAR), t, FAR)


def own_point(point: Tensor, place: Tensor, turn: Tensor) -> Tensor:
    """World [..., 3] to a solid's own coordinates."""
    return ((point - place)[..., None, :] @ turn)[..., 0, :]


def world_point(own: Tensor, place: Tensor, turn: Tensor) -> Tensor:
    """A solid's own coordinates [..., 3] to the world."""
    return place + (turn @ own[..., None])[..., 0]


def own_normal(kind: Tensor, own: Tensor, size: Tensor) -> Tensor:
    """Outward unit normals of surface points in their solids' coordinates, all [..., 3]; kind [...]."""
    ellipsoid = own / size.square()
    middle = own[..., 1:2].clamp(min=-size[..., 1:2], max=size[..., 1:2])
    y = torch.tensor([0.0, 1.0, 0.0], device=own.device)
    capsule = own - middle * y
    share = own / size
    face = share.abs() >= share.abs().amax(-1, keepdim=True)
    box = share.sign() * face
    kind = kind[..., None]
    normal = torch.where(kind == ELLIPSOID, ellipsoid, torch.where(kind == CAPSULE, capsule, box))
    return torch.nn.functional.normalize(normal, dim=-1)
