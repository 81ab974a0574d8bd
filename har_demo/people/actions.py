"""What people do: each action is one function that writes down a `Pose` over time.

The small functions they share (standing, arms by angles, footprints, hops) come first, then the
actions, all (body, time [T] in seconds, random generator) → Pose. The generator draws how this
person does it this time: tempo, amplitude, phase, left or right.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from har_demo.people.skeleton import SIDES, TOE, UP, Body, Pose, flat_foot, rotation

PI = np.pi


def _stand(body: Body, t: np.ndarray, chance: np.random.Generator) -> Pose:
    """Standing still the way people do: breathing, shifting a little, arms hanging."""
    slow = chance.uniform(0, 2 * PI, 3)
    drift = [0.012 * np.sin(1.1 * t + slow[0]), -0.004 * (1 + np.sin(1.6 * t + slow[1])), 0 * t]
    hip = np.stack(drift, -1) + body.hip_height * UP
    zero = 0 * t
    ankles = np.zeros((len(t), 2, 3))
    ankles[..., 0] = SIDES * (body.hips + chance.uniform(0.0, 0.05))
    ankles[..., 1] = body.ankle
    wrists, elbows = _arms(body, raised=0.14 + zero, swing=0.08 + zero, bent=0.25 + zero)
    return Pose(
        hip=hip,
        heading=zero,
        lean=zero + 0.02,
        sway=zero,
        bend=0.03 + 0.015 * np.sin(1.6 * t + slow[1]),
        twist=0.03 * np.sin(0.9 * t + slow[2]),
        nod=0.06 * np.sin(0.7 * t + slow[0]),
        wrists=wrists,
        elbows=elbows,
        ankles=ankles,
        toes=zero[:, None] + SIDES * chance.uniform(0.05, 0.25),
        tiptoe=np.zeros((len(t), 2)),
    )


def _arms(body: Body, raised, swing, bent, inward=0.3) -> tuple[np.ndarray, np.ndarray]:
    """Wrists and elbows from joint angles, each [T] for both arms or [T, 2].

    Args:
        raised: angle of the upper arm away from the side; π is straight up.
        swing: then turned forward about the axis through the shoulders.
        bent: flexion of the elbow, 0 is straight.
        inward: where the forearm goes: 0 straight ahead of the body, π / 2 towards the middle.
    """
    pair = np.zeros(2)  # makes every angle [T, 2]
    raised, swing, bent, inward, _ = np.broadcast_arrays(
        *(np.asarray(a)[..., None] if np.ndim(a) < 2 else a for a in (raised, swing, bent, inward)),
        pair,
    )
    upper = np.stack(
        [
            SIDES * np.sin(raised),
            -np.cos(raised) * np.cos(swing),
            np.cos(raised) * np.sin(swing),
        ],
        -1,
    )
    # The forearm bends in the plane of the upper arm and a direction that turns inward.
    front = np.stack([-SIDES * np.sin(inward), np.sin(swing), np.cos(inward) * np.cos(swing)], -1)
    front = front - (front * upper).sum(-1, keepdims=True) * upper
    front = front / np.linalg.norm(front, axis=-1, keepdims=True)
    fore = np.cos(bent)[..., None] * upper + np.sin(bent)[..., None] * front
    wrists = (body.upper_arm * upper + body.forearm * fore) / body.arm
    return wrists, upper - 0.5 * front


def _path(speed: float, seconds: float, turn: float, sideways: bool = False) -> Callable:
    """time → (position [..., 3], heading): straight through the origin, or, if long, a circle.

    `turn` is +1 or -1, the side a circle bends to. Sideways, the person faces across the way.
    """
    length = speed * seconds
    radius = 1.3

    def straight(t):
        way = speed * t - length / 2
        x, z = (turn * way, 0 * way) if sideways else (0 * way, way)
        return np.stack([x, 0 * way, z], -1), 0 * way

    def circle(t):
        angle = turn * speed * t / radius
        place = np.stack([-np.cos(angle), 0 * angle, np.sin(angle)], -1)
        return turn * radius * place, angle

    return straight if length <= 4.0 or sideways else circle


def _steps(body: Body, t, path, rate, offset, stance, lift, push, width, tuck=0.0):
    """Feet that stand still while planted and swing from one footprint to the next.

    Args:
        path: time → (position, heading) of the body.
        rate: strides per second; `offset` [2] is the phase of either foot in strides.
        stance: share of a stride the foot is on the floor.
        lift: metres the ankle rises in mid-swing; `tuck` metres it also trails behind.
        push: radians the heel comes up before the foot leaves.
        width: metres from the middle line to a foot.

    Returns:
        ankles [T, 2, 3], toes [T, 2], tiptoe [T, 2].
    """
    stride = rate * t[:, None] + offset
    number = np.floor(stride)
    phase = stride - number
    swing = np.clip((phase - stance) / (1 - stance), 0, 1)

    def footprint(n):
        place, heading = path((n + stance / 2 - offset) / rate)
        left = np.stack([np.cos(heading), 0 * heading, -np.sin(heading)], -1)
        return place + left * (SIDES * width)[:, None], heading

    (here, toes_here), (there, toes_there) = footprint(number), footprint(number + 1)
    share = ease(swing)
    toes = toes_here + share * (toes_there - toes_here)
    ahead = np.stack([np.sin(toes), 0 * toes, np.cos(toes)], -1)
    heel = np.where(
        phase < stance,
        ease((phase / stance - 0.55) / 0.45),
        np.cos(PI * np.minimum(swing * 0.8, 1)),
    )
    tiptoe = push * np.where(heel < 0, 0.35 * heel, heel)
    flat = flat_foot(body)
    toe_down = np.maximum(tiptoe, 0)
    up = np.maximum(body.ankle, TOE + body.foot * np.sin(flat + toe_down))
    forward = body.foot * (np.cos(flat) - np.cos(flat + toe_down))  # the ankle turns about the toes
    rise = np.sin(PI * swing) ** 1.5
    ankles = here + share[..., None] * (there - here) + (forward - tuck * rise)[..., None] * ahead
    ankles[..., 1] = up + lift * rise
    return ankles, toes, tiptoe


def ease(x: np.ndarray) -> np.ndarray:
    """0 to 1 with a soft start and a soft end."""
    x = np.clip(x, 0, 1)
    return x * x * x * (x * (6 * x - 15) + 10)


def _wave(t, rate, phase=0.0):
    """0 → 1 → 0, `rate` times a second, starting at 0."""
    return (1 - np.cos(2 * PI * (rate * t + phase))) / 2


def _hops(phase, stance):
    """[T] share 0..1 of a hop's height: a parabola while in the air, 0 on the floor."""
    air = np.clip((phase % 1 - stance) / (1 - stance), 0, 1)
    return 4 * air * (1 - air)


