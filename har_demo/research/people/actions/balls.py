"""With balls and bats: throwing, catching, shooting at a hoop, bowling, swinging a bat.

Written down for the right hand, towards +z. The ball is there in a share of the clips; in the others
the same movement is mimed.
"""

from dataclasses import replace

import numpy as np

from har_demo.research.people import holding
from har_demo.research.people.actions.base import (
    LEFT,
    RIGHT,
    Script,
    Times,
    deep_enough,
    event,
    gesture,
    handed,
    heels_up,
    moment_of,
    pair,
    raise_all,
    seconds_of,
    shifted,
    shoulder_height,
    side_on,
    standing,
    stepped,
    through,
    toward_each_side,
)
from har_demo.research.people.skeleton import SIDES, UP, Body, Pose, assemble, reach, turned
from har_demo.research.people.things import NOWHERE

LEFT_HANDED = 0.15
WITH_BALL = 0.6  # share of the clips


def throw(body: Body, t, chance) -> Pose:
    """A ball thrown: drawn back over the shoulder and hurled, or lobbed up from above the head."""
    left = chance.random() < LEFT_HANDED
    if chance.random() < 0.25:
        return handed(_shot(body, t, chance, dip=0.3, jump=0.0, hoop=False), left)
    length, pause = chance.uniform(1.1, 1.6), chance.uniform(0.3, 0.7)
    thing = chance.random() < WITH_BALL
    share = event(chance, seconds_of(t), length, None if thing else pause)
    stand, hurl = standing(body, chance), _hurling(body, chance)

    def script(t: np.ndarray) -> Pose:
        return hurl(stand(t), share(t))

    pose = script(t)
    if thing:
        velocity = [chance.normal(0, 0.4), chance.uniform(0.5, 3.0), chance.uniform(6, 10)]
        make = _thrown(
            body, script, share, t, RELEASE, velocity, chance.uniform(0.035, 0.11), chance
        )
        pose = replace(pose, props=(make,))
    return handed(pose, left)


RELEASE = 0.56  # share of an overarm throw at which the ball leaves the hand


def _hurling(body: Body, chance):
    """An overarm throw: (pose standing, share [T]) → pose; a step, a turn, the arm like a whip."""
    far, side = chance.uniform(0.25, 0.45), chance.uniform(0.0, 0.25)
    hard = chance.uniform(0.8, 1.2)

    def hurl(pose: Pose, u: np.ndarray) -> Pose:
        rest, other = pose.wrists[0, RIGHT], pose.wrists[0, LEFT]
        wrist = through(
            u,
            {
                0: rest,
                0.16: (-0.1, -0.35, 0.5),
                0.32: (-0.55, 0.0, -0.3),
                0.44: (-0.5 - side, 0.5 - side, -0.4),
                RELEASE: (-0.22 - side, 0.72 - side, 0.55),
                0.66: (0.2, -0.1, 0.8),
                0.76: (0.4, -0.55, 0.35),
                1: rest,
            },
        )
        balance = through(
            u,
            {
                0: other,
                0.2: (0.1, -0.35, 0.55),
                0.4: (0.15, 0.1, 0.85),
                0.6: (0.35, -0.45, 0.2),
                0.78: (0.3, -0.6, -0.1),
                1: other,
            },
        )
        back = through(u, {0.05: 0, 0.38: 1, 0.56: 0})
        after = through(u, {0.4: 0, 0.62: 1, 0.76: 1, 1: 0})
        pose = stepped(pose, LEFT, (u - 0.22) / 0.24, [0, 0, far], 0.1)
        pose = stepped(pose, LEFT, (u - 0.78) / 0.2, [0, 0, -far], 0.05)
        pose = replace(
            shifted(
                pose,
                x=0.03 * after - 0.04 * back,
                y=-0.03 * back - 0.06 * after,
                z=-0.07 * back + 0.6 * far * after,
            ),
            heading=pose.heading - 0.35 * back + 0.2 * after,
            twist=pose.twist + hard * (-0.55 * back + 0.4 * after),
            lean=pose.lean - 0.1 * back + 0.22 * hard * after,
            bend=pose.bend + 0.12 * after,
            sway=pose.sway - 0.06 * back + 0.08 * after,
            nod=pose.nod - 0.15 * after,
        )
        pose = heels_up(body, pose, pair(0 * u, 0.7 * after))
        return gesture(gesture(pose, RIGHT, wrist), LEFT, balance)

    return hurl


