"""Parts of actions: standing, arms, footprints, hops, and courses of values over time.

Lengths are metres, angles radians; `t` are moments in seconds, any moments, in any order.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from har_demo.research.people.skeleton import (
    SIDES,
    TOE,
    UP,
    Body,
    Pose,
    flat_foot,
    mirrored,
    turned,
)

PI = np.pi


LEFT, RIGHT = 0, 1
Times = Callable[[np.ndarray], np.ndarray]  # moments → a value at each of them
Script = Callable[[np.ndarray], Pose]  # all of an action is drawn; moments → the pose at each


def seconds_of(t: np.ndarray) -> float:
    """Return the length of a clip with frames at these moments, the same at any frame rate."""
    return float(t[-1] + (t[1] - t[0])) if len(t) > 1 else 0.04


def standing(body: Body, chance: np.random.Generator) -> Script:
    """Standing still the way people do: breathing, shifting a little, arms hanging."""
    slow = chance.uniform(0, 2 * PI, 3)
    shift = chance.uniform(-0.025, 0.025)  # some rest on one leg
    apart, outward = chance.uniform(0.0, 0.05), chance.uniform(0.05, 0.25)
    raised, swing, bent = chance.uniform((0.1, 0.02, 0.15), (0.18, 0.12, 0.35))

    def stand(t: np.ndarray) -> Pose:
        zero = 0.0 * t
        sideways = shift + 0.012 * np.sin(1.1 * t + slow[0])
        hip = np.stack([sideways, -0.004 * (1 + np.sin(1.6 * t + slow[1])), zero], -1)
        ankles = np.zeros((len(t), 2, 3))
        ankles[..., 0] = SIDES * (body.hips + apart)
        ankles[..., 1] = body.ankle
        wrists, elbows = arms(body, raised=raised + zero, swing=swing + zero, bent=bent + zero)
        return Pose(
            hip=hip + body.hip_height * UP,
            heading=zero,
            lean=zero + 0.02,
            sway=zero - 0.8 * shift,
            bend=0.03 + 0.015 * np.sin(1.6 * t + slow[1]),
            twist=0.03 * np.sin(0.9 * t + slow[2]),
            nod=0.06 * np.sin(0.7 * t + slow[0]),
            wrists=wrists,
            elbows=elbows,
            ankles=ankles,
            toes=zero[:, None] + SIDES * outward,
            tiptoe=np.zeros((len(t), 2)),
        )

    return stand


def arms(body: Body, raised, swing, bent, inward=0.3) -> tuple[np.ndarray, np.ndarray]:
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


def track(speed: float, seconds: float, turn: float, sideways: bool = False) -> Callable:
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


def footsteps(body: Body, t, path, rate, offset, stance, lift, push, width, tuck=0.0):
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


def wave(t, rate, phase=0.0):
    """0 → 1 → 0, `rate` times a second, starting at 0."""
    return (1 - np.cos(2 * PI * (rate * t + phase))) / 2


def hops(phase, stance):
    """[T] share 0..1 of a hop's height: a parabola while in the air, 0 on the floor."""
    air = np.clip((phase % 1 - stance) / (1 - stance), 0, 1)
    return 4 * air * (1 - air)


def crouch(phase, stance):
    """[T] 0..1..0 while on the floor between two hops."""
    floor = np.clip((phase % 1) / stance, 0, 1)
    return np.sin(PI * floor) ** 2


def raise_all(pose: Pose, height) -> Pose:
    """The whole person off the floor by [T] metres."""
    up = np.stack([0 * height, height, 0 * height], -1)
    return replace(pose, hip=pose.hip + up, ankles=pose.ankles + up[:, None])


