"""A press without a browser, and coroutines beside one."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor


def pressed(work, *given, **named) -> list[dict]:
    """Return every update of work that `press` decorates."""
    return list(work("visitor", lambda *_, **__: None, *given, **named))


def finished(coroutine: Coroutine):
    """Return what a coroutine gives, run in a thread of its own: the browser of other tests has a loop in this one."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, coroutine).result()
