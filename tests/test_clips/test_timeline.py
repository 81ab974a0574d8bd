"""A player's times from those of packets, and the copy's ticks from those of frames."""

import doctest
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from har_demo.clips import picture, timeline
from har_demo.clips.clip import Clip, SourceFacts
from har_demo.clips.timeline import Stamp, pace, player_times
from har_demo.clips.transcode import on_ticks


class Frame:
    """All that `on_ticks` asks of a frame."""

    duration = None
    time_base = None


def on_clock(times, gap, rate):
    """Which of the frames shown at `times` are kept, and the ticks they begin and end at."""
    frames = [Frame() for _ in times]
    found = on_ticks(zip(times, frames, strict=True), gap, rate, 10_000)
    return [(frames.index(frame), start, end) for frame, start, end in found]


def stamps(times, **facts):
    return [replace_stamp(Stamp(t, t, False, True), facts, k) for k, t in enumerate(times)]


def replace_stamp(stamp, facts, number):
    return stamp._replace(**{name: number in where for name, where in facts.items()})


@pytest.mark.parametrize("module", [timeline, picture])
def test_examples_in_docstrings_hold(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


def test_a_gap_is_a_leap_only_where_a_clock_leaps():
    times = [0.0, 0.04, 0.08, 5.0, 5.04]
    closed = [0.0, 0.04, 0.08, 0.12, 0.16]
    for leaping, key, alone, right in (
        (True, {3}, {3}, closed),
        (False, {3}, {3}, times),  # a film's own time: a pause
        (True, set(), {3}, times),  # goes on without a key frame
        (True, {3}, set(), times),  # the sound went on
    ):
        found, leaps = player_times(stamps(times, key=key, alone=alone), leaping, 600, False)
        assert found == pytest.approx(right) and leaps == (right is closed)


def test_two_recordings_that_overlap_follow_each_other():
    found, leaps = player_times(stamps([1.0, 1.04, 1.08, 1.04, 1.08], key={0, 3}), True, 600, False)
    assert np.subtract(found, found[0]) == pytest.approx([0, 0.04, 0.08, 0.12, 0.16]) and leaps == 1


def test_a_single_frame_out_of_place_moves_no_other():
    for wrong in (900.0, 2.0, 0.3, 0.01):
        times = [0.0, 0.04, 0.08, wrong, 0.16, 0.20]
        found, leaps = player_times(stamps(times, key={0}), True, 600, False)
        assert leaps == 0
        assert [found[k] for k in (0, 1, 2, 4, 5)] == [0.0, 0.04, 0.08, 0.16, 0.20]
        assert 0.08 < found[3] < 0.16


def test_frames_shown_in_another_order_are_no_leap():
    shown = [0.08, 0.2, 0.16, 0.12, 0.36, 0.32, 0.24, 0.28]
    known = [Stamp(0.04 * k, t, k == 0, True) for k, t in enumerate(shown)]
    assert player_times(known, True, 600) == (shown, 0)
    unknown = [one._replace(decoded=None) for one in known]
    assert player_times(unknown, True, 600) == (shown, 0)


def test_the_rate_is_that_of_the_quick_parts():
    still, quick = list(range(200)), [200 + k / 30 for k in range(60)]
    found = pace([round(t, 3) for t in still + quick + [203, 204]], 0.001, [])
    assert (found.rate, found.variable) == (30, True)
    steady = pace([round(k * 1001 / 30000, 3) for k in range(300)], 0.001, [])
    assert (steady.rate, steady.variable) == (Fraction(30000, 1001), False)
    paused = [k / 25 for k in range(1000)] + [60 + k / 25 for k in range(1000)]
    found = pace(paused, 0.001, [Fraction(20)])
    assert (found.rate, found.variable) == (25, True)
    assert pace([0.0], 0.001, []) is None and pace([0, 1e-9], 1e-9, []) is None


def test_no_frame_of_the_copys_rate_is_lost_whatever_its_phase():
    chance = np.random.default_rng(0)
    for phase in np.linspace(0, 1, 21):
        times = (np.arange(100) + phase + chance.uniform(-0.15, 0.15, 100)) / 25
        kept = on_clock(times.tolist(), 0.04, Fraction(25))
        assert [number for number, _, _ in kept] == list(range(100))
        late = [start / 25 - times[number] for number, start, _ in kept]
        assert min(late) + 1e-6 >= -0.5 / 25 and max(late) <= 0.9 / 25 + 1e-6
        assert [start for _, start, _ in kept[1:]] == [end for _, _, end in kept[:-1]]


def test_quick_film_is_thinned_evenly_and_a_pause_is_held():
    assert [n for n, _, _ in on_clock([k / 120 for k in range(48)], 1 / 120, Fraction(30))] == list(
        range(0, 48, 4)
    )
    assert on_clock([0, 0.04, 2, 2.04], 0.04, Fraction(25)) == [
        (0, 0, 1),
        (1, 1, 50),
        (2, 50, 51),
        (3, 51, 52),
    ]


def test_a_part_of_a_clip_knows_which_of_its_frames_are_new():
    source = SourceFacts("a", "", "", 4, 4, 25, 4, 1)
    clip = Clip(Path("a"), 25, 100, 4, 4, "", source, fresh=(0, 10, 11, 50))
    assert clip.part(5, 10).fresh == (0, 5, 6) and clip.part(5, 10).frames == 10
    assert replace(clip, fresh=None).part(5, 10).fresh is None
