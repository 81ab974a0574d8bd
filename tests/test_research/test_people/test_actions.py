"""What each action promises: who does what with which hand, in which order, with which things."""

from functools import cache
from itertools import islice

import numpy as np
import pytest

from har_demo.labels import DATASETS, EVERYDAY, MIRRORED
from har_demo.research.people.actions import ACTIONS, PLAYS
from har_demo.research.people.actions.base import event, seconds_of, through
from har_demo.research.people.motion import move
from har_demo.research.people.skeleton import JOINTS, assemble, mirrored, random_body
from har_demo.research.people.solids import BOX, CAPSULE, ELLIPSOID
from har_demo.research.people.stage import PROPS

SEEDS = range(6)
MANY = range(40)


def joint(motion, name):
    return motion.joints[:, JOINTS.index(name)].astype(float)


def busier(motion):
    """The side of the hand that moves more."""
    return max(("left", "right"), key=lambda side: np.ptp(joint(motion, f"{side} hand"), 0).sum())


def area(motion, side):
    """What a hand goes round as the person sees it, right and up; clockwise is negative."""
    hand = joint(motion, f"{side} hand") - joint(motion, "neck")
    x, y = -hand[:, 0], hand[:, 1]
    return 0.5 * np.sum(x[:-1] * np.diff(y) - y[:-1] * np.diff(x))


def prop_of(motion, kind):
    return next((prop for prop in motion.props if prop.kind == kind), None)


@cache
def moved(action, seed):
    """Three seconds of an action; several tests look at the same ones."""
    return move(action, seed, 3.0, 50)


def with_prop(action, kind, moves=True):
    """Clips of this action in which there is a thing of this kind."""
    for seed in MANY:
        motion = moved(action, seed)
        prop = prop_of(motion, kind)
        if prop is not None and (not moves or np.ptp(prop.middle, axis=0).max() > 0.1):
            yield motion, prop


def gap_to_hands(motion, prop):
    """[T, 2] metres between each hand and the nearest point of a ball, capsule or box."""
    gaps = []
    for side in ("left", "right"):
        off = joint(motion, f"{side} hand") - prop.middle
        if prop.turn is not None:
            off = np.einsum("tji,tj->ti", prop.turn, off)
        if prop.kind == ELLIPSOID:
            gaps.append(np.abs(np.linalg.norm(off, axis=-1) - prop.size[0]))
        elif prop.kind == CAPSULE:
            off[:, 1] -= np.clip(off[:, 1], -prop.size[1], prop.size[1])
            gaps.append(np.maximum(np.linalg.norm(off, axis=-1) - prop.size[0], 0))
        else:
            gaps.append(np.linalg.norm(np.maximum(np.abs(off) - prop.size, 0), axis=-1))
    return np.stack(gaps, 1)


# --- what all have in common ----------------------------------------------------------------------


def test_every_action_has_a_label():
    assert sorted(ACTIONS) == sorted(DATASETS["people"])
    assert len(ACTIONS) == len(EVERYDAY)


@pytest.mark.nightly
def test_the_frame_rate_does_not_change_the_motion():
    for action in ACTIONS:
        for seed in SEEDS:
            slow, fast = move(action, seed, 2.0, 25), move(action, seed, 2.0, 60)
            assert np.allclose(slow.joints[::5], fast.joints[::12], atol=1e-4), (action, seed)


IN_HAND = ("throw", "catch", "pick_up", "put_down", "bowl", "swing_bat", "shoot_at_hoop")


@pytest.fixture(scope="module")
def props():
    """The props of forty clips of each action, 15 frames each."""
    return {action: [move(action, s, 1.5, 10).props for s in MANY] for action in ACTIONS}


