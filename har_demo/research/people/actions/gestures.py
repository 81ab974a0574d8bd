"""Gestures: waving, clapping, swiping, drawing in the air, knocking, pushing."""

from dataclasses import replace

import numpy as np

from har_demo.research.people import holding
from har_demo.research.people.actions.base import (
    LEFT,
    PI,
    RIGHT,
    ease,
    event,
    gesture,
    handed,
    outward,
    seconds_of,
    shifted,
    shoulder_height,
    side_on,
    standing,
    stepped,
    through,
    toward_each_side,
)
from har_demo.research.people.skeleton import SIDES, UP, Body, Pose, reach

LEFT_HANDED = 0.2  # share of the clips in which the left hand does it


def wave_one_hand(body: Body, t, chance) -> Pose:
    """One hand up and waving, from the elbow or with the whole arm."""
    return _wave_hands(body, t, chance, chance.permutation([True, False]))


def wave_both_hands(body: Body, t, chance) -> Pose:
    """Both hands up and waving."""
    return _wave_hands(body, t, chance, np.array([True, True]))


def _wave_hands(body, t, chance, waving) -> Pose:
    pose = standing(body, chance)(t)
    rate, start = chance.uniform(0.9, 1.6), chance.uniform()
    beat = np.sin(2 * PI * (rate * t + start))
    from_elbow = chance.uniform() < 0.5
    if from_elbow:
        raised, sweep = 1.45 + 0.12 * beat, 0.15 + chance.uniform(0.45, 0.65) * beat
    else:
        raised = 2.25 + chance.uniform(0.4, 0.6) * beat
        sweep = PI - raised + 0.25 * np.sin(2 * PI * (rate * t + start) - 0.6) - 0.1
    flat = 0 * t
    upper = np.stack([np.sin(raised), -np.cos(raised), 0.1 + flat], -1)
    fore = np.stack([np.sin(sweep), np.cos(sweep), 0.15 + flat], -1)
    upper, fore = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (upper, fore))
    mirror = np.stack([SIDES, [1, 1], [1, 1]], -1)
    wrists = ((body.upper_arm * upper + body.forearm * fore) / body.arm)[:, None] * mirror
    elbows = (upper - 0.3 * UP)[:, None] * mirror
    which = waving[None, :, None]
    return replace(
        pose,
        wrists=np.where(which, wrists, pose.wrists),
        elbows=np.where(which, elbows, pose.elbows),
        sway=pose.sway + 0.03 * beat * (waving[0] - waving[1] * 1.0),
    )


def clap(body: Body, t, chance) -> Pose:
    """Both palms together before the chest, again and again, in small or in wide movements."""
    rate = chance.uniform(1.4, 3.6)
    wide = chance.uniform(0.12, 0.5) / max(rate / 2, 0.8)
    up_all_along = chance.random() < 0.6
    share = event(chance, seconds_of(t), chance.uniform(1.7, 2.6), 0.5)
    pose = standing(body, chance)(t)
    raised = 1 + 0 * t if up_all_along else through(share(t), {0: 0, 0.16: 1, 0.84: 1, 1: 0})
    beat = 0.5 - 0.5 * np.cos(2 * PI * (rate * t + chance.uniform()))
    height = shoulder_height(body) - chance.uniform(0.05, 0.3)
    ahead = chance.uniform(0.3, 0.42)
    together = np.stack([0 * t, height - 0.03 * beat, ahead - 0.1 * beat * wide], -1)
    pose = replace(pose, elbows=pose.elbows + 0.25 * raised[:, None, None] * outward())
    pose = shifted(pose, y=-0.008 * beat * raised)
    hands = toward_each_side(together, 0.03 + wide * beat)
    return reach(body, pose, hands, raised[:, None])


def swipe_left(body: Body, t, chance) -> Pose:
    """One hand swept before the body towards the person's left."""
    left_handed = chance.random() < LEFT_HANDED
    return handed(_swipe(body, t, chance, inward=not left_handed), left_handed)


