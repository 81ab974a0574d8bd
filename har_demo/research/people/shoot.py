"""One clip, or many: an action and a seed become a person, a place, a camera, light, and frames.

    action, seed ──▶ Take (motion, camera, stage, film) ──render──▶ light ──develop──▶ uint8 frames

A take is drawn in milliseconds with numpy and holds no pictures; rendering is batched and goes wherever
the stage's tensors are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from har_demo.research.people.camera import NOTHING, Camera, CameraShot, film, project
from har_demo.research.people.captions import captions
from har_demo.research.people.film import Recording, develop
from har_demo.research.people.motion import PersonMotion, move
from har_demo.research.people.place import colour_name, place, wardrobe
from har_demo.research.people.render import render
from har_demo.research.people.skeleton import JOINTS
from har_demo.research.people.stage import Stage, set_stage, together
from har_demo.research.people.things import corners, stands
from har_demo.research.people.truth import truth

AT_ONCE = 32  # frames that `pictures` holds in memory

# Which side an action is best seen from, in radians away from the face, to either side.
VIEWS = (
    dict.fromkeys(("walk", "run", "skip", "jump", "push_up"), (0.9, 1.65))
    | dict.fromkeys(("knock", "push", "shoot_at_hoop"), (1.0, 1.6))  # what is ahead hides nobody
    | dict.fromkeys(("sit_down", "stand_up", "bend", "squat", "lunge", "fall"), (0.5, 1.25))
    | dict.fromkeys(("kick", "throw", "catch", "bowl", "pick_up_and_throw"), (0.5, 1.25))
    | dict.fromkeys(("pick_up", "put_down", "box", "curl_arms", "swing_bat"), (0.4, 1.1))
)
FRONT = (0.0, 0.6)


@dataclass(frozen=True)
class ShotSettings:
    """Choices of a shot that the seed shall not make.

    Attributes:
        dark: whether it is filmed in the dark; None leaves it to the seed. Nothing else changes with it.
        calm: for people to look at: a good view, a tripod, nothing in the way.
        azimuth: where the camera stands, radians around the person; None leaves it to the seed.
        treadmill: the camera is driven along, so that whoever walks or runs stays in the middle.
        things: False leaves out the stool, the hoop, the ball ... that the action needs.
        aspect: width / height of the picture.
    """

    dark: bool | None = None
    calm: bool = False
    azimuth: float | None = None
    treadmill: bool = False
    things: bool = True
    aspect: float = 1.0


@dataclass(frozen=True)
class Take:
    """Everything about one clip but its pixels.

    Attributes:
        action: what the person does.
        motion: who moves how.
        camera: where it is seen from.
        stage: T frames, on the CPU.
        film: how it is recorded.
        fps: frames per second.
        seed: draws the noise.
        dark: whether it was shot in the dark.
        shirt: the colour's name, "" if it is not one colour.
        where: "indoors" or "outdoors".
    """

    action: str
    motion: PersonMotion
    camera: Camera
    stage: Stage
    film: Recording
    fps: float
    seed: int
    dark: bool
    shirt: str
    where: str

    def __len__(self) -> int:
        return len(self.stage)

    def joints(self, size: tuple[int, int]) -> np.ndarray:
        """float32 [T, 20, 3]: every joint's pixels right and down, and its depth in metres."""
        return project(self.camera, self.motion.joints, size).astype(np.float32)

    def captions(self) -> tuple[str, ...]:
        """Sentences about the clip, if it shows one of `motion.ACTIONS`."""
        return captions(self.action, self.seed, self.shirt, self.where, self.dark)


def take(
    action: str,
    seed: int = 0,
    seconds: float = 2.0,
    fps: float = 25,
    look: ShotSettings | None = None,
) -> Take:
    """A clip of somebody doing `action`, one of `motion.ACTIONS`; the seed draws all the rest.

    >>> len(take("bend", seed=3, seconds=1))
    25
    """
    return take_of(move(action, seed, seconds, fps), action, seed, fps, look)


def take_of(
    motion: PersonMotion, action: str, seed: int, fps: float = 25, look: ShotSettings | None = None
) -> Take:
    """A clip of any motion, as `take`."""
    look = look or ShotSettings()
    # Each draws from numbers of its own, so that another camera does not change the clothes.
    viewing, dressing, placing, painting, developing = np.random.default_rng([seed, 17]).spawn(5)
    # A ball may fly off, but the hoop it flies to is seen; the same if it is then left out.
    things = np.concatenate([NOTHING, *(corners(prop) for prop in motion.props if stands(prop))])
    shot = _shot(motion.joints[0], action, look, viewing)
    camera = film(motion.joints, shot, look.aspect, fps, viewing, things)
    clothes = wardrobe(dressing)
    around = place(motion.joints, camera, fps, placing, look.calm, things)
    stage = set_stage(
        joints=motion.joints,
        girth=motion.body.girth,
        clothes=clothes,
        camera=camera,
        place=around,
        props=motion.props if look.things else (),
        chance=painting,
    )
    drawn = bool(developing.random() < 0.35)
    dark = drawn if look.dark is None else look.dark
    recorded = _film(dark, look.calm, developing)
    shirt, where = colour_name(clothes["shirt"]), "outdoors" if around.outdoors else "indoors"
    return Take(action, motion, camera, stage, recorded, fps, seed, dark, shirt, where)


