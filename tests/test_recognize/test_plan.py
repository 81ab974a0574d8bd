from dataclasses import replace

import numpy as np
import pytest

from har_demo.errors import ChoiceError
from har_demo.models.card import ViewDefaults
from har_demo.recognize.plan import chunks, plan
from har_demo.recognize.prediction import Request


def test_open_settings_follow_the_card_and_the_clip(zoo, clip):
    one = plan(clip, Request("first"))
    assert one.frames == 4
    assert one.stride == 2.0  # 25 frames a second for a model of 12.5
    assert one.indices.shape == (10, 4)  # covering would take 15 windows
    assert (np.diff(one.indices, axis=1) == 2).all()
    assert one.indices[0, 0] == 0 and one.indices[-1, -1] == 119


USUAL = ViewDefaults(frames=8, fps=25.0, windows=3)


def test_a_card_may_say_what_a_request_looks_at(zoo, clip):
    zoo.add("quick", views=USUAL)  # trained on 4 frames, 12.5 a second
    one = plan(clip, Request("quick"))
    assert (one.frames, one.stride, one.indices.shape) == (8, 1.0, (3, 8))
    assert one.indices[:, 0].tolist() == [0, 56, 112]
    assert one.spec.frames == 8 and one.card.input.frames == 4


@pytest.mark.parametrize(
    ("settings", "frames", "stride", "windows"),
    [
        ({"frames": 16}, 16, 1.0, 3),
        ({"stride": 2}, 8, 2.0, 3),
        ({"windows": 1}, 8, 1.0, 1),
        ({"windows": 7}, 8, 1.0, 7),
        ({"frames": 4, "stride": 3, "windows": 2}, 4, 3.0, 2),
        ({"frames": 100}, 100, 1.0, 2),  # two cover the clip
    ],
)
def test_what_a_request_says_goes_before_it(zoo, clip, settings, frames, stride, windows):
    zoo.add("quick", views=USUAL)
    one = plan(clip, Request("quick", **settings))
    assert (one.frames, one.stride, len(one.indices)) == (frames, stride, windows)


def test_a_long_clip_is_looked_at_more_often(zoo, clip):
    zoo.add("quick", views=USUAL)
    for seconds, windows in ((25, 3), (41, 4), (60, 6), (600, 10)):
        one = plan(replace(clip, frames=int(seconds * clip.fps)), Request("quick"))
        assert len(one.indices) == windows, seconds


def test_views_of_no_windows_cover_the_clip(zoo, clip):
    zoo.add("quick", views=replace(USUAL, windows=0))
    assert len(plan(clip, Request("quick")).indices) == 10


def test_a_slow_clip_repeats_frames_under_the_views_rate(zoo, clip):
    zoo.add("quick", views=USUAL)
    one = plan(replace(clip, fps=12.5), Request("quick"))
    assert one.stride == 0.5 and "4 of the 8 are repeats" in one.note


def test_i3d_looks_at_one_window_of_32_frames_in_ten_seconds(clip):
    for seconds, windows in ((10, 1), (30, 3)):
        one = plan(replace(clip, frames=int(25 * seconds)), Request("i3d"))
        assert (one.frames, one.stride, one.indices.shape) == (32, 2.0, (windows, 32))


def test_few_windows_cover_a_clip_that_is_barely_longer_than_one(zoo, clip):
    one = plan(clip, Request("first", frames=40, stride=1))
    assert len(one.indices) == 3
    assert len(np.unique(one.indices)) == 120


def test_stride_may_be_fractional(zoo, clip):
    one = plan(clip, Request("first", frames=5, stride=1.5, windows=1))
    assert np.diff(one.indices[0]).tolist() == [1, 2, 1, 2]


def test_a_model_of_differences_reads_one_frame_more(zoo, clip):
    zoo.add("moving", modality="difference")
    one = plan(clip, Request("moving", windows=2))
    assert one.frames == 4 and one.indices.shape == (2, 5)


def test_a_model_of_segments_spreads_its_frames_over_the_whole_clip(zoo, clip):
    zoo.add("spread", sampling="segments")
    one = plan(clip, Request("spread"))
    assert one.indices.tolist() == [[15, 45, 75, 105]]
    assert one.stride == 30
    assert plan(clip, Request("spread", windows=2)).indices.tolist() == [
        [7, 37, 67, 97],
        [22, 52, 82, 112],
    ]


def test_who_states_a_stride_gets_it(zoo, clip):
    zoo.add("spread", sampling="segments")
    one = plan(clip, Request("spread", stride=3, windows=1))
    assert (np.diff(one.indices[0]) == 3).all()


def test_a_model_of_flow_reads_one_frame_more(zoo, clip):
    zoo.add_flow("moving")
    one = plan(clip, Request("moving", windows=2))
    assert one.frames == 4 and one.indices.shape == (2, 5) and one.stride == 2.0
    assert plan(clip, Request("moving", frames=7)).indices.shape[1] == 8


