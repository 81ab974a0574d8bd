"""Takes: the seed decides all of it, light and dark differ in the film alone, places tell nothing."""

import numpy as np
import pytest
import torch

from har_demo.research.people.camera import project
from har_demo.research.people.motion import ACTIONS
from har_demo.research.people.shoot import ShotSettings, batch, batch_frames, frames, pictures, take
from har_demo.research.people.skeleton import JOINTS
from har_demo.research.people.solids import CAPSULE
from har_demo.research.people.stage import PERSON
from har_demo.research.people.truth import truth
from tests.test_research.test_people.stages import SIZE, same, small

pytestmark = pytest.mark.nightly


@pytest.mark.nightly
def test_somebody_is_seen_and_moves():
    for action in ACTIONS:
        acted = take(action, 1, 1.2, 5, ShotSettings(calm=True))
        clip = frames(acted, (40, 40), 1)
        assert clip.shape == (6, 40, 40, 3), action
        assert clip.dtype == np.uint8, action
        moving = np.abs(clip.astype(int) - np.median(clip, axis=0)).max(-1) > 20
        assert 0.005 < moving.any(0).mean() < 0.6, action
        assert truth(acted.stage, (40, 40)).person.float().mean() > 0.015, action


def test_the_seed_decides_every_pixel():
    first, again, other = (frames(take("bend", seed, 0.3, 10), SIZE, 1) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 5


@pytest.mark.parametrize("calm", [False, True])
def test_light_and_dark_are_the_same_scene_on_another_film(calm):
    day, night = (small("wave_both_hands", 7, calm=calm, dark=dark) for dark in (False, True))
    assert same(day.stage, night.stage)
    assert day.film.exposure > 4 * night.film.exposure
    assert frames(night, SIZE, 1).mean() < 0.6 * frames(day, SIZE, 1).mean()
    undecided = small("wave_both_hands", 7, calm=calm)
    assert same(day.stage, undecided.stage)


def test_about_a_third_is_dark():
    dark = [take("squat", seed, 0.1, 10).dark for seed in range(120)]
    assert 0.2 < np.mean(dark) < 0.5


@pytest.mark.parametrize("action", ["sit_down", "shoot_at_hoop"])
def test_without_things_only_they_are_gone(action):
    with_them, without = (small(action, 3, calm=True, things=things) for things in (True, False))
    assert with_them.motion.props
    np.testing.assert_array_equal(with_them.motion.joints, without.motion.joints)
    np.testing.assert_array_equal(with_them.camera.place, without.camera.place)
    np.testing.assert_array_equal(with_them.camera.axes, without.camera.axes)
    known = [truth(one.stage, SIZE) for one in (with_them, without)]
    differ = known[0].depth != known[1].depth
    assert 0.001 < differ.float().mean() < 0.3


@pytest.mark.parametrize("calm", [False, True])
def test_the_hoop_is_in_the_picture_and_so_is_who_shoots_at_it(calm):
    takes = [take("shoot_at_hoop", seed, 1.0, 5, ShotSettings(calm=calm)) for seed in range(40)]
    takes = [one for one in takes if any(prop.kind == CAPSULE for prop in one.motion.props)]
    assert len(takes) > 10
    for one in takes:
        ring = next(prop.middle for prop in one.motion.props if prop.kind == CAPSULE)
        for points, most in ((ring[:, None], 1.0), (one.motion.joints, 1.0 if calm else 0.9)):
            spot = project(one.camera, points, (1, 1))
            inside = (spot[..., :2] > 0) & (spot[..., :2] < 1) & (spot[..., 2:] > 0)
            assert inside.all(-1).mean() >= most


def test_a_batch_is_its_takes_one_after_another():
    """Also of different lengths, by day and by night."""
    takes = [small("walk", 1, 4), small("bend", 2, 6, dark=True), small("run", 3, 5, calm=True)]
    together = batch_frames(batch(takes), SIZE).permute(0, 2, 3, 1)
    assert together.dtype == torch.uint8
    alone = np.concatenate([frames(one, SIZE, 1) for one in takes])
    off = np.abs(together.numpy().astype(int) - alone).max(-1)
    assert (off > 1).mean() < 1e-3


def test_frames_come_one_by_one_and_any_number_at_a_time(monkeypatch):
    one = small("jump", 4, dark=True)
    whole = frames(one, SIZE, 1)
    monkeypatch.setattr("har_demo.research.people.shoot.AT_ONCE", 4)
    some = np.stack(list(pictures(one, SIZE, 1)))
    assert (np.abs(some.astype(int) - whole) > 1).mean() < 1e-3


@pytest.mark.parametrize("size", [(96, 54), (54, 96), (33, 41), (8, 8)])
def test_any_size(size):
    one = take("jumping_jack", 2, 0.2, 10, ShotSettings(aspect=size[0] / size[1]))
    assert frames(one, size, 1).shape == (2, size[1], size[0], 3)


def test_joints_are_pixels_and_metres():
    one = small("squat", 2, calm=True)
    joints = one.joints(SIZE)
    assert joints.shape == (6, 20, 3)
    assert joints.dtype == np.float32
    assert (joints[..., 0] > 0).all() and (joints[..., 0] < SIZE[0]).all()
    assert (joints[..., 2] > 0.5).all()


def test_the_background_does_not_give_the_action_away():
    """A classifier of the background's mean colour is right as often as one that guesses."""
    names = ("walk", "jumping_jack", "squat", "wave_one_hand")
    count = 40
    takes = [take(a, 1000 * i + k, 0.1, 20) for i, a in enumerate(names) for k in range(count)]
    colours = batch_frames(batch(takes), (8, 8)).float()
    people = torch.cat([truth(one.stage, (8, 8)).person for one in takes])[:, None]
    mean = ((colours * ~people).sum((2, 3)) / (~people).sum((2, 3)).clamp(min=1)).numpy()
    assert colours.mean(1).std() > 10
    mean = mean.reshape(len(takes), -1, 3).mean(1)
    label = np.repeat(np.arange(len(names)), count)
    fold = np.tile(np.arange(count) % 5, len(names))
    right = 0
    for out in range(5):  # linear discriminants, fitted on four fifths
        seen, asked = fold != out, fold == out
        centres = np.stack([mean[seen & (label == i)].mean(0) for i in range(len(names))])
        spread = np.linalg.inv(np.cov((mean[seen] - centres[label[seen]]).T))
        apart = mean[asked][:, None] - centres
        score = np.einsum("nci,ij,ncj->nc", apart, spread, apart)
        right += (score.argmin(1) == label[asked]).sum()
    chance = 1 / len(names)
    deviation = np.sqrt(chance * (1 - chance) / len(takes))
    assert right / len(takes) < chance + 3 * deviation


def test_another_action_or_camera_changes_neither_clothes_nor_walls():
    """A seed's person and room look the same whatever is done and however it is filmed."""
    looks = [{}, {"treadmill": True}, {"azimuth": 1.0}, {"calm": True}]
    takes = [small("walk", 11, **look) for look in looks] + [small("squat", 11)]
    for one in takes[1:]:
        first, other = takes[0].stage, one.stage
        fixed = [*(first.role == PERSON).nonzero()[:, 0].tolist(), -3, -2, -1]
        assert torch.equal(first.paint.base[:, fixed], other.paint.base[:, fixed])
        assert torch.equal(first.paint.pattern[:, fixed], other.paint.pattern[:, fixed])
        assert torch.equal(first.light, other.light)


@pytest.mark.parametrize("action", ["push", "shoot_at_hoop", "knock"])
def test_what_is_done_ahead_is_seen_from_beside_wherever_the_person_faces(action):
    for seed in range(20):
        one = take(action, seed, 1.0, 2, ShotSettings(calm=True))
        left, right = (
            one.motion.joints[0, JOINTS.index(f"{side} hip")] for side in ("left", "right")
        )
        across = (left - right) / np.linalg.norm(left - right)
        assert abs(one.camera.axes[0, 0] @ across) < 0.6


def test_wild_clips_show_people_large_enough_to_be_told():
    takes = [take(action, 50 + n, 2.0, 1.5) for n, action in enumerate(2 * ACTIONS)]
    area = np.array([truth(one.stage, (32, 32)).person.float().mean() for one in takes])
    assert (area > 0.04).mean() > 0.88
    assert (area > 0.02).mean() > 0.97
    assert area.std() > 0.02, "and yet of many sizes"


def test_captions_tell_what_is_there():
    told = dict.fromkeys(("in the dark", "outdoors", "indoors", "shirt"), 0)
    for seed in range(12):
        one = small("bend", seed, 1)
        sentences = " ".join(one.captions())
        assert "bend" in sentences
        assert ("in the dark" in sentences) == one.dark
        assert one.where in sentences
        assert (f"in a {one.shirt} shirt" in sentences.replace("an ", "a ")) == bool(one.shirt)
        for word in told:
            told[word] += word in sentences
    assert all(0 < count < 12 for count in told.values())