def swipe_right(body: Body, t, chance) -> Pose:
    """One hand swept before the body towards the person's right."""
    left_handed = chance.random() < LEFT_HANDED
    return handed(_swipe(body, t, chance, inward=left_handed), left_handed)


def _swipe(body: Body, t, chance, inward: bool) -> Pose:
    """The right hand swept across: inward to the left, or outward to the right."""
    length, pause = chance.uniform(1.0, 1.6), chance.uniform(0.1, 0.5)
    u = event(chance, seconds_of(t), length, pause)(t)
    pose = standing(body, chance)(t)
    rest = pose.wrists[0, RIGHT]
    high, tilt = chance.uniform(-0.25, 0.25), chance.uniform(-0.15, 0.15)
    wide = chance.uniform(0.8, 1.1)
    far_out = np.array([-0.62 * wide, high + tilt, 0.5])
    middle = np.array([-0.05, high, 0.85])
    across = np.array([0.62 * wide, high - tilt, 0.55])
    first, last = (far_out, across) if inward else (across, far_out)
    wrist = through(
        u, {0: rest, 0.3: first, 0.36: first, 0.48: middle, 0.6: last, 0.68: last, 1: rest}
    )
    follow = wrist[:, 0] - rest[0]
    pose = replace(
        shifted(pose, x=0.02 * follow),
        twist=pose.twist + 0.22 * follow,
        sway=pose.sway - 0.02 * follow,
    )
    return gesture(pose, RIGHT, wrist)


def circle_clockwise(body: Body, t, chance) -> Pose:
    """One hand round in a circle before the body, clockwise as the person sees it."""
    left_handed = chance.random() < LEFT_HANDED
    return handed(_circle(body, t, chance, -1 if left_handed else 1), left_handed)


def circle_counterclockwise(body: Body, t, chance) -> Pose:
    """One hand round in a circle before the body, counter-clockwise as the person sees it."""
    left_handed = chance.random() < LEFT_HANDED
    return handed(_circle(body, t, chance, 1 if left_handed else -1), left_handed)


def _circle(body: Body, t, chance, way: int) -> Pose:
    """The right hand's circle; `way` 1 goes up, right, down, left."""
    rounds = int(chance.choice([1, 1, 2, 3]))
    length = 0.7 + rounds * chance.uniform(0.6, 1.0)
    u = event(chance, seconds_of(t), length, chance.uniform(0.1, 0.5))(t)
    raise_, lower = 0.35 / length, 1 - 0.35 / length
    start = chance.uniform(-0.6, 0.6)  # from about the top
    angle = start + way * 2 * PI * rounds * ease_in_out((u - raise_) / (lower - raise_))
    size = chance.uniform(0.28, 0.48)
    centre = np.array([chance.uniform(-0.1, 0.2), chance.uniform(-0.2, 0.2), 0.72])
    # A person's right is -x; the hand comes nearer where it is far from the shoulder.
    ring = np.stack([-np.sin(angle), np.cos(angle), -0.15 * np.abs(np.sin(angle)) ** 2], -1)
    return _drawn(body, t, chance, u, centre + size * ring, raise_, lower)


def ease_in_out(x: np.ndarray) -> np.ndarray:
    """0 to 1, at an even pace but for a soft start and end."""
    x = np.clip(x, 0, 1)
    return x - np.sin(2 * PI * x) / (2 * PI) * 0.6