def through(u: np.ndarray, keys: dict[float, object]) -> np.ndarray:
    """A smooth course through values at given shares of an action, at rest at both ends.

    Between two keys it never leaves the range of their values.

    Args:
        u: [T] shares; before the first key and after the last nothing moves.
        keys: share → number or sequence of n numbers.

    Returns:
        [T] or [T, n].

    >>> through(np.array([0.0, 0.5, 1.0]), {0.0: 1.0, 1.0: 3.0}).tolist()
    [1.0, 2.0, 3.0]
    """
    at = np.array(list(keys))
    values = np.array([np.asarray(value, float) for value in keys.values()])
    gap = np.diff(at).reshape(-1, *[1] * (values.ndim - 1))
    slope = np.diff(values, axis=0) / gap
    before, after = slope[:-1], slope[1:]
    weight = (gap[:-1] + 2 * gap[1:], 2 * gap[:-1] + gap[1:])
    same_way = before * after > 0
    safe = np.where(same_way, before * after, 1)
    mean = np.where(same_way, 3 * (gap[:-1] + gap[1:]) * safe, 0) / np.where(
        same_way, weight[0] * after + weight[1] * before, 1
    )
    slopes = np.concatenate([0 * values[:1], mean, 0 * values[:1]])
    u = np.clip(u, at[0], at[-1])
    i = np.clip(np.searchsorted(at, u, side="right") - 1, 0, len(at) - 2)
    h = gap[i]
    s = (u - at[i]).reshape(-1, *[1] * (values.ndim - 1)) / h
    return (
        values[i] * (1 + 2 * s) * (1 - s) ** 2
        + values[i + 1] * s * s * (3 - 2 * s)
        + h * s * (1 - s) * (slopes[i] * (1 - s) - slopes[i + 1] * s)
    )


def event(
    chance: np.random.Generator, seconds: float, length: float, pause: float | None = None
) -> Times:
    """time → share 0..1 of something that begins and, if the clip is long enough, ends in it.

    Args:
        chance: draws when it begins.
        seconds: of the clip.
        length: seconds it wants to take; in a short clip it is hurried a little.
        pause: seconds until it comes again; None: it happens once and the end stays.
    """
    length = min(length, max(0.9 * seconds, 0.75 * length))
    begin = chance.uniform(0.03, max(0.05, min(0.95 * seconds - length, 0.8)))

    def share(t: np.ndarray) -> np.ndarray:
        since = t - begin
        if pause is not None:
            since = np.where(since > 0, since % (length + pause), since)
        return np.clip(since / length, 0, 1)

    return share


def moment_of(share: Times, seconds: float, at: float) -> float:
    """Return the first moment at which an event has come as far as `at`."""
    grid = np.linspace(0, seconds + 3, 6001)
    shares = share(grid)
    begin, end = int(np.argmax(shares > 0)), int(np.argmax(shares))
    return float(np.interp(at, shares[begin : end + 1], grid[begin : end + 1]))


def deep_enough(gap: Callable[[float], float]) -> float:
    """Return how deep somebody must bow for the hands to get there; `gap` is their distance."""
    return next((deep for deep in np.arange(0.9, 1.6, 0.05) if gap(deep) < 0.012), 1.6)


def clock(
    chance: np.random.Generator, seconds: float, rate: float, cycles: float = 1.0, single=0.35
) -> tuple[Times, float]:
    """The time in which something is repeated, and the phase it starts with.

    In a share `single` of the clips it happens once, from phase 0, between standing still.

    Args:
        chance: draws which of the two, and when.
        seconds: of the clip.
        rate: repetitions a second.
        cycles: how many of them make a single one whole.
    """
    if chance.random() >= single:
        return (lambda t: t), chance.uniform()
    length = cycles / rate
    begin = chance.uniform(0.05, max(0.1, 0.95 * seconds - length))
    return (lambda t: np.clip(t - begin, 0, length)), 0.0


