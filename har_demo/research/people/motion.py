"""Motion of people: an action and a seed become a moving skeleton, smooth in time."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from har_demo.errors import ChoiceError
from har_demo.research.people import holding
from har_demo.research.people.actions import ACTIONS, PLAYS
from har_demo.research.people.actions.base import ease
from har_demo.research.people.skeleton import Body, Pose, assemble, random_body, turned
from har_demo.research.people.things import Prop, stands

CARRIED = 0.05  # share of the clips in which somebody has a ball in hand that means nothing
MAY_CARRY = ("walk", "turn", "idle", "sit_down", "stand_up", "wave_one_hand", "lunge", "side")


@dataclass(frozen=True)
class PersonMotion:
    """A skeleton over time.

    Attributes:
        joints: float32 [T, 20, 3], metres, in the order of `JOINTS`.
        body: the lengths of the bones.
        props: the things it needs, such as a stool or a ball.
    """

    joints: np.ndarray
    body: Body
    props: tuple[Prop, ...] = ()


def move(action: str, seed: int = 0, seconds: float = 2.0, fps: float = 25) -> PersonMotion:
    """One action by one person; the seed draws the body, the tempo, the amplitude and the phase.

    Raises:
        ChoiceError: there is no such action.

    >>> move("walk", seed=3, seconds=1).joints.shape
    (25, 20, 3)
    """
    person = random_body(seed)
    pose = _pose(person, action, seed, max(1, round(seconds * fps)), fps)
    joints = assemble(person, pose)
    return PersonMotion(joints, person, tuple(make(joints) for make in pose.props))


def move_through(
    parts: Sequence[tuple[str, float]], seed: int = 0, fps: float = 25, fade: float = 0.5
) -> PersonMotion:
    """One person doing (action, seconds) after another, each from where the last one ended.

    Every part flows into the next during `fade` seconds. What stands still in the first part that
    has such things is there from beginning to end; what moves in a part, as a ball does, is left
    out, as it could not come from anywhere.
    """
    person = random_body(seed)
    extra = round(fade * fps)
    joined, furniture = None, []
    for number, (action, seconds) in enumerate(parts):
        frames = round(seconds * fps) + (extra if number + 1 < len(parts) else 0)
        pose = _pose(person, action, seed + number, frames, fps)
        if joined is not None:
            pose = _continue(joined, pose, extra)
        things = [make(assemble(person, pose)) for make in pose.props]
        furniture = furniture or [thing for thing in things if stands(thing)]
        joined = pose if joined is None else _crossfade(joined, pose, extra)
    return PersonMotion(assemble(person, joined), person, _for(len(joined.hip), furniture))


def _pose(body: Body, action: str, seed: int, frames: int, fps: float) -> Pose:
    if action not in ACTIONS:
        raise ChoiceError(f"There is no action '{action}': choose one of {', '.join(ACTIONS)}.")
    chance = np.random.default_rng([seed, ACTIONS.index(action)])
    pose = PLAYS[action](body, np.arange(frames) / fps, chance)
    if action in MAY_CARRY and chance.random() < CARRIED:
        side, radius = int(chance.integers(2)), chance.uniform(0.04, 0.12)
        carried = holding.ball(
            radius, lambda joints: holding.in_hand(joints, side, radius), holding.paint(chance)
        )
        pose = replace(pose, props=(*pose.props, carried))
    return pose


def _for(count: int, props: Sequence[Prop]) -> tuple[Prop, ...]:
    """Props that stay where they are, for `count` frames."""
    return tuple(
        replace(
            prop,
            middle=np.broadcast_to(prop.middle[0], (count, 3)),
            turn=None if prop.turn is None else np.broadcast_to(prop.turn[0], (count, 3, 3)),
        )
        for prop in props
    )


def _continue(before: Pose, after: Pose, extra: int) -> Pose:
    """`after`, moved and turned to begin where the last `extra` frames of `before` begin."""
    angle = before.heading[-extra] - after.heading[0]
    return turned(after, angle, after.hip[0] * [1, 0, 1], before.hip[-extra] * [1, 0, 1])


def _crossfade(before: Pose, after: Pose, extra: int) -> Pose:
    share = ease((np.arange(extra) + 1) / (extra + 1))

    def join(a, b):
        weight = share.reshape(-1, *[1] * (a.ndim - 1))
        blend = (1 - weight) * a[-extra:] + weight * b[:extra]
        return np.concatenate([a[:-extra], blend, b[extra:]])

    names = [field.name for field in fields(Pose) if field.name != "props"]
    return Pose(**{name: join(getattr(before, name), getattr(after, name)) for name in names})
