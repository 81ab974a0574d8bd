"""Every method finds a motion that is known, and moves nothing where nothing moves."""

import numpy as np
import pytest
import torch

from har_demo.errors import ChoiceError, ClipError
from har_demo.flow import classical
from har_demo.flow.field import flow
from har_demo.research.people.shoot import ShotSettings, frames, take
from har_demo.research.people.truth import truth
from tests.test_flow.conftest import INSIDE, METHODS, MOTIONS, SIDE, motion_of, moved, texture


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("motion", MOTIONS)
def test_a_known_motion_is_recovered(method, motion):
    """To a fifth of a pixel on average, and half a pixel at 99 % of the points."""
    known = motion_of(MOTIONS[motion])
    assert np.abs(known[INSIDE]).max() > 2
    pictures = np.stack([texture(), moved(texture(), MOTIONS[motion])])
    found = flow(pictures, method)
    assert found.pixels.shape == (1, 2, SIDE, SIDE) and found.pixels.dtype == np.float32
    assert found.frames.tolist() == [[0, 1]] and found.method == method
    error = np.linalg.norm(found.pixels[0] - known, axis=0)[INSIDE]
    assert error.mean() < 0.2
    assert np.percentile(error, 99) < 0.5


@pytest.mark.parametrize("method", METHODS)
def test_nothing_moves_in_a_still_clip(method):
    assert np.abs(flow(np.stack([texture()] * 3), method).pixels).max() < 0.1
    black = np.zeros((2, 40, 40, 3), np.uint8)
    assert np.abs(flow(black, method).pixels).max() < 0.01


@pytest.mark.parametrize("method", METHODS)
def test_the_dark_hides_no_motion(method):
    """At a tenth of the light the field is nearly the same."""
    bright = np.stack([texture(), moved(texture(), MOTIONS["translation"])])
    dark = (bright // 10).astype(np.uint8)
    error = np.abs(flow(dark, method).pixels - flow(bright, method).pixels)[INSIDE]
    assert error.mean() < 0.25


@pytest.fixture(scope="module")
def rendered():
    """People rendered with everything known, noise of the sensor included."""
    clips = []
    for action, seed in (("jumping_jack", 3), ("bend", 7)):
        one = take(action, seed, 0.3, 10, ShotSettings(dark=False))
        known = truth(one.stage, (SIDE, SIDE))
        clips.append((frames(one, (SIDE, SIDE), 1), known))
    return clips


@pytest.mark.parametrize("method", METHODS)
def test_a_rendered_person_moves_as_is_known(rendered, method):
    """Where the person moves, the field is better than none, by a third."""
    error, size = [], []
    for pictures, known in rendered:
        found = torch.from_numpy(flow(pictures, method).pixels)
        moving = known.person[:-1] & known.visible & (known.flow.norm(dim=1) > 0.5)
        error.append((found - known.flow).norm(dim=1)[moving])
        size.append(known.flow.norm(dim=1)[moving])
    assert len(torch.cat(size)) > 1000
    assert torch.cat(error).mean() < 0.67 * torch.cat(size).mean()


def test_progress_counts_fields():
    heard = []
    flow(np.stack([texture(40)] * 5), on_progress=heard.append)
    assert heard == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(
    ("frames", "method", "error", "words"),
    [
        (np.zeros((1, 40, 40, 3), np.uint8), "dis", ClipError, "at least two"),
        (np.zeros((0, 40, 40, 3), np.uint8), "dis", ClipError, "at least two"),
        (np.zeros((2, 40, 20, 3), np.uint8), "dis", ClipError, "20 × 40 pixels are too small"),
        (np.zeros((2, 40, 40, 3), np.uint8), "horn", ChoiceError, "dis, farneback, tv-l1"),
    ],
    ids=["one frame", "no frame", "too small", "no such method"],
)
def test_what_cannot_be_done_is_said_in_a_sentence(frames, method, error, words):
    with pytest.raises(error, match=words) as refused:
        flow(frames, method)
    assert "\n" not in str(refused.value)


def test_a_missing_tv_l1_is_said_in_a_sentence(monkeypatch):
    monkeypatch.delattr(classical.cv2, "optflow", raising=False)
    with pytest.raises(ChoiceError, match="opencv-contrib-python-headless"):
        flow(np.zeros((2, 40, 40, 3), np.uint8), "tv-l1")


@pytest.mark.parametrize(
    "frames", [np.zeros((2, 40, 40, 3), np.float32), np.zeros((2, 40, 40), np.uint8)], ids=str
)
def test_frames_of_another_kind_are_a_programmers_mistake(frames):
    with pytest.raises(ValueError, match="uint8"):
        flow(frames)


@pytest.mark.parametrize("method", METHODS)
def test_the_smallest_pictures_that_are_allowed(method):
    side = classical.SMALLEST_SIDE
    assert np.isfinite(flow(np.stack([texture(side), texture(side, 1)]), method).pixels).all()