@pytest.mark.nightly
def test_props_fit_on_a_stage_and_are_finite(props):
    for action, clips in props.items():
        for seed, clip in enumerate(clips):
            left = list(PROPS)
            for prop in clip:
                left.remove(prop.kind)
                assert prop.middle.shape == (15, 3), (action, seed)
                assert np.isfinite(prop.middle).all(), (action, seed)
                assert (prop.size >= 0).all(), (action, seed)
                if prop.turn is not None:
                    eye = np.einsum("tij,tkj->tik", prop.turn, prop.turn)
                    assert np.allclose(eye, np.eye(3), atol=1e-6), (action, seed)


@pytest.mark.nightly
def test_most_things_are_only_there_at_times(props):
    """The thing in hand is not the action: it is mimed, too."""
    for action, clips in props.items():
        there = np.mean([bool(clip) for clip in clips])
        always = ("sit_down", "stand_up")
        assert there == 1 if action in always else there < 0.95, action
        if action in IN_HAND:
            assert there > 0.3, action


SLIDING = ("fall", "pull_up", "turn", "walk", "run", "push_up")  # walkers are tested on their own


def test_planted_feet_do_not_slide():
    for action in ACTIONS:
        for seed in SEEDS if action not in SLIDING else ():
            motion = move(action, seed, 2.5, 25)
            toes = np.stack([joint(motion, f"{side} foot") for side in ("left", "right")], 1)
            planted = (toes[1:, :, 1] < 0.0315) & (toes[:-1, :, 1] < 0.0315)
            slide = np.linalg.norm(np.diff(toes, axis=0)[..., [0, 2]], axis=-1)
            assert (slide * planted).max() < 0.006, (action, seed)


# --- left, right, and the order in time -----------------------------------------------------------


@pytest.mark.parametrize("action, way", [("swipe_left", 1), ("swipe_right", -1)])
def test_swipes_go_to_the_persons_own_side(action, way):
    for seed in range(20):
        motion = move(action, seed, 1.6, 50)
        hand = joint(motion, f"{busier(motion)} hand") - joint(motion, "spine")
        up = np.flatnonzero(hand[:, 1] > hand[:, 1].min() + 0.85 * np.ptp(hand[:, 1]))
        first = up[: np.argmax(np.diff(up, append=up[-1] + 9) > 3) + 1]  # the first one only
        assert way * (hand[first[-1], 0] - hand[first[0], 0]) > 0.1


@pytest.mark.parametrize("action, sign", [("circle_clockwise", -1), ("circle_counterclockwise", 1)])
def test_circles_go_round_the_way_they_say(action, sign):
    for seed in range(20):
        motion = move(action, seed, 3.0)
        assert sign * area(motion, busier(motion)) > 0.05


@pytest.mark.parametrize("action", ["throw", "swipe_left", "circle_clockwise", "knock", "bowl"])
def test_the_right_hand_does_it_mostly_and_the_left_at_times(action):
    sides = [busier(move(action, seed, 2.0, 20)) for seed in range(60)]
    assert 0.6 < sides.count("right") / 60 < 0.98


def test_a_mirrored_clip_shows_the_mirrored_label():
    person, t = random_body(1), np.arange(75) / 25
    own = {name: action for action, name in DATASETS["people"].items()}
    for label, other in MIRRORED.items():
        pose = PLAYS[own[label]](person, t, np.random.default_rng(5))
        flipped = assemble(person, mirrored(pose))

        class Shown:
            joints = flipped

        direct = move(own[other], 5, 3.0)
        if "circle" in label:
            assert np.sign(area(Shown, busier(Shown))) == np.sign(area(direct, busier(direct)))
        assert np.allclose(flipped[:, 0, 0], -assemble(person, pose)[:, 0, 0], atol=1e-5)


@pytest.mark.parametrize("first, second", [("sit_down", "stand_up"), ("pick_up", "put_down")])
def test_pairs_are_each_other_backwards(first, second):
    t = np.arange(60) / 25
    for seed in SEEDS:
        person = random_body(seed)
        poses = [PLAYS[a](person, t, np.random.default_rng(seed)) for a in (first, second)]
        forward, backward = (assemble(person, pose) for pose in poses)
        assert np.allclose(forward[1:], backward[:0:-1], atol=1e-5)
        for make, unmake in zip(*(pose.props for pose in poses), strict=True):
            there, back = make(forward), unmake(backward)
            assert np.allclose(there.middle[1:], back.middle[:0:-1], atol=1e-4)


