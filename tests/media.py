"""Clips made on the spot, for every test that needs a video file."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import av
import numpy as np

from har_demo.research.people.shoot import ShotSettings, frames, take

_BITS = 12  # a test card counts to 4095


def numbered_frames(count: int, size: tuple[int, int] = (192, 144)) -> np.ndarray:
    """Frames that say their own number: a moving colour gradient over a row of binary squares.

    Args:
        count: number of frames, at most 4096.
        size: (width, height) in pixels, at least 96 wide for `frame_number` to survive coding.

    Returns:
        uint8 [count, height, width, 3], RGB.
    """
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    frames = np.empty((count, height, width, 3), np.uint8)
    for number, frame in enumerate(frames):
        frame[..., 0] = 60 + 120 * x // width
        frame[..., 1] = 60 + 120 * y // height
        frame[..., 2] = 60 + (x + 4 * number) % 120
        for bit in range(_BITS):
            on = number >> bit & 1
            frame[: height // 4, width * bit // _BITS : width * (bit + 1) // _BITS] = 255 * on
    return frames


def frame_number(frame: np.ndarray) -> int:
    """The number that a frame of `numbered_frames` carries, also after recoding and rescaling."""
    height, width = frame.shape[:2]
    row = frame[height // 8].mean(axis=-1)
    return sum(int(row[int(width * (bit + 0.5) / _BITS)] > 127) << bit for bit in range(_BITS))


def write(
    path: Path,
    frames: Iterable[np.ndarray],
    fps: int = 25,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    **options: str,
) -> Path:
    """Encodes RGB frames; the container follows from the file's suffix, `options` go to the codec."""
    with av.open(str(path), "w") as container:
        stream = None
        for frame in frames:
            if stream is None:
                stream = container.add_stream(codec, rate=fps, options=options)
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = pixels
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


@cache
def acted(
    action: str,
    seed: int = 0,
    seconds: float = 2.0,
    fps: float = 25,
    size: tuple[int, int] = (128, 96),
) -> np.ndarray:
    """A rendered person doing something by daylight, uint8 [T, height, width, 3]; made once."""
    look = ShotSettings(dark=False, calm=True, aspect=size[0] / size[1])
    clip = frames(take(action, seed, seconds, fps, look), size, samples=1)
    clip.flags.writeable = False
    return clip


def figure_clip(path: Path, action: str = "wave_both_hands", seed: int = 0) -> Path:
    """`acted` as a file."""
    return write(path, acted(action, seed))
