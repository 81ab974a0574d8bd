"""How people move: an action and a seed become a moving skeleton, smooth in time."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from har_demo.errors import ChoiceError
from har_demo.people.actions import ACTIONS, PLAYS, ease, seat_height
from har_demo.people.skeleton import Body, Pose, assemble, random_body, rotation
from har_demo.people.solids import BOX
from har_demo.people.texture import STRIPES
from har_demo.people.things import Prop, Surface


@dataclass(frozen=True)
class Motion:
    """A skeleton over time.

    Attributes:
        joints: float32 [T, 20, 3], metres, in the order of `JOINTS`.
        body: the lengths of the bones.
        props: the things it needs, such as a stool or a ball.
    """

    joints: np.ndarray
    body: Body
    props: tuple[Prop, ...] = ()


def move(action: str, seed: int = 0, seconds: float = 2.0, fps: float = 25) -> Motion:
    """One action by one person; the seed draws the body, the tempo, the amplitude and the phase.

    Raises:
        ChoiceError: there is no such action.

    >>> move("walk", seed=3, seconds=1).joints.shape
    (25, 20, 3)
    """
    person = random_body(seed)
    pose = _pose(person, action, seed, max(1, round(seconds * fps)), fps)
    return Motion(assemble(person, pose), person, _props(person, pose, action))


def move_through(
    parts: Sequence[tuple[str, float]], seed: int = 0, fps: float = 25, fade: float = 0.5
) -> Motion:
    """One person doing (action, seconds) after another, each from where the last one ended.

    Every part flows into the next during `fade` seconds.
    """
    person = random_body(seed)
    extra = round(fade * fps)
    joined, stools = None, ()
    for number, (action, seconds) in enumerate(parts):
        frames = round(seconds * fps) + (extra if number + 1 < len(parts) else 0)
        pose = _pose(person, action, seed + number, frames, fps)
        if joined is not None:
            pose = _continue(joined, pose, extra)
        stools = stools or _props(person, pose, action)
        joined = pose if joined is None else _crossfade(joined, pose, extra)
    return Motion(assemble(person, joined), person, _for(len(joined.hip), stools))


def _pose(body: Body, action: str, seed: int, frames: int, fps: float) -> Pose:
    if action not in ACTIONS:
        raise ChoiceError(f"There is no action '{action}': choose one of {', '.join(ACTIONS)}.")
    chance = np.random.default_rng([seed, ACTIONS.index(action)])
    return PLAYS[action](body, np.arange(frames) / fps, chance)


def _props(body: Body, pose: Pose, action: str) -> tuple[Prop, ...]:
    """A stool under the lowest place of the hips, if the action needs one."""
    if action not in ("sit_down", "stand_up"):
        return ()
    lowest = pose.hip[:, 1].argmin()
    height = seat_height(body)
    middle = np.array([pose.hip[lowest, 0], height / 2, pose.hip[lowest, 2]])
    turn = rotation(pose.heading[lowest : lowest + 1], 0.0)
    count = len(pose.hip)
    return (
        Prop(
            BOX,
            np.array([0.21, height / 2, 0.19]),
            np.broadcast_to(middle, (count, 3)),
            Surface((0.45, 0.28, 0.14), (0.36, 0.2, 0.1), STRIPES, 7.0, 0.3),
            np.broadcast_to(turn, (count, 3, 3)),
        ),
    )


def _for(count: int, props: tuple[Prop, ...]) -> tuple[Prop, ...]:
    """Props that stay where they are, for `count` frames."""
    return tuple(
        replace(
            prop,
            middle=np.broadcast_to(prop.middle[0], (count, 3)),
            turn=np.broadcast_to(prop.turn[0], (count, 3, 3)),
        )
        for prop in props
    )


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
