"""A body's skeleton: what a pose says of hips, trunk, hands and feet becomes 20 joints in metres.

Forward kinematics along the trunk, two-bone inverse kinematics in the limbs: bones keep their
length, knees and elbows bend the way they do, and a planted foot stays where it is.

Coordinates: right-handed, y up, floor at y = 0. A person at heading 0 faces +z and has the left
hand at +x. Pairs are always (left, right). Angles are radians.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from har_demo.research.people.things import Prop

# The joint order of the first Kinect, used by public skeleton recordings.
JOINTS = (
    *("head", "neck", "spine", "hip centre"),
    *("left shoulder", "left elbow", "left wrist", "left hand"),
    *("right shoulder", "right elbow", "right wrist", "right hand"),
    *("left hip", "left knee", "left ankle", "left foot"),
    *("right hip", "right knee", "right ankle", "right foot"),
)
# (parent, child) indices into JOINTS; every one keeps its length over time.
BONES = (
    *((3, 2), (2, 1), (1, 0)),
    *((1, 4), (4, 5), (5, 6), (6, 7)),
    *((1, 8), (8, 9), (9, 10), (10, 11)),
    *((3, 12), (12, 13), (13, 14), (14, 15)),
    *((3, 16), (16, 17), (17, 18), (18, 19)),
)
TOE = 0.03  # metres from the sole to the foot joint
SIDES = np.array([1.0, -1.0])  # the x of (left, right)
UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Body:
    """Lengths in metres: `ankle` a height above the floor, `hips` and `shoulders` half widths."""

    thigh: float = 0.42
    shin: float = 0.41
    ankle: float = 0.08
    foot: float = 0.17
    upper_arm: float = 0.29
    forearm: float = 0.25
    hand: float = 0.09
    spine: float = 0.21
    chest: float = 0.31
    neck: float = 0.19
    hips: float = 0.095
    shoulders: float = 0.18
    girth: float = 1.0  # factor on how thick the limbs are drawn

    @property
    def leg(self) -> float:
        """Hip to ankle of a straight leg."""
        return self.thigh + self.shin

    @property
    def arm(self) -> float:
        """Shoulder to wrist of a straight arm."""
        return self.upper_arm + self.forearm

    @property
    def hip_height(self) -> float:
        """Height of the hip centre in relaxed standing; the knees are not quite straight."""
        return self.ankle + 0.988 * self.leg + 0.04


@dataclass(frozen=True)
class Pose:
    """Positions of hips, trunk, hands and feet; every field has T as its first axis.

    Attributes:
        hip: [T, 3] hip centre.
        heading: [T] the way the hips face, turning left is positive.
        lean, sway: [T] pitch forward and roll of the hips, the trunk with them.
        bend, twist: [T] further pitch and turn of the chest against the hips.
        nod: [T] pitch of the head against the chest.
        wrists: [T, 2, 3] from the shoulders, in the chest's frame, in arm lengths.
        elbows: [T, 2, 3] the direction the elbows point to, in the chest's frame.
        ankles: [T, 2, 3] in the world.
        toes: [T, 2] the way the feet point, as `heading`.
        tiptoe: [T, 2] pitch of the feet, toes down is positive, 0 is flat.
        props: the things in use; each is made from the joints [T, 20, 3] that this pose assembles to.
    """

    hip: np.ndarray
    heading: np.ndarray
    lean: np.ndarray
    sway: np.ndarray
    bend: np.ndarray
    twist: np.ndarray
    nod: np.ndarray
    wrists: np.ndarray
    elbows: np.ndarray
    ankles: np.ndarray
    toes: np.ndarray
    tiptoe: np.ndarray
    props: tuple[Callable[[np.ndarray], Prop], ...] = ()


def random_body(seed: int) -> Body:
    """A grown person, short or tall, thin or stout, of slightly different proportions."""
    chance = np.random.default_rng([seed, 7919])
    size = chance.uniform(0.9, 1.1)
    lengths = {
        field.name: field.default * size * chance.uniform(0.95, 1.05)
        for field in fields(Body)
        if field.name != "girth"
    }
    return Body(**lengths, girth=chance.uniform(0.85, 1.25))


def assemble(body: Body, pose: Pose) -> np.ndarray:
    """float32 [T, 20, 3]: the joints of a pose; hips too high for a foot to reach come down."""
    hip, hip_joint, spine, neck, shoulder, hips_turn, chest_turn = _trunk(body, pose)
    head_turn = chest_turn @ rotation(0 * pose.nod, pose.nod)
    head = neck + _turn(head_turn, [0, body.neck, 0.03])
    wrist_goal = shoulder + body.arm * np.einsum("tij,tsj->tsi", chest_turn, pose.wrists)
    elbow_way = np.einsum("tij,tsj->tsi", chest_turn, pose.elbows)
    elbow, wrist = _two_bones(shoulder, wrist_goal, body.upper_arm, body.forearm, elbow_way)
    hand = wrist + (wrist - elbow) * (body.hand / body.forearm)

    ahead = np.stack([np.sin(pose.toes), 0 * pose.toes, np.cos(pose.toes)], -1)
    # Knees point where the toes point; for someone on the floor the hips' own front and up decide.
    knee_way = ahead + 0.2 * hips_turn[:, None, :, 2] + 0.35 * UP
    knee, ankle = _two_bones(hip_joint, pose.ankles, body.thigh, body.shin, knee_way)
    deepest = np.arcsin(np.clip((ankle[..., 1] - TOE) / body.foot, -1, 1))
    pitch = np.minimum(flat_foot(body) + pose.tiptoe, deepest)[..., None]
    foot = ankle + body.foot * (np.cos(pitch) * ahead - np.sin(pitch) * UP)

    arms = np.stack([shoulder, elbow, wrist, hand], 2).reshape(len(hip), 8, 3)
    legs = np.stack([hip_joint, knee, ankle, foot], 2).reshape(len(hip), 8, 3)
    trunk = np.stack([head, neck, spine, hip], 1)
    return np.concatenate([trunk, arms, legs], 1).astype(np.float32)


def _trunk(body: Body, pose: Pose):
    """Hip centre, hip joints, spine, neck, shoulders, and the turns of hips and chest."""
    hips_turn = rotation(pose.heading, pose.lean, pose.sway)
    chest_turn = hips_turn @ rotation(pose.twist, pose.bend)
    hip_offset = _turn(hips_turn, np.stack([SIDES * body.hips, [-0.04] * 2, [0.0] * 2], -1))
    excess = _too_high(body, pose.hip[:, None] + hip_offset, pose.ankles)
    hip = pose.hip - UP * excess[:, None]
    spine = hip + _turn(hips_turn, [0, body.spine, 0])
    neck = spine + _turn(chest_turn, [0, body.chest, 0])
    shoulder = neck[:, None] + _turn(
        chest_turn, np.stack([SIDES * body.shoulders, [-0.04] * 2, [0.0] * 2], -1)
    )
    return hip, hip[:, None] + hip_offset, spine, neck, shoulder, hips_turn, chest_turn


def reach(body: Body, pose: Pose, hands: np.ndarray, share: np.ndarray | float = 1.0) -> Pose:
    """The pose with its hands at places in the world, as far as the arms reach.

    Args:
        body: whose arms they are.
        pose: says where the shoulders are and which way the elbows point.
        hands: [T, 2, 3] where the hand joints shall be.
        share: 0 leaves the arms as they are, 1 puts the hands there; broadcast to [T, 2].
    """
    *_, shoulder, _, chest_turn = _trunk(body, pose)
    way = np.einsum("tij,tsj->tsi", chest_turn, pose.elbows)
    elbow, hand = _two_bones(shoulder, hands, body.upper_arm, body.forearm + body.hand, way)
    wrist = elbow + (hand - elbow) * (body.forearm / (body.forearm + body.hand))
    wrists = np.einsum("tji,tsj->tsi", chest_turn, wrist - shoulder) / body.arm
    share = np.broadcast_to(share, wrists.shape[:2])[..., None]
    return replace(pose, wrists=pose.wrists + share * (wrists - pose.wrists))


def mirrored(pose: Pose) -> Pose:
    """Left and right changed places, the props' too."""

    def swapped(pairs: np.ndarray) -> np.ndarray:
        return pairs[:, ::-1] * [-1.0, 1.0, 1.0]

    return replace(
        pose,
        hip=pose.hip * [-1.0, 1.0, 1.0],
        heading=-pose.heading,
        sway=-pose.sway,
        twist=-pose.twist,
        wrists=swapped(pose.wrists),
        elbows=swapped(pose.elbows),
        ankles=swapped(pose.ankles),
        toes=-pose.toes[:, ::-1],
        tiptoe=pose.tiptoe[:, ::-1],
        props=tuple(_mirror_making(make) for make in pose.props),
    )


