"""Every edit keeps what it promises to keep, and changes what it says it changes."""

from itertools import pairwise

import numpy as np
import pytest

from har_demo.errors import ChoiceError, ClipError
from har_demo.explain.edits import EDITS, SEED, apply, asked, pictures, several, shown
from har_demo.explain.moving import moving
from tests.media import acted, frame_number, numbered_frames

FRAMES = numbered_frames(20, (96, 72))
NUMBERS = list(range(20))


def edited(text: str, frames: np.ndarray = FRAMES) -> np.ndarray:
    return apply(frames, asked(text))


def numbers(text: str) -> list[int]:
    return [frame_number(frame) for frame in edited(text)]


def test_time_is_rearranged_and_no_pixel_changes():
    assert numbers("reverse") == NUMBERS[::-1]
    assert sorted(numbers("shuffle")) == NUMBERS
    assert numbers("shuffle") != NUMBERS
    assert numbers("freeze=0.5") == [*range(11), *[10] * 9]
    assert numbers("single=0") == [0] * 20
    assert numbers("single=1") == [19] * 20
    assert numbers("speed=2") == NUMBERS[::2]
    assert numbers("speed=0.5") == [n // 2 for n in range(40)]
    for name, edit in EDITS.items():
        if edit.group == "time":
            assert {f.tobytes() for f in edited(name)} <= {f.tobytes() for f in FRAMES}, name


def test_dropped_frames_show_the_one_before():
    kept = numbers("drop=0.6")
    assert kept[0] == 0 and kept == sorted(kept)
    held = sum(a == b for a, b in pairwise(kept))
    assert 0.35 * 20 < held < 0.85 * 20
    assert numbers("drop=0") == NUMBERS


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("name", [n for n, e in EDITS.items() if e.group == "time"])
def test_time_can_be_edited_however_short_it_is(name, count):
    one = asked(name)
    order = one.edit.change(count, one.strength)
    assert order.dtype == np.int64 and len(order) >= 1
    assert order.min() >= 0 and order.max() < count
    if name == "shuffle" and count > 1:
        assert order.tolist() != list(range(count))


def test_a_mirror_is_undone_by_a_mirror():
    once = edited("mirror")
    assert (once[:, :, 0] == FRAMES[:, :, -1]).all()
    assert (edited("mirror", once) == FRAMES).all()


@pytest.mark.parametrize("text", ["crop=1", "darken=1", "gamma=1", "noise=0"])
def test_an_edit_at_no_strength_changes_nothing(text):
    assert (edited(text) == FRAMES).all()


def test_the_picture_changes_as_said():
    assert np.abs(edited("darken=0.25").mean() - 0.25 * FRAMES.mean()) < 1
    assert edited("gamma=2").mean() < FRAMES.mean() < edited("gamma=0.5").mean()
    assert edited("gamma=2").max() == FRAMES.max() == 255
    middle = np.full_like(FRAMES, 128)
    assert np.std(edited("noise=20", middle).astype(float)) == pytest.approx(20, rel=0.02)
    step = np.zeros((1, 72, 96, 3), np.uint8)
    step[:, :, 48:] = 200
    row = edited("blur=0.05", step)[0, 36, :, 0].astype(int)
    assert (np.diff(row) >= 0).all() and 20 < np.abs(np.diff(row)).max() < 40
    assert (edited("crop=0.5", step)[:, :, :40] == 0).all()
    worse, better = (np.abs(edited(f"jpeg={q}").astype(int) - FRAMES).mean() for q in (2, 80))
    assert worse > 2 * better > 0


def test_grain_is_the_same_however_a_frame_is_come_by():
    one = asked("noise=30")
    whole = apply(FRAMES, one)
    some = pictures(FRAMES[[7, 3]], np.array([7, 3]), one, found=None)
    assert (some == whole[[7, 3]]).all()
    assert (whole[3] - FRAMES[3] != whole[7] - FRAMES[7]).any()


def test_every_edit_keeps_the_shape_and_the_clip_it_was_given():
    clip = acted("walk", size=(96, 72))
    before = clip.tobytes()
    for text, edit in EDITS.items():
        out = apply(clip, asked(text))
        assert out.dtype == np.uint8 and out.shape[1:] == clip.shape[1:], text
        assert len(out) == len(clip) or edit.kind == "pace", text
        assert out.tobytes() != before, text
        assert out.tobytes() == apply(clip, asked(text)).tobytes(), text
    assert clip.tobytes() == before


def square(t: int = 16, pan: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """A bright textured square that crosses a textured ground while the camera pans; and where it is."""
    rng = np.random.default_rng(SEED)
    ground = rng.integers(60, 140, (30, 60, 3)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
    patch = rng.integers(170, 255, (6, 6, 3)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
    frames, where = [], []
    for n in range(t):
        frame, here = ground[:, pan * n : pan * n + 160].copy(), np.zeros((120, 160), bool)
        left = 20 + 5 * n
        frame[48:72, left : left + 24] = patch
        here[48:72, left : left + 24] = True
        frames.append(frame)
        where.append(here)
    return np.stack(frames), np.stack(where)


def test_what_moves_is_found_although_the_camera_pans():
    frames, where = square()
    found = moving(frames, fps=10).masks > 0.5
    assert found[where].mean() > 0.9
    assert found[~where].mean() < 0.15


def test_what_moves_is_taken_out_or_left_alone():
    frames, where = square()
    ground, person = (apply(frames, asked(name), fps=10) for name in ("background", "person"))
    assert frames[where].mean() > 200
    assert ground[where].mean() < 130  # as dark as what surrounds it
    assert (person[where] == frames[where]).mean() > 0.85
    assert (person[~where] == 128).mean() > 0.8
    assert (ground[~where] == frames[~where]).mean() > 0.8


def test_behind_a_camera_on_a_stand_the_place_itself_comes_back():
    frames, where = square(pan=0)
    found = moving(frames, fps=10)
    empty = np.median(frames[:, :40], axis=0)  # where the square never is
    assert (np.abs(found.place[:40] - empty) <= 1).all()
    ground = apply(frames, asked("background"), fps=10)
    true = np.where(where[0][..., None], frames[-1], frames[0])  # the ground without the square
    assert np.abs(ground[5].astype(int) - true)[where[5]].mean() < 3
    assert moving(square(pan=2)[0], fps=10).place is None


def test_where_nothing_moves_there_is_a_sentence():
    still = FRAMES[:1].repeat(6, axis=0)
    for name in ("background", "person"):
        with pytest.raises(ClipError, match="Nothing moves by itself"):
            apply(still, asked(name))
        with pytest.raises(ClipError, match="too small for optical flow"):
            apply(np.zeros((4, 20, 20, 3), np.uint8), asked(name))


def test_edits_are_asked_for_in_words():
    assert str(asked("darken")) == "darken=0.2" and str(asked(" darken = 0.5 ")) == "darken=0.5"
    assert asked("darken=0.25").title == "Darkened, 25 %"
    assert asked("speed").title == "Another speed, 2 ×" and asked("reverse").title == "Backwards"
    assert shown(8, "") == "8"
    assert [str(one) for one in several(["reverse", "jpeg=8", "jpeg", "reverse"])] == [
        "reverse",
        "jpeg=8",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("revers", "No edit is called 'revers': choose among reverse"),
        ("", "No edit is called ''"),
        ("reverse=2", "'reverse' has no strength"),
        ("darken=", "a number from 0.02 to 1"),
        ("darken=2", "not '2'"),
        ("darken=nan", "not 'nan'"),
        ("speed=0", "a number from 0.25 to 4"),
        ("jpeg=much", "not 'much'"),
    ],
)
def test_what_cannot_be_asked_gets_a_sentence(text, sentence):
    with pytest.raises(ChoiceError, match=sentence):
        asked(text)


def test_no_edit_at_all_gets_a_sentence():
    with pytest.raises(ChoiceError, match="No edit is chosen"):
        several([])