def _crouch(phase, stance):
    """[T] 0..1..0 while on the floor between two hops."""
    floor = np.clip((phase % 1) / stance, 0, 1)
    return np.sin(PI * floor) ** 2


def _raise_all(pose: Pose, height) -> Pose:
    """The whole person off the floor by [T] metres."""
    up = np.stack([0 * height, height, 0 * height], -1)
    return replace(pose, hip=pose.hip + up, ankles=pose.ankles + up[:, None])


# --- the actions ----------------------------------------------------------------------------------


def walk(body: Body, t, chance) -> Pose:
    """A stroll to a brisk walk."""
    speed = chance.uniform(0.9, 1.45)
    rate = 0.62 + 0.36 * speed + chance.normal(0, 0.02)
    offset = np.array([0.0, 0.5]) + chance.uniform()
    path = _path(speed, t[-1], chance.choice([-1, 1]))
    place, heading = path(t)
    ankles, toes, tiptoe = _steps(body, t, path, rate, offset, 0.6, 0.05, 0.8, body.hips * 0.8)
    beat = 2 * PI * (rate * t + offset[0] - 0.3)  # 0 when the left foot is under the body
    swing = chance.uniform(0.35, 0.6) * np.sin(beat)[:, None] * SIDES
    wrists, elbows = _arms(
        body, raised=0.12 + 0 * swing, swing=swing + 0.05, bent=0.3 + 0.35 * (1 + swing)
    )
    pose = _stand(body, t, chance)
    bob = np.stack([0.02 * np.cos(beat), 0.012 * np.cos(2 * beat), 0 * t], -1)
    return replace(
        pose,
        hip=place + bob + [0, body.hip_height - 0.015, 0],
        heading=heading,
        lean=0.06 + 0 * t,
        twist=0.12 * np.sin(beat),
        wrists=wrists,
        elbows=elbows,
        ankles=ankles,
        toes=toes,
        tiptoe=tiptoe,
    )