def _thrown(
    body: Body, script: Script, share: Times, t, at: float, velocity, radius: float, chance
) -> holding.Maker:
    """A ball in the right hand until the event's share is `at`; then it flies."""
    release = moment_of(share, seconds_of(t), at)
    joints = assemble(body, script(np.array([release])))
    flying = holding.flight(holding.in_hand(joints, RIGHT, radius)[0], velocity, radius)

    def place(joints: np.ndarray) -> np.ndarray:
        held = holding.in_hand(joints, RIGHT, radius)
        return np.where((t < release)[:, None], held, flying(t - release))

    return holding.ball(radius, place, holding.paint(chance))


def shoot_at_hoop(body: Body, t, chance) -> Pose:
    """A ball from the chest up over the head and off towards a hoop, from bent knees or a jump."""
    left = chance.random() < LEFT_HANDED
    hoop = chance.random() < 0.5
    if hoop and chance.random() < 0.4:  # as somebody might throw, but for the hoop
        return handed(_shot(body, t, chance, dip=0.3, jump=0.0, hoop=True), left)
    jump = chance.uniform(0.1, 0.25) if chance.random() < 0.6 else 0.0
    return handed(_shot(body, t, chance, dip=1.0, jump=jump, hoop=hoop), left)


def _shot(body: Body, t, chance, dip: float, jump: float, hoop: bool) -> Pose:
    """The ball before the chest, lowered, brought up over the forehead and pushed off upwards."""
    length = chance.uniform(1.2, 1.7)
    thing = hoop or chance.random() < WITH_BALL
    pause = None if thing else chance.uniform(0.3, 0.7)
    share = event(chance, seconds_of(t), length, pause)
    radius, deep = chance.uniform(0.1, 0.13), dip * chance.uniform(0.12, 0.22)
    stand, release = standing(body, chance), 0.58
    top = shoulder_height(body)

    def script(t: np.ndarray) -> Pose:
        u = share(t)
        pose = stand(t)
        down = through(u, {0.05: 0, 0.3: 1, 0.52: 0})
        stretched = through(u, {0.3: 0, 0.58: 1, 0.72: 1, 0.95: 0})
        landed = through(u, {0.74: 0, 0.82: 1, 1: 0}) if jump else 0 * u
        pose = replace(
            shifted(pose, y=-deep * down + 0.02 * stretched - 0.6 * deep * landed, z=-0.05 * down),
            lean=pose.lean + 0.5 * deep * (down + 0.6 * landed) / 0.2 - 0.04 * stretched,
            nod=pose.nod - 0.25 * through(u, {0.1: 0, 0.4: 1, 0.8: 1, 1: 0}),
            twist=pose.twist + 0.12 * stretched,
        )
        raised = through(u, {0.42: 0, 0.56: 1, 0.7: 1, 0.84: 0})
        pose = heels_up(body, pose, 0.6 * pair(raised, raised))
        both = through(u, {0: 1 if thing else 0, 0.14: 1, 0.5: 1, 0.64: 0})
        middle = through(
            u,
            {
                0: (0, top - 0.35, 0.34),
                0.12: (0, top - 0.25, 0.34),
                0.3: (0, top - 0.35 - 0.5 * deep, 0.36),
                0.46: (-0.08, top + 0.22, 0.3),
                release: (-0.14, top + 0.6 * body.arm, 0.42),
            },
        )
        rest, other = pose.wrists[0, RIGHT], pose.wrists[0, LEFT]
        after = through(
            u,
            {
                0: rest,
                0.3: (0, 0.3, 0.5),
                release: (-0.02, 0.86, 0.42),
                0.74: (0, 0.85, 0.5),
                1: rest,
            },
        )
        guide = through(
            u,
            {
                0: other,
                0.3: (-0.1, 0.2, 0.5),
                0.6: (0.15, 0.68, 0.4),
                0.72: (0.2, 0.4, 0.4),
                1: other,
            },
        )
        pose = gesture(gesture(pose, RIGHT, after), LEFT, guide)
        pose = reach(body, pose, toward_each_side(middle, radius), both[:, None])
        off = np.clip((u - 0.5) / 0.26, 0, 1)
        return raise_all(pose, 4 * jump * off * (1 - off))

    pose = script(t)
    if not thing:
        return pose
    props = []
    moment = moment_of(share, seconds_of(t), release)
    letting_go = moment_of(share, seconds_of(t), 0.5)
    joints = assemble(body, script(np.array([moment, letting_go])))
    start = holding.in_hand(joints[:1], RIGHT, radius)[0]
    if hoop:
        ring = np.array(
            [chance.normal(0, 0.3), chance.uniform(2.15, 2.4), chance.uniform(1.1, 2.6)]
        )
        seconds = chance.uniform(0.8, 1.0)
        velocity = (ring - start) / seconds + UP * holding.GRAVITY * seconds / 2
        props += _hoop(ring, chance)
    else:
        velocity = [chance.normal(0, 0.3), chance.uniform(2.5, 4.5), chance.uniform(2.5, 5)]
    flying = holding.flight(start, velocity, radius)

    def place(joints: np.ndarray) -> np.ndarray:
        # From between the hands to the one that pushes.
        one = through(t, {letting_go: 0.0, moment: 1.0})[:, None]
        held = (1 - one) * holding.between(joints) + one * holding.in_hand(joints, RIGHT, radius)
        return np.where((t < moment)[:, None], held, flying(t - moment))

    props.append(holding.ball(radius, place, holding.paint(chance)))
    pose = replace(pose, props=tuple(props))
    return side_on(pose, chance) if hoop else pose