def draw_shape(body: Body, t, chance) -> Pose:
    """One hand draws an X or a triangle in the air, stroke by stroke."""
    top, wide = 0.4, 0.42
    if chance.random() < 0.5:
        strokes = [(-wide, top), (wide, -top), (wide, top), (-wide, -top)]
    else:
        strokes = [(0.0, top), (-wide, -top), (wide, -top), (0.0, top)]
    if chance.random() < 0.5:
        strokes = [(-x, y) for x, y in strokes]
    length = 0.7 + 0.45 * len(strokes) * chance.uniform(0.7, 1.0)
    u = event(chance, seconds_of(t), length, chance.uniform(0.2, 0.6))(t)
    raise_, lower = 0.35 / length, 1 - 0.35 / length
    size = chance.uniform(0.75, 1.1)
    centre = np.array([chance.uniform(-0.05, 0.2), chance.uniform(-0.1, 0.15), 0.7])
    corners = [centre + size * np.array([x, y, -0.1 * abs(x)]) for x, y in strokes]
    moments = np.linspace(raise_, lower, len(corners))
    hold = 0.06 * (moments[1] - moments[0])
    keys = {}
    for moment, corner in zip(moments, corners, strict=True):
        keys |= {moment - hold: corner, moment + hold: corner}
    drawn = through(u, keys)
    return handed(_drawn(body, t, chance, u, drawn, raise_, lower), chance.random() < LEFT_HANDED)


def _drawn(body: Body, t, chance, u, drawn, raise_: float, lower: float) -> Pose:
    """The right hand up, along [T, 3], and down again; the trunk goes along a little."""
    pose = standing(body, chance)(t)
    rest = pose.wrists[0, RIGHT]
    up = ease(u / raise_) * ease((1 - u) / (1 - lower))
    # On its way up the hand comes from below and goes forward first.
    wrist = rest + up[:, None] ** [1, 1.5, 0.7] * (drawn - rest)
    pose = replace(
        shifted(pose, x=0.02 * up * drawn[:, 0]),
        twist=pose.twist + 0.15 * up * drawn[:, 0],
        nod=pose.nod - 0.05 * up,
    )
    return gesture(pose, RIGHT, wrist)


def cross_arms(body: Body, t, chance) -> Pose:
    """Both arms from the sides to crossed before the chest, and back."""
    length = chance.uniform(1.3, 2.0)
    u = event(chance, seconds_of(t), length, chance.uniform(0.1, 0.5))(t)
    spread = chance.random() < 0.4  # the arms go out to the sides before
    pose = standing(body, chance)(t)
    high, over = chance.uniform(-0.35, 0.0), chance.choice([-1, 1])
    wrists, elbows = [], []
    for side in (LEFT, RIGHT):
        rest = pose.wrists[0, side]
        out = np.array([SIDES[side] * 0.75, -0.2, 0.35])
        above = over * SIDES[side]  # one forearm lies over the other
        crossed = [-SIDES[side] * 0.55, high + 0.05 * above, 0.36 + 0.07 * above]
        keys = {0: rest, 0.22: out} if spread else {0: rest}
        keys |= {0.45: crossed, 0.6: crossed}
        keys |= {0.8: out, 1: rest} if spread else {1: rest}
        wrists.append(through(u, keys))
        elbows.append(np.tile([SIDES[side] * 0.6, -0.9, 0.1], (len(t), 1)))
    closed = through(u, {0: 0, 0.45: 1, 0.6: 1, 1: 0})
    elbows = np.stack(elbows, 1)
    return replace(
        pose,
        bend=pose.bend + 0.06 * closed,
        nod=pose.nod + 0.05 * closed,
        wrists=np.stack(wrists, 1),
        elbows=pose.elbows + closed[:, None, None] * (elbows - pose.elbows),
    )


def knock(body: Body, t, chance) -> Pose:
    """A fist raised before the shoulder that knocks a few times, from wrist and elbow."""
    rate, times = chance.uniform(2.6, 4.2), int(chance.integers(2, 6))
    length = 0.9 + times / rate
    share = event(chance, seconds_of(t), length, chance.uniform(0.2, 0.5))
    u = share(t)
    begin, end = 0.42 / length, 1 - 0.48 / length
    pose = standing(body, chance)(t)
    rest = pose.wrists[0, RIGHT]
    high = chance.uniform(-0.02, 0.4)
    ready = np.array([chance.uniform(-0.05, 0.15), high, 0.56])
    wrist = through(u, {0: rest, begin: ready, end: ready, 1: rest})
    knocking = np.clip((u - begin) / (end - begin), 0, 1)
    beat = (0.5 - 0.5 * np.cos(2 * PI * times * knocking)) ** 1.5
    near = ease(u / begin) * ease((1 - u) / (1 - end))
    wrist = wrist + beat[:, None] * [0.0, -0.03, chance.uniform(0.12, 0.2)]
    pose = replace(
        shifted(pose, z=0.05 * near),
        lean=pose.lean + 0.07 * near,
        twist=pose.twist + 0.18 * near + 0.05 * beat,
        nod=pose.nod - 0.02 * beat,
    )
    pose = gesture(pose, RIGHT, wrist)
    if chance.random() < 0.35:
        pose = side_on(replace(pose, props=(_door(chance),)), chance)
    return handed(pose, chance.random() < LEFT_HANDED)


