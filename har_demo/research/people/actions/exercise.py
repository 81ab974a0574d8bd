"""Exercises: squats, lunges, push-ups, pull-ups, arm curls; boxing and kicking."""

from dataclasses import fields, replace

import numpy as np

from har_demo.research.people import holding
from har_demo.research.people.actions.base import (
    LEFT,
    PI,
    RIGHT,
    arms,
    both_hands,
    clock,
    ease,
    event,
    gesture,
    handed,
    heels_up,
    moment_of,
    pair,
    seconds_of,
    shifted,
    standing,
    stepped,
    through,
    toward_each_side,
    wave,
)
from har_demo.research.people.skeleton import (
    JOINTS,
    SIDES,
    TOE,
    Body,
    Pose,
    assemble,
    mirrored,
    reach,
    rotation,
)


def squat(body: Body, t, chance) -> Pose:
    """Down on bent knees and up again, the arms held out, behind the head or before the chest."""
    rate = chance.uniform(0.4, 0.65)
    moments, start = clock(chance, seconds_of(t), rate)
    down = wave(rate * moments(t) + start, 1.0)
    deep = chance.uniform(0.34, 0.5) * body.leg
    pose = standing(body, chance)(t)
    ankles = pose.ankles.copy()
    ankles[..., 0] = SIDES * (body.hips + chance.uniform(0.05, 0.13))
    pose = replace(
        shifted(pose, y=-deep * down, z=-0.2 * down),
        lean=0.62 * down,
        nod=pose.nod - 0.35 * down,
        ankles=ankles,
        toes=0.35 * SIDES + 0 * pose.toes,
    )
    hold = chance.choice(["out", "head", "chest"], p=[0.6, 0.2, 0.2])
    if hold == "out":
        wrists, elbows = arms(body, 0.12 + 0 * t, 0.1 + 1.75 * down, 0.2 + 0 * t, inward=0.1)
        return replace(pose, wrists=wrists, elbows=elbows)
    if hold == "head":
        return both_hands(pose, (-0.1, 0.38, -0.05), (0.9, 0.25, 0.1))
    return both_hands(pose, (-0.28, -0.12, 0.38), (0.7, -0.8, 0.2))


def lunge(body: Body, t, chance) -> Pose:
    """A long step forward, down until both knees are bent, and back; the legs take turns."""
    length = chance.uniform(1.3, 1.9)
    in_turn, left_first = chance.random() < 0.6, chance.random() < 0.5
    pause = chance.uniform(0.1, 0.4)
    share = event(chance, seconds_of(t), length, pause)
    far, deep = chance.uniform(0.6, 0.75) * body.leg, chance.uniform(0.2, 0.32) * body.leg
    on_hips = chance.random() < 0.4
    stand = standing(body, chance)(t)
    if on_hips:
        stand = both_hands(stand, (0.06, -0.7, 0.1), (1.0, -0.5, -0.7))

    def right_leg(pose: Pose, u: np.ndarray) -> Pose:
        out = through(u, {0.0: 0, 0.28: 1, 0.74: 1, 1.0: 0})
        down = through(u, {0.08: 0, 0.28: 0.35, 0.5: 1, 0.74: 0.35, 0.95: 0})
        forward = through(u, {0.05: 0, 0.4: 0.5, 0.6: 0.5, 0.97: 0})
        pose = stepped(pose, RIGHT, (u - 0.02) / 0.26, [0, 0, far])
        pose = stepped(pose, RIGHT, (u - 0.74) / 0.24, [0, 0, -far])
        pose = heels_up(body, pose, pair(0.95 * out * (0.5 + 0.5 * down), 0 * t))
        pose = shifted(pose, y=-deep * down - 0.05 * out, z=far * forward)
        return replace(pose, lean=pose.lean + 0.08 * out, nod=pose.nod - 0.05 * out)

    u = share(t)
    turns = np.cumsum(np.concatenate([[0], np.diff(u) < -0.5])) if in_turn else 0 * t
    left = (turns % 2 == 1) ^ left_first
    a, b = right_leg(stand, u), mirrored(right_leg(mirrored(stand), u))
    names = [field.name for field in fields(Pose) if field.name != "props"]

    def choose(x, y):
        return np.where(left.reshape(-1, *[1] * (x.ndim - 1)), y, x)

    return Pose(**{name: choose(getattr(a, name), getattr(b, name)) for name in names})


