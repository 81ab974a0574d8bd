"""Frames become a video that every browser plays: H.264, yuv420p, faststart mp4."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    import numpy as np

X264 = {
    "crf": "20",  # hard to tell from the source
    "preset": "superfast",
    "tune": "fastdecode",
    "bf": "0",  # B-frames need an edit list in mp4, at which some readers miscount
    "g": "12",  # a keyframe this often makes jumping to any frame cheap
    "threads": "1",  # small pictures: more threads cost more than they give
}


def open_mp4(path: Path | str) -> av.container.OutputContainer:
    """An mp4 file to write to, its index placed in front so that it plays while it loads."""
    return av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})


def add_h264(
    container: av.container.OutputContainer, fps: Fraction, width: int, height: int
) -> av.VideoStream:
    """A constant-rate H.264 stream in `container`; width and height must be even."""
    stream = container.add_stream("libx264", rate=fps, options=X264)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.time_base = stream.codec_context.time_base = 1 / fps
    return stream


def write_video(path: Path | str, frames: "Iterable[np.ndarray]", fps: float) -> None:
    """Write frames, one at a time, as a video of `fps` frames per second.

    Args:
        path: where to write; the name should end in '.mp4'.
        frames: uint8 [H, W, 3] RGB, all of one size. An odd side gains a copy of its last pixels.

    Raises:
        ValueError: there are no frames, or they differ in size.
    """
    import numpy as np  # late, as ingest starts a process that has no need of it

    rate = Fraction(fps).limit_denominator(10_000)
    stream = None
    with open_mp4(path) as container:
        for number, frame in enumerate(frames):
            height, width = frame.shape[:2]
            frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            if stream is None:
                stream = add_h264(container, rate, frame.shape[1], frame.shape[0])
            if (stream.height, stream.width) != frame.shape[:2]:
                raise ValueError(f"frame {number} is {width}×{height}, unlike those before it")
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = number, 1 / rate
            container.mux(stream.encode(picture))
        if stream is None:
            raise ValueError("a video needs at least one frame")
        container.mux(stream.encode(None))
