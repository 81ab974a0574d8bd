"""Down and up: sitting down, standing up, bending, picking up, putting down, falling.

Standing up is sitting down with the time reversed, and so are putting down and picking up.
"""

from dataclasses import replace

import numpy as np

from har_demo.research.people import holding
from har_demo.research.people.actions.base import (
    LEFT,
    PI,
    RIGHT,
    Script,
    arms,
    both_hands,
    clock,
    deep_enough,
    ease,
    event,
    gesture,
    handed,
    moment_of,
    outward,
    seconds_of,
    shifted,
    standing,
    stepped,
    through,
    toward_each_side,
    wave,
)
from har_demo.research.people.skeleton import SIDES, UP, Body, Pose, assemble, reach


def sit_down(body: Body, t, chance) -> Pose:
    """From standing before a stool to sitting on it."""
    return _sitting(body, chance, seconds_of(t))(t)


def stand_up(body: Body, t, chance) -> Pose:
    """From sitting on a stool to standing before it: sitting down with the time reversed."""
    seconds = seconds_of(t)
    return _sitting(body, chance, seconds)(seconds - t)


def _sitting(body: Body, chance, seconds: float) -> Script:
    share = event(chance, seconds, chance.uniform(1.0, 1.5))
    stand = standing(body, chance)
    height = seat_height(body)
    drop = body.hip_height - (height + 0.11)
    forward, far = chance.uniform(0.6, 0.85), 0.95 * body.thigh
    stool = _stool(height, -far, chance)
    hands = chance.choice(["knees", "down", "folded"], p=[0.6, 0.2, 0.2])

    def script(t: np.ndarray) -> Pose:
        down = ease(share(t))
        pose = stand(t)
        hip = pose.hip + np.stack([0 * t, -drop * down, -far * ease(down * 1.1)], -1)
        between = np.sin(PI * down)
        if hands == "folded":
            pose = both_hands(pose, (-0.2, -0.5, 0.42), (0.7, -0.8, -0.1))
        else:
            rest = 0.45 * down if hands == "knees" else 0.1 * down
            wrists, elbows = arms(
                body, 0.14 + 0 * t, 0.08 + rest + 0.5 * between, 0.3 + (0.3 + rest) * down
            )
            pose = replace(pose, wrists=wrists, elbows=elbows)
        return replace(
            pose,
            hip=hip,
            # The head goes forward to keep the balance.
            lean=forward * between + 0.03 * down,
            bend=pose.bend + 0.12 * between,
            nod=-0.4 * between,
            props=(stool,),
        )

    return script


def seat_height(body: Body) -> float:
    """A stool on which the knees are a little above the hips' seat."""
    return body.ankle + body.shin - 0.05


def _stool(height: float, z: float, chance) -> holding.Maker:
    half = (chance.uniform(0.19, 0.26), height / 2, chance.uniform(0.17, 0.22))
    paint = holding.WOOD if chance.random() < 0.5 else holding.paint(chance)
    return holding.board(half, holding.still([0, height / 2, z]), paint)


def bend(body: Body, t, chance) -> Pose:
    """Bending down as if to pick something up, and straightening again."""
    rate = chance.uniform(0.42, 0.6)
    moments, start = clock(chance, seconds_of(t), rate)
    down = ease(1.25 * wave(rate * moments(t) + start, 1.0))
    pose = standing(body, chance)(t)
    lean, curl = chance.uniform(0.75, 1.0) * down, chance.uniform(0.6, 0.85) * down
    one_hand = chance.uniform() < 0.5
    hang = np.stack([lean + curl, np.where(one_hand, 0.3, 1.0) * (lean + curl)], 1)
    wrists, elbows = arms(body, raised=0.12 + 0 * hang, swing=0.08 + hang, bent=0.2 + 0 * hang)
    return replace(
        shifted(pose, y=-0.10 * down, z=-0.2 * down),
        lean=lean,
        bend=pose.bend + curl,
        nod=-0.3 * down,
        wrists=wrists,
        elbows=elbows,
    )


