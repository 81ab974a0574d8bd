"""Getting about: walking, running, skipping, galloping sideways, turning round; and not moving."""

from dataclasses import replace

import numpy as np

from har_demo.research.people.actions.base import (
    PI,
    arms,
    both_hands,
    crouch,
    ease,
    footsteps,
    hops,
    seconds_of,
    shifted,
    standing,
    track,
)
from har_demo.research.people.skeleton import SIDES, Body, Pose

# How somebody walks or runs: getting ahead, before a camera that keeps up, or on the spot.
AHEAD, KEPT_UP_WITH, ON_THE_SPOT = range(3)
SHARES = (0.72, 0.14, 0.14)


def walk(body: Body, t, chance) -> Pose:
    """A stroll to a brisk walk."""
    how = chance.choice(3, p=SHARES)
    speed = chance.uniform(0.9, 1.45)
    rate = 0.62 + 0.36 * speed + chance.normal(0, 0.02)
    offset = np.array([0.0, 0.5]) + chance.uniform()
    way = _way(how, speed, seconds_of(t), chance)
    lift = chance.uniform(0.1, 0.2) if how == ON_THE_SPOT else 0.05
    place, heading = way(t)
    ankles, toes, tiptoe = footsteps(body, t, way, rate, offset, 0.6, lift, 0.8, body.hips * 0.8)
    beat = 2 * PI * (rate * t + offset[0] - 0.3)  # 0 when the left foot is under the body
    swing = chance.uniform(0.3, 0.6) * np.sin(beat)[:, None] * SIDES
    wrists, elbows = arms(
        body, raised=0.12 + 0 * swing, swing=swing + 0.05, bent=0.3 + 0.35 * (1 + swing)
    )
    bob = np.stack([0.02 * np.cos(beat), 0.012 * np.cos(2 * beat), 0 * t], -1)
    pose = replace(
        standing(body, chance)(t),
        hip=place + bob + [0, body.hip_height - 0.015, 0],
        heading=heading,
        lean=chance.uniform(0.02, 0.1) + 0 * t,
        sway=0.02 * np.sin(beat),
        twist=chance.uniform(0.06, 0.18) * np.sin(beat),
        wrists=wrists,
        elbows=elbows,
        ankles=ankles,
        toes=toes,
        tiptoe=tiptoe,
    )
    return _kept_up_with(pose, place) if how == KEPT_UP_WITH else pose


def run(body: Body, t, chance) -> Pose:
    """A jog to a run, both feet off the floor between steps."""
    how = chance.choice(3, p=SHARES)
    speed = chance.uniform(2.2, 3.2)
    rate = 1.15 + 0.1 * speed
    offset = np.array([0.0, 0.5]) + chance.uniform()
    way = _way(how, speed, seconds_of(t), chance)
    place, heading = way(t)
    stance = 0.34
    lift, tuck = (0.3, 0.3) if how == ON_THE_SPOT else (0.34, 0.22)
    ankles, toes, tiptoe = footsteps(
        body, t, way, rate, offset, stance, lift, 0.9, body.hips * 0.6, tuck
    )
    step = 2 * (rate * t + offset[0])
    air = hops(step, 2 * stance)
    ankles[..., 1] += 0.05 * air[:, None]
    beat = 2 * PI * (rate * t + offset[0] - stance / 2)
    swing = chance.uniform(0.5, 0.9) * np.sin(beat)[:, None] * SIDES
    wrists, elbows = arms(
        body, raised=0.2 + 0 * swing, swing=swing - 0.15, bent=1.5 + 0.3 * swing, inward=0.5
    )
    height = body.hip_height - 0.06 + 0.05 * air - 0.035 * crouch(step, 2 * stance)
    lean = chance.uniform(0.03, 0.1) if how == ON_THE_SPOT else chance.uniform(0.15, 0.28)
    pose = replace(
        standing(body, chance)(t),
        hip=place + np.stack([0 * t, height, 0 * t], -1),
        heading=heading,
        lean=lean + 0 * t,
        twist=0.2 * np.sin(beat),
        nod=-0.1 + 0 * t,
        wrists=wrists,
        elbows=elbows,
        ankles=ankles,
        toes=toes,
        tiptoe=tiptoe,
    )
    return _kept_up_with(pose, place) if how == KEPT_UP_WITH else pose


def _way(how: int, speed: float, seconds: float, chance):
    """The way of a walker or runner; a camera keeps up with straight ones only."""
    side = chance.choice([-1, 1])
    if how == AHEAD:
        return track(speed, seconds, side)
    return track(speed if how == KEPT_UP_WITH else 0.0, 0.0, side)


def _kept_up_with(pose: Pose, place: np.ndarray) -> Pose:
    """As on a treadmill: the floor moves back below the person."""
    return replace(pose, hip=pose.hip - place, ankles=pose.ankles - place[:, None])


