"""Random access to the frames of an ingested clip.

decord reads the copies. Where its wheel is missing (ARM, macOS) or it fails, PyAV reads the same copy:
the same frames, pixel for pixel, through the same function.
"""

import logging
from collections.abc import Iterator

import av
import numpy as np

from har_demo.clips.cache import cached_clip
from har_demo.clips.clip import Clip
from har_demo.errors import ClipError

# One batch also holds every frame that lies between those asked for, until it is done; in batches
# of 32, reading 272 frames out of 3,000 takes 276 MB at its peak instead of 696, and no longer.
AT_ONCE = 32

log = logging.getLogger(__name__)


def read_frames(clip: Clip, indices: np.ndarray) -> np.ndarray:
    """The frames of a clip at `indices` (int64 [N], any order, repeats allowed).

    Returns:
        uint8 [N, H, W, 3], RGB.

    Raises:
        ValueError: an index is outside the clip, which is a mistake in the program.
        ClipError: the copy has gone from the cache or was changed.
    """
    indices = np.asarray(indices, dtype=np.int64)
    if indices.size == 0 or indices.min() < 0 or indices.max() >= clip.frames:
        raise ValueError(f"the clip has frames 0 to {clip.frames - 1}, asked for were {indices}")
    wanted, places = np.unique(indices, return_inverse=True)
    frames = np.empty((len(wanted), clip.height, clip.width, 3), np.uint8)
    try:
        if not _with_decord(clip, wanted, frames):
            _with_pyav(clip, wanted, frames)
    except (av.FFmpegError, RuntimeError, OSError) as error:
        if cached_clip(clip.sha256) is not None:
            raise  # the copy is as we made it, so that reading it should not fail
        raise ClipError(f"{clip.source.name} is no longer kept here: upload it again.") from error
    return frames if np.array_equal(wanted, indices) else frames[places]


def _with_decord(clip: Clip, wanted: np.ndarray, frames: np.ndarray) -> bool:
    """Read frames (ascending, different) into an array; False where decord is missing or fails."""
    # decord before torch can crash where CUDA is in use, so torch comes first, and both come late.
    import torch  # noqa: F401

    try:
        from decord import DECORDError, VideoReader, cpu
    except (ImportError, OSError, RuntimeError):
        return False
    try:
        # More threads than one cost more than they give: the copies are small.
        reader = VideoReader(str(clip.path), ctx=cpu(0), num_threads=1)
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            frames[start : start + len(some)] = reader.get_batch(some).asnumpy()
        del reader  # an open reader keeps what it decoded
    except (DECORDError, RuntimeError, ValueError) as error:
        log.info("decord cannot read %s, PyAV does: %s", clip.path, error)
        return False
    return True


def _with_pyav(clip: Clip, wanted: np.ndarray, frames: np.ndarray) -> None:
    """The same with PyAV: from the key frame before each run of frames on.

    Raises:
        av.FFmpegError, OSError: the copy cannot be read.
        RuntimeError: it has fewer frames than the clip.
    """
    with av.open(str(clip.path)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate and stream.time_base  # we wrote the copy
        tick = 1 / (stream.average_rate * stream.time_base)  # of the time base, a frame
        place, reached = 0, -AT_ONCE - 1
        decoded: Iterator[av.VideoFrame] = iter(())
        while place < len(wanted):
            want = int(wanted[place])
            if want > reached + AT_ONCE:
                container.seek(round(want * tick), stream=stream)
                decoded = container.decode(stream)
            frame = next(decoded, None)
            if frame is None or frame.pts is None:
                raise RuntimeError(f"{clip.path} has no frame {want}")
            reached = round(frame.pts / tick)
            if reached == want:
                frames[place] = frame.to_ndarray(format="rgb24")
                place += 1