def _hoop(ring: np.ndarray, chance) -> list[holding.Maker]:
    """A board on a post, and the front of a ring before it."""
    board = ring + np.array([0, 0.22, 0.28])
    post = [ring[0], ring[1] / 2, board[2] + 0.08]

    def front(joints):
        count = len(joints)
        return np.tile(ring + np.array([0, 0, 0.02]), (count, 1)), np.tile([1.0, 0, 0], (count, 1))

    orange = holding.Surface((0.75, 0.25, 0.05))
    white = holding.Surface((0.8, 0.8, 0.8), (0.7, 0.15, 0.1), grain=0.05)
    return [
        holding.board((0.45, 0.3, 0.02), holding.still(board), white),
        holding.board((0.05, ring[1] / 2, 0.05), holding.still(post), holding.STEEL),
        holding.rod(0.02, 0.2, front, orange),
    ]


def catch(body: Body, t, chance) -> Pose:
    """Both hands out to where a ball comes flying, around it, and with it to the chest."""
    share = event(chance, seconds_of(t), chance.uniform(1.2, 1.7))
    radius = chance.uniform(0.06, 0.13)
    aside, high = chance.uniform(-0.25, 0.25), chance.uniform(-0.45, 0.4)
    middle = np.array([aside, shoulder_height(body) + high, 0.46 - 0.25 * abs(high)])
    ready = np.array([0.3 * aside, shoulder_height(body) - 0.2, 0.36])
    held = np.array([0.2 * aside, shoulder_height(body) - 0.28, 0.27])
    stand = standing(body, chance)
    step = [0.5 * aside, 0, 0.05]
    side = LEFT if aside > 0 else RIGHT

    def script(t: np.ndarray) -> Pose:
        u = share(t)
        pose = stand(t)
        wait = through(u, {0: 0, 0.28: 1, 0.46: 0.6, 0.62: 1, 1: 0.15})
        lead = through(u, {0.2: 0, 0.5: 1, 0.8: 0.8})
        pose = stepped(pose, side, (u - 0.22) / 0.22, step, 0.05)
        pose = replace(
            shifted(pose, x=0.45 * aside * lead, y=-0.06 * wait, z=-0.04 * wait + 0.03 * lead),
            lean=pose.lean + 0.12 * wait + 0.05 * lead,
            sway=pose.sway - 0.2 * aside * lead,
            nod=pose.nod - 0.2 * high * lead - 0.1 * wait,
        )
        hands = through(u, {0: ready, 0.26: ready, CAUGHT: middle, 0.74: held, 1: held})
        apart = radius + through(u, {0: 0.12, 0.3: 0.1, CAUGHT: 0.0, 1: 0.0})
        raised = through(u, {0: 0, 0.28: 1})
        out = 0.5 * raised[:, None, None] * np.stack([SIDES, [0, 0], [0.3, 0.3]], -1)
        pose = replace(pose, elbows=pose.elbows + out)
        return reach(body, pose, toward_each_side(hands, apart), raised[:, None])

    pose = script(t)
    if chance.random() >= WITH_BALL:
        return pose
    moment = moment_of(share, seconds_of(t), CAUGHT)
    end = holding.between(assemble(body, script(np.array([moment]))))[0]
    comes_from = np.array([chance.normal(0, 0.5), chance.uniform(1.0, 2.0), chance.uniform(4.5, 6)])
    lasts = chance.uniform(0.55, 0.8)
    velocity = (end - comes_from) / lasts + UP * holding.GRAVITY * lasts / 2
    landing = velocity - UP * holding.GRAVITY * lasts

    def place(joints: np.ndarray) -> np.ndarray:
        since = (t - moment)[:, None]
        coming = end + landing * since - UP * holding.GRAVITY / 2 * since**2
        coming = np.where(since < -lasts, NOWHERE, coming)
        return np.where(since < 0, coming, holding.between(joints))

    return replace(pose, props=(holding.ball(radius, place, holding.paint(chance)),))