def push_up(body: Body, t, chance) -> Pose:
    """Straight as a board on hands and toes, down to the floor and up."""
    rate = chance.uniform(0.45, 0.75)
    moments, start = clock(chance, seconds_of(t), rate, single=0.25)
    down = wave(rate * moments(t) + start, 1.0)
    trunk = body.spine + body.chest
    board = body.leg + trunk
    tip = TOE + 0.9 * body.foot  # height of the ankles above toes that stand on the floor
    palm = body.hand + 0.04  # height of the wrists above hands on the floor
    highest = palm + 0.04 + 0.95 * body.arm  # of the neck
    neck_height = highest - chance.uniform(0.6, 0.78) * (highest - palm - 0.04) * down

    slope = np.arcsin((neck_height - tip) / board)
    along = np.stack([0 * t, np.sin(slope), np.cos(slope)], -1)
    ankle = np.array([0.0, tip, -board / 2])
    hip = ankle + (0.993 * body.leg + 0.04) * along
    lean = PI / 2 - slope

    # The hands stay on the floor below where the shoulders are at the top.
    hands = np.array([0.0, palm, np.sqrt(board**2 - (highest - tip) ** 2) - board / 2])
    from_neck = np.einsum("tji,tj->ti", rotation(0 * t, lean), hands - (hip + trunk * along))
    outward = SIDES[:, None] * [1.0, 0.0, 0.0]
    wrists = from_neck[:, None] / body.arm + chance.uniform(0.1, 0.3) * outward
    pose = standing(body, chance)(t)
    return replace(
        pose,
        hip=hip,
        lean=lean,
        sway=0 * t,
        bend=0 * t,
        twist=0 * t,
        nod=0 * t - 0.35,
        wrists=wrists,
        elbows=np.broadcast_to(outward - [0.0, 0.8, 0.3], wrists.shape),
        ankles=np.broadcast_to(ankle + body.hips * outward, wrists.shape),
        toes=0 * pose.toes,
        tiptoe=0 * pose.tiptoe + 1.2,
    )


def pull_up(body: Body, t, chance) -> Pose:
    """Hanging from a bar by both hands, up until the chin is over it, and down again."""
    rate = chance.uniform(0.35, 0.6)
    moments, start = clock(chance, seconds_of(t), rate)
    up = ease(wave(rate * moments(t) + start, 1.0))
    pose = standing(body, chance)(t)
    off_floor = chance.uniform(0.08, 0.3)
    apart = body.shoulders + chance.uniform(0.02, 0.16)
    above = 0.985 * np.sqrt((body.arm + body.hand) ** 2 - (apart - body.shoulders) ** 2)
    low = body.hip_height + off_floor
    bar = low + body.spine + body.chest - 0.04 + above
    climb = chance.uniform(0.8, 0.95) * (bar - low - body.spine - body.chest + 0.04)
    swinging = chance.uniform(0.0, 0.04) * np.sin(2 * PI * rate * t)
    back = -0.02 - 0.1 * up
    hip = np.stack([0 * t, low + climb * up, back + 2 * swinging], -1)

    knees = chance.uniform(0.0, 1.0)  # 0 hangs straight, 1 with the shins held back
    legs = np.array([0.0, -(0.96 - 0.22 * knees), -0.06 - 0.4 * knees]) * body.leg
    ankles = hip[:, None] + [0, -0.04, 0] + legs + SIDES[:, None] * [0.6 * body.hips, 0, 0]
    elbows = np.broadcast_to(
        np.stack([0.75 * SIDES, [-0.5] * 2, [0.15] * 2], -1), pose.wrists.shape
    )
    pose = replace(
        pose,
        hip=hip,
        lean=0.02 - 0.12 * up + swinging,
        sway=0 * t,
        bend=0 * t - 0.03,
        twist=0 * t,
        nod=-0.3 * up,
        elbows=elbows,
        ankles=ankles,
        toes=0.5 * pose.toes,
        tiptoe=0 * pose.tiptoe + 0.7,
    )
    hands = toward_each_side(np.tile([0, bar, 0.02], (len(t), 1)), apart)
    pose = reach(body, pose, hands)
    if chance.random() < 0.15:
        return pose
    middle = np.array([0, bar + 0.02, 0.02])
    half = apart + chance.uniform(0.25, 0.5)
    kind = holding.STEEL if chance.random() < 0.5 else holding.paint(chance)

    def ends(joints):
        return holding.still(middle)(joints), np.tile([1.0, 0, 0], (len(joints), 1))

    props = [holding.rod(0.018, half, ends, kind)]
    if chance.random() < 0.5:
        for side in SIDES:
            post = [side * (half + 0.03), bar / 2, 0.02]
            props.append(holding.board([0.03, bar / 2, 0.03], holding.still(post), kind))
    return replace(pose, props=tuple(props))


