"""Who pressed Stop: cancelling ends what Gradio shows, this ends the work and knows when it has ended.

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
def work(session: str) -> Iterator[None]:
    """A question of this visitor is worked on. It need not be left by the thread that entered it."""
    own = _working[session] = _Work()
    try:
        yield
    finally:
        own.ended.set()
        if _working.get(session) is own:
            del _working[session]


def check(session: str) -> None:
    """Called between pieces of the work.

    Raises:
        Stopped: this visitor has pressed Stop.
    """
    own = _working.get(session)  # one look: another thread may end the work between two
    if own and own.stopped.is_set():
        raise Stopped


def stop(session: str) -> None:
    """This visitor pressed Stop: what is worked on ends at its next check."""
    if own := _working.get(session):
        own.stopped.set()


def wait(session: str) -> None:
    """Return when nothing more comes of what is worked on, or after PATIENCE."""
    if own := _working.get(session):
        own.ended.wait(PATIENCE)