CAUGHT = 0.5  # share of the event at which the hands close


def bowl(body: Body, t, chance) -> Pose:
    """A ball swung back and, in a deep step, forward along the floor."""
    thing = chance.random() < WITH_BALL
    length = chance.uniform(1.4, 1.9)
    share = event(chance, seconds_of(t), length, None if thing else chance.uniform(0.3, 0.7))
    stand = standing(body, chance)
    far, deep = chance.uniform(0.42, 0.58) * body.leg, chance.uniform(0.22, 0.34) * body.leg
    back, release, radius = chance.uniform(0.6, 0.9), 0.6, chance.uniform(0.09, 0.11)

    def script(t: np.ndarray) -> Pose:
        u = share(t)
        pose = stand(t)
        rest, other = pose.wrists[0, RIGHT], pose.wrists[0, LEFT]
        wrist = through(
            u,
            {
                0: rest,
                0.14: (0.1, -0.4, 0.5),
                0.24: (-0.02, -0.65, 0.5),
                0.42: (-0.15, -0.55, -back),
                0.52: (-0.08, -0.97, 0.0),
                release: (-0.02, -0.8, 0.55),
                0.7: (0.1, 0.2, 0.75),
                0.8: (0.1, 0.1, 0.7),
                1: rest,
            },
        )
        balance = through(
            u,
            {
                0: other,
                0.14: (-0.15, -0.42, 0.5),
                0.42: (0.5, -0.35, 0.5),
                0.62: (0.8, -0.3, -0.1),
                0.8: (0.6, -0.5, -0.1),
                1: other,
            },
        )
        low = through(u, {0.2: 0, 0.54: 1, 0.66: 1, 0.96: 0})
        ahead = through(u, {0.25: 0, 0.56: 1, 0.7: 1, 0.98: 0})
        pose = stepped(pose, LEFT, (u - 0.28) / 0.24, [0, 0, far], 0.07)
        pose = stepped(pose, LEFT, (u - 0.76) / 0.22, [0, 0, -far], 0.05)
        pose = heels_up(body, pose, pair(0 * u, 0.9 * ahead))
        pose = replace(
            shifted(pose, y=-deep * low - 0.03 * ahead, z=0.7 * far * ahead),
            lean=pose.lean + 0.5 * low,
            bend=pose.bend + 0.22 * low,
            twist=pose.twist + through(u, {0.1: 0, 0.42: -0.35, 0.66: 0.15, 1: 0}),
            nod=pose.nod - 0.45 * low,
        )
        leftward, rightward = np.array([1.0, -0.3, -0.3]), np.array([-1.0, -0.3, -0.3])
        return gesture(gesture(pose, RIGHT, wrist, rightward), LEFT, balance, leftward)

    pose = script(t)
    if thing:
        velocity = [chance.normal(0, 0.1), chance.uniform(-0.2, 0.4), chance.uniform(4.5, 7.5)]
        make = _thrown(body, script, share, t, release, velocity, radius, chance)
        pose = replace(pose, props=(make,))
    return handed(pose, chance.random() < LEFT_HANDED)