def run(body: Body, t, chance) -> Pose:
    """A jog to a run, both feet off the floor between steps."""
    speed = chance.uniform(2.2, 3.2)
    rate = 1.15 + 0.1 * speed
    offset = np.array([0.0, 0.5]) + chance.uniform()
    path = _path(speed, t[-1], chance.choice([-1, 1]))
    place, heading = path(t)
    stance = 0.34
    ankles, toes, tiptoe = _steps(
        body, t, path, rate, offset, stance, 0.34, 0.9, body.hips * 0.6, tuck=0.22
    )
    step = 2 * (rate * t + offset[0])
    air = _hops(step, 2 * stance)
    ankles[..., 1] += 0.05 * air[:, None]
    beat = 2 * PI * (rate * t + offset[0] - stance / 2)
    swing = chance.uniform(0.6, 0.9) * np.sin(beat)[:, None] * SIDES
    wrists, elbows = _arms(
        body, raised=0.2 + 0 * swing, swing=swing - 0.15, bent=1.5 + 0.3 * swing, inward=0.5
    )
    height = body.hip_height - 0.06 + 0.05 * air - 0.035 * _crouch(step, 2 * stance)
    return replace(
        _stand(body, t, chance),
        hip=place + np.stack([0 * t, height, 0 * t], -1),
        heading=heading,
        lean=chance.uniform(0.15, 0.28) + 0 * t,
        twist=0.2 * np.sin(beat),
        nod=-0.1 + 0 * t,
        wrists=wrists,
        elbows=elbows,
        ankles=ankles,
        toes=toes,
        tiptoe=tiptoe,
    )


