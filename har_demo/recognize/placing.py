"""Where windows begin for publishers that place them in ways of their own, beside those of clips/sampling.py.

'pyslowfast-offset'  steps of whole frames, one fewer than windows (PySlowFast, USE_OFFSET_SAMPLING)
'tsm'                pieces of frames · stride frames, 64 of them, the clip begun again where it is
                     shorter (mmaction2's DenseSampleFrames)
"""

import numpy as np

from har_demo.clips import sampling
from har_demo.clips.sampling import Sampling


def indices(count: int, way: Sampling) -> np.ndarray:
    """Return frame indices of every window, int64 [windows, T], of a clip of `count` frames.

    >>> indices(300, Sampling("dense", 8, 8.0, 3, "tsm"))[:, 0].tolist()
    [0, 118, 236]
    """
    if way.kind == "dense" and way.placing == "tsm":
        piece = round(way.frames * way.stride)
        starts = np.linspace(0, max(count - piece, 0), way.windows, dtype=int)
        steps = np.floor(np.arange(way.frames) * way.stride + 1e-6)
        return ((starts[:, None] + steps) % count).astype(np.int64)
    if way.kind == "dense" and way.placing == "pyslowfast-offset":
        room = max(count - sampling.span(way.frames, way.stride), 0)
        step = room // (way.windows - 1) if way.windows > 1 else 0
        first = 0 if way.windows > 1 else room // 2
        begins = [first + number * step for number in range(way.windows)]
        return np.stack([sampling.dense(count, way.frames, way.stride, at) for at in begins])
    return sampling.indices(count, way)