# --- things -------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["throw", "bowl", "pick_up_and_throw", "shoot_at_hoop", "kick"])
def test_a_flying_ball_falls_with_gravity(action):
    seen = 0
    for motion, ball in with_prop(action, ELLIPSOID):
        height = ball.middle[:, 1] - ball.size[0]
        pull = -np.diff(ball.middle[:, 1], 2) * 50**2
        # Five frames in a row far from the floor and from the hands.
        hands = gap_to_hands(motion, ball).min(1)
        free = (height > 0.05) & (hands > 0.06)
        inside = free[:-2] & free[1:-1] & free[2:]
        if inside.sum() >= 3:
            assert np.median(pull[inside]) == pytest.approx(9.81, abs=0.01)
            assert np.isclose(pull[inside], 9.81, atol=0.05).mean() > 0.8
            seen += 1
        assert height.min() > -1e-6, "no ball sinks into the floor"
    assert seen > (0 if action == "bowl" else 3)


@pytest.mark.parametrize("action", ["throw", "bowl"])
def test_a_ball_is_in_the_hand_until_it_is_let_go(action):
    for motion, ball in islice(with_prop(action, ELLIPSOID), 8):
        near = gap_to_hands(motion, ball).min(1) < 0.02
        gone = np.argmin(near)
        assert gone > 10
        assert near[:gone].all()
        assert ball.middle[-1, 2] - ball.middle[gone, 2] > 0.5 or gone > 140


def test_a_caught_ball_comes_flying_and_stays_in_both_hands():
    seen = 0
    for motion, ball in with_prop("catch", ELLIPSOID):
        gap = gap_to_hands(motion, ball).max(1)
        caught = np.flatnonzero(gap > 0.02)[-1] + 1
        assert 10 < caught < 140, "there is a before and an after"
        assert ball.middle[:, 2].max() > 1.0
        seen += 1
    assert seen > 8


def test_a_thing_picked_up_is_first_on_the_floor_and_then_in_the_hands():
    boxes = list(with_prop("pick_up", BOX))
    balls = list(with_prop("pick_up", ELLIPSOID))
    assert len(boxes) > 5
    assert len(balls) > 3
    for motion, thing in boxes + balls:
        low, high = thing.middle[0], thing.middle[-1]
        assert low[1] == pytest.approx(thing.size[1])
        assert high[1] > 0.7
        moved = np.linalg.norm(thing.middle - low, axis=-1) > 1e-6
        held = gap_to_hands(motion, thing)[moved]
        held = held.max(1) if thing.kind == BOX else held.min(1)
        assert held.max() < 0.02
        jumps = np.linalg.norm(np.diff(thing.middle, axis=0), axis=-1)
        assert jumps.max() < 0.08, "it does not fly to the hands"


def test_hands_stay_on_the_bar():
    seen = 0
    for motion, bar in with_prop("pull_up", CAPSULE, moves=False):
        assert gap_to_hands(motion, bar).max() < 0.02
        assert joint(motion, "left foot")[:, 1].min() > 0.03
        rise = np.ptp(joint(motion, "head")[:, 1])
        assert rise > 0.25
        assert joint(motion, "head")[:, 1].max() > bar.middle[0, 1] - 0.05
        seen += 1
    assert seen > 20


@pytest.mark.parametrize("action", ["swing_bat", "curl_arms"])
def test_bats_and_bars_are_in_a_hand(action):
    seen = 0
    for motion, rod in with_prop(action, CAPSULE):
        assert gap_to_hands(motion, rod).min(1).max() < 0.02
        seen += 1
    assert seen > 8


