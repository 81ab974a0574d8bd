"""Clips decoded and prepared ahead of the networks, each once for all models that are asked about it.

    open ──plan──▶ frames of all models ──decode once──▶ prepare ──▶ Prepared, a model each

A clip is prepared in another process where there are many, and in a thread where there are few or where
frames come from a renderer that belongs to this process.
"""

import os
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import torch

from har_demo.clips.clip import Clip
from har_demo.errors import InternalError, UserError
from har_demo.recognize.eval_set import EvalClip
from har_demo.recognize.inputs import (
    DecodedFrames,
    Reader,
    SharedPreparations,
    WindowInputs,
    prepare,
)
from har_demo.recognize.plan import Plan, plan
from har_demo.recognize.prediction import Request
from har_demo.recognize.recognize import most_frames
from har_demo.threads import in_one_thread

PROCESSES_FROM = 48
"""Clips from which processes are started: each takes seconds to import PyTorch."""
AHEAD = 2
"""Clips prepared or under way, for each worker: what waits stays in memory."""


@dataclass(frozen=True)
class Prepared:
    """A clip as one network takes it.

    Attributes:
        mean_of, float32: as in har_demo.recognize.plan.Plan.
        gmacs: multiply-adds of one view, 10⁹.
        forwards: the windows, on the CPU.
        backwards: those of the clip played from its end, or None.
    """

    mean_of: str
    float32: bool
    gmacs: float
    forwards: WindowInputs
    backwards: WindowInputs | None


TOO_LONG = None
"""In place of a Prepared: the clip's frames do not fit into memory at once, recognise it piece by piece."""

Asked = tuple[Callable[[], tuple[Clip, Reader]], list[Request]]
"""What opens a clip, and how each model is asked about it."""


def prepare_clip(
    opened: Callable[[], tuple[Clip, Reader]], requests: Sequence[Request], backwards: bool = False
) -> list[Prepared | str | None]:
    """Read a clip once and prepare it for several models.

    Returns:
        For each request what its network takes, the sentence that says why there is nothing, or TOO_LONG.
    """
    try:
        clip, read = opened()
    except UserError as problem:
        return [str(problem)] * len(requests)
    plans: list[Plan | str] = []
    for request in requests:
        try:
            plans.append(plan(clip, request))
        except UserError as problem:
            plans.append(str(problem))
    good = [one for one in plans if isinstance(one, Plan)]
    if not good:
        return [str(one) for one in plans]
    needed = np.unique(np.concatenate([one.indices.ravel() for one in good]))
    if len(needed) > most_frames(clip, good):
        return [one if isinstance(one, str) else TOO_LONG for one in plans]
    try:
        forth = DecodedFrames(needed, read(clip, needed))
        back = DecodedFrames(needed, reversed_reader(read)(clip, needed)) if backwards else None
    except UserError as problem:
        return [one if isinstance(one, str) else str(problem) for one in plans]
    shared, shared_back = SharedPreparations(), SharedPreparations()
    results: list[Prepared | str | None] = []
    for one in plans:
        if isinstance(one, str):
            results.append(one)
            continue
        windows = np.arange(len(one.indices))
        try:
            results.append(
                Prepared(
                    one.mean_of,
                    one.float32,
                    one.view_gmacs,
                    prepare(one, windows, forth, shared),
                    prepare(one, windows, back, shared_back) if back else None,
                )
            )
        except (UserError, InternalError) as problem:
            results.append(str(problem))
    return results


def reversed_reader(read: Reader) -> Reader:
    """Return a reader that plays a clip from its end."""

    def turned(clip: Clip, indices: np.ndarray) -> np.ndarray:
        return read(clip, clip.frames - 1 - indices)

    return turned


def ahead(
    asked: Sequence[Asked], backwards: bool, workers: int, processes: bool
) -> Iterator[list[Prepared | str | None]]:
    """Yield what `prepare_clip` returns for each clip, in order, while the next ones are prepared.

    Args:
        asked: the clips.
        backwards: prepare them from their ends, too.
        workers: threads or processes.
        processes: whether what opens the clips can go to another process.
    """
    if not processes or len(asked) < PROCESSES_FROM:
        with _threads(workers) as pool:
            yield from _in_order(pool, prepare_clip, asked, backwards, workers * AHEAD)
        return
    # Spawned, as a process with CUDA cannot be forked. Bytes, as tensors would go through /dev/shm, which
    # containers keep small.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), torch.set_num_threads, (1,))
    try:
        for packed in _in_order(pool, _packed, asked, backwards, workers * AHEAD):
            yield pickle.loads(packed)
    finally:
        pool.shutdown(cancel_futures=True)


def worker_count(clips: int) -> int:
    """Return how many clips to prepare at once: a core each, shared out among the processes of torchrun here."""
    cores = (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    return max(1, min(cores, clips))


def opens_anywhere(clip: EvalClip) -> bool:
    """Return whether another process can open a clip: a file, not a renderer of this process."""
    try:
        pickle.dumps(clip.open)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


def _packed(
    opened: Callable[[], tuple[Clip, Reader]], requests: Sequence[Request], backwards: bool
) -> bytes:
    return pickle.dumps(prepare_clip(opened, requests, backwards), pickle.HIGHEST_PROTOCOL)


def _in_order(
    pool: Executor, work: Callable, asked: Iterable[Asked], backwards: bool, depth: int
) -> Iterator:
    waiting: deque[Future] = deque()
    for opened, requests in asked:
        waiting.append(pool.submit(work, opened, requests, backwards))
        if len(waiting) > depth:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


@contextmanager
def _threads(workers: int) -> Iterator[Executor]:
    # Asked in the thread of the networks first, which else would begin with the one core of a worker.
    threads = in_one_thread(torch.get_num_threads)()
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # new threads of this process begin with what was set last