# Which joint is where when left and right change places.
_OTHER_SIDE = [
    JOINTS.index(name.replace("left", "right") if "left" in name else name.replace("right", "left"))
    for name in JOINTS
]


def mirrored_joints(joints: np.ndarray) -> np.ndarray:
    """[T, 20, 3] with left and right changed places."""
    return joints[:, _OTHER_SIDE] * np.array([-1, 1, 1], joints.dtype)


def _mirror_making(make: Callable[[np.ndarray], Prop]) -> Callable[[np.ndarray], Prop]:
    mirror = np.diag([-1.0, 1.0, 1.0])

    def made(joints: np.ndarray) -> Prop:
        prop = make(mirrored_joints(joints))
        turn = None if prop.turn is None else mirror @ prop.turn @ mirror
        return replace(prop, middle=prop.middle @ mirror, turn=turn)

    return made


def turned(pose: Pose, angle: float, about=(0.0, 0.0, 0.0), to=(0.0, 0.0, 0.0)) -> Pose:
    """The person and the props turned by `angle` about one place, which moves to another."""
    turn = rotation(np.array([angle]), 0.0)[0]
    about, to = np.asarray(about), np.asarray(to)

    def after(make: Callable[[np.ndarray], Prop]) -> Callable[[np.ndarray], Prop]:
        def made(joints: np.ndarray) -> Prop:
            prop = make((joints - to) @ turn + about)
            there = None if prop.turn is None else turn @ prop.turn
            return replace(prop, middle=(prop.middle - about) @ turn.T + to, turn=there)

        return made

    return replace(
        pose,
        hip=(pose.hip - about) @ turn.T + to,
        ankles=(pose.ankles - about) @ turn.T + to,
        heading=pose.heading + angle,
        toes=pose.toes + angle,
        props=tuple(after(make) for make in pose.props),
    )


