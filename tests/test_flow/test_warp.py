"""The next frame is fetched back by the flow, and the camera's motion is told from the rest."""

import cv2
import numpy as np
import pytest

from har_demo.flow.warp import camera, camera_field, fetched, own
from tests.test_flow.conftest import SIDE, motion_of, moved, texture

MIDDLE = ((SIDE - 1) / 2, (SIDE - 1) / 2)
TURN = cv2.getRotationMatrix2D(MIDDLE, 3, 1.03) + np.array([[0, 0, 4], [0, 0, -2]])


def as_homography(matrix):
    return np.vstack([matrix, [0, 0, 1]])


def test_known_flow_fetches_the_next_frame_back():
    frames = np.stack([texture(), moved(texture(), TURN)])
    right = fetched(frames, motion_of(TURN).astype(np.float32))
    assert right.before > 20 and right.after < 0.2 * right.before
    assert not right.inside.all() and (right.error[~right.inside] == 0).all()
    none = fetched(frames, np.zeros((2, SIDE, SIDE), np.float32))
    assert none.after == pytest.approx(none.before) and none.inside.all()
    assert (none.picture == frames[1]).all()


def test_flow_that_leaves_the_picture_everywhere_says_nothing():
    away = fetched(np.stack([texture()] * 2), np.full((2, SIDE, SIDE), 500, np.float32))
    assert not away.inside.any() and away.before == away.after == 0


def test_the_cameras_motion_is_found_under_somebody_who_moves():
    found = motion_of(TURN).astype(np.float32)
    found[:, 30:80, 40:70] += np.array([6, 3], np.float32)[:, None, None]
    homography = camera(found)
    np.testing.assert_allclose(camera_field(homography, (SIDE, SIDE)), motion_of(TURN), atol=0.1)
    left = own(found, homography)
    assert np.abs(left[:, :, :30]).max() < 0.1
    np.testing.assert_allclose(left[:, 40:70, 45:65].mean(axis=(1, 2)), (6, 3), atol=0.1)


def test_a_camera_that_stands_takes_nothing_off():
    noise = np.random.default_rng(0).normal(0, 0.05, (2, SIDE, SIDE)).astype(np.float32)
    noise[0, 20:60, 20:60] += 5
    assert (camera(noise) == np.eye(3)).all()
    np.testing.assert_allclose(own(noise, np.eye(3)), noise)


def test_where_nothing_agrees_the_camera_is_unknown():
    chaos = np.random.default_rng(0).normal(0, 30, (2, SIDE, SIDE)).astype(np.float32)
    assert camera(chaos) is None
    assert own(chaos, None) is chaos