def skip(body: Body, t, chance) -> Pose:
    """Hopping forward on one leg, the other held up behind."""
    speed, rate = chance.uniform(1.1, 1.7), chance.uniform(1.7, 2.2)
    hopper = chance.integers(2)
    start = chance.uniform()
    path = _path(speed, t[-1], chance.choice([-1, 1]))
    place, heading = path(t)
    stance = 0.45
    ankles, toes, tiptoe = _steps(
        body, t, path, rate, np.full(2, start), stance, 0.05, 0.5, body.hips * 0.4
    )
    phase = rate * t + start
    air, dip = _hops(phase, stance), _crouch(phase, stance)
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
    wrists, elbows = _arms(body, raised=0.3 + 0 * t, swing=0.1 + pump, bent=1.2 + 0 * t, inward=0.5)
    return replace(
        _stand(body, t, chance),
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
    way = chance.choice([-1, 1])
    offset = np.where(way == SIDES, 0.0, 0.5) + chance.uniform()
    seconds = max(min(t[-1], 3.2 / speed), 0.1)  # a long clip goes there and back

    def path(time):
        leg = time % (2 * seconds)
        return _path(speed, seconds, way, sideways=True)(np.minimum(leg, 2 * seconds - leg))

    place, heading = path(t)
    stance = 0.55
    ankles, toes, tiptoe = _steps(body, t, path, rate, offset, stance, 0.07, 0.4, body.hips + 0.09)
    phase = rate * t + offset.min()
    air = _hops(2 * phase, 0.75)
    height = body.hip_height - 0.05 + 0.04 * air - 0.02 * np.cos(4 * PI * phase)
    arm = 0.25 + 0.12 * np.cos(2 * PI * phase)
    wrists, elbows = _arms(body, raised=arm, swing=0.05 + 0 * t, bent=0.35 + 0 * t)
    return replace(
        _stand(body, t, chance),
        hip=place + np.stack([0 * t, height, 0 * t], -1),
        heading=heading,
        sway=0.05 * np.sin(2 * PI * phase) * way,
        wrists=wrists,
        elbows=elbows,
        ankles=ankles,
        toes=toes,
        tiptoe=tiptoe,
    )


def jump(body: Body, t, chance) -> Pose:
    """Jumping forward, both feet together, again and again."""
    return _jump(body, t, chance, speed=chance.uniform(0.9, 1.5), swing=chance.uniform(0.6, 1.1))


def jump_in_place(body: Body, t, chance) -> Pose:
    """Jumping up and down on the spot."""
    return _jump(body, t, chance, speed=0.0, swing=chance.uniform(0.0, 0.35))


def _jump(body, t, chance, speed, swing) -> Pose:
    rate = chance.uniform(1.3, 1.7)
    high = chance.uniform(0.12, 0.22)
    start, stance = chance.uniform(), 0.5
    path = _path(speed, t[-1], chance.choice([-1, 1]))

    def hopping(time):  # the body travels in the air and all but rests on the floor
        phase = rate * time + start
        air = np.clip((phase % 1 - stance) / (1 - stance), 0, 1)
        return path((np.floor(phase) + 0.35 * (phase % 1) + 0.65 * ease(air) - start) / rate)

    place, heading = hopping(t)
    ankles, toes, tiptoe = _steps(
        body, t, hopping, rate, np.full(2, start), stance, 0.0, 0.6, body.hips
    )
    phase = rate * t + start
    air, dip = _hops(phase, stance), _crouch(phase, stance)
    ahead = np.stack([np.sin(heading), 0 * heading, np.cos(heading)], -1)
    hip = place - (0.10 * dip)[:, None] * ahead
    hip[:, 1] = body.hip_height - 0.17 * dip
    arm = swing * np.sin(2 * PI * (phase - 0.45))
    wrists, elbows = _arms(body, raised=0.2 + 0 * t, swing=0.1 + arm, bent=0.5 + 0.3 * dip)
    pose = replace(
        _stand(body, t, chance),
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
    return _raise_all(pose, high * air)


def jumping_jack(body: Body, t, chance) -> Pose:
    """Legs apart and arms up, legs together and arms down, a hop between."""
    rate, start = chance.uniform(0.75, 1.15), chance.uniform()
    open_ = _wave(t, rate, start)
    pose = _stand(body, t, chance)
    ankles = pose.ankles.copy()
    ankles[..., 0] = SIDES * (body.hips + chance.uniform(0.26, 0.38) * open_[:, None])
    top = chance.uniform(2.5, 3.0)
    wrists, elbows = _arms(
        body, raised=0.15 + (top - 0.15) * open_, swing=0.06 + 0 * t, bent=0.25 + 0 * t
    )
    hop = 0.07 * np.sin(2 * PI * (rate * t + start)) ** 2
    tiptoe = np.repeat(6 * hop[:, None], 2, 1)
    hip = pose.hip - UP * (0.02 + 0.03 * np.cos(4 * PI * (rate * t + start)))[:, None]
    return _raise_all(
        replace(pose, hip=hip, ankles=ankles, wrists=wrists, elbows=elbows, tiptoe=tiptoe), hop
    )


def bend(body: Body, t, chance) -> Pose:
    """Bending down as if to pick something up, and straightening again."""
    rate = chance.uniform(0.42, 0.6)
    down = ease(1.25 * _wave(t, rate, chance.choice([0.0, 0.15])))
    pose = _stand(body, t, chance)
    lean, curl = chance.uniform(0.75, 1.0) * down, chance.uniform(0.6, 0.85) * down
    hip = pose.hip + np.stack([0 * t, -0.10 * down, -0.2 * down], -1)
    one_hand = chance.uniform() < 0.5
    hang = np.stack([lean + curl, np.where(one_hand, 0.3, 1.0) * (lean + curl)], 1)
    wrists, elbows = _arms(body, raised=0.12 + 0 * hang, swing=0.08 + hang, bent=0.2 + 0 * hang)
    return replace(
        pose,
        hip=hip,
        lean=lean,
        bend=pose.bend + curl,
        nod=-0.3 * down,
        wrists=wrists,
        elbows=elbows,
    )


def wave_one_hand(body: Body, t, chance) -> Pose:
    """One hand up and waving, from the elbow or with the whole arm."""
    return _wave_hands(body, t, chance, chance.permutation([True, False]))


def wave_both_hands(body: Body, t, chance) -> Pose:
    """Both hands up and waving."""
    return _wave_hands(body, t, chance, np.array([True, True]))


def _wave_hands(body, t, chance, waving) -> Pose:
    pose = _stand(body, t, chance)
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
        sway=0.03 * beat * (waving[0] - waving[1] * 1.0),
    )


def turn(body: Body, t, chance) -> Pose:
    """Turning round on the spot in small steps, half a turn at a time."""
    way = chance.choice([-1, 1])
    begin, last = chance.uniform(0.1, 0.35), chance.uniform(1.2, 1.6)
    pause = 0.5

    def path(time):
        turns = (time - begin) / (last + pause)
        half = np.floor(turns) + ease((turns - np.floor(turns)) * (last + pause) / last)
        heading = way * PI * np.where(time < begin, 0, half)
        return np.stack([0 * heading] * 3, -1), heading

    _, heading = path(t)
    rate = 1.5
    turning = np.clip(np.abs(np.gradient(heading, t)), 0, 1) if len(t) > 1 else 0 * t
    ankles, toes, tiptoe = _steps(
        body, t, path, rate, np.array([0.0, 0.5]), 0.6, 0.07, 0.4, body.hips + 0.02
    )
    ankles[..., 1] = body.ankle + (ankles[..., 1] - body.ankle) * turning[:, None]
    beat = np.sin(2 * PI * rate * t)[:, None] * SIDES * turning[:, None]
    wrists, elbows = _arms(
        body, raised=0.2 + 0 * beat, swing=0.1 + 0.25 * beat, bent=0.4 + 0 * beat
    )
    pose = _stand(body, t, chance)
    return replace(
        pose,
        hip=pose.hip - 0.015 * UP,
        heading=heading,
        twist=0.35 * way * turning,  # the shoulders lead
        wrists=wrists,
        elbows=elbows,
        ankles=ankles,
        toes=toes,
        tiptoe=tiptoe * turning[:, None],
    )


def sit_down(body: Body, t, chance) -> Pose:
    """From standing before a stool to sitting on it."""
    begin, last = chance.uniform(0.15, 0.4), chance.uniform(1.0, 1.5)
    return _sit(body, t, chance, ease((t - begin) / last))


def stand_up(body: Body, t, chance) -> Pose:
    """From sitting on a stool to standing before it."""
    begin, last = chance.uniform(0.15, 0.4), chance.uniform(1.0, 1.5)
    return _sit(body, t, chance, 1 - ease((t - begin) / last))


def _sit(body, t, chance, down) -> Pose:
    pose = _stand(body, t, chance)
    drop = body.hip_height - (seat_height(body) + 0.11)
    hip = pose.hip + np.stack([0 * t, -drop * down, -0.95 * body.thigh * ease(down * 1.1)], -1)
    lean = 0.75 * np.sin(PI * down) + 0.03 * down  # the head goes forward to keep the balance
    reach = np.sin(PI * down)
    wrists, elbows = _arms(body, 0.14 + 0 * t, 0.08 + 0.45 * down + 0.5 * reach, 0.3 + 0.75 * down)
    return replace(
        pose,
        hip=hip,
        lean=lean,
        bend=pose.bend + 0.12 * reach,
        nod=-0.4 * reach,
        wrists=wrists,
        elbows=elbows,
    )


def seat_height(body: Body) -> float:
    """A stool on which the knees are a little above the hips' seat."""
    return body.ankle + body.shin - 0.05


def squat(body: Body, t, chance) -> Pose:
    """Down on bent knees with the arms held out, and up again."""
    rate = chance.uniform(0.4, 0.6)
    down = _wave(t, rate, chance.uniform(0, 0.2))
    deep = chance.uniform(0.38, 0.5) * body.leg
    pose = _stand(body, t, chance)
    ankles = pose.ankles.copy()
    ankles[..., 0] = SIDES * (body.hips + 0.09)
    hip = pose.hip + np.stack([0 * t, -deep * down, -0.2 * down], -1)
    wrists, elbows = _arms(body, 0.12 + 0 * t, 0.1 + 1.75 * down, 0.2 + 0 * t, inward=0.1)
    return replace(
        pose,
        hip=hip,
        lean=0.62 * down,
        nod=pose.nod - 0.35 * down,
        wrists=wrists,
        elbows=elbows,
        ankles=ankles,
        toes=0.35 * SIDES + 0 * pose.toes,
    )


def push_up(body: Body, t, chance) -> Pose:
    """Straight as a board on hands and toes, down to the floor and up."""
    rate = chance.uniform(0.45, 0.75)
    down = _wave(t, rate, chance.uniform(0, 0.2))
    trunk = body.spine + body.chest
    board = body.leg + trunk
    tip = TOE + 0.9 * body.foot  # height of the ankles above toes that stand on the floor
    palm = body.hand + 0.04  # height of the wrists above hands on the floor
    highest = palm + 0.04 + 0.95 * body.arm  # of the neck
    neck_height = highest - 0.78 * (highest - palm - 0.04) * down

    slope = np.arcsin((neck_height - tip) / board)
    along = np.stack([0 * t, np.sin(slope), np.cos(slope)], -1)
    ankle = np.array([0.0, tip, -board / 2])
    hip = ankle + (0.993 * body.leg + 0.04) * along
    lean = PI / 2 - slope

    # The hands stay on the floor below where the shoulders are at the top.
    hands = np.array([0.0, palm, np.sqrt(board**2 - (highest - tip) ** 2) - board / 2])
    from_neck = np.einsum("tji,tj->ti", rotation(0 * t, lean), hands - (hip + trunk * along))
    outward = SIDES[:, None] * [1.0, 0.0, 0.0]
    wrists = from_neck[:, None] / body.arm + 0.25 * outward
    pose = _stand(body, t, chance)
    return replace(
        pose,
        hip=hip,
        lean=lean,
        bend=0 * t,
        twist=0 * t,
        nod=0 * t - 0.35,
        wrists=wrists,
        elbows=np.broadcast_to(outward - [0.0, 0.8, 0.3], wrists.shape),
        ankles=np.broadcast_to(ankle + body.hips * outward, wrists.shape),
        toes=0 * pose.toes,
        tiptoe=0 * pose.tiptoe + 1.2,
    )


PLAYS: dict[str, Callable[[Body, np.ndarray, np.random.Generator], Pose]] = {
    play.__name__: play
    for play in (
        *(walk, run, skip, side, jump, jump_in_place, jumping_jack, bend),
        *(wave_one_hand, wave_both_hands, turn, sit_down, stand_up, squat, push_up),
    )
}
ACTIONS = tuple(PLAYS)
