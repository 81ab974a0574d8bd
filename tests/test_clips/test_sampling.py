import doctest

import numpy as np
import pytest

from har_demo.clips import probe, sampling, transcode
from har_demo.clips.sampling import Sampling, covering, dense, indices, segments, span, uniform


@pytest.mark.parametrize("module", [sampling, probe, transcode])
def test_examples_in_docstrings_hold(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 100, 12345])
@pytest.mark.parametrize("kind", ["dense", "uniform", "segments"])
@pytest.mark.parametrize(
    "frames, stride, windows", [(1, 1, 1), (16, 2, 1), (8, 2.5, 3), (32, 4, 10)]
)
def test_every_sampling_stays_inside_any_clip(kind, count, frames, stride, windows):
    found = indices(count, Sampling(kind, frames, stride, windows))
    assert found.shape == (windows, frames)
    assert found.dtype == np.int64
    assert found.min() >= 0
    assert found.max() <= count - 1
    assert (np.diff(found, axis=1) >= 0).all()


def test_a_short_clip_gives_all_its_frames_before_it_repeats_the_last():
    assert dense(3, frames=6).tolist() == [0, 1, 2, 2, 2, 2]
    for kind in ("dense", "uniform", "segments"):
        assert set(indices(3, Sampling(kind, frames=8))[0]) == {0, 1, 2}


def test_fractional_strides_do_not_drift():
    assert (dense(10_000, frames=601, stride=1 / 6)[::6] == np.arange(101)).all()
    assert dense(100, frames=5, stride=2.5, start=10).tolist() == [10, 12, 15, 17, 20]


def test_uniform_holds_both_ends_and_segments_their_centres():
    assert uniform(300, 8).tolist()[::7] == [0, 299]
    assert np.ptp(np.diff(uniform(300, 8))) <= 1
    assert segments(300, 3).tolist() == [50, 150, 250]
    assert uniform(9, 1).tolist() == segments(9, 1).tolist() == [4]


@pytest.mark.parametrize("count", [31, 32, 100, 299, 300])
@pytest.mark.parametrize("frames, stride", [(16, 2), (8, 3.5), (16, 1)])
def test_covering_windows_leave_no_gap_and_one_fewer_would(count, frames, stride):
    enough = covering(count, frames, stride)

    def widest_gap(windows):
        seen = np.unique(sampling.windows(count, frames, stride, windows))
        return np.diff(seen).max()

    found = sampling.windows(count, frames, stride, enough)
    assert widest_gap(enough) <= np.ceil(stride)
    if enough > 1:
        assert found[0, 0] == 0
        assert count - 1 - found[-1, -1] < 1  # the last window ends with the clip
    if enough > 2:
        assert widest_gap(enough - 1) > stride


def test_one_window_is_centred_and_several_are_spread_evenly():
    assert sampling.windows(100, 16, 2, 1)[0, 0] == (100 - span(16, 2)) // 2
    starts = sampling.windows(100, 16, 2, 4)[:, 0]
    assert starts.tolist() == [0, 23, 46, 69]


@pytest.mark.parametrize(
    "bad", [{"count": 0}, {"frames": 0}, {"stride": 0}, {"stride": float("nan")}, {"windows": 0}]
)
def test_senseless_numbers_are_a_mistake_of_the_program(bad):
    numbers = {"count": 10, "frames": 4, "stride": 1.0, "windows": 2, **bad}
    with pytest.raises(ValueError, match=r"at least 1|positive"):
        sampling.windows(**numbers)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="random"):
        indices(10, Sampling("random", 4))


def test_windows_of_a_variable_rate_lie_where_new_frames_are():
    """A still a second, two seconds of 30 new frames, and stills again, at 30 frames a second."""
    fresh = np.array([*range(0, 300, 30), *range(300, 360), *range(360, 660, 30)])
    for count in (1, 2, 5):
        found = sampling.lively_windows(fresh, 660, 16, 2, count, exactly=True)
        assert found.shape == (count, 16) and (np.diff(found, axis=1) == 2).all()
        own = [len(np.unique(np.searchsorted(fresh, window, "right"))) for window in found]
        assert min(own) >= 8, "at least half of the sixteen"
    (one,) = sampling.lively_windows(fresh, 660, 16, 2, 1, exactly=True)
    assert one[0] >= 299 and one[-1] <= 361
    few = sampling.lively_windows(fresh, 660, 16, 2, 10, exactly=False)
    assert 1 < len(few) < 5 and sampling.covering(660, 16, 2) > 10


def test_where_every_frame_is_new_windows_are_those_of_a_constant_rate():
    for count, windows in ((100, 1), (100, 4), (10, 2)):
        usual = sampling.windows(count, 16, 2, windows)
        assert (
            sampling.lively_windows(np.arange(count), count, 16, 2, windows, exactly=True) == usual
        ).all()


def test_spread_sampling_of_a_variable_rate_repeats_no_held_frame():
    fresh = np.array([0, 100, *range(200, 206)])
    found = sampling.spread_fresh(fresh, Sampling("segments", 8))
    assert found.tolist() == [fresh.tolist()]
