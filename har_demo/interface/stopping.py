"""Stop: cancelling ends what Gradio shows, this ends the work itself and knows when it has ended.

A press on Run does its work within `work` and calls `check` between pieces of it, which raises Stopped
once the visitor's press on Stop has called `stop`. That press then calls `wait`: what it said at once
could be overtaken by what the work still gives.

Each piece of work has a byte of memory that is shared with processes forked from this one, even earlier:
where a GPU is lent, the work is done in one of those, which looks at the byte itself.
"""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock

PATIENCE = 8.0
"""Seconds; some networks take longer for one step, and the reader shall not."""
MOST = 4096
"""Pieces of work at once; the queue of the app holds far fewer."""

_working: dict[str, "_Work"] = {}
_flags = mmap.mmap(-1, MOST)
_free = list(range(MOST))
_lock = Lock()


class _Work:
    def __init__(self, flag: int) -> None:
        self.flag = flag
        self.ended = Event()


class Stopped(Exception):
    """Stop was pressed while the models ran."""


@contextmanager
def work(key: str) -> Iterator[None]:
    """Note that work of this key goes on. It need not be left by the thread that entered it."""
    with _lock:
        own = _working[key] = _Work(_free.pop())
    _flags[own.flag] = 0
    try:
        yield
    finally:
        own.ended.set()
        with _lock:
            _free.insert(0, own.flag)  # used again as late as can be
            if _working.get(key) is own:
                del _working[key]


def flag(key: str) -> int | None:
    """Return the number of the byte that says whether the work of this key shall stop; None without any."""
    own = _working.get(key)
    return own.flag if own else None


def check(key: str) -> None:
    """Go on, or end the work between two pieces of it.

    Raises:
        Stopped: Stop was pressed for this key.
    """
    check_flag(flag(key))


def check_flag(number: int | None) -> None:
    """Do the same for the number that `flag` gave, in whatever process.

    Raises:
        Stopped: Stop was pressed.
    """
    if number is not None and _flags[number]:
        raise Stopped


def stop(key: str) -> None:
    """Let the work of this key end at its next check."""
    if own := _working.get(key):
        _flags[own.flag] = 1


def wait(key: str) -> None:
    """Return when nothing more comes of what is worked on, or after PATIENCE."""
    if own := _working.get(key):
        own.ended.wait(PATIENCE)
