"""Optical flow of all footage, computed once on all processor cores and kept as bytes.

    footage ──fields_of: one field for every frame──▶ int8 ──fields_at: a window──▶ pixels a step

It is the flow that recognition computes (har_demo.flow.views). A window may begin anywhere, so there is
a field from every frame to the one a step later, where a step is what the network takes: an eighth of a
second is 3.125 frames of 25, and the flow of 3 frames is stretched to that.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from har_demo.flow.views import fields
from har_demo.models.tiny import TINY_FLOW
from har_demo.research.training.recognition.data import VideoDataset

STEP = 1 / 8  # pixels that 1 stands for: up to 15.9 are kept, finer than flow is right
AT_ONCE = 24  # clips that a process is handed


@contextmanager
def all_cores() -> Iterator[Callable]:
    """A `map` over all processor cores; the processes import torch once for all files."""
    cores = len(os.sched_getaffinity(0))
    if cores <= 1:
        yield map
        return
    with ProcessPoolExecutor(cores, get_context("spawn"), quietly) as pool:
        yield pool.map


def fields_of(file: Path, fps: float, mapped: Callable = map) -> Tensor:
    """int8 [N, 2, 112, 112] for the N frames of a file of footage: what `VideoDataset.fields` holds.

    Args:
        fps: steps a second.
        mapped: as `map`, or that of `all_cores`.
    """
    footage = VideoDataset.read(file)
    clips = range(len(footage.count))
    jobs = [clips[i : i + AT_ONCE] for i in range(0, len(clips), AT_ONCE)]
    compute = partial(_several, file, fps)
    found = torch.zeros(len(footage.frames), 2, *TINY_FLOW.crop, dtype=torch.int8)
    _put(found, mapped(compute, jobs))
    return found


def fields_at(footage: VideoDataset, clips: Tensor, positions: Tensor, fps: float) -> Tensor:
    """The fields between neighbouring frames of windows: float [B, T, 2, 112, 112], pixels.

    Faster windows have longer vectors. In windows that run backwards the field that ends where one
    begins stands for it, turned round: exact for what moves as a whole, and otherwise shifted by its own
    motion.

    Args:
        clips: int64 [B], of which clips.
        positions: int64 [B, T + 1], places in `footage.frames`.
        fps: as given to `fields_of`.
    """
    ahead = positions.diff(dim=1)
    backwards = positions[:, -1] < positions[:, 0]
    begin = torch.minimum(positions[:, 1:], positions[:, :-1])
    steps = ahead.abs()
    # Where a window ran past the end of its clip the last frame repeats, which is no slower motion.
    pace = steps.sum(1) / steps.count_nonzero(1).clamp(min=1) * fps / footage.fps[clips]
    pace = torch.where(backwards, -pace, pace)
    scale = pace[:, None] * (steps > 0) * STEP
    return footage.fields[begin].float() * scale[..., None, None, None]


def resized(found: Tensor, size: tuple[int, int]) -> Tensor:
    """Fields [B, T, 2, h, w] on a grid of another size, in its pixels."""
    height, width = found.shape[-2:]
    if (height, width) == size:
        return found
    scale = found.new_tensor([size[1] / width, size[0] / height]).view(2, 1, 1)
    small = F.interpolate(found.flatten(0, 1), size, mode="bilinear", antialias=True)
    return small.unflatten(0, found.shape[:2]) * scale


def _several(file: Path, fps: float, clips: Sequence[int]) -> np.ndarray:
    """int8 [N, 2, 112, 112] for the N frames of some clips that follow each other."""
    footage = VideoDataset.read(file)
    found = []
    for clip in clips:
        first, count = int(footage.first[clip]), int(footage.count[clip])
        frames = footage.frames[first : first + count].permute(0, 2, 3, 1).contiguous()
        found.append(_clip(frames.numpy(), float(footage.fps[clip]) / fps))
    return np.concatenate(found)


def _clip(frames: np.ndarray, step: float) -> np.ndarray:
    """int8 [T, 2, 112, 112] of one clip; nothing follows the last frame."""
    begin = np.arange(len(frames) - 1)
    end = np.minimum(begin + max(round(step), 1), len(frames) - 1)
    if not len(begin):
        return np.zeros((len(frames), 2, *TINY_FLOW.crop), np.int8)
    pairs = np.stack([begin, end], axis=1)
    found = fields(frames, pairs, step / (end - begin), TINY_FLOW)[0]
    kept = (found / STEP).round().clamp(-127, 127).to(torch.int8)
    return torch.cat([kept, torch.zeros_like(kept[:1])]).numpy()


def _put(found: Tensor, parts: Iterable[np.ndarray]) -> None:
    """One part after the other, as clips follow each other in footage."""
    first = 0
    for part in parts:
        found[first : first + len(part)] = torch.from_numpy(part)
        first += len(part)


def quietly() -> None:
    """A process is a core; more threads would wait for each other."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
