"""Who pressed Stop: cancelling ends what Gradio shows, this ends the work."""

_sessions: set[str] = set()


class Stopped(Exception):
    """Stop was pressed while the models ran."""


def begin(session: str) -> None:
    """A new question of this visitor: an earlier Stop no longer counts."""
    _sessions.discard(session)


def stop(session: str) -> None:
    """This visitor pressed Stop."""
    _sessions.add(session)


def check(session: str) -> None:
    """Called between pieces of the work.

    Raises:
        Stopped: this visitor has pressed Stop.
    """
    if session in _sessions:
        raise Stopped