def skip(body: Body, t, chance) -> Pose:
    """Hopping forward on one leg, the other held up behind."""
    speed, rate = chance.uniform(1.1, 1.7), chance.uniform(1.7, 2.2)
    hopper = chance.integers(2)
    start = chance.uniform()
    way = track(speed, seconds_of(t), chance.choice([-1, 1]))
    place, heading = way(t)
    stance = 0.45
    ankles, toes, tiptoe = footsteps(
        body, t, way, rate, np.full(2, start), stance, 0.05, 0.5, body.hips * 0.4
    )
    phase = rate * t + start
    air, dip = hops(phase, stance), crouch(phase, stance)
    height = body.hip_height + 0.13 * air - 0.09 * dip - 0.02
    hip = place + np.stack([0 * t, height, 0 * t], -1)
    ankles[..., 1] += 0.11 * air[:, None]
    ahead = np.stack([np.sin(heading), 0 * heading, np.cos(heading)], -1)
    side = np.stack([np.cos(heading), 0 * heading, -np.sin(heading)], -1)
    free = 1 - hopper
    ankles[:, free] = hip + side * SIDES[free] * body.hips - ahead * (0.22 + 0.08 * dip)[:, None]
    ankles[:, free, 1] = hip[:, 1] - 0.68 * body.leg + 0.08 * air
    tiptoe[:, free] = 0.9
    pump = 0.5 * np.sin(2 * PI * phase)
    wrists, elbows = arms(body, raised=0.3 + 0 * t, swing=0.1 + pump, bent=1.2 + 0 * t, inward=0.5)
    return replace(
        standing(body, chance)(t),
        hip=hip,
        heading=heading,
        lean=0.1 + 0.06 * dip,
        bend=0.05 + 0.1 * dip,
        wrists=wrists,
        elbows=elbows,
        ankles=ankles,
        toes=toes,
        tiptoe=tiptoe,
    )


def side(body: Body, t, chance) -> Pose:
    """Galloping sideways: one foot leads, the other catches up."""
    speed, rate = chance.uniform(0.9, 1.4), chance.uniform(1.5, 1.9)
    aside = chance.choice([-1, 1])
    offset = np.where(aside == SIDES, 0.0, 0.5) + chance.uniform()
    seconds = max(min(seconds_of(t), 3.2 / speed), 0.1)  # a long clip goes there and back

    def way(time):
        leg = time % (2 * seconds)
        return track(speed, seconds, aside, sideways=True)(np.minimum(leg, 2 * seconds - leg))

    place, heading = way(t)
    stance = 0.55
    ankles, toes, tiptoe = footsteps(
        body, t, way, rate, offset, stance, 0.07, 0.4, body.hips + 0.09
    )
    phase = rate * t + offset.min()
    air = hops(2 * phase, 0.75)
    height = body.hip_height - 0.05 + 0.04 * air - 0.02 * np.cos(4 * PI * phase)
    arm = 0.25 + 0.12 * np.cos(2 * PI * phase)
    wrists, elbows = arms(body, raised=arm, swing=0.05 + 0 * t, bent=0.35 + 0 * t)
    return replace(
        standing(body, chance)(t),
        hip=place + np.stack([0 * t, height, 0 * t], -1),
        heading=heading,
        sway=0.05 * np.sin(2 * PI * phase) * aside,
        wrists=wrists,
        elbows=elbows,
        ankles=ankles,
        toes=toes,
        tiptoe=tiptoe,
    )


def turn(body: Body, t, chance) -> Pose:
    """Turning round on the spot in small steps, half a turn at a time."""
    side = chance.choice([-1, 1])
    begin, last = chance.uniform(0.1, 0.35), chance.uniform(1.2, 1.6)
    pause = 0.5

    def way(time):
        turns = (time - begin) / (last + pause)
        half = np.floor(turns) + ease((turns - np.floor(turns)) * (last + pause) / last)
        heading = side * PI * np.where(time < begin, 0, half)
        return np.stack([0 * heading] * 3, -1), heading

    _, heading = way(t)
    rate = 1.5
    turning = np.clip(np.abs(way(t + 0.02)[1] - way(t - 0.02)[1]) / 0.04, 0, 1)
    ankles, toes, tiptoe = footsteps(
        body, t, way, rate, np.array([0.0, 0.5]), 0.6, 0.07, 0.4, body.hips + 0.02
    )
    ankles[..., 1] = body.ankle + (ankles[..., 1] - body.ankle) * turning[:, None]
    beat = np.sin(2 * PI * rate * t)[:, None] * SIDES * turning[:, None]
    wrists, elbows = arms(body, raised=0.2 + 0 * beat, swing=0.1 + 0.25 * beat, bent=0.4 + 0 * beat)
    pose = standing(body, chance)(t)
    return replace(
        pose,
        hip=pose.hip - [0, 0.015, 0],
        heading=heading,
        twist=0.35 * side * turning,  # the shoulders lead
        wrists=wrists,
        elbows=elbows,
        ankles=ankles,
        toes=toes,
        tiptoe=tiptoe * turning[:, None],
    )


def idle(body: Body, t, chance) -> Pose:
    """Standing about: looking round, resting on one leg and then the other."""
    pose = standing(body, chance)(t)
    rate, start = chance.uniform(0.12, 0.3), chance.uniform(0, 2 * PI)
    rest = np.sin(2 * PI * rate * t + start)
    look = chance.uniform(0, 0.25) * np.sin(2 * PI * chance.uniform(0.2, 0.45) * t + 2 * start)
    pose = shifted(pose, x=chance.uniform(0.0, 0.035) * rest, y=-0.01 * rest**2)
    pose = replace(pose, sway=pose.sway - 0.03 * rest, twist=pose.twist + look)
    hands = chance.choice(["hang", "hips", "back", "front"], p=[0.55, 0.15, 0.15, 0.15])
    if hands == "hips":
        return both_hands(pose, (0.06, -0.7, 0.1), (1.0, -0.5, -0.7))
    if hands == "back":
        return both_hands(pose, (-0.22, -0.74, -0.32), (0.8, -0.5, 0.1))
    if hands == "front":
        return both_hands(pose, (-0.22, -0.76, 0.32), (0.8, -0.6, -0.3))
    return pose
