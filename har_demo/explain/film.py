"""A stretch of a clip, decoded once and kept, to be shown to models in many ways."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from har_demo.clips.clip import Clip
from har_demo.clips.frames import AT_ONCE, read_frames
from har_demo.errors import ChoiceError

MOST_SECONDS = 10.0
MOST_BYTES = 192 * 2**20


@dataclass(frozen=True)
class Stretch:
    """Some seconds of a clip: `count` frames from number `start` on."""

    source: Clip
    start: int
    count: int

    @property
    def clip(self) -> Clip:
        """The stretch as if it were a clip of its own; its frames are not in the clip's file."""
        return self.source.part(self.start, self.count)

    @property
    def seconds(self) -> tuple[float, float]:
        """(start, end) in the whole clip."""
        return self.start / self.source.fps, (self.start + self.count) / self.source.fps


@dataclass(frozen=True)
class Excerpt:
    """A stretch and its frames, uint8 [T, H, W, 3], RGB."""

    stretch: Stretch
    frames: np.ndarray

    @property
    def clip(self) -> Clip:
        """See Stretch."""
        return self.stretch.clip

    def read(self, clip: Clip, indices: np.ndarray) -> np.ndarray:
        """The stretch's frames, as `har_demo.recognize.recognize.answers` asks for them."""
        return self.frames[indices]


def stretch(clip: Clip, start: float = 0.0) -> Stretch:
    """At most ten seconds of a clip from `start` (seconds) on; fewer where frames are very large.

    Raises:
        ChoiceError: the clip is over before it starts.
    """
    usable = isinstance(start, int | float) and not isinstance(start, bool)
    if not usable or not 0 <= start < clip.duration:
        raise ChoiceError(
            f"The clip lasts {clip.duration:.1f} s: start somewhere from 0 s on, not at {start} s."
        )
    first = min(int(start * clip.fps + 1e-6), clip.frames - 1)
    most = min(round(MOST_SECONDS * clip.fps), MOST_BYTES // (clip.width * clip.height * 3))
    return Stretch(clip, first, max(1, min(clip.frames - first, most)))


def film(
    clip: Clip, start: float = 0.0, on_progress: Callable[[float], None] = lambda done: None
) -> Excerpt:
    """The frames of `stretch(clip, start)`.

    Raises:
        ChoiceError: the clip is over before it starts.
        ClipError: the clip's copy cannot be read any more.
    """
    part = stretch(clip, start)
    frames = np.empty((part.count, clip.height, clip.width, 3), np.uint8)
    for done in range(0, part.count, AT_ONCE):
        some = np.arange(done, min(done + AT_ONCE, part.count))
        frames[some] = read_frames(clip, part.start + some)
        on_progress((some[-1] + 1) / part.count)
    return Excerpt(part, frames)