def swing_bat(body: Body, t, chance) -> Pose:
    """A baseball bat swung with both hands, or a tennis racket: a forehand, or a serve."""
    kind = chance.choice(["baseball", "forehand", "serve"], p=[0.45, 0.35, 0.2])
    length, pause = chance.uniform(1.1, 1.6), chance.uniform(0.3, 0.7)
    u = event(chance, seconds_of(t), length, pause)(t)
    thing, left = chance.random() < 0.7, chance.random() < LEFT_HANDED
    if kind == "baseball":
        return handed(_baseball(body, t, u, chance, thing), left)
    return handed(_tennis(body, t, u, chance, thing, serve=kind == "serve"), left)


def _baseball(body: Body, t, u, chance, thing: bool) -> Pose:
    """Side on, the left side ahead. Written facing +z with the ball coming from the left, then turned."""
    pose = standing(body, chance)(t)
    top = shoulder_height(body)
    level = chance.uniform(-0.15, 0.1)
    grip = through(
        u,
        {
            0: (-0.16, top - 0.08, 0.24),
            0.2: (-0.22, top - 0.02, 0.18),
            0.34: (-0.14, top - 0.25, 0.34),
            0.44: (0.08, top - 0.36 + level, 0.46),
            0.54: (0.3, top - 0.22 + level, 0.36),
            0.66: (0.26, top + 0.02, 0.16),
            0.76: (0.24, top - 0.02, 0.18),
            1: (-0.16, top - 0.08, 0.24),
        },
    )
    axis = through(
        u,
        {
            0: (-0.35, 0.9, -0.15),
            0.2: (-0.15, 0.85, -0.5),
            0.34: (-0.95, 0.15, -0.1),
            0.44: (0.1, 0.05 + 0.5 * level, 1.0),
            0.54: (1.0, 0.25, 0.25),
            0.66: (0.2, 0.5, -0.9),
            0.76: (0.2, 0.6, -0.8),
            0.9: (0.15, 0.95, 0.35),
            1: (-0.35, 0.9, -0.15),
        },
    )
    axis = axis / np.linalg.norm(axis, axis=-1, keepdims=True)
    hands = pair(grip, grip + 0.1 * axis)
    load = through(u, {0: 0, 0.22: 1, 0.36: 0})
    hit = through(u, {0.2: 0, 0.48: 1, 0.76: 1, 1: 0})
    ankles = pose.ankles + SIDES[:, None] * [chance.uniform(0.08, 0.16), 0, 0]
    pose = replace(pose, ankles=ankles, toes=0 * pose.toes)
    stride = chance.uniform(0.1, 0.22)
    pose = stepped(pose, LEFT, (u - 0.14) / 0.2, [stride, 0, 0], 0.06)
    pose = stepped(pose, LEFT, (u - 0.78) / 0.2, [-stride, 0, 0], 0.05)
    pose = heels_up(body, pose, pair(0 * u, 0.7 * hit))
    pose = replace(
        shifted(pose, x=-0.06 * load + (0.05 + 0.6 * stride) * hit, y=-0.07 - 0.02 * hit),
        heading=pose.heading - 0.15 * load + 0.55 * hit,
        lean=0.16 + 0 * t,
        twist=-0.35 + 0 * t - 0.25 * load + 0.95 * hit,
        nod=0.1 + 0 * t,
        elbows=np.stack([0.3 * SIDES, [-1, -1], [-0.1, -0.1]], -1) + 0 * pose.elbows,
    )
    pose = reach(body, pose, hands)
    if thing:
        long = chance.uniform(0.7, 0.9)

        def ends(joints):
            knob = holding.hand(joints, LEFT)
            way = holding.hand(joints, RIGHT) - knob
            way = way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-6)
            return knob + (long / 2 - 0.06) * way, way

        radius = chance.uniform(0.025, 0.04)
        pose = replace(pose, props=(holding.rod(radius, long / 2, ends, holding.WOOD),))
    return turned(pose, -chance.uniform(1.1, 1.5))