def gesture(pose: Pose, side: int, wrist: np.ndarray, elbow=None) -> Pose:
    """One hand led to [T, 3], from the shoulder in the chest's frame in arm lengths.

    The arm never quite stretches. Unless told otherwise the elbow hangs below the hand, and points
    outward when the hand is high.
    """
    wrists, elbows = pose.wrists.copy(), pose.elbows.copy()
    far = np.maximum(np.linalg.norm(wrist, axis=-1, keepdims=True), 1e-6)
    wrists[:, side] = wrist * (-np.logaddexp(-30 * far, -30 * 0.97) / 30 / far)
    elbows[:, side] = elbow_for(wrist, side) if elbow is None else elbow
    return replace(pose, wrists=wrists, elbows=elbows)


def both_hands(pose: Pose, wrist, elbow) -> Pose:
    """Both hands held still at places given for the left; the right is its mirror image."""
    mirror = np.stack([SIDES, [1, 1], [1, 1]], -1)
    still = np.zeros_like(pose.wrists)
    return replace(pose, wrists=still + mirror * wrist, elbows=still + mirror * elbow)


def elbow_for(wrist: np.ndarray, side: int) -> np.ndarray:
    """[T, 3] where the elbow of a hand at `wrist` points."""
    high = ease((wrist[:, 1] + 0.3) / 1.0)
    return np.stack([SIDES[side] * (0.35 + 0.55 * high), -1 + 0.75 * high, -0.4 + 0.2 * high], -1)


def handed(pose: Pose, left: bool) -> Pose:
    """Return a pose written for the right hand, done by the left if `left`."""
    return mirrored(pose) if left else pose


def stepped(pose: Pose, side: int, share: np.ndarray, to, lift: float = 0.08) -> Pose:
    """One foot lifted, moved by [3] and put down again while `share` goes from 0 to 1 and stays."""
    ankles, tiptoe = pose.ankles.copy(), pose.tiptoe.copy()
    done = ease(share)
    ankles[:, side] += done[:, None] * np.asarray(to)
    ankles[:, side, 1] += lift * np.sin(PI * done)
    tiptoe[:, side] += 0.15 * np.sin(2 * PI * done) * np.sin(PI * done)
    return replace(pose, ankles=ankles, tiptoe=tiptoe)


def heels_up(body: Body, pose: Pose, angle: np.ndarray) -> Pose:
    """Heels raised by [T, 2] radians about toes that stay where they are."""
    flat = flat_foot(body)
    ahead = np.stack([np.sin(pose.toes), 0 * pose.toes, np.cos(pose.toes)], -1)
    rise = body.foot * (np.sin(flat + angle) - np.sin(flat))
    forward = body.foot * (np.cos(flat) - np.cos(flat + angle))
    ankles = pose.ankles + rise[..., None] * UP + forward[..., None] * ahead
    return replace(pose, ankles=ankles, tiptoe=pose.tiptoe + angle)


def shifted(pose: Pose, x=0.0, y=0.0, z=0.0) -> Pose:
    """The hips moved by [T] metres, the feet left where they are."""
    zero = 0 * pose.heading
    return replace(pose, hip=pose.hip + np.stack([x + zero, y + zero, z + zero], -1))


def side_on(pose: Pose, chance: np.random.Generator) -> Pose:
    """Turned to a side: a thing ahead is then beside the person, and does not hide it, from the front."""
    return turned(pose, chance.choice([-1, 1]) * chance.uniform(1.2, 1.8))


def outward() -> np.ndarray:
    """[2, 3], to the left for the left and to the right for the right."""
    return np.stack([SIDES, [0, 0], [0, 0]], -1)


def pair(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """[T, 2, ...] of what the left and the right do."""
    return np.stack([left, right], 1)


def toward_each_side(points: np.ndarray, half: np.ndarray | float) -> np.ndarray:
    """[T, 2, 3]: `half` metres to the left and to the right of points [T, 3]."""
    out = np.zeros((len(points), 2, 3))
    out[..., 0] = SIDES * np.broadcast_to(np.asarray(half, float), len(points))[:, None]
    return points[:, None] + out


def shoulder_height(body: Body) -> float:
    """Of somebody who stands upright."""
    return body.hip_height + body.spine + body.chest - 0.04
