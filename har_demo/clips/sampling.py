"""Choice of the frames that a model looks at: pure functions from numbers to frame indices.

All take `count`, the number of frames the clip has, and give int64 indices in [0, count - 1]. In
the pictures a digit is a frame that is read and a dot is one that is skipped.

    dense       ....0.1.2.3.......    one moment, at a fixed distance: what most 3D networks want
    uniform     0....1.....2.....3    the whole clip, first and last frame included
    segments    ..0....1...2....3.    the whole clip, the centre of each equal part (TSN)
    windows     0.1.2.3...            several dense windows, the first at the start,
                      0.1.2.3         the last at the end of the clip

Where the rate of the film varies, most frames of the clip may repeat the one before (Clip.fresh). Windows
still follow the clock, so that a pause is a pause; `lively_windows` starts them where something new is
shown, and `spread_fresh` spreads over new frames alone.

A clip shorter than a window is not an error: indices past the end become the last frame. Whoever
shows the result must say how many distinct frames there were.

Publishers of weights place several windows each in a way of their own, and their accuracies are of
those; see `windows`.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from har_demo.models.card import Placing


@dataclass(frozen=True)
class Sampling:
    """A way to choose frames of a clip.

    Attributes:
        kind: 'dense', 'uniform' or 'segments', as drawn in this module's docstring.
        frames: frames of one window, T.
        stride: distance between the frames of a dense window, in frames; may be fractional.
        windows: how many windows; see `indices` for what that means to each kind.
        placing: where several windows begin; see `windows`.
    """

    kind: Literal["dense", "uniform", "segments"]
    frames: int
    stride: float = 1.0
    windows: int = 1
    placing: Placing = "even"


def indices(count: int, sampling: Sampling) -> np.ndarray:
    """Return frame indices of every window, int64 [windows, T].

    Several windows are spread over the clip when dense. When uniform, the clip is cut into as many
    equal pieces and each is sampled by itself. With segments, window v of V takes the frame
    (v + 1/2) / V of the way through every segment, so the windows interleave; as mmaction2 and the
    authors of TSM test, the first of two takes the centres of the segments and the second their starts.

    >>> indices(10, Sampling("dense", frames=3, stride=2, windows=2)).tolist()
    [[0, 2, 4], [5, 7, 9]]
    >>> indices(12, Sampling("segments", frames=3, windows=2)).tolist()
    [[1, 5, 9], [3, 7, 11]]
    """
    if sampling.kind == "dense":
        return windows(count, sampling.frames, sampling.stride, sampling.windows, sampling.placing)
    _check(count, sampling.frames, sampling.stride, sampling.windows)
    if sampling.kind == "uniform":
        edges = np.linspace(0, count, sampling.windows + 1).astype(np.int64)
        edges[:-1] = np.minimum(edges[:-1], count - 1)  # pieces of an over-short clip keep a frame
        return np.stack(
            [
                start + uniform(max(end - start, 1), sampling.frames)
                for start, end in itertools.pairwise(edges)
            ]
        )
    if sampling.kind == "segments":
        within = (np.arange(sampling.windows)[:, None] + 0.5) / sampling.windows
        if sampling.placing == "mmaction2" and sampling.windows == 2:
            within = np.array([[0.5], [0.0]])
        return _clamp((np.arange(sampling.frames) + within) * count / sampling.frames, count)
    raise ValueError(f"no sampling is called {sampling.kind!r}")


def dense(count: int, frames: int, stride: float = 1.0, start: float = 0.0) -> np.ndarray:
    """Frames at a fixed distance from `start` on, int64 [T].

    A fractional stride takes the frame that is on screen at each moment.

    >>> dense(100, frames=4, stride=2, start=10).tolist()
    [10, 12, 14, 16]
    >>> dense(100, frames=5, stride=1.5).tolist()
    [0, 1, 3, 4, 6]
    >>> dense(3, frames=5).tolist()
    [0, 1, 2, 2, 2]
    """
    _check(count, frames, stride)
    return _clamp(start + np.arange(frames) * stride, count)


def uniform(count: int, frames: int) -> np.ndarray:
    """Frames spread over the whole clip, both ends included, int64 [T]; one frame is the middle.

    >>> uniform(10, frames=4).tolist()
    [0, 3, 6, 9]
    >>> uniform(3, frames=6).tolist()
    [0, 0, 1, 1, 2, 2]
    """
    _check(count, frames)
    if frames == 1:
        return _clamp(np.array([(count - 1) / 2]), count)
    # Rounding half up: numpy's own rounding goes to even numbers and would space frames unevenly.
    return _clamp(np.linspace(0, count - 1, frames) + 0.5, count)


def segments(count: int, frames: int) -> np.ndarray:
    """The clip in `frames` equal segments, the centre of each, int64 [T].

    This is the test-time sampling of temporal segment networks.

    >>> segments(12, frames=3).tolist()
    [2, 6, 10]
    """
    return indices(count, Sampling("segments", frames))[0]


def windows(
    count: int, frames: int, stride: float, windows: int, placing: Placing = "even"
) -> np.ndarray:
    """Dense windows spread over the clip, int64 [windows, T].

    The first starts with the clip and the last ends with it; a single window is centred.

    >>> windows(12, frames=4, stride=1, windows=3).tolist()
    [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    >>> windows(12, frames=4, stride=1, windows=1).tolist()
    [[4, 5, 6, 7]]

    Args:
        placing: 'even' takes the frame that is on screen where a window begins. The others do as a
            publisher's code does when it tests:

            'mmaction2' rounds to the nearest frame, and starts again with the first frame of a clip that
            is too short (SampleFrames); 'pyslowfast' cuts the clip into as many equal steps as windows,
            so that the last ends a step before the clip does, and starts between frames
            (get_start_end_idx); 'torchvision' starts at every stride-th frame only (VideoClips,
            UniformClipSampler).
    """
    _check(count, frames, stride, windows)
    room = max(count - span(frames, stride), 0)
    if placing == "mmaction2":
        starts = np.round(np.linspace(0, room, windows)) if windows > 1 else [room // 2]
        steps = np.floor(np.arange(frames) * stride + 1e-6)
        return ((np.asarray(starts)[:, None] + steps) % count).astype(np.int64)
    if placing == "pyslowfast":
        starts = room * np.arange(windows) / windows
    elif placing == "torchvision":
        places = (
            math.floor((count - 1) / stride + 1e-6) + 1 - frames
        )  # the last window's, in strides
        starts = np.floor(np.linspace(0, max(places, 0), windows)) * stride
    else:
        starts = np.linspace(0, room, windows) if windows > 1 else np.array([room / 2])
        starts = np.floor(starts)
    return np.stack([dense(count, frames, stride, float(start)) for start in starts])


def lively_windows(
    fresh: np.ndarray, count: int, frames: int, stride: float, most: int, exactly: bool
) -> np.ndarray:
    """Dense windows where frames of their own are, int64 [windows, T].

    A window may start wherever it has at least half as many new frames as the liveliest one;
    these places are treated as `windows` treats the whole clip.

    Args:
        fresh: int64 [N], ascending, the frames that show a new picture.
        count, frames, stride: as for `windows`.
        most: how many windows.
        exactly: whether there must be so many, or only as many as cover these places.

    >>> lively_windows(np.array([0, 10, 11, 12, 13, 20]), 30, 4, 1, 1, exactly=True).tolist()
    [[10, 11, 12, 13]]
    """
    _check(count, frames, stride, most)
    room = max(count - span(frames, stride), 0)
    starts = np.arange(room + 1)
    shown = np.searchsorted(
        fresh, _clamp(starts[:, None] + np.arange(frames) * stride, count), "right"
    )
    own = np.isin(starts, fresh) + (np.diff(shown, axis=1) > 0).sum(axis=1)
    places = starts[2 * own >= own.max()]
    number = most
    if not exactly:
        number = min(most, covering(len(places) + span(frames, stride) - 1, frames, stride))
    if number == 1 and len(places) < len(starts):
        places = starts[own == own.max()]  # the middle of all may just miss what happens
    chosen = np.linspace(0, len(places) - 1, number) if number > 1 else [(len(places) - 1) / 2]
    return np.stack([dense(count, frames, stride, int(places[math.floor(at)])) for at in chosen])


def spread_fresh(fresh: np.ndarray, sampling: Sampling) -> np.ndarray:
    """`indices` over the frames that show a new picture, as if there were no others: int64 [windows, T].

    >>> spread_fresh(np.array([0, 10, 11, 12, 13, 20]), Sampling("segments", frames=3)).tolist()
    [[10, 12, 20]]
    """
    return fresh[indices(len(fresh), sampling)]


def covering(count: int, frames: int, stride: float) -> int:
    """Return how many windows leave no gap wider than the stride, from the first frame to the last.

    >>> covering(12, frames=4, stride=1), covering(13, frames=4, stride=1)
    (3, 4)
    >>> covering(5, frames=16, stride=2)
    1
    """
    _check(count, frames, stride)
    return 1 + max(0, math.ceil((count - span(frames, stride)) / (frames * stride)))


def span(frames: int, stride: float) -> int:
    """Return how many frames of the clip a dense window reaches over, ends included.

    >>> span(16, 2), span(3, 1.5)
    (31, 4)
    """
    return math.floor((frames - 1) * stride) + 1


def _clamp(positions: np.ndarray, count: int) -> np.ndarray:
    """Real positions to the index of the frame each falls in, held inside the clip."""
    # Six times a stride of 1/6 is a hair under one: without the allowance it would be frame 0.
    return np.clip(np.floor(positions + 1e-6), 0, count - 1).astype(np.int64)


def _check(count: int, frames: int, stride: float = 1.0, windows: int = 1) -> None:
    if count < 1 or frames < 1 or windows < 1:
        raise ValueError(f"count, frames and windows are at least 1: {count}, {frames}, {windows}")
    if not 0 < stride < math.inf:
        raise ValueError(f"a stride is a positive number of frames, not {stride}")