def pick_up(body: Body, t, chance) -> Pose:
    """Down to a thing on the floor and up with it, in both hands or in one."""
    return _lifting(body, chance, seconds_of(t))(t)


def put_down(body: Body, t, chance) -> Pose:
    """A thing from the hands to the floor: picking up with the time reversed."""
    seconds = seconds_of(t)
    return _lifting(body, chance, seconds)(seconds - t)


GRASPED = 0.46  # share of the lifting at which the hands close


def _lifting(body: Body, chance, seconds: float) -> Script:
    """Two hands lift a box, or the right one a ball or a bottle; the thing may be mimed."""
    share = event(chance, seconds, chance.uniform(1.4, 2.0))
    stand = standing(body, chance)
    two, thing = chance.random() < 0.6, chance.random() < 0.7
    stoop = chance.uniform(0.0, 1.0)  # 0 squats, 1 bends over
    half = chance.uniform((0.12, 0.08, 0.1), (0.22, 0.17, 0.17)) if two else np.full(3, 0.05)
    floor = np.array([0.0 if two else -0.14, half[1], chance.uniform(0.3, 0.36) + half[2]])
    high = chance.uniform(0.05, 0.25)
    held = np.array([floor[0] * 1.2, body.hip_height + high, 0.27 + half[2]])
    knee = body.ankle + body.shin
    look, left = chance.uniform(0.1, 0.3), chance.random() < (0.0 if two else 0.2)
    paint = holding.paint(chance)

    def bowed(t: np.ndarray, deeper: float) -> Pose:
        u = share(t)
        down = deeper * through(u, {0.04: 0, GRASPED: 1, 0.95: 0})
        carrying = through(u, {GRASPED: 0, 0.95: 1})
        pose = stand(t)
        return replace(
            shifted(
                pose,
                x=0.3 * floor[0] * down,
                y=-(0.45 - 0.27 * stoop) * body.leg * down,
                z=-(0.14 + 0.08 * stoop) * down - 0.03 * carrying,
            ),
            lean=pose.lean + (0.62 + 0.42 * stoop) * down - 0.05 * carrying,
            bend=pose.bend + (0.35 + 0.3 * stoop) * down,
            sway=pose.sway + (0.0 if two else 0.08) * down,
            nod=pose.nod - 0.15 * down + look * carrying,
        )

    def script(t: np.ndarray, deeper: float) -> Pose:
        u = share(t)
        pose = bowed(t, deeper)
        place = through(
            u,
            {GRASPED: floor, 0.68: (1.1 * floor[0], knee + 0.1, held[2] + 0.06), 0.95: held},
        )
        grasp = through(u, {0.1: 0, 0.4: 1})[:, None]
        if two:
            open_ = half[0] + 0.01 + through(u, {0.3: 0.08, GRASPED - 0.02: 0.0})
            pose = replace(pose, elbows=pose.elbows + 0.5 * grasp[..., None] * outward())
            return reach(body, pose, toward_each_side(place, open_), grasp)
        # A hand that hangs holds by the top, one that is raised from behind.
        behind = through(u, {GRASPED: (0, 1, -0.1), 0.95: (0, 0.1, -1)}) * half[1]
        hands = np.repeat((place + behind)[:, None], 2, 1)
        other = pose.wrists[0, LEFT] + through(u, {0: 0, GRASPED: 1, 0.95: 0})[:, None] * [
            0.1,
            0.1,
            0.35,
        ]
        return reach(body, gesture(pose, LEFT, other), hands, grasp * [0.0, 1.0])

    moment = np.array([moment_of(share, seconds, GRASPED)])

    def gap(deeper: float) -> float:
        joints = assemble(body, script(moment, deeper))
        at = holding.between(joints) if two else holding.hand(joints, RIGHT) - UP * half[1]
        return np.linalg.norm(at[0] - floor)

    deeper = deep_enough(gap)

    def whole(t: np.ndarray) -> Pose:
        pose = script(t, deeper)
        if thing:
            pose = replace(pose, props=(_carried(share(t) >= GRASPED, floor, half, two, paint),))
        return handed(pose, left)

    return whole


