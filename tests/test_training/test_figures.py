"""Drawn people show all classes, are in the picture and move."""

import numpy as np
import pytest
import torch

from har_demo.labels import EVERYDAY, EVERYDAY_13
from har_demo.people import motion
from har_demo.people.skeleton import JOINTS
from har_demo.training import figures


def test_every_class_can_be_drawn():
    assert set(figures.ACTIONS.values()) == set(EVERYDAY_13)
    assert set(figures.RECORDINGS.values()) <= set(EVERYDAY)
    for action in figures.ACTIONS:
        assert motion.move(action, seconds=0.2).joints.shape[1:] == (20, 3)


def test_motions_are_spread_evenly_over_the_classes():
    skeletons = figures.procedural(2 * len(EVERYDAY_13), seed=0)
    labels = [skeleton.label for skeleton in skeletons]
    assert all(labels.count(label) == 2 for label in range(len(EVERYDAY_13)))
    assert all(one.joints.shape == (figures.FRAMES, 20, 3) for one in skeletons)


@pytest.mark.parametrize("seed", range(20))
def test_a_single_jump_leaves_the_floor_once(seed):
    joints = motion.move("jump_in_place", seed, figures.FRAMES / figures.FPS, figures.FPS).joints
    once = figures.once(joints, np.random.default_rng(seed))
    feet = once[:, [JOINTS.index("left foot"), JOINTS.index("right foot")], 1].min(axis=1)
    airborne = feet > feet.min() + 0.03
    assert np.count_nonzero(~airborne[:-1] & airborne[1:]) == 1
    assert len(once) >= figures.FRAMES


def _draw(action, seed=0, side=48):
    joints = torch.from_numpy(motion.move(action, seed, 1.0, figures.FPS).joints)
    return figures.draw(joints, torch.Generator().manual_seed(seed), side)


def test_drawn_frames_show_somebody_moving():
    frames = _draw("jumping_jack")
    assert frames.shape == (25, 3, 48, 48)
    assert frames.dtype == torch.uint8
    moved = (frames[5].float() - frames[15].float()).abs().amax(0) > 10
    assert 0.005 < moved.float().mean() < 0.9


def test_the_seed_decides_the_picture():
    assert torch.equal(_draw("walk", 3), _draw("walk", 3))
    assert not torch.equal(_draw("walk", 3), _draw("walk", 4))


def test_recordings_are_centred_on_the_floor(tmp_path):
    """UTD-MHAD stores millimetres, 30 frames a second, the person metres away from the sensor."""
    standing = motion.move("wave_one_hand", 0, 2.0, 30).joints * 1000 + [500, -700, 2500]
    np.savez(
        tmp_path / "skeletons.npz",
        **{"a03_s1_t1": standing.astype(np.int16), "a04_s1_t1": standing.astype(np.int16)},
    )
    (skeleton,) = figures.recorded(tmp_path, seed=0)
    assert EVERYDAY[skeleton.label] == "waving one hand"
    assert skeleton.joints[..., 1].min() == pytest.approx(0, abs=1e-4)
    hip = skeleton.joints[:, JOINTS.index("hip centre")].mean(axis=0)
    assert abs(hip[0]) < 0.05
    assert abs(hip[2]) < 0.05
    assert len(skeleton.joints) == pytest.approx(2.0 * figures.FPS, abs=2)


def test_rendered_footage_fits_the_training(tmp_path):
    footage = figures.rendered_footage(3, None, seed=0, device="cpu", side=24)
    assert footage.count.tolist() == [figures.FRAMES] * 3
    assert footage.frames.shape == (3 * figures.FRAMES, 3, 24, 24)
    assert footage.labels.tolist() == [0, 1, 2]