def _tennis(body: Body, t, u, chance, thing: bool, serve: bool) -> Pose:
    pose = standing(body, chance)(t)
    ready, guard = (0.05, -0.45, 0.5), (-0.05, -0.45, 0.5)
    if serve:
        hand = {
            0: ready,
            0.16: (-0.1, -0.75, 0.1),
            0.34: (-0.7, 0.15, -0.3),
            0.44: (-0.35, 0.35, -0.35),
            0.54: (-0.12, 0.98, 0.2),
            0.66: (0.25, 0.0, 0.75),
            0.76: (0.45, -0.5, 0.3),
            1: ready,
        }
        balance = {
            0: guard,
            0.14: (0.05, -0.6, 0.5),
            0.34: (0.1, 0.92, 0.35),
            0.56: (0.15, -0.3, 0.45),
            1: guard,
        }
        turn_back, turn_on, up = -0.6, 0.4, 1.0
    else:
        low = chance.uniform(-0.1, 0.15)
        hand = {
            0: ready,
            0.34: (-0.8, -0.15 + low, -0.35),
            0.42: (-0.75, -0.45 + low, -0.2),
            0.52: (-0.4, -0.2 + low, 0.75),
            0.64: (0.35, 0.25, 0.65),
            0.74: (0.55, 0.3, 0.3),
            1: ready,
        }
        balance = {0: guard, 0.34: (0.35, -0.1, 0.7), 0.6: (0.4, -0.45, 0.1), 1: guard}
        turn_back, turn_on, up = -0.75, 0.45, 0.0
    back = through(u, {0: 0, 0.36: 1, 0.54: 0})
    on = through(u, {0.36: 0, 0.6: 1, 0.76: 1, 1: 0})
    far = chance.uniform(0.2, 0.35)
    pose = stepped(pose, LEFT, (u - 0.24) / 0.22, [-0.05, 0, far], 0.07)
    pose = stepped(pose, LEFT, (u - 0.76) / 0.2, [0.05, 0, -far], 0.05)
    pose = heels_up(body, pose, pair(0.3 * up * on, 0.65 * on))
    pose = replace(
        shifted(pose, y=-0.05 * (1 - on) - 0.03 * back, z=-0.06 * back + 0.6 * far * on),
        heading=pose.heading + 0.4 * turn_back * back + 0.3 * turn_on * on,
        twist=pose.twist + 0.6 * turn_back * back + 0.7 * turn_on * on,
        lean=pose.lean + 0.06 - 0.15 * up * back + 0.1 * on,
        sway=pose.sway + 0.1 * up * back,
        nod=pose.nod - 0.25 * up * through(u, {0.1: 0, 0.35: 1, 0.56: 1, 0.7: 0}),
    )
    wrist, guide = through(u, hand), through(u, balance)
    pose = gesture(gesture(pose, RIGHT, wrist), LEFT, guide)
    return replace(pose, props=_racket(chance)) if thing else pose