def _carried(held: np.ndarray, floor, half, two: bool, paint) -> holding.Maker:
    """A box between both hands or a ball in the right one; on the floor where not `held` [T]."""

    def place(joints: np.ndarray) -> np.ndarray:
        moving = holding.between(joints) if two else holding.in_hand(joints, RIGHT, half[1])
        return np.where(held[:, None], moving, floor)

    if two:
        return holding.board(half, place, paint)
    return holding.ball(half[1], place, paint)


def fall(body: Body, t, chance) -> Pose:
    """Out of standing to the floor: backwards, forwards or sideways, and lying there."""
    share = event(chance, seconds_of(t), chance.uniform(1.1, 1.6))
    u = share(t)
    pose = standing(body, chance)(t)
    way = chance.choice(["back", "front", "side"], p=[0.4, 0.35, 0.25])
    make = {"back": _fall_back, "front": _fall_forward, "side": _fall_sideways}[way]
    return handed(make(body, pose, u, chance), chance.random() < 0.5)


def _fall_back(body: Body, pose: Pose, u, chance) -> Pose:
    """The knees give way, the seat meets the floor, then the back."""
    high = body.hip_height
    pose = stepped(pose, LEFT, (u - 0.08) / 0.22, [0, 0, -0.18], 0.05)
    pose = stepped(pose, LEFT, (u - 0.5) / 0.3, [0.03, 0, 0.35], 0.2)
    pose = stepped(pose, RIGHT, (u - 0.48) / 0.3, [-0.03, 0, 0.2], 0.28)
    hip = through(
        u,
        {
            0: (0, high, 0),
            0.2: (0, high - 0.06, -0.12),
            0.52: (0, 0.17, -0.62 * body.leg),
            0.6: (0, 0.155, -0.66 * body.leg),
            0.78: (0, 0.15, -0.7 * body.leg),
        },
    )
    hip = hip + pose.hip * [1, 0, 1]
    fling = through(u, {0.05: 0, 0.3: 1, 0.55: 0.3, 0.8: 0})
    land = through(u, {0.35: 0, 0.6: 1})
    raised = 0.15 + 1.0 * fling + 0.75 * land
    wrists, elbows = arms(body, raised, 0.1 + 0.6 * fling - 0.05 * land, 0.3 + 0.2 * fling)
    flat = np.broadcast_to(np.stack([SIDES, [0.0, 0.0], [0.3, 0.3]], -1), elbows.shape)
    return replace(
        pose,
        hip=hip,
        lean=through(u, {0: 0.02, 0.2: -0.16, 0.42: 0.1, 0.56: -0.35, 0.76: -1.5, 0.84: -1.52}),
        bend=through(u, {0: 0.03, 0.4: 0.35, 0.6: 0.3, 0.8: 0.0}),
        nod=through(u, {0: 0, 0.5: 0.35, 0.7: 0.3, 0.85: 0.05}),
        sway=pose.sway * (1 - land),
        wrists=wrists,
        elbows=elbows + land[:, None, None] * (flat - elbows),
    )


