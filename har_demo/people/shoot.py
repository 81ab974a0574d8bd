"""One clip, or many: an action and a seed become a person, a place, a camera, light, and frames.

    action, seed ──▶ Take (motion, camera, stage, film) ──render──▶ light ──develop──▶ uint8 frames

A take is drawn in milliseconds with numpy and holds no pictures; rendering is batched and goes wherever
the stage's tensors are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from har_demo.people.camera import Camera, Shot, film
from har_demo.people.film import Film, develop
from har_demo.people.motion import Motion, move
from har_demo.people.place import place, wardrobe
from har_demo.people.render import render
from har_demo.people.stage import Stage, set_stage, together

# Which side an action is best seen from, in radians away from the front, to either side.
VIEWS = dict.fromkeys(("walk", "run", "skip", "jump", "push_up"), (0.9, 1.65)) | dict.fromkeys(
    ("sit_down", "stand_up", "bend", "squat"), (0.5, 1.25)
)
FRONT = (0.0, 0.6)


@dataclass(frozen=True)
class Take:
    """Everything about one clip but its pixels.

    Attributes:
        motion: who moves how.
        camera: where it is seen from.
        stage: T frames, on the CPU.
        film: how it is recorded.
        fps: frames per second.
        seed: draws the noise.
        dark: whether it was shot in the dark.
    """

    motion: Motion
    camera: Camera
    stage: Stage
    film: Film
    fps: float
    seed: int
    dark: bool


def take(
    action: str,
    seed: int = 0,
    seconds: float = 2.0,
    fps: float = 25,
    dark: bool | None = None,
    calm: bool = False,
    aspect: float = 1.0,
) -> Take:
    """A clip of somebody doing `action`; the seed draws all the rest.

    Args:
        action: one of `motion.ACTIONS`.
        dark: None leaves it to the seed.
        calm: for people to look at: a good view, a tripod, nothing in the way, no noise.
        aspect: width / height of the picture.
    """
    chance = np.random.default_rng([seed, 17])
    return take_of(move(action, seed, seconds, fps), action, seed, fps, dark, calm, aspect, chance)


def take_of(
    motion: Motion,
    action: str,
    seed: int,
    fps: float,
    dark: bool | None,
    calm: bool,
    aspect: float,
    chance: np.random.Generator,
    azimuth: float | None = None,
) -> Take:
    """A clip of any motion, as `take`; `azimuth` overrules the drawn view."""
    shot = _calm_shot(action, chance) if calm else _any_shot(chance)
    if azimuth is not None:
        shot = Shot(azimuth, shot.tilt, shot.focal, shot.fill)
    if dark is None:
        dark = bool(chance.random() < 0.35)
    camera = film(motion.joints, shot, aspect, fps, chance)
    around = place(motion.joints, camera, fps, chance, calm)
    stage = set_stage(
        motion.joints, motion.body.girth, wardrobe(chance), camera, around, motion.props, chance
    )
    return Take(motion, camera, stage, _film(dark, calm, chance), fps, seed, dark)


def frames(one: Take, size: tuple[int, int], samples: int = 2) -> np.ndarray:
    """uint8 [T, height, width, 3] of a take, at (width, height) pixels; the same every time."""
    generator = torch.Generator().manual_seed(one.seed)
    pictures = develop(render(one.stage, size, samples), one.film, generator)
    return pictures.permute(0, 2, 3, 1).contiguous().numpy()


def frames_of_many(
    takes: Sequence[Take], size: tuple[int, int], device: torch.device | str, seed: int
) -> Tensor:
    """uint8 [B, T, 3, H, W] on the device: all takes in one batch; they have equally many frames."""
    stage = together([one.stage for one in takes]).to(device)
    light = render(stage, size)
    counts = torch.tensor([len(one.stage) for one in takes], device=light.device)

    def per_frame(name: str) -> Tensor:
        values = [torch.as_tensor(getattr(one.film, name), dtype=torch.float32) for one in takes]
        return torch.stack(values).to(light.device).repeat_interleave(counts, 0)

    numbers = ("exposure", "grain", "read_noise", "gain", "compression")
    batch = Film(
        tint=per_frame("tint")[:, :, None, None],
        **{name: per_frame(name)[:, None, None, None] for name in numbers},
    )
    generator = torch.Generator(light.device).manual_seed(seed)
    return develop(light, batch, generator).unflatten(0, (len(takes), -1))


def _any_shot(chance: np.random.Generator) -> Shot:
    return Shot(
        azimuth=chance.uniform(-np.pi, np.pi),
        tilt=chance.uniform(-0.05, 0.5),
        focal=chance.uniform(0.9, 2.4),
        fill=chance.uniform(0.45, 1.05),
        follow=chance.choice([0.0, 0.0, chance.uniform(0.3, 1.0)]),
        shake=chance.choice([0.0, chance.uniform(0.2, 1.5)]),
        aside=(chance.uniform(-0.15, 0.15), chance.uniform(-0.08, 0.08)),
    )


def _calm_shot(action: str, chance: np.random.Generator) -> Shot:
    azimuth = chance.choice([-1, 1]) * chance.uniform(*VIEWS.get(action, FRONT))
    return Shot(azimuth, chance.uniform(0.06, 0.25), chance.uniform(1.3, 2.0))


def _film(dark: bool, calm: bool, chance: np.random.Generator) -> Film:
    """A camera's ways by day, or where there is next to no light and it amplifies what there is."""
    tint = torch.as_tensor(1 + chance.uniform(-0.15, 0.15, 3)).float()
    if dark:
        exposure = float(np.exp(chance.uniform(np.log(0.015), np.log(0.10))))
        return Film(
            exposure=exposure,
            tint=tint,
            grain=chance.uniform(0.005, 0.02),
            read_noise=chance.uniform(0.0005, 0.003),
            gain=chance.uniform(1.0, 2.5),
            compression=0.0 if calm else chance.choice([0.0, chance.uniform(0.1, 1.0)]),
        )
    if calm:
        return Film(tint=torch.ones(3))
    return Film(
        exposure=chance.uniform(0.5, 1.6),
        tint=tint,
        grain=chance.uniform(0.0, 0.05),
        read_noise=chance.uniform(0.0, 0.01),
        compression=chance.choice([0.0, chance.uniform(0.3, 2.5)]),
    )
