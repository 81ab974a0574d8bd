"""Small takes that several tests share; a still one, and one without any sign of a person."""

from dataclasses import fields, replace
from functools import cache

import torch

from har_demo.research.people.shoot import ShotSettings, Take, take
from har_demo.research.people.stage import Stage

SIZE = (48, 36)
ASPECT = SIZE[0] / SIZE[1]


@cache
def small(action: str, seed: int, count: int = 6, fps: float = 12, **look) -> Take:
    """A few frames of an action."""
    return take(action, seed, count / fps, fps, ShotSettings(aspect=ASPECT, **look))


def frozen(stage: Stage, frame: int = 0) -> Stage:
    """A stage on which time stands still: one of its frames again and again."""
    stopped = [frame] * len(stage)
    of_frames = ("clip", "eye", "axes", "focal", "low", "high")
    values = {name: getattr(stage, name)[stopped] for name in of_frames}
    return replace(stage, solids=stage.solids[stopped], **values)


def same(first: Stage, second: Stage) -> bool:
    """Whether two stages are equal in every number."""
    return all(_same(getattr(first, f.name), getattr(second, f.name)) for f in fields(first))


def _same(first, second) -> bool:
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    return all(torch.equal(getattr(first, f.name), getattr(second, f.name)) for f in fields(first))
