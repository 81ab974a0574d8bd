"""Skeletons move like people: bones keep their length, feet stay on and above the floor."""

import numpy as np
import pytest

from har_demo.errors import ChoiceError
from har_demo.research.people.motion import ACTIONS, move, move_through
from har_demo.research.people.skeleton import BONES, JOINTS, random_body
from har_demo.research.people.solids import BOX, ELLIPSOID

SEEDS = range(5)
PARTS = (("walk", 2.0), ("wave_one_hand", 1.0), ("sit_down", 2.0), ("stand_up", 2.0), ("turn", 2.0))


def joint(motion, name):
    return motion.joints[:, JOINTS.index(name)].astype(float)


def bone_lengths(joints):
    parents, children = np.array(BONES).T
    return np.linalg.norm(joints[:, parents] - joints[:, children], axis=-1)


@pytest.fixture(scope="module")
def motions():
    """Four seconds of every action in every seed: [100, 20, 3] metres by (action, seed)."""
    return {(action, seed): move(action, seed, 4).joints for action in ACTIONS for seed in SEEDS}


def test_bones_keep_their_length_and_nothing_is_below_the_floor(motions):
    for which, joints in motions.items():
        assert joints.shape == (100, 20, 3), which
        assert np.isfinite(joints).all(), which
        assert np.ptp(bone_lengths(joints.astype(float)), axis=0).max() < 1e-3, which
        assert joints[..., 1].min() > 0, which


def test_motion_is_smooth(motions):
    """No joint outruns a thrower's hand or changes its speed at once."""
    for which, joints in motions.items():
        speed = np.linalg.norm(np.diff(joints.astype(float), axis=0), axis=-1) * 25
        jolt = np.linalg.norm(np.diff(joints.astype(float), 2, axis=0), axis=-1) * 25
        assert speed.max() < 17, (which, "metres per second")
        assert jolt.max() < 9, (which, "metres per second from one frame to the next")


def test_the_seed_decides():
    for action in ACTIONS:
        first, again, other = (move(action, seed).joints for seed in (3, 3, 4))
        assert np.array_equal(first, again), action
        assert not np.allclose(first, other, atol=0.01), action


def test_a_walker_always_has_a_foot_on_the_floor_and_it_does_not_slide():
    walk = move("walk", seed=2, seconds=3)
    toes = np.stack([joint(walk, "left foot"), joint(walk, "right foot")], 1)
    assert toes[..., 1].min(1).max() < 0.045
    planted = (toes[:-1, :, 1] < 0.032) & (toes[1:, :, 1] < 0.032)
    step = np.linalg.norm(np.diff(toes, axis=0)[..., [0, 2]], axis=-1)
    assert planted.sum() > 60
    assert np.median(step[planted]) < 0.005
    assert np.ptp(joint(walk, "hip centre")[:, 2]) > 2, "and yet gets ahead"


def test_a_runner_leaves_the_floor():
    for seed in SEEDS:
        runner = move("run", seed, seconds=3)
        lowest = np.minimum(joint(runner, "left foot")[:, 1], joint(runner, "right foot")[:, 1])
        assert lowest.max() > 0.06


def test_knees_bend_forward_and_elbows_back():
    squat = move("squat", seed=1)
    for side in ("left", "right"):
        middle = (joint(squat, f"{side} hip") + joint(squat, f"{side} ankle")) / 2
        assert ((joint(squat, f"{side} knee") - middle)[:, 2] > 0).all()
    jog = move("run", seed=1, seconds=0.8)  # straight ahead, towards +z
    middle = (joint(jog, "left shoulder") + joint(jog, "left wrist")) / 2
    assert ((joint(jog, "left elbow") - middle)[:, 2] < 0).all()


@pytest.mark.parametrize("action", ["wave_one_hand", "wave_both_hands"])
def test_as_many_hands_wave_as_the_name_says(action):
    for seed in SEEDS:
        wave = move(action, seed)
        up = [
            (joint(wave, f"{side} hand")[:, 1] > joint(wave, f"{side} shoulder")[:, 1]).mean() > 0.5
            for side in ("left", "right")
        ]
        assert sum(up) == (1 if action == "wave_one_hand" else 2)


def test_sitting_ends_on_the_stool_and_standing_starts_there():
    for action, moment in (("sit_down", -1), ("stand_up", 0)):
        motion = move(action, seed=2, seconds=3)
        stool = next(prop for prop in motion.props if prop.kind == BOX)
        hip = joint(motion, "hip centre")[moment]
        assert np.allclose(hip[[0, 2]], stool.middle[moment, [0, 2]], atol=0.06)
        top = 2 * stool.size[1]
        assert top < hip[1] < top + 0.2
        assert np.ptp(stool.middle, axis=0).max() == 0
    assert move("walk", seed=2).props == ()


def test_turning_ends_the_other_way_round():
    turn = move("turn", seed=0, seconds=2)
    across = joint(turn, "left hip") - joint(turn, "right hip")
    cosine = across[0] @ across[-1] / np.linalg.norm(across[0]) / np.linalg.norm(across[-1])
    assert cosine < -0.8


def test_people_differ_in_size():
    heights = [body.hip_height for body in map(random_body, range(50))]
    assert np.ptp(heights) > 0.1


def test_actions_follow_each_other_without_a_cut():
    joined = move_through(PARTS, seed=7)
    joints = joined.joints.astype(float)
    assert len(joints) == 25 * sum(seconds for _, seconds in PARTS)
    stool = next(prop for prop in joined.props if prop.kind == BOX)
    assert stool.middle.shape == (len(joints), 3)
    hips = joint(joined, "hip centre")
    assert np.linalg.norm((hips - stool.middle)[:, [0, 2]], axis=-1).min() < 0.07
    assert np.ptp(bone_lengths(joints), axis=0).max() < 1e-3
    assert joints[..., 1].min() > 0
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * 25
    assert speed.max() < 14


def test_of_several_things_those_that_stand_stay():
    """A hoop is there throughout, the ball that is thrown at it is not."""
    seed = next(s for s in range(30) if len(move("shoot_at_hoop", s).props) > 1)
    alone = move("shoot_at_hoop", seed)
    joined = move_through((("shoot_at_hoop", 2.0), ("idle", 1.0)), seed)
    assert [prop.kind for prop in joined.props] == [
        p.kind for p in alone.props if p.kind != ELLIPSOID
    ]
    for prop in joined.props:
        assert prop.middle.shape == (75, 3)
        assert np.ptp(prop.middle, axis=0).max() == 0


def test_one_frame_is_a_motion_too():
    for action in ACTIONS:
        assert np.isfinite(move(action, seconds=0.01).joints).all()


def test_an_unknown_action_is_refused_by_name():
    with pytest.raises(ChoiceError, match=r"no action 'moonwalk'.*walk"):
        move("moonwalk")
