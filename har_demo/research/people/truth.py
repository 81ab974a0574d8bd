"""Ground truth of a rendered clip: exact motion, depth and masks of every pixel."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from har_demo.research.people.render import RAYS_AT_ONCE, Hits, cast, pixel_grid, trace
from har_demo.research.people.solids import own_point, world_point
from har_demo.research.people.stage import PERSON, Stage

SAME = 0.01  # metres, and share of the depth, within which two depths are the same surface


@dataclass(frozen=True)
class Truth:
    """Of the middles of all pixels; H × W of them in F frames of one clip.

    Attributes:
        flow: float [F - 1, 2, H, W], pixels right and down to where the same point of the same surface
            is in the next frame.
        visible: bool [F - 1, H, W], whether it can be seen there: inside the picture, nothing before it.
        depth: float [F, H, W], metres along the view.
        person: bool [F, H, W].
    """

    flow: Tensor
    visible: Tensor
    depth: Tensor
    person: Tensor

    def arrays(self) -> dict[str, np.ndarray]:
        """The same by name, the flow with its two numbers last: [F - 1, H, W, 2]."""
        known = {name: value.cpu().numpy() for name, value in vars(self).items()}
        return known | {"flow": np.moveaxis(known["flow"], 1, -1)}


def truth(stage: Stage, size: tuple[int, int]) -> Truth:
    """Everything known of one clip's frames, at (width, height) pixels."""
    width, height = size
    pixels, _ = pixel_grid(size, stage.eye.device)
    step = max(1, RAYS_AT_ONCE.get(stage.eye.device.type, 2**20) // len(pixels))
    flows, visible, depths, people = [], [], [], []
    last = len(stage) - 1
    for start in range(0, len(stage), step):
        now = stage.frames(slice(start, start + step))
        hits = trace(now, pixels, size)
        depths.append(hits.depth)
        people.append(_on(stage, hits, PERSON))
        pairs = min(start + step, last) - start
        if pairs > 0:
            first = Hits(*(x[:pairs] for x in vars(hits).values()))
            after = stage.frames(slice(start + 1, start + 1 + pairs))
            place, depth = _next(now.frames(slice(pairs)), after, first)
            move = (place - pixels) * height * torch.tensor([1.0, -1.0], device=place.device)
            flows.append(move.mT)
            visible.append(_seen(after, place, depth, size))

    def picture(parts: list[Tensor], *shape: int) -> Tensor:
        joined = torch.cat(parts) if parts else torch.empty(0, *shape, height * width)
        return joined.unflatten(-1, (height, width))

    return Truth(picture(flows, 2), picture(visible).bool(), picture(depths), picture(people))


def _next(now: Stage, after: Stage, hits: Hits) -> tuple[Tensor, Tensor]:
    """Return the place of each hit surface point a frame later, [F, P, 2] in picture heights, and its depth."""
    room = hits.which >= len(now.role)
    solid = hits.which.clamp(max=len(now.role) - 1)
    frame = torch.arange(len(now), device=solid.device)[:, None]

    def of_solid(values: Tensor) -> Tensor:
        return values[frame, solid]

    own = own_point(hits.point, of_solid(now.solids.place), of_solid(now.solids.turn))
    moved = world_point(own, of_solid(after.solids.place), of_solid(after.solids.turn))
    point = torch.where(room[..., None], hits.point, moved)
    seen = (point - after.eye[:, None]) @ after.axes.mT
    depth = -seen[..., 2]
    return after.focal[:, None, None] * seen[..., :2] / depth.clamp(min=1e-3)[..., None], depth


def _seen(after: Stage, place: Tensor, depth: Tensor, size: tuple[int, int]) -> Tensor:
    """Return True for points of the next frame that are inside its picture and the first on their ray."""
    inside = (
        (place[..., 0].abs() < size[0] / size[1] / 2) & (place[..., 1].abs() < 0.5) & (depth > 0)
    )
    first = cast(after, place).depth
    return inside & ((first - depth).abs() < SAME * (1 + depth))


def _on(stage: Stage, hits: Hits, role: int) -> Tensor:
    """Return True for hits on a solid of that role."""
    roles = torch.cat([stage.role, stage.role.new_full((3,), -1)])
    return roles[hits.which] == role