def curl_arms(body: Body, t, chance) -> Pose:
    """Forearms up to the shoulders and down, with a weight or without: both, in turn, or one."""
    rate = chance.uniform(0.45, 0.8)
    how = chance.choice(["both", "in turn", "one"], p=[0.55, 0.25, 0.2])
    moments, start = clock(chance, seconds_of(t), rate, single=0.25)
    phase = rate * moments(t) + start
    first = wave(phase, 1.0)
    second = {"both": first, "in turn": wave(phase, 1.0, 0.5), "one": 0 * t}[how]
    curl = pair(second, first)
    pose = standing(body, chance)(t)
    most = chance.uniform(1.9, 2.3)
    wrists, elbows = arms(
        body,
        raised=0.1 + 0 * curl,
        swing=0.05 + 0.25 * curl,
        bent=0.25 + most * curl,
        inward=0.0,
    )
    effort = curl.mean(1)
    pose = replace(
        shifted(pose, z=-0.015 * effort),
        lean=pose.lean - 0.06 * effort,
        bend=pose.bend - 0.03 * effort,
        wrists=wrists,
        elbows=elbows,
    )
    left = chance.random() < 0.3
    thing = chance.random() < 0.5
    if thing and how == "both":
        half, thick = body.shoulders + chance.uniform(0.15, 0.4), chance.uniform(0.015, 0.035)

        def bar(joints):
            across = holding.hand(joints, LEFT) - holding.hand(joints, RIGHT)
            return holding.between(joints), across

        pose = replace(pose, props=(holding.rod(thick, half, bar, holding.paint(chance)),))
    elif thing and how == "one":

        def weight(joints):
            return holding.hand(joints, RIGHT), np.tile([1.0, 0, 0], (len(joints), 1))

        pose = replace(pose, props=(holding.rod(0.045, 0.09, weight, holding.paint(chance)),))
    return handed(pose, left)


def box(body: Body, t, chance) -> Pose:
    """Fists before the chin, one foot ahead, and straight punches from left and right."""
    pose = standing(body, chance)(t)
    rate, lasts = chance.uniform(1.4, 2.6), chance.uniform(0.36, 0.5)
    count = int(np.ceil((seconds_of(t) + 2) * rate))
    jabs = chance.choice([1, 1, 2])  # of the left before one of the right
    rights = np.arange(count) % (jabs + 1) == jabs
    begin = (np.arange(count) - chance.uniform(0, 2)) / rate
    course = {0.0: 0, 0.38: 1, 0.5: 0.95, 1.0: 0}
    punches = np.stack([through((t - b) / lasts, course) for b in begin])
    right, left = punches[rights].sum(0), punches[~rights].sum(0)
    right, left = np.minimum(right, 1), np.minimum(left, 1)
    bob = 0.5 + 0.5 * np.sin(2 * PI * rate * t + chance.uniform(0, 6))

    apart = chance.uniform(0.14, 0.22)
    ankles = pose.ankles + apart * np.array([[0.1, 0, 1.0], [-0.3, 0, -0.8]])
    pose = replace(
        shifted(pose, y=-0.05 - 0.02 * bob, z=0.05 * right + 0.02 * left),
        ankles=ankles,
        heading=pose.heading - 0.3 + 0.25 * right,
        toes=pose.toes - 0.25,
        lean=0.1 + 0.1 * right + 0.05 * left,
        twist=-0.1 + 0.5 * right - 0.3 * left,
        nod=pose.nod + 0.05,
    )
    pose = heels_up(body, pose, pair(0 * t, 0.35 + 0.2 * right))
    high = chance.uniform(-0.15, 0.2)

    def fist(guard, hit, out):
        return np.array(guard) + out[:, None] * (np.array(hit) - np.array(guard))

    pose = gesture(pose, RIGHT, fist((0.14, -0.12, 0.42), (0.26, high, 0.98), right))
    pose = gesture(pose, LEFT, fist((-0.08, -0.1, 0.52), (-0.02, high, 0.98), left))
    return handed(pose, chance.random() < 0.2)


