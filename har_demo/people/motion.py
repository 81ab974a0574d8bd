"""How people move: an action and a seed become a moving skeleton, smooth in time."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from har_demo.errors import ChoiceError
from har_demo.people.actions import ACTIONS, PLAYS, ease, seat_height
from har_demo.people.skeleton import Body, Pose, assemble, random_body, rotation


@dataclass(frozen=True)
class Motion:
    """A skeleton over time.

    Attributes:
        joints: float32 [T, 20, 3], metres, in the order of `JOINTS`.
        body: the lengths of the bones.
        seat: (x, z, heading, height) of the stool the motion needs, or None.
    """

    joints: np.ndarray
    body: Body
    seat: tuple[float, float, float, float] | None = None


def move(action: str, seed: int = 0, seconds: float = 2.0, fps: float = 25) -> Motion:
    """One action by one person; the seed draws the body, the tempo, the amplitude and the phase.

    Raises:
        ChoiceError: there is no such action.

    >>> move("walk", seed=3, seconds=1).joints.shape
    (25, 20, 3)
    """
    person = random_body(seed)
    pose = _pose(person, action, seed, max(1, round(seconds * fps)), fps)
    return Motion(assemble(person, pose), person, _seat(person, pose, action))


def move_through(
    parts: Sequence[tuple[str, float]], seed: int = 0, fps: float = 25, fade: float = 0.5
) -> Motion:
    """One person doing (action, seconds) after another, each from where the last one ended.

    Every part flows into the next during `fade` seconds.
    """
    person = random_body(seed)
    extra = round(fade * fps)
    seat = joined = None
    for number, (action, seconds) in enumerate(parts):
        frames = round(seconds * fps) + (extra if number + 1 < len(parts) else 0)
        pose = _pose(person, action, seed + number, frames, fps)
        if joined is not None:
            pose = _continue(joined, pose, extra)
        seat = seat or _seat(person, pose, action)
        joined = pose if joined is None else _crossfade(joined, pose, extra)
    return Motion(assemble(person, joined), person, seat)


def _pose(body: Body, action: str, seed: int, frames: int, fps: float) -> Pose:
    if action not in ACTIONS:
        raise ChoiceError(f"There is no action '{action}': choose one of {', '.join(ACTIONS)}.")
    chance = np.random.default_rng([seed, ACTIONS.index(action)])
    return PLAYS[action](body, np.arange(frames) / fps, chance)


def _seat(body: Body, pose: Pose, action: str) -> tuple[float, float, float, float] | None:
    """A stool under the lowest place of the hips, if the action needs one."""
    if action not in ("sit_down", "stand_up"):
        return None
    lowest = pose.hip[:, 1].argmin()
    x, _, z = pose.hip[lowest]
    return float(x), float(z), float(pose.heading[lowest]), seat_height(body)


def _continue(before: Pose, after: Pose, extra: int) -> Pose:
    """`after`, moved and turned to begin where the last `extra` frames of `before` begin."""
    angle = before.heading[-extra] - after.heading[0]
    about, to = after.hip[0] * [1, 0, 1], before.hip[-extra] * [1, 0, 1]
    turned = rotation(np.array([angle]), 0.0)[0]
    return replace(
        after,
        hip=(after.hip - about) @ turned.T + to,
        ankles=(after.ankles - about) @ turned.T + to,
        heading=after.heading + angle,
        toes=after.toes + angle,
    )


def _crossfade(before: Pose, after: Pose, extra: int) -> Pose:
    share = ease((np.arange(extra) + 1) / (extra + 1))

    def join(a, b):
        weight = share.reshape(-1, *[1] * (a.ndim - 1))
        blend = (1 - weight) * a[-extra:] + weight * b[:extra]
        return np.concatenate([a[:-extra], blend, b[extra:]])

    return Pose(
        **{f.name: join(getattr(before, f.name), getattr(after, f.name)) for f in fields(Pose)}
    )
