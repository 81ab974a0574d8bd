"""Stop: cancelling ends what Gradio shows, this ends the work itself and knows when it has ended.

A press or a call does its work within `work` and calls `check` between pieces of it, which raises Stopped
once Stop was pressed or whoever asked has gone. A press on Stop then calls `wait`: what it said at once
could be overtaken by what the work still gives.

Each piece of work has a byte of memory that is shared with processes forked from this one, even earlier:
where a GPU is lent, the work is done in one of those, which looks at the byte itself.
"""

import mmap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from gradio.context import LocalContext
from torch.nn.modules.module import register_module_forward_pre_hook

PATIENCE = 8.0
"""Seconds; some networks take longer for one step, and the reader shall not."""
LOOK = 0.1
"""Seconds between two looks for those who have gone."""
MOST = 4096
"""Pieces of work at once; the lanes hold far fewer."""

_working: dict[str, "_Work"] = {}
_by_event: dict[str, "_Work"] = {}
_all: set["_Work"] = set()
_flags = mmap.mmap(-1, MOST)
_free = list(range(MOST))
_lock = Lock()
_watcher: Thread | None = None


class _Work:
    def __init__(self, flag: int, gone: Callable[[], bool] | None) -> None:
        self.flag = flag
        self.gone = gone
        self.ended = Event()


class Stopped(Exception):
    """Stop was pressed while the models ran, or nobody waits for the answer any more."""


@contextmanager
def work(key: str, gone: Callable[[], bool] | None = None) -> Iterator[None]:
    """Note that work of this key goes on. It need not be left by the thread that entered it.

    Args:
        key: names the work for `stop` and `wait`.
        gone: tells whether whoever asked has gone; it is asked now and then, by a thread of its own.
    """
    event = LocalContext.event_id.get(None)
    with _lock:
        own = _working[key] = _Work(_free.pop(), gone)
        _flags[own.flag] = 0
        _all.add(own)
        if event:
            _by_event[event] = own
    if gone:
        _watch()
    try:
        yield
    finally:
        own.ended.set()
        with _lock:
            _free.insert(0, own.flag)  # used again as late as can be
            _all.discard(own)
            for held, name in ((_working, key), (_by_event, event)):
                if held.get(name) is own:
                    del held[name]


def flag(key: str) -> int | None:
    """Return the number of the byte that says whether the work of this key shall stop; None without any."""
    own = _working.get(key)
    return own.flag if own else None


def check(key: str) -> None:
    """Go on, or end the work between two pieces of it.

    Raises:
        Stopped: Stop was pressed for this key, or whoever asked has gone.
    """
    check_flag(flag(key))


def check_flag(number: int | None) -> None:
    """Do the same for the number that `flag` gave, in whatever process.

    Raises:
        Stopped: as `check`.
    """
    if number is not None and _flags[number]:
        raise Stopped


def stop(key: str) -> None:
    """Let the work of this key end at its next check."""
    if own := _working.get(key):
        _flags[own.flag] = 1


def stop_event(event: str) -> None:
    """Do the same for the work of one of Gradio's events."""
    if own := _by_event.get(event):
        _flags[own.flag] = 1


def wait(key: str) -> None:
    """Return when nothing more comes of what is worked on, or after PATIENCE."""
    if own := _working.get(key):
        own.ended.wait(PATIENCE)


def within_networks() -> None:
    """Check before every layer of every network, so that a large one ends in the middle of a window."""

    def look(module, given) -> None:
        own = _by_event.get(LocalContext.event_id.get(None) or "")
        if own is not None:
            check_flag(own.flag)

    register_module_forward_pre_hook(look)


def _watch() -> None:
    """Start the thread that looks for those who have gone, unless it runs."""
    global _watcher
    with _lock:
        if _watcher is None or not _watcher.is_alive():
            _watcher = Thread(target=_look, name="looks for those who have gone", daemon=True)
            _watcher.start()


def _look() -> None:
    while True:
        with _lock:
            working = list(_all)
        for own in working:
            if own.gone and not _flags[own.flag] and own.gone():
                _flags[own.flag] = 1
        time.sleep(LOOK)
