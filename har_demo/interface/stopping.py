"""Stop: cancelling ends what Gradio shows, this ends the work itself and knows when it has ended.

A press on Run does its work within `work` and calls `check` between pieces of it, which raises Stopped
once the visitor's press on Stop has called `stop`. That press then calls `wait`: what it said at once
could be overtaken by what the work still gives.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

PATIENCE = 8.0
"""Seconds; some networks take longer for one step, and the reader shall not."""

_working: dict[str, "_Work"] = {}


class _Work:
    def __init__(self) -> None:
        self.stopped = Event()
        self.ended = Event()


class Stopped(Exception):
    """Stop was pressed while the models ran."""


@contextmanager
def work(key: str) -> Iterator[None]:
    """Note that work of this key goes on. It need not be left by the thread that entered it."""
    own = _working[key] = _Work()
    try:
        yield
    finally:
        own.ended.set()
        if _working.get(key) is own:
            del _working[key]


def check(key: str) -> None:
    """Go on, or end the work between two pieces of it.

    Raises:
        Stopped: Stop was pressed for this key.
    """
    own = _working.get(key)  # one look: another thread may end the work between two
    if own and own.stopped.is_set():
        raise Stopped


def stop(key: str) -> None:
    """Let the work of this key end at its next check."""
    if own := _working.get(key):
        own.stopped.set()


def wait(key: str) -> None:
    """Return when nothing more comes of what is worked on, or after PATIENCE."""
    if own := _working.get(key):
        own.ended.wait(PATIENCE)