def test_a_hoop_is_where_the_ball_goes():
    seen = 0
    for seed in MANY:
        motion = move("shoot_at_hoop", seed, 4.0, 50)
        ball, ring = prop_of(motion, ELLIPSOID), prop_of(motion, CAPSULE)
        if ring is None:
            continue
        assert ring.middle[0, 1] > 2
        assert np.linalg.norm(ball.middle - ring.middle, axis=-1).min() < 0.15
        seen += 1
    assert seen > 8


def test_throwing_and_shooting_share_movements():
    """Without the hoop, some shots could be throws: both hands over the head and no run-up."""

    def overhead(motion):
        hands = [joint(motion, f"{side} hand")[:, 1].max() for side in ("left", "right")]
        return min(hands) > joint(motion, "head")[:, 1].max()

    throws = [overhead(move("throw", seed, 2.0)) for seed in MANY]
    assert 0.08 < np.mean(throws) < 0.5
    assert all(overhead(move("shoot_at_hoop", seed, 2.0)) for seed in range(10))


# --- what single actions are --------------------------------------------------------------------


def test_jumps_are_repeated_or_single():
    for action in ("jump", "jump_in_place"):
        counts = []
        for seed in MANY:
            motion = moved(action, seed)
            feet = [joint(motion, f"{side} foot")[:, 1] for side in ("left", "right")]
            up = np.minimum(*feet) > 0.05
            counts.append(np.sum(up[1:] & ~up[:-1]) + up[0])
        assert 0.2 < np.mean(np.array(counts) == 1) < 0.7
        assert max(counts) > 3


def test_whoever_falls_lies_on_the_floor():
    for seed in range(15):
        motion = move("fall", seed, 2.5)
        assert joint(motion, "head")[0, 1] > 1.3
        assert joint(motion, "head")[-1, 1] < 0.45
        assert joint(motion, "hip centre")[-1, 1] < 0.3


def test_walking_and_running_are_also_done_on_the_spot():
    for action in ("walk", "run"):
        way = [np.ptp(joint(move(action, seed), "hip centre")[:, 2]) for seed in MANY]
        assert 0.1 < np.mean(np.array(way) < 0.1) < 0.5


def test_whoever_stands_still_stands_still():
    for seed in SEEDS:
        speed = np.linalg.norm(np.diff(move("idle", seed, 4.0).joints, axis=0), axis=-1) * 25
        assert speed.max() < 0.6


def test_claps_bring_the_hands_together():
    for seed in SEEDS:
        motion = moved("clap", seed)
        apart = np.linalg.norm(joint(motion, "left hand") - joint(motion, "right hand"), axis=-1)
        assert apart.min() < 0.08
        assert (
            np.sum((apart[1:-1] < apart[2:]) & (apart[1:-1] < apart[:-2]) & (apart[1:-1] < 0.1))
            >= 2
        )


# --- the small functions --------------------------------------------------------------------------


def test_a_course_meets_its_keys_and_stays_between_them():
    keys = {0.1: 0.0, 0.3: 2.0, 0.35: 2.0, 0.8: -1.0}
    u = np.linspace(-0.2, 1.2, 2001)
    course = through(u, keys)
    for at, value in keys.items():
        assert through(np.array([at]), keys)[0] == pytest.approx(value, abs=1e-9)
    assert course.max() <= 2 + 1e-9
    assert course.min() >= -1 - 1e-9
    assert (course[u < 0.1] == 0).all()
    slope = np.diff(course) / np.diff(u)
    assert np.abs(np.diff(slope)).max() < 0.6, "no corner"


def test_an_event_begins_and_ends_within_the_clip_when_it_can():
    for seed in range(50):
        t = np.arange(100) / 25
        share = event(np.random.default_rng(seed), seconds_of(t), 1.5)(t)
        assert share[0] == 0
        assert share[-1] == 1
        assert (np.diff(share) >= 0).all()
        again = event(np.random.default_rng(seed), seconds_of(t), 1.0, 0.3)(t)
        assert np.sum(np.diff(again) < 0) >= 1
