"""How a server's numerical libraries share the machine: said before PyTorch is loaded.

By default a thread of PyTorch that waits for others turns in circles for as long as it takes, which takes
the core from whoever else has work, such as a process that reads another visitor's film. Each thread that asks
a network keeps scratch memory, and threads of its own to calculate with, for as long as it lives, and a server
has forty: so one thread asks for all.
"""

import contextlib
import contextvars
import ctypes
import functools
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import current_thread
from typing import ParamSpec, TypeVar

SPINS = "1000"
ARENAS = 2
_M_ARENA_MAX = -8  # of mallopt, malloc.h of the GNU C library
_NAME = "networks"
_BETWEEN = 20.0
"""Seconds between two times that memory is given back."""
_given_back = 0.0

P = ParamSpec("P")
R = TypeVar("R")


def share() -> None:
    """Bound how long threads wait in circles, and how many arenas the C library keeps memory in.

    What the person has set stays. Elsewhere than with the GNU C library only the first has an effect.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


def in_one_thread(ask: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that asks a network: one thread makes all such calls, one after another.

    Whoever calls waits for the answer, or gets the exception. A call must not wait for anybody else's.
    """

    @functools.wraps(ask)
    def call(*given: P.args, **named: P.kwargs) -> R:
        if current_thread().name.startswith(_NAME):
            return ask(*given, **named)
        context = contextvars.copy_context()
        return _asking.submit(context.run, ask, *given, **named).result()

    return call


def give_back() -> None:
    """Give memory that nobody uses any more back to the system, now and then; with the GNU C library alone.

    Frames are large and come and go in many threads: what they leave would else be kept by the process, some hundred
    megabytes of it.
    """
    global _given_back
    if sys.platform != "linux" or time.monotonic() - _given_back < _BETWEEN:
        return
    _given_back = time.monotonic()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _begin() -> None:
    global _asking
    _asking = ThreadPoolExecutor(1, thread_name_prefix=_NAME)


_begin()
if hasattr(os, "register_at_fork"):
    # A forked process, as where a GPU is lent, has no such thread.
    os.register_at_fork(after_in_child=_begin)