def test_frames_and_flow_keep_in_step(zoo, clip):
    zoo.add_two_stream("both", frames=2, fields=6)
    one = plan(clip, Request("both", windows=1))
    assert one.indices.shape == (1, 7) and one.spec.pictures == (1, 4)
    longer = plan(clip, Request("both", frames=3, windows=1))
    assert longer.indices.shape == (1, 10) and longer.spec.pictures == (1, 4, 7)


def test_a_model_of_flow_refuses_a_single_picture_in_words(zoo, picture_clip):
    zoo.add_flow("moving")
    with pytest.raises(
        ChoiceError, match="Moving looks at optical flow, and this clip is a single"
    ):
        plan(picture_clip, Request("moving"))
    assert plan(picture_clip, Request("first")).frames == 4


def test_whole_numbers_may_come_as_floats(zoo, clip):
    assert plan(clip, Request("first", frames=8.0, windows=2.0)).indices.shape == (2, 8)


@pytest.mark.parametrize(
    "settings",
    [
        {"frames": 0},
        {"frames": -4},
        {"frames": 2.5},
        {"frames": 257},
        {"frames": float("nan")},
        {"frames": "16"},
        {"stride": 0},
        {"stride": -1},
        {"stride": float("inf")},
        {"stride": 1e9},
        {"stride": 1e-320},
        {"stride": 10**400},
        {"windows": 0},
        {"windows": 1001},
        {"windows": 10**400},
        {"windows": float("inf")},
        {"crops": 2},
        {"crops": 0},
    ],
    ids=str,
)
def test_impossible_settings_are_refused_in_one_sentence(zoo, clip, settings):
    with pytest.raises(ChoiceError) as refused:
        plan(clip, Request("first", **settings))
    assert "\n" not in str(refused.value)
    assert str(next(iter(settings.values()))) in str(refused.value)


def test_a_network_of_fixed_length_takes_no_other(zoo, clip):
    zoo.add("fixed", any_frames=False)
    assert plan(clip, Request("fixed", frames=4)).frames == 4
    with pytest.raises(ChoiceError, match="exactly 4 frames per window, not 8"):
        plan(clip, Request("fixed", frames=8))


def test_a_short_clip_says_how_many_frames_are_repeats(zoo, short_clip):
    one = plan(short_clip, Request("first", frames=16, stride=1))
    assert one.note == "The clip has only 3 frames, so 13 of the 16 are repeats of the last."
    assert plan(short_clip, Request("first", frames=3, stride=1)).note == ""


def test_a_stride_below_one_says_that_frames_repeat(zoo, clip):
    note = plan(clip, Request("first", frames=8, stride=0.5, windows=1)).note
    assert "4 of the 8 are repeats" in note and "25 a second" in note


def test_chunks_hold_every_window_once_and_the_frames_it_needs(zoo, clip):
    plans = [
        plan(clip, Request("first", windows=10)),
        plan(clip, Request("second", frames=8, windows=7)),
    ]
    parts = chunks(plans, most_frames=24)
    assert len(parts) > 3
    for which, one in enumerate(plans):
        seen = np.concatenate([part.windows[which] for part in parts])
        assert sorted(seen) == list(range(len(one.indices)))
        for part in parts:
            assert np.isin(one.indices[part.windows[which]], part.frames).all()
    for part in parts:
        assert len(part.frames) <= 24
        assert (np.diff(part.frames) > 0).all()


def test_one_chunk_is_the_union_of_all_frames(zoo, clip):
    plans = [plan(clip, Request("first")), plan(clip, Request("second", windows=3))]
    (only,) = chunks(plans, most_frames=1000)
    assert only.frames.tolist() == sorted({*plans[0].indices.flat, *plans[1].indices.flat})


def test_a_window_larger_than_a_chunk_is_read_alone(zoo, clip):
    parts = chunks([plan(clip, Request("first", frames=32, stride=1, windows=3))], most_frames=8)
    assert [len(part.frames) for part in parts] == [32, 32, 32]


def test_a_variable_rate_is_said_and_windows_lie_where_new_frames_are(zoo, clip):
    """A burst of 20 frames in a clip of 120 that else shows a still a second."""
    fresh = (0, 25, *range(50, 70), 95)
    source = replace(clip.source, variable_rate=True)
    uneven = replace(clip, fresh=fresh, source=source)
    one = plan(uneven, Request("first", frames=8, stride=1, windows=3))
    assert one.indices.shape == (3, 8)
    assert one.indices.min() >= 45 and one.indices.max() <= 75
    assert "variable rate" in one.note and "of 8 shows" in one.note
    alone = plan(uneven, Request("first", frames=8, stride=1, windows=1)).indices[0]
    assert set(alone) <= set(fresh)
    zoo.add("spread", sampling="segments")
    assert set(plan(uneven, Request("spread")).indices.ravel()) <= set(fresh)
    assert plan(replace(clip, fresh=None), Request("first")).note == ""


def test_gaps_are_said_where_a_window_meets_them(zoo, clip):
    damaged = replace(clip, fresh=(*range(50), *range(54, clip.frames)))
    wide = Request("first", frames=32, stride=1, windows=1)
    assert "has gaps" in plan(damaged, wide).note and "32 shows 2" in plan(damaged, wide).note
    assert plan(damaged, Request("first", frames=4, stride=1, windows=2)).note == ""
