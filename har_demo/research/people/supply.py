"""Many takes for a device that renders faster than one process can draw them."""

import pickle
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

import torch

from har_demo.research.people.shoot import Batch, Take, batch

Job = TypeVar("Job")


def batches(
    draw: Callable[[Job], Take], jobs: Sequence[Job], size: int, workers: int = 0
) -> Iterator[Batch]:
    """Batches of `size` takes, in the order of the jobs.

    Args:
        draw: makes the take of a job; with workers, a function of a module.
        jobs: what to draw.
        size: takes in a batch; the last may have fewer.
        workers: processes that draw ahead, or 0 to draw here.
    """
    groups = [jobs[i : i + size] for i in range(0, len(jobs), size)]
    if not workers:
        yield from (batch([draw(job) for job in group]) for group in groups)
        return
    # A fresh process, as CUDA does not survive a fork.
    with ProcessPoolExecutor(workers, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        ahead = deque()
        for group in groups:
            ahead.append(pool.submit(partial(_packed, draw), group))
            if len(ahead) > 2 * workers:
                yield pickle.loads(ahead.popleft().result())
        while ahead:
            yield pickle.loads(ahead.popleft().result())


def _packed(draw: Callable[[Job], Take], group: Sequence[Job]) -> bytes:
    """A batch as bytes: tensors sent as such would each take a piece of scarce shared memory."""
    return pickle.dumps(batch([draw(job) for job in group]))
