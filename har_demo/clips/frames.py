"""Random access to the frames of an ingested clip."""

import numpy as np

from har_demo.clips.clip import Clip


def read_frames(clip: Clip, indices: np.ndarray) -> np.ndarray:
    """The frames of a clip at `indices` (int64 [N], any order, repeats allowed).

    Returns:
        uint8 [N, H, W, 3], RGB.

    Raises:
        ValueError: an index is outside the clip, which is a mistake in the program.
    """
    # decord before torch can crash where CUDA is in use, so torch comes first, and both come late.
    import torch  # noqa: F401
    from decord import VideoReader, cpu  # isort: skip

    indices = np.asarray(indices, dtype=np.int64)
    if indices.size == 0 or indices.min() < 0 or indices.max() >= clip.frames:
        raise ValueError(f"frames 0 to {clip.frames - 1} exist, {indices} was asked for")
    wanted, places = np.unique(indices, return_inverse=True)
    reader = VideoReader(str(clip.path), ctx=cpu(0), num_threads=2)
    frames = reader.get_batch(wanted).asnumpy()
    del reader  # an open reader keeps decoded frames, gigabytes of them for a large video
    return frames if len(wanted) == len(indices) else frames[places]