def frames(one: Take, size: tuple[int, int], samples: int = 2) -> np.ndarray:
    """uint8 [T, height, width, 3] of a take, at (width, height) pixels; the same every time."""
    return np.stack(list(pictures(one, size, samples)))


def pictures(one: Take, size: tuple[int, int], samples: int = 2) -> Iterator[np.ndarray]:
    """The frames of a take one by one, as `frames`; memory stays flat however long it is."""
    seeds = _noise_seeds([one])
    for start in range(0, len(one), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        light = render(one.stage.frames(some), size, samples)
        yield from develop(light, one.film, seeds[some]).permute(0, 2, 3, 1).contiguous().numpy()


def write_truth(one: Take, size: tuple[int, int], path: Path | str) -> None:
    """An .npz of what is known: truth.Truth's arrays (flow [T - 1, H, W, 2]), joints, their names, fps."""
    np.savez_compressed(
        path,
        **truth(one.stage, size).arrays(),
        joints=one.joints(size),
        joint_names=np.array(JOINTS),
        fps=np.array(one.fps),
    )


@dataclass(frozen=True)
class Batch:
    """Takes to be rendered at once.

    Attributes:
        stage: their F frames, take after take.
        film: of every frame, tensors [F, 1, 1, 1].
        seeds: int64 [F], of every frame's noise.
    """

    stage: Stage
    film: Recording
    seeds: Tensor

    def to(self, device: torch.device | str) -> "Batch":
        names = [field.name for field in fields(Recording)]
        moved = {name: getattr(self.film, name).to(device) for name in names}
        return Batch(self.stage.to(device), Recording(**moved), self.seeds.to(device))


def batch(takes: Sequence[Take]) -> Batch:
    """Takes of any numbers of frames, to be rendered by `batch_frames`."""
    counts = torch.tensor([len(one) for one in takes])

    def per_frame(name: str) -> Tensor:
        values = [torch.as_tensor(getattr(one.film, name), dtype=torch.float32) for one in takes]
        return (
            torch.stack(torch.broadcast_tensors(*values))
            .view(len(takes), -1, 1, 1)
            .repeat_interleave(counts, 0)
        )

    numbers = {field.name: per_frame(field.name) for field in fields(Recording)}
    return Batch(together([one.stage for one in takes]), Recording(**numbers), _noise_seeds(takes))


def batch_frames(some: Batch, size: tuple[int, int], samples: int = 1) -> Tensor:
    """uint8 [F, 3, H, W] of all takes, take after take, on the batch's device."""
    return develop(render(some.stage, size, samples), some.film, some.seeds)


def _noise_seeds(takes: Sequence[Take]) -> Tensor:
    """int64, another one for every frame of every take."""
    return torch.cat([one.seed * 65_537 + torch.arange(len(one)) for one in takes])


def _shot(
    first: np.ndarray, action: str, look: ShotSettings, chance: np.random.Generator
) -> CameraShot:
    shot = _calm_shot(first, action, chance) if look.calm else _any_shot(chance)
    if look.azimuth is not None:
        shot = replace(shot, azimuth=look.azimuth)
    if look.treadmill:
        shot = replace(shot, travel=1.0, follow=0.0)
    return shot


def _any_shot(chance: np.random.Generator) -> CameraShot:
    return CameraShot(
        azimuth=chance.uniform(-np.pi, np.pi),
        tilt=chance.uniform(-0.05, 0.5),
        focal=chance.uniform(0.9, 2.4),
        # As a rule a person can be told at 112 pixels, also one who walks from side to side.
        fill=chance.uniform(0.78, 1.05),
        follow=chance.choice([0.0, 1.0, chance.uniform(0.5, 1.0)]),
        shake=chance.choice([0.0, chance.uniform(0.2, 1.5)]),
        aside=(chance.uniform(-0.15, 0.15), chance.uniform(-0.08, 0.08)),
    )


def _calm_shot(first: np.ndarray, action: str, chance: np.random.Generator) -> CameraShot:
    across = first[JOINTS.index("left hip")] - first[JOINTS.index("right hip")]
    facing = np.arctan2(-across[2], across[0])
    azimuth = facing + chance.choice([-1, 1]) * chance.uniform(*VIEWS.get(action, FRONT))
    return CameraShot(azimuth, chance.uniform(0.06, 0.25), chance.uniform(1.3, 2.0), fill=0.92)


def _film(dark: bool, calm: bool, chance: np.random.Generator) -> Recording:
    """A camera's ways by day, or where there is next to no light and it amplifies what there is."""
    tint = torch.as_tensor(1 + chance.uniform(-0.15, 0.15, (3, 1, 1))).float()
    if dark:
        exposure = float(np.exp(chance.uniform(np.log(0.015), np.log(0.10))))
        return Recording(
            exposure=exposure,
            tint=tint,
            grain=chance.uniform(0.005, 0.02),
            read_noise=chance.uniform(0.0005, 0.003),
            gain=chance.uniform(1.0, 2.5),
            compression=0.0 if calm else chance.choice([0.0, chance.uniform(0.1, 1.0)]),
        )
    if calm:
        return Recording()
    return Recording(
        exposure=chance.uniform(0.5, 1.6),
        tint=tint,
        grain=chance.uniform(0.0, 0.05),
        read_noise=chance.uniform(0.0, 0.01),
        compression=chance.choice([0.0, chance.uniform(0.3, 2.5)]),
    )
