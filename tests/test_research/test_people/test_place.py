"""Places leave room for people and cameras, and do not know what is done in them."""

import numpy as np
import pytest

from har_demo.research.people.camera import CameraShot, film
from har_demo.research.people.motion import ACTIONS, move
from har_demo.research.people.place import CLUTTER, DISTRACTORS, colour_name, place
from har_demo.research.people.shoot import ShotSettings, take
from har_demo.research.people.texture import STRIPES
from har_demo.research.people.things import Surface


def placed(action, seed, calm=False, **shot):
    joints = move(action, seed).joints
    chance = np.random.default_rng(seed)
    camera = film(joints, CameraShot(chance.uniform(-3, 3), **shot), 1.0, 25, chance)
    return joints, camera, place(joints, camera, 25, chance, calm)


@pytest.mark.parametrize("action", ["walk", "run", "squat"])
@pytest.mark.parametrize("seed", range(4))
def test_person_and_camera_are_inside_and_collide_with_nothing(action, seed):
    joints, camera, around = placed(action, seed, travel=float(seed % 2))
    for points in (joints.reshape(-1, 3), camera.place):
        assert (points > around.low - 1e-6).all() and (points < around.high).all()
        for box in around.boxes[:-1]:  # the last may stand before the lens on purpose
            cos, sin = np.cos(box.turn), np.sin(box.turn)
            turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
            inside = np.abs((points - box.middle) @ turn) < box.half
            assert not inside.all(-1).any()


@pytest.mark.parametrize("calm", [False, True])
def test_furniture_stands_neither_before_the_person_nor_before_what_they_need(calm):
    chance = np.random.default_rng(0)
    for seed in range(20):
        joints = move(("walk", "squat")[seed % 2], seed).joints
        things = np.array([[1.5, 0.0, 1.0], [1.7, 2.5, 1.4]])
        camera = film(joints, CameraShot(chance.uniform(-3, 3)), 1.0, 25, chance, things)
        around = place(joints, camera, 25, chance, calm, things)
        assert (things[:, [0, 2]] > around.low[[0, 2]]).all()
        assert (things < around.high).all()
        points = np.concatenate([joints.reshape(-1, 3), things])
        share = np.linspace(0, 1, 60)[:, None, None]
        sight = camera.place[0] + share * (points - camera.place[0])
        for box in around.boxes[2:-1]:  # not those on the walls, nor the one put there on purpose
            cos, sin = np.cos(box.turn), np.sin(box.turn)
            turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
            assert not (np.abs((sight - box.middle) @ turn) < box.half).all(-1).any()


def test_every_place_has_the_same_number_of_things():
    for seed in range(10):
        _, _, around = placed("walk", seed, calm=seed % 2 == 0)
        assert len(around.boxes) == CLUTTER
        assert around.movers.shape == (50, DISTRACTORS, 3)


def test_calm_places_have_nothing_that_moves_or_hides():
    for seed in range(20):
        _, _, around = placed("walk", seed, calm=True)
        assert (around.movers[..., 1] < -10).all()
        assert all(box.middle[1] < -10 for box in around.boxes[4:])


def test_half_of_the_places_have_movers():
    moving = [(placed("squat", seed)[2].movers[0, :, 1] > 0).mean() for seed in range(60)]
    assert 0.35 < np.mean(moving) < 0.65


def test_the_same_chance_gives_the_same_place_whatever_is_done():
    """Two actions that take the same room: nothing of the place differs."""
    joints, camera, first = placed("squat", 3)
    second = place(joints[::-1].copy(), camera, 25, np.random.default_rng(8), False)
    third = place(joints, camera, 25, np.random.default_rng(8), False)
    for name in ("low", "high", "light", "sunlight", "skylight", "movers"):
        np.testing.assert_allclose(getattr(second, name), getattr(third, name), atol=1e-6)
    assert second.walls == third.walls != first.walls


def test_light_comes_from_above():
    for seed in range(20):
        _, _, around = placed("bend", seed)
        assert np.linalg.norm(around.light) == pytest.approx(1)
        assert around.light[1] > 0.6
        assert (around.sunlight > 0).all() and (around.skylight > 0).all()


def test_all_actions_can_be_placed():
    for action in ACTIONS:
        assert len(take(action, 1, 0.2, 10, ShotSettings()).stage) == 2


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ((0.8, 0.05, 0.05), "red"),
        ((0.9, 0.5, 0.1), "orange"),
        ((0.3, 0.15, 0.05), "brown"),
        ((0.8, 0.8, 0.1), "yellow"),
        ((0.1, 0.5, 0.1), "green"),
        ((0.1, 0.2, 0.8), "blue"),
        ((0.8, 0.2, 0.6), "pink"),
        ((0.9, 0.9, 0.85), "white"),
        ((0.3, 0.3, 0.3), "grey"),
        ((0.02, 0.02, 0.03), "black"),
    ],
)
def test_plain_colours_have_names(base, name):
    assert colour_name(Surface(base)) == name
    assert colour_name(Surface(base, pattern=STRIPES)) == ""
