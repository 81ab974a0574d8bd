"""A stretch of a clip, decoded once and kept, to be shown to models in many ways."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from har_demo.clips.clip import Clip
from har_demo.clips.frames import AT_ONCE, read_frames
from har_demo.errors import ChoiceError

MOST_SECONDS = 10.0
MOST_BYTES = 192 * 2**20


@dataclass(frozen=True)
class Film:
    """Some seconds of a clip.

    Attributes:
        source: the whole clip.
        start: number of the first frame in the whole clip.
        frames: uint8 [T, H, W, 3], RGB.
    """

    source: Clip
    start: int
    frames: np.ndarray

    @property
    def clip(self) -> Clip:
        """The stretch as if it were a clip of its own; its frames are here, not in its file."""
        return replace(self.source, frames=len(self.frames))

    @property
    def seconds(self) -> tuple[float, float]:
        """Where it begins and ends in the whole clip."""
        return self.start / self.source.fps, (self.start + len(self.frames)) / self.source.fps

    def read(self, clip: Clip, indices: np.ndarray) -> np.ndarray:
        """The stretch's frames, as `har_demo.recognize.recognize.answers` asks for them."""
        return self.frames[indices]


def stretch(clip: Clip, start: float = 0.0) -> tuple[int, int]:
    """Which frames `film` takes: the first and how many.

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
    return first, max(1, min(clip.frames - first, most))


def film(
    clip: Clip, start: float = 0.0, on_progress: Callable[[float], None] = lambda done: None
) -> Film:
    """At most ten seconds of a clip from `start` (seconds) on; fewer where frames are very large.

    Raises:
        ChoiceError: the clip is over before it starts.
        ClipError: the clip's copy cannot be read any more.
    """
    first, count = stretch(clip, start)
    frames = np.empty((count, clip.height, clip.width, 3), np.uint8)
    for done in range(0, count, AT_ONCE * 4):
        some = np.arange(done, min(done + AT_ONCE * 4, count))
        frames[some] = read_frames(clip, first + some)
        on_progress((some[-1] + 1) / count)
    return Film(clip, first, frames)