def _too_high(body: Body, hip_joint: np.ndarray, ankles: np.ndarray) -> np.ndarray:
    """[T] metres to lower the hips by so that both feet reach, rounded off against jerks."""
    away = ((hip_joint - ankles)[..., [0, 2]] ** 2).sum(-1)
    reach = np.sqrt(np.maximum((0.995 * body.leg) ** 2 - away, 0))
    excess = (hip_joint[..., 1] - ankles[..., 1] - reach).max(1)
    return np.logaddexp(0, 80 * excess) / 80


def _two_bones(root, goal, upper: float, lower: float, way) -> tuple[np.ndarray, np.ndarray]:
    """The middle and the end of a limb reaching for `goal`, its middle bending towards `way`."""
    span = goal - root
    distance = np.linalg.norm(span, axis=-1, keepdims=True)
    along = span / np.maximum(distance, 1e-6)
    distance = np.clip(distance, abs(upper - lower) + 0.02, 0.9995 * (upper + lower))
    aside = way - (way * along).sum(-1, keepdims=True) * along
    aside = aside / np.maximum(np.linalg.norm(aside, axis=-1, keepdims=True), 1e-6)
    on_axis = (upper**2 - lower**2 + distance**2) / (2 * distance)
    middle = root + on_axis * along + np.sqrt(np.maximum(upper**2 - on_axis**2, 0)) * aside
    return middle, root + distance * along


def rotation(heading, lean, sway=0.0) -> np.ndarray:
    """[T, 3, 3] that sways, then leans, then turns."""
    heading, lean, sway = np.broadcast_arrays(heading, lean, sway)
    (sh, ch), (sl, cl), (ss, cs) = ((np.sin(a), np.cos(a)) for a in (heading, lean, sway))
    rows = [
        [ch * cs + sh * sl * ss, -ch * ss + sh * sl * cs, sh * cl],
        [cl * ss, cl * cs, -sl],
        [-sh * cs + ch * sl * ss, sh * ss + ch * sl * cs, ch * cl],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def _turn(turns: np.ndarray, offset) -> np.ndarray:
    """A fixed offset [3] or [n, 3] seen by every frame's rotation: [T, 3] or [T, n, 3]."""
    return np.einsum("tij,...j->t...i", turns, np.asarray(offset, float))


def flat_foot(body: Body) -> float:
    """Return the slope of the line from ankle to foot joint when the sole is on the floor."""
    return float(np.arcsin((body.ankle - TOE) / body.foot))
