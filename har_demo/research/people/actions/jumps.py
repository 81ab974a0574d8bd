"""Jumps: forward, on the spot, and with arms and legs; again and again, or once."""

from dataclasses import replace

import numpy as np

from har_demo.research.people.actions.base import (
    PI,
    arms,
    clock,
    crouch,
    ease,
    footsteps,
    hops,
    raise_all,
    seconds_of,
    standing,
    track,
    wave,
)
from har_demo.research.people.skeleton import SIDES, UP, Body, Pose


def jump(body: Body, t, chance) -> Pose:
    """Jumping forward, both feet together."""
    return _jump(body, t, chance, speed=chance.uniform(0.9, 1.5), swing=chance.uniform(0.6, 1.1))


def jump_in_place(body: Body, t, chance) -> Pose:
    """Jumping up and down on the spot."""
    return _jump(body, t, chance, speed=0.0, swing=chance.uniform(0.0, 0.6))


def _jump(body, t, chance, speed, swing) -> Pose:
    seconds, stance = seconds_of(t), 0.5
    rate = chance.uniform(1.3, 1.7)
    if chance.random() < 0.4:
        return _single_jump(body, t, chance, speed, swing, 0.75 * rate, stance)
    high = chance.uniform(0.12, 0.22)
    start = chance.uniform()
    way = track(speed, seconds, chance.choice([-1, 1]))

    def hopping(time):  # the body travels in the air and all but rests on the floor
        phase = rate * time + start
        air = np.clip((phase % 1 - stance) / (1 - stance), 0, 1)
        return way((np.floor(phase) + 0.35 * (phase % 1) + 0.65 * ease(air) - start) / rate)

    phase = rate * t + start
    dip = crouch(phase, stance)
    arm = swing * np.sin(2 * PI * (phase - 0.45))
    footing = footsteps(body, t, hopping, rate, np.full(2, start), stance, 0.0, 0.6, body.hips)
    return _airborne(body, t, chance, hopping(t), footing, high * hops(phase, stance), dip, arm)


def _single_jump(body, t, chance, speed, swing, rate, stance) -> Pose:
    """Stand, crouch, jump, land, stand."""
    seconds = seconds_of(t)
    moments, _ = clock(chance, seconds, rate, cycles=1 + stance, single=1.0)
    high = chance.uniform(0.15, 0.3)
    far = 1.3 * speed / rate

    def leaping(time):
        place = far * (ease((rate * time - 0.8 * stance) / (1 - 0.6 * stance)) - 0.5)
        return np.stack([0 * place, 0 * place, place], -1), 0 * place

    time = moments(t)
    phase = rate * time
    dip = 1.35 * np.sin(PI * np.clip(phase % 1 / stance, 0, 1)) ** 2
    moving = ease(phase / 0.3) * ease((1 + stance - phase) / 0.3)
    arm = 1.4 * swing * np.sin(2 * PI * (phase - 0.45)) * moving
    landed = np.minimum(time, (1 + 0.5 * stance) / rate)  # no pushing off again
    footing = footsteps(body, landed, leaping, rate, np.zeros(2), stance, 0.0, 0.6, body.hips)
    return _airborne(body, t, chance, leaping(time), footing, high * hops(phase, stance), dip, arm)


def _airborne(body, t, chance, going, footing, air, dip, arm) -> Pose:
    (place, heading), (ankles, toes, tiptoe) = going, footing
    ahead = np.stack([np.sin(heading), 0 * heading, np.cos(heading)], -1)
    hip = place - (0.10 * dip)[:, None] * ahead
    hip[:, 1] = body.hip_height - 0.17 * dip
    wrists, elbows = arms(body, raised=0.2 + 0 * t, swing=0.1 + arm, bent=0.35 + 0.3 * dip)
    pose = replace(
        standing(body, chance)(t),
        hip=hip,
        heading=heading,
        lean=0.05 + 0.3 * dip,
        bend=0.05 + 0.15 * dip,
        nod=-0.2 * dip,
        wrists=wrists,
        elbows=elbows,
        ankles=ankles,
        toes=toes,
        tiptoe=tiptoe,
    )
    return raise_all(pose, air)


def jumping_jack(body: Body, t, chance) -> Pose:
    """Legs apart and arms up, legs together and arms down, a hop between."""
    rate = chance.uniform(0.75, 1.15)
    moments, start = clock(chance, seconds_of(t), rate, single=0.2)
    phase = rate * moments(t) + start
    open_ = wave(phase, 1.0)
    pose = standing(body, chance)(t)
    ankles = pose.ankles.copy()
    ankles[..., 0] = SIDES * (body.hips + chance.uniform(0.26, 0.38) * open_[:, None])
    top = chance.uniform(2.5, 3.0)
    wrists, elbows = arms(
        body, raised=0.15 + (top - 0.15) * open_, swing=0.06 + 0 * t, bent=0.25 + 0 * t
    )
    hop = 0.07 * np.sin(2 * PI * phase) ** 2
    tiptoe = np.repeat(3 * hop[:, None], 2, 1)
    hip = pose.hip - UP * (0.02 + 0.03 * np.cos(4 * PI * phase))[:, None]
    return raise_all(
        replace(pose, hip=hip, ankles=ankles, wrists=wrists, elbows=elbows, tiptoe=tiptoe), hop
    )