def kick(body: Body, t, chance) -> Pose:
    """One leg drawn back and swung forward, low at a ball or high into the air."""
    low = chance.random() < 0.6
    with_ball = low and chance.random() < 0.6
    length, pause = chance.uniform(1.0, 1.4), chance.uniform(0.2, 0.6)
    share = event(chance, seconds_of(t), length, None if with_ball else pause)
    high = chance.uniform(0.7, 1.0) if low else chance.uniform(1.15, 1.6)
    swing = chance.uniform(0.35, 0.6)
    stand = standing(body, chance)

    def script(t: np.ndarray) -> Pose:
        u = share(t)
        pose = stand(t)
        on_left = through(u, {0.0: 0, 0.2: 1, 0.8: 1, 1.0: 0})
        angle = through(u, {0.05: 0, 0.3: -0.55, 0.52: high, 0.6: high, 0.88: 0})
        folded = through(
            u, {0.05: 0.02, 0.28: 0.22, 0.42: 0.15, 0.52: 0.03, 0.62: 0.04, 0.8: 0.12, 0.95: 0.02}
        )
        hit = through(u, {0.2: 0, 0.52: 1, 0.62: 1, 0.95: 0})
        pose = shifted(pose, x=0.075 * on_left, y=-0.02 * on_left, z=0.06 * hit - 0.02 * on_left)
        root = pose.hip - [body.hips, 0.04, 0]
        leg = np.stack([0 * t, -np.cos(angle), np.sin(angle)], -1) * body.leg
        swung = root + (0.985 - folded)[:, None] * leg
        ankles, tiptoe = pose.ankles.copy(), pose.tiptoe.copy()
        ankles[:, RIGHT] += on_left[:, None] * (swung - ankles[:, RIGHT])
        ankles[:, RIGHT, 1] += 0.2 * on_left * (1 - on_left)  # off the floor before it moves
        tiptoe[:, RIGHT] += on_left * through(
            u, {0.1: 0.2, 0.35: 0.4, 0.6: 0.4 - 0.8 * high, 0.9: 0}
        )
        counter = swing * through(u, {0.05: 0, 0.3: -1, 0.55: 1, 0.95: 0})
        wrists, elbows = arms(
            body,
            raised=0.15 + 0.35 * on_left[:, None] * np.ones(2),
            swing=0.1 + counter[:, None] * np.array([1.0, -1.0]),
            bent=0.35 + 0.3 * on_left[:, None] * np.ones(2),
        )
        return replace(
            pose,
            lean=pose.lean + through(u, {0.0: 0, 0.3: 0.14, 0.56: -0.06 - 0.14 * high, 0.95: 0}),
            sway=pose.sway - 0.06 * on_left,
            twist=pose.twist + 0.5 * counter,
            nod=pose.nod + (0.2 if low else 0.0) * on_left,
            ankles=ankles,
            tiptoe=tiptoe,
            wrists=wrists,
            elbows=elbows,
        )

    pose = script(t)
    if with_ball:
        pose = replace(pose, props=(_kicked(body, script, share, t, chance),))
    return handed(pose, chance.random() < 0.2)


def _kicked(body: Body, script, share, t, chance) -> holding.Maker:
    """A ball that lies where the foot will come by, and flies off when it does."""
    hit = moment_of(share, seconds_of(t), 0.445)
    toes = assemble(body, script(np.array([hit])))[0, JOINTS.index("right foot")]
    radius = chance.uniform(0.09, 0.12)
    place = np.array([toes[0], radius, toes[2] + radius - 0.01])
    speed = np.array([chance.normal(0, 0.3), chance.uniform(0.3, 3.0), chance.uniform(5, 9)])
    flying = holding.flight(place, speed, radius)

    def at(joints: np.ndarray) -> np.ndarray:
        return np.where((t < hit)[:, None], place, flying(t - hit))

    return holding.ball(radius, at, holding.paint(chance))