def _fall_forward(body: Body, pose: Pose, u, chance) -> Pose:
    """Down on the knees, then on the hands, then flat."""
    high, reachable = body.hip_height, 0.985 * body.leg
    shin = body.shin
    hip = through(
        u,
        {
            0: (0, high, 0),
            0.16: (0, high - 0.03, 0.06),
            0.46: (0, 0.5 * body.leg + 0.23, 0.24),
            0.62: (0, 0.4, 0.52 * body.leg),
            0.8: (0, 0.16, 0.78 * body.leg),
        },
    )
    hip = hip + pose.hip * [1, 0, 1]
    toes_up = through(u, {0.2: 0, 0.46: 1.1})
    behind = through(u, {0.2: 0, 0.46: 1, 0.8: 1})
    ankles = pose.ankles.copy()
    ankles[..., 1] += (0.06 * behind)[:, None]
    ankles[..., 2] -= (0.4 * shin * behind)[:, None] * [1.0, 0.9]
    far = through(u, {0.46: 0, 0.8: 1})
    ankles[..., 2] += (far * (0.78 * body.leg + 0.36 * shin - reachable - 0.04))[:, None]
    lean = through(u, {0: 0.02, 0.18: 0.2, 0.46: 0.45, 0.66: 1.2, 0.8: 1.49})
    pose = replace(
        pose,
        hip=hip,
        lean=lean,
        bend=through(u, {0: 0.03, 0.4: 0.2, 0.8: 0.0}),
        nod=through(u, {0: 0, 0.5: -0.5, 0.8: -0.45, 0.95: -0.2}),
        sway=pose.sway * (1 - behind),
        ankles=ankles,
        tiptoe=toes_up[:, None] + 0 * pose.tiptoe,
        elbows=pose.elbows + through(u, {0.2: 0, 0.6: 1})[:, None, None] * outward() * 1.6,
    )
    ready = through(u, {0.05: 0, 0.36: 1})
    ahead = 0.78 * body.leg + body.spine + body.chest
    hands = through(
        u,
        {
            0.05: (0, 1.0, 0.4),
            0.3: (0, 0.9, 0.62),
            0.58: (0, 0.09, ahead - 0.1),
            0.8: (0, 0.075, ahead - 0.02),
        },
    )
    return reach(body, pose, toward_each_side(hands, 0.26 + 0.12 * ready), ready[:, None])


def _fall_sideways(body: Body, pose: Pose, u, chance) -> Pose:
    """Over to the right: the knees give way, the hip meets the floor, then the shoulder."""
    high = body.hip_height
    low = body.shoulders + 0.05
    hip = through(
        u,
        {
            0: (0, high, 0),
            0.2: (-0.1, high - 0.05, 0),
            0.5: (-0.42, 0.32, -0.1),
            0.62: (-0.5, low, -0.12),
            0.8: (-0.52, low - 0.03, -0.12),
        },
    )
    hip = hip + pose.hip * [1, 0, 1]
    pose = stepped(pose, RIGHT, (u - 0.08) / 0.2, [-0.16, 0, 0.06], 0.06)
    pose = stepped(pose, LEFT, (u - 0.45) / 0.3, [-0.1, 0, 0.3], 0.12)
    pose = stepped(pose, RIGHT, (u - 0.5) / 0.3, [0.0, 0, 0.45], 0.04)
    over = through(u, {0.05: 0, 0.25: 0.25, 0.55: 0.75, 0.76: 1})
    land = through(u, {0.4: 0, 0.65: 1})
    rest, other = pose.wrists[0, RIGHT], pose.wrists[0, LEFT]
    right = through(
        u,
        {
            0: rest,
            0.3: (-0.4, -0.45, 0.4),
            0.46: (0.05, -0.45, 0.65),
            0.6: (0.15, -0.4, 0.75),
            0.85: (0.2, -0.3, 0.75),
        },
    )
    left = through(
        u, {0: other, 0.3: (0.75, 0.1, 0.3), 0.6: (0.1, -0.4, 0.7), 0.85: (-0.15, -0.55, 0.55)}
    )
    pose = replace(
        pose,
        hip=hip,
        sway=pose.sway + 1.42 * over,
        lean=pose.lean * (1 - land) + through(u, {0: 0, 0.4: 0.25, 0.8: 0.0}),
        bend=0.2 * land + pose.bend * (1 - land),
        twist=pose.twist * (1 - land),
        nod=0.15 * land,
    )
    return gesture(gesture(pose, RIGHT, right, np.array([0.3, -1.0, -0.1])), LEFT, left)
