"""Cameras keep people in view, stand, follow or are driven along, and agree with the rays."""

import numpy as np
import pytest

from har_demo.research.people.camera import CameraShot, film, project
from har_demo.research.people.motion import ACTIONS, move
from har_demo.research.people.skeleton import JOINTS

HIP = JOINTS.index("hip centre")


def shoot(joints, shot, aspect=4 / 3):
    return film(joints, shot, aspect, 25, np.random.default_rng(0))


@pytest.mark.parametrize("azimuth", [0.0, 1.6, -2.5])
def test_the_whole_motion_is_in_the_picture(azimuth):
    for action in ACTIONS:
        joints = move(action, seed=1).joints
        places = project(shoot(joints, CameraShot(azimuth)), joints, (400, 300))
        x, y, depth = np.moveaxis(places, -1, 0)
        assert x.min() > 0 and x.max() < 400, action
        assert y.min() > 0 and y.max() < 300, action
        assert depth.min() > 0.5, action
        assert max(np.ptp(x) / 400, np.ptp(y) / 300) > 0.35, (action, "is too small to see")


def test_a_tripod_stands_still():
    camera = shoot(move("walk", 2).joints, CameraShot(1.0))
    assert np.ptp(camera.place, axis=0).max() < 1e-6
    assert np.ptp(camera.axes, axis=0).max() < 1e-6


def test_a_hand_shakes():
    camera = shoot(move("walk", 2).joints, CameraShot(1.0, shake=1.0))
    assert 1e-3 < np.ptp(camera.place, axis=0).max() < 0.2
    assert np.isfinite(camera.axes).all()


@pytest.mark.parametrize(
    "shot", [CameraShot(0.3, shake=1.5), CameraShot(2.0, follow=1.0), CameraShot(1, travel=1.0)]
)
def test_axes_are_square_and_of_length_one(shot):
    axes = shoot(move("run", 4).joints, shot).axes.astype(float)
    np.testing.assert_allclose(axes @ axes.swapaxes(1, 2), np.eye(3)[None].repeat(50, 0), atol=1e-5)
    assert (np.linalg.det(axes) > 0).all()


@pytest.mark.parametrize("action", ["walk", "run"])
def test_on_a_treadmill_people_stay_in_the_middle(action):
    joints = move(action, seed=1).joints
    spans = {}
    for travel in (0.0, 1.0):
        camera = shoot(joints, CameraShot(1.57, travel=travel))
        places = project(camera, joints, (400, 300))
        body = np.ptp(places[:, :, 1].mean(0))
        spans[travel] = np.ptp(places[:, HIP, 0]) / body  # in body heights
    assert spans[0.0] > 1
    assert spans[1.0] < 0.15


def test_a_following_camera_turns():
    joints = move("walk", seed=1).joints
    spans = []
    for follow in (0.0, 1.0):
        camera = shoot(joints, CameraShot(1.57, follow=follow))
        places = project(camera, joints, (400, 300))
        spans.append(np.ptp(places[:, HIP, 0]) / np.ptp(places[:, :, 1].mean(0)))
    assert spans[1] < 0.5 * spans[0]


def test_what_is_before_the_lens_is_in_the_middle():
    camera = shoot(move("bend", 0).joints, CameraShot(0.7, tilt=0.3))
    ahead = camera.place - 3 * camera.axes[:, 2]
    np.testing.assert_allclose(
        project(camera, ahead[:, None], (64, 48))[:, 0], np.array([[32, 24, 3]] * 50), atol=1e-3
    )
    right = ahead + camera.axes[:, 0]
    x = project(camera, right[:, None], (64, 48))[0, 0, 0]
    assert x == pytest.approx(32 + camera.focal * 48 / 3, abs=1e-3)


@pytest.mark.parametrize(
    "shot", [CameraShot(0.0), CameraShot(1.4, follow=1.0), CameraShot(-2.0, travel=1.0)]
)
def test_things_are_in_the_picture_too(shot):
    joints = move("wave_one_hand", 0).joints
    things = np.array([[2.0, 0.3, 1.0], [2.2, 2.9, 1.2]])
    camera = film(joints, shot, 1.0, 25, np.random.default_rng(0), things)
    points = np.concatenate([joints, np.broadcast_to(things, (len(joints), 2, 3))], 1)
    spots = project(camera, points, (1, 1))
    assert (spots[..., :2] > 0).all() and (spots[..., :2] < 1).all()
    assert (spots[..., 2] > 0.5).all()


def test_one_frame():
    joints = move("walk", 0, 0.04).joints
    assert shoot(joints, CameraShot(0.0, follow=1.0, shake=1.0)).place.shape == (1, 3)
