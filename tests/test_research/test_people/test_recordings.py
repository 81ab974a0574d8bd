"""Recordings become motions: the right way round, on the floor, mirrored with the right label."""

import os
from pathlib import Path

import numpy as np
import pytest

from har_demo.errors import ChoiceError
from har_demo.labels import DATASETS, MIRRORED
from har_demo.research.people.body import figure
from har_demo.research.people.motion import move
from har_demo.research.people.recordings import RATE, recorded, replay
from har_demo.research.people.skeleton import JOINTS

REAL = Path(os.environ.get("UTD_MHAD", "utdmhad"))
NAMES = ("a01_s1_t1", "a09_s2_t3", "a24_s7_t2", "a26_s4_t1")
ACTIONS = ("swipe_left", "circle_clockwise", "stand_up", "lunge")


def at(joints, name):
    return joints[:, JOINTS.index(name)].astype(float)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the sensor would have seen of invented people: millimetres, metres away, facing it."""
    target = tmp_path_factory.mktemp("recordings")
    tremble = np.random.default_rng(0)
    tracks = {}
    for name, action in zip(NAMES, ACTIONS, strict=True):
        joints = move(action, 3, 3.0, RATE).joints.astype(float)
        joints = joints * [-1, 1, -1] + [0.3, -0.8, 2.9] + tremble.normal(0, 0.003, joints.shape)
        tracks[name] = np.round(1000 * joints).astype(np.int16)
    np.savez(target / "skeletons.npz", other=np.zeros(3), **tracks)
    return target


def test_every_recording_has_its_label_and_subject(folder):
    assert recorded(folder) == [
        ("a01_s1_t1", "swiping left", 1),
        ("a09_s2_t3", "drawing a circle clockwise", 2),
        ("a24_s7_t2", "standing up", 7),
        ("a26_s4_t1", "lunging", 4),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_it_stands_on_the_floor_in_the_middle_and_faces_ahead(folder, name):
    for seed in range(6):
        joints = replay(folder, name, seed).motion.joints
        assert joints.dtype == np.float32
        assert joints[..., 1].min() == pytest.approx(0.03, abs=0.01)
        assert np.abs(at(joints, "hip centre").mean(0)[[0, 2]]).max() < 0.25
        across = (at(joints, "left hip") - at(joints, "right hip"))[:10].mean(0)
        assert across[0] > 0.1, "the left is at +x"
        assert abs(across[2]) < 0.03
        ahead = at(joints, "left foot")[0] - at(joints, "left ankle")[0]
        assert ahead[2] > 0.05


def test_one_in_two_is_mirrored_and_its_label_with_it(folder):
    swapped = 0
    for name, label, _ in recorded(folder):
        for seed in range(20):
            shown = replay(folder, name, seed)
            expected = MIRRORED.get(label, label) if shown.mirrored else label
            assert shown.label == expected
            swapped += shown.mirrored
    assert 25 < swapped < 55


def test_a_mirrored_recording_is_done_by_the_other_hand(folder):
    busier = {}
    for seed in range(12):
        shown = replay(folder, "a01_s1_t1", seed)
        moves = [np.ptp(at(shown.motion.joints, f"{s} hand"), 0).sum() for s in ("left", "right")]
        busier.setdefault(shown.mirrored, set()).add(int(np.argmax(moves)))
    assert len(busier) == 2
    assert busier[True] ^ busier[False] == {0, 1}


def test_speed_and_size_vary_and_the_tremble_is_gone(folder):
    shown = [replay(folder, "a26_s4_t1", seed, fps=30).motion for seed in range(12)]
    lengths = [len(motion.joints) for motion in shown]
    assert max(lengths) > 1.2 * min(lengths)
    assert max(lengths) / min(lengths) <= 1.3 / 0.75 + 0.05
    thighs = [motion.body.thigh for motion in shown]
    assert max(thighs) > 1.05 * min(thighs)
    still = at(shown[0].joints, "neck")[:8]
    assert np.linalg.norm(np.diff(still, 2, axis=0), axis=-1).max() < 0.002


def test_the_length_and_the_frame_rate_can_be_chosen(folder):
    for seconds, fps in ((1.0, 25), (8.0, 12.5), (0.04, 25)):
        motion = replay(folder, NAMES[0], 1, seconds, fps).motion
        assert len(motion.joints) == round(seconds * fps)
    slow, fast = (replay(folder, NAMES[0], 1, 2.0, fps).motion.joints for fps in (25, 50))
    assert np.allclose(slow, fast[::2], atol=1e-5)
    first, again = (replay(folder, NAMES[0], 1, 2.0).motion.joints for _ in range(2))
    assert np.array_equal(first, again)


def test_it_can_be_given_a_body(folder):
    motion = replay(folder, NAMES[0], 1, 0.4).motion
    solids = figure(motion.joints, motion.body.girth)
    assert solids.place.isfinite().all()


def test_what_is_not_there_is_refused(folder, tmp_path):
    with pytest.raises(ChoiceError, match="a99_s1_t1"):
        replay(folder, "a99_s1_t1")
    with pytest.raises(FileNotFoundError):
        recorded(tmp_path)


@pytest.mark.skipif(not (REAL / "skeletons.npz").exists(), reason="UTD-MHAD is not here")
def test_the_real_recordings_swipe_and_circle_as_ours_do():
    known = recorded(REAL)
    assert {label for _, label, _ in known} == set(DATASETS["utdmhad"].values())
    ways = {"drawing a circle clockwise": -1, "drawing a circle counter-clockwise": 1}
    for name, label, _ in known:
        if label in ways:
            shown = replay(REAL, name, 1)
            side = "left" if shown.mirrored else "right"
            hand = at(shown.motion.joints, f"{side} hand") - at(shown.motion.joints, "neck")
            x, y = -hand[:, 0], hand[:, 1]
            area = 0.5 * np.sum(x[:-1] * np.diff(y) - y[:-1] * np.diff(x))
            assert ways[shown.label] * area > 0
