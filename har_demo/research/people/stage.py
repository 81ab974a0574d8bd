"""Everything a picture is made of, for one clip or many: solids, their paint, camera, room and light."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from har_demo.research.people.body import PARTS, SLOTS, figure
from har_demo.research.people.camera import Camera
from har_demo.research.people.place import Place
from har_demo.research.people.solids import BOX, CAPSULE, ELLIPSOID, Solids, joined
from har_demo.research.people.texture import Paint
from har_demo.research.people.things import NOWHERE, Prop, Surface

PROPS = (ELLIPSOID, CAPSULE, BOX, BOX)  # every stage has these, in use or far under the floor
SCENERY, PERSON, PROP, MOVER = range(4)
FLOOR, WALLS, CEILING = range(3)  # surfaces of the room, after those of the solids


@dataclass(frozen=True)
class Stage:
    """F frames of B clips, clip after clip; all tensors on one device.

    Attributes:
        solids: N of them, the same kinds on every stage of a batch.
        role: int64 [N]: SCENERY, PERSON, PROP or MOVER.
        paint: of N + 3 surfaces, those of the room last, per clip.
        clip: int64 [F], which of the B clips a frame belongs to.
        eye: float [F, 3] and axes [F, 3, 3]: the camera's place and its right, up and back.
        focal: float [F], in picture heights.
        low, high: float [F, 3], corners of the room.
        light: float [B, 3, 3]: rows are the way to the light, its strength, and the sky's.
    """

    solids: Solids
    role: Tensor
    paint: Paint
    clip: Tensor
    eye: Tensor
    axes: Tensor
    focal: Tensor
    low: Tensor
    high: Tensor
    light: Tensor

    def __len__(self) -> int:
        return len(self.clip)

    def frames(self, some: slice) -> "Stage":
        """Some of the frames; all clips' paint and light stay."""
        of_frames = ("clip", "eye", "axes", "focal", "low", "high")
        cut = {name: getattr(self, name)[some] for name in of_frames}
        return Stage(self.solids[some], self.role, self.paint, light=self.light, **cut)

    def to(self, device: torch.device | str) -> "Stage":
        return Stage(*(getattr(self, field.name).to(device) for field in fields(self)))


def set_stage(
    joints: np.ndarray,
    girth: float,
    clothes: dict[str, Surface],
    camera: Camera,
    place: Place,
    props: Sequence[Prop] = (),
    chance: np.random.Generator | None = None,
) -> Stage:
    """One clip's stage on the CPU; `chance` draws the grain of surfaces.

    Raises:
        ValueError: there are more props of a kind than `PROPS` has.
    """
    count = len(joints)
    body = figure(joints, girth)
    props = _in_slots(props, count)
    things = _things(props, count)
    scenery = _boxes(place, count)
    movers = _balls(place.movers, place.mover_radius)
    solids, order = joined(body, things, scenery, movers)
    sizes = (len(body.kind), len(things.kind), len(scenery.kind), len(movers.kind))
    role = torch.repeat_interleave(
        torch.tensor([PERSON, PROP, SCENERY, MOVER]), torch.tensor(sizes)
    )[order]
    surfaces = [clothes[SLOTS[slot]] for slot in PARTS] + [prop.surface for prop in props]
    surfaces += [box.surface for box in place.boxes] + list(place.mover_surfaces)
    surfaces = [surfaces[i] for i in order.tolist()] + [place.floor, place.walls, place.ceiling]
    chance = chance or np.random.default_rng(0)

    def per_frame(values) -> Tensor:
        values = torch.as_tensor(np.asarray(values)).float()
        return values.expand(count, *values.shape)

    return Stage(
        solids=solids,
        role=role,
        paint=_paint(surfaces, chance),
        clip=torch.zeros(count, dtype=torch.int64),
        eye=torch.as_tensor(camera.place),
        axes=torch.as_tensor(camera.axes),
        focal=per_frame(camera.focal),
        low=per_frame(place.low),
        high=per_frame(place.high),
        light=torch.as_tensor(np.stack([place.light, place.sunlight, place.skylight])).float()[
            None
        ],
    )


def together(stages: Sequence[Stage]) -> Stage:
    """Several clips' stages as one, to be rendered at once."""
    first = stages[0]

    def all_of(name: str) -> Tensor:
        return torch.cat([getattr(stage, name) for stage in stages])

    solids = Solids(
        first.solids.kind,
        *(
            torch.cat([getattr(stage.solids, name) for stage in stages])
            for name in ("place", "turn", "size")
        ),
    )
    paint = Paint(
        *(torch.cat([getattr(s.paint, field.name) for s in stages]) for field in fields(Paint))
    )
    clip = torch.cat([stage.clip + number for number, stage in enumerate(stages)])
    rest = {name: all_of(name) for name in ("eye", "axes", "focal", "low", "high", "light")}
    return Stage(solids, first.role, paint, clip, **rest)


def _paint(surfaces: Sequence[Surface], chance: np.random.Generator) -> Paint:
    def row(name: str, dtype=torch.float32) -> Tensor:
        return torch.tensor([[getattr(s, name) for s in surfaces]], dtype=dtype)

    seeds = torch.as_tensor(chance.uniform(0, 500, (1, len(surfaces)))).float()
    return Paint(
        row("base"), row("second"), row("pattern", torch.int64), row("scale"), row("grain"), seeds
    )


def _in_slots(props: Sequence[Prop], count: int) -> list[Prop]:
    """One prop for each of PROPS; what is not there is a speck far under the floor."""
    left, slots = list(props), []
    for kind in PROPS:
        found = next((prop for prop in left if prop.kind == kind), None)
        if found:
            left = [prop for prop in left if prop is not found]
        nowhere = np.broadcast_to(NOWHERE, (count, 3))
        slots.append(found or Prop(kind, np.full(3, 0.01), nowhere, Surface((0.0, 0.0, 0.0))))
    if left:
        raise ValueError(f"a stage has no room for {len(left)} more props of kind {left[0].kind}")
    return slots


def _things(props: Sequence[Prop], count: int) -> Solids:
    upright = np.broadcast_to(np.eye(3), (count, 3, 3))
    return Solids(
        torch.tensor(PROPS),
        _tensor(np.stack([prop.middle for prop in props], 1)),
        _tensor(np.stack([upright if p.turn is None else p.turn for p in props], 1)),
        _tensor(np.broadcast_to(np.stack([p.size for p in props]), (count, len(props), 3))),
    )


def _boxes(place: Place, count: int) -> Solids:
    turns = [
        [[np.cos(b.turn), 0, np.sin(b.turn)], [0, 1, 0], [-np.sin(b.turn), 0, np.cos(b.turn)]]
        for b in place.boxes
    ]
    number = len(place.boxes)
    return Solids(
        torch.full((number,), BOX),
        _tensor(np.broadcast_to(np.stack([b.middle for b in place.boxes]), (count, number, 3))),
        _tensor(np.broadcast_to(np.array(turns), (count, number, 3, 3))),
        _tensor(np.broadcast_to(np.stack([b.half for b in place.boxes]), (count, number, 3))),
    )


def _balls(middles: np.ndarray, radii: np.ndarray) -> Solids:
    count, number = middles.shape[:2]
    return Solids(
        torch.full((number,), ELLIPSOID),
        _tensor(middles),
        _tensor(np.broadcast_to(np.eye(3), (count, number, 3, 3))),
        _tensor(np.broadcast_to(np.asarray(radii)[:, None], (count, number, 3))),
    )


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
