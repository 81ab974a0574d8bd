"""Rendered clips: right shape, the same by seed, a figure in view that moves, dark when asked."""

import numpy as np
import pytest

from har_demo.people.figure import render
from har_demo.people.motion import ACTIONS


@pytest.mark.parametrize("action", ACTIONS)
def test_the_figure_is_in_view_and_moves(action):
    clip = render(action, seed=1, seconds=1.2, fps=20, size=(112, 112))
    assert clip.shape == (24, 112, 112, 3)
    assert clip.dtype == np.uint8
    still = np.median(clip, axis=0)
    moving = np.abs(clip - still).max(-1) > 25
    share = moving.any(0).mean()
    assert 0.01 < share < 0.6
    assert not moving[:, :2].any(), "nobody's head is cut off"


def test_the_seed_decides_the_pixels():
    first, again, other = (render("bend", seed, 0.4, size=(64, 64)) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 5


@pytest.mark.parametrize("size", [(96, 54), (54, 96), (33, 41)])
def test_any_size(size):
    assert render("jumping_jack", 2, 0.2, size=size).shape == (5, size[1], size[0], 3)


def test_dark_is_dark_and_noisy():
    for seed in range(4):
        day = render("wave_both_hands", seed, 0.4, size=(96, 96))
        night = render("wave_both_hands", seed, 0.4, size=(96, 96), dark=True)
        assert night.mean() < 0.45 * day.mean()
        corner = np.s_[:, :8, :8]  # nothing moves there
        assert day[corner].std(axis=0).max() == 0
        assert night[corner].std(axis=0).mean() > 1


def test_a_part_behind_another_is_hidden():
    """Seen from behind, a person bending has no face: the eyes' dark dots are painted over."""
    from har_demo.people.figure import PARTS, _outlines, _points
    from har_demo.people.motion import move

    motion = move("wave_both_hands", seed=1, seconds=0.2)
    points = _points(motion)
    names = [material for _, _, material in PARTS]
    for side, eyes_last in ((1, True), (-1, False)):
        depth = 4 - side * points[..., 2]
        _, order = _outlines(points[..., :2], depth, 300, 1.0)
        ranks = {part: rank for rank, part in enumerate(order[0].tolist())}
        eye, hair = ranks[names.index("eyes")], ranks[names.index("hair")]
        assert (eye > hair) is eyes_last