def _door(chance) -> holding.Maker:
    """A door that the knuckles just reach; near its edge, so that it does not hide the person."""
    half = np.array([chance.uniform(0.25, 0.45), chance.uniform(0.95, 1.05), 0.02])

    def at(joints: np.ndarray) -> np.ndarray:
        hand = holding.hand(joints, RIGHT)
        nearest = hand[hand[:, 2].argmax()]
        return holding.still([nearest[0] + 0.12 - half[0], half[1], nearest[2] + 0.05])(joints)

    return holding.board(half, at, holding.WOOD if chance.random() < 0.5 else holding.paint(chance))


def push(body: Body, t, chance) -> Pose:
    """Both hands from the chest straight ahead, a step and the weight of the body behind them."""
    thing = chance.random() < 0.35
    length, pause = chance.uniform(1.2, 1.8), chance.uniform(0.1, 0.5)
    u = event(chance, seconds_of(t), length, None if thing else pause)(t)
    steps, hard = chance.random() < 0.7, chance.uniform(0.6, 1.2)
    pose = standing(body, chance)(t)
    rest = pose.wrists[0, RIGHT]
    high = chance.uniform(-0.5, -0.25) if thing else chance.uniform(-0.15, 0.08)
    near, far = np.array([-0.02, high - 0.1, 0.34]), np.array([0.02, high, 0.93])
    wrist = through(u, {0: rest, 0.26: near, 0.34: near, 0.56: far, 0.66: far, 1: rest})
    back = through(u, {0: 0, 0.3: 1, 0.5: 0, 1: 0})
    weight = through(u, {0.28: 0, 0.56: 1, 0.68: 1, 1: 0})
    if steps:
        pose = stepped(pose, LEFT, (u - 0.2) / 0.25, [0, 0, 0.3 * hard], 0.06)
        pose = stepped(pose, LEFT, (u - 0.72) / 0.25, [0, 0, -0.3 * hard], 0.06)
    pose = replace(
        shifted(pose, y=-0.04 * weight, z=-0.06 * back + (0.2 if steps else 0.06) * hard * weight),
        lean=pose.lean - 0.08 * back + 0.2 * hard * weight,
        bend=pose.bend + 0.05 * weight,
        nod=pose.nod - 0.1 * weight,
    )
    pose = gesture(gesture(pose, RIGHT, wrist), LEFT, wrist * [-1.0, 1.0, 1.0])
    return side_on(replace(pose, props=(_crate(body, chance),)), chance) if thing else pose


def _crate(body: Body, chance) -> holding.Maker:
    """A crate up to the chest that slides as far as the palms push it."""
    half = np.array([chance.uniform(0.22, 0.4), 0.6, chance.uniform(0.15, 0.3)])
    half[1] = (shoulder_height(body) - chance.uniform(0.0, 0.08)) / 2

    def at(joints: np.ndarray) -> np.ndarray:
        palms = holding.between(joints)[:, 2] + 0.05
        first = palms.max() - 0.45
        place = np.maximum.accumulate(np.maximum(palms, first)) + half[2]
        return np.stack([0 * place, half[1] + 0 * place, place], -1)

    return holding.board(half, at, holding.WOOD if chance.random() < 0.5 else holding.paint(chance))
