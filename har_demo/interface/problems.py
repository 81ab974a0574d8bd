"""What goes wrong during a press becomes a sentence; the log has the traceback of what is our fault."""

import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

import gradio as gr

from har_demo.errors import BROKEN, UserError, disk_sentence

log = logging.getLogger(__name__)


def explain_error(problem: Exception, what: str) -> str:
    """What to say of a problem; `what` failed, as the log says if it is no mistake of the visitor."""
    if isinstance(problem, UserError):
        return str(problem)
    if sentence := disk_sentence(problem):
        log.error("%s: %s", what, problem)  # whoever runs the server has to mend it
        return sentence
    log.error(what, exc_info=problem)
    return BROKEN


def plainly(handler: Callable) -> Callable:
    """Decorate an event handler: what it does not say itself, Gradio shows as a sentence.

    Visitors and programs would read no more than that there was an error.
    """
    name = getattr(handler, "__name__", "an event")

    @contextmanager
    def watched() -> Iterator[None]:
        try:
            yield
        except gr.Error:
            raise
        except Exception as problem:
            said = explain_error(problem, f"{name} failed")
            raise gr.Error(said, print_exception=False) from None

    if inspect.isgeneratorfunction(handler):

        @wraps(handler)
        def watched_handler(*given, **named):
            with watched():
                yield from handler(*given, **named)
    else:

        @wraps(handler)
        def watched_handler(*given, **named):
            with watched():
                return handler(*given, **named)

    return watched_handler
