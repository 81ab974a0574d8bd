"""Random access to the frames of an ingested clip."""

import numpy as np

from har_demo.clips.cache import cached_clip
from har_demo.clips.clip import Clip
from har_demo.errors import ClipError

# One batch also holds every frame that lies between those asked for, until it is done; in batches
# of 32, reading 272 frames out of 3,000 takes 276 MB at its peak instead of 696, and no longer.
AT_ONCE = 32


def read_frames(clip: Clip, indices: np.ndarray) -> np.ndarray:
    """The frames of a clip at `indices` (int64 [N], any order, repeats allowed).

    Returns:
        uint8 [N, H, W, 3], RGB.

    Raises:
        ValueError: an index is outside the clip, which is a mistake in the program.
        ClipError: the copy has gone from the cache or was changed.
    """
    # decord before torch can crash where CUDA is in use, so torch comes first, and both come late.
    import torch  # noqa: F401
    from decord import DECORDError, VideoReader, cpu

    indices = np.asarray(indices, dtype=np.int64)
    if indices.size == 0 or indices.min() < 0 or indices.max() >= clip.frames:
        raise ValueError(f"the clip has frames 0 to {clip.frames - 1}, asked for were {indices}")
    wanted, places = np.unique(indices, return_inverse=True)
    try:
        # More threads than one cost more than they give: the copies are small.
        reader = VideoReader(str(clip.path), ctx=cpu(0), num_threads=1)
        frames = np.empty((len(wanted), clip.height, clip.width, 3), np.uint8)
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            frames[start : start + len(some)] = reader.get_batch(some).asnumpy()
        del reader  # an open reader keeps what it decoded
    except (DECORDError, RuntimeError) as error:
        if cached_clip(clip.sha256) is not None:
            raise  # the copy is as we made it, so that reading it should not fail
        raise ClipError(f"{clip.source.name} is no longer kept here: upload it again.") from error
    return frames if np.array_equal(wanted, indices) else frames[places]