def _racket(chance) -> tuple[holding.Maker, ...]:
    """A handle in the right hand and a head at its end."""
    shaft, head = chance.uniform(0.14, 0.18), chance.uniform(0.12, 0.14)
    colour = holding.paint(chance)

    def handle(joints):
        way = holding.pointing(joints, RIGHT)
        return holding.hand(joints, RIGHT) + (shaft - 0.05) * way, way

    def face(joints):
        way = holding.pointing(joints, RIGHT)
        return holding.hand(joints, RIGHT) + (2 * shaft - 0.05 + head) * way

    def strings(joints):
        turn = holding.upright_along(holding.pointing(joints, RIGHT))
        size = np.array([head, 1.2 * head, 0.015])
        return holding.Prop(holding.ELLIPSOID, size, face(joints), colour, turn)

    return holding.rod(0.018, shaft, handle, colour), strings


def pick_up_and_throw(body: Body, t, chance) -> Pose:
    """Down to a ball on the floor, up with it, and thrown."""
    thing = chance.random() < 0.7
    seconds = seconds_of(t)
    length = chance.uniform(2.1, 2.8)
    share = event(chance, seconds, length, None if thing else chance.uniform(0.4, 0.8))
    stand, hurl = standing(body, chance), _hurling(body, chance)
    radius = chance.uniform(0.035, 0.09)
    aside, ahead = -chance.uniform(0.02, 0.2), chance.uniform(0.25, 0.4)
    stoop = chance.uniform(0.2, 0.8)
    from_ = np.array([aside, radius, ahead])

    def bowed(t: np.ndarray, deeper: float) -> Pose:
        u = share(t)
        pose = hurl(stand(t), (u - 0.36) / 0.64)
        down = deeper * through(u, {0: 0, GRASPED: 1, 0.5: 0})
        pose = replace(
            shifted(
                pose,
                y=-(0.46 - 0.2 * stoop) * body.leg * down,
                z=-0.16 * down,
                x=0.3 * aside * down,
            ),
            lean=pose.lean + (0.75 + 0.3 * stoop) * down,
            bend=pose.bend + 0.45 * down,
            sway=pose.sway + 0.1 * down,
            nod=pose.nod - 0.2 * down,
        )
        # The middle of the ball is past the knuckles, which point down.
        hands = np.tile(from_ + UP * radius, (len(t), 2, 1))
        grasp = through(u, {0.06: 0, 0.22: 1, GRASPED + 0.03: 1, 0.42: 0})
        return reach(body, pose, hands, grasp[:, None] * [0.0, 1.0])

    grasp = moment_of(share, seconds, GRASPED)

    def gap(deeper: float) -> float:
        joints = assemble(body, bowed(np.array([grasp]), deeper))
        return np.linalg.norm(holding.hand(joints, RIGHT)[0] - from_ - UP * radius)

    deeper = deep_enough(gap)

    def script(t: np.ndarray) -> Pose:
        return bowed(t, deeper)

    pose = script(t)
    if thing:
        velocity = [chance.normal(0, 0.4), chance.uniform(0.5, 3.0), chance.uniform(6, 10)]
        release = moment_of(share, seconds, 0.36 + 0.64 * RELEASE)
        joints = assemble(body, script(np.array([release])))
        start = holding.in_hand(joints, RIGHT, radius)[0]
        flying = holding.flight(start, velocity, radius)

        def place(joints: np.ndarray) -> np.ndarray:
            held = holding.in_hand(joints, RIGHT, radius)
            free = np.where((t < grasp)[:, None], from_, flying(t - release))
            return np.where(((t >= grasp) & (t < release))[:, None], held, free)

        pose = replace(pose, props=(holding.ball(radius, place, holding.paint(chance)),))
    return handed(pose, chance.random() < LEFT_HANDED)


GRASPED = 0.26  # share at which the hand closes about the ball
