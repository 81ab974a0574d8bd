"""How long a file will take to read, estimated from its packets before any is decoded, and limits that hold it to that.

    pixels of a frame × frames   decoding and scaling
    frames of the copy           encoding

Where an estimate is over the allowance, HAR_BUDGET_READ_SECONDS, the file is refused. What decoding really takes
depends on the file, which may be made to take long, so the process that reads it may use three times the estimate.
"""

import math
import os
import resource
import signal

from har_demo.errors import ClipError

SECONDS = 1000.0
"""The allowance unless HAR_BUDGET_READ_SECONDS says another: ten minutes of 3840 × 2160 at 30 a second pass."""
PIXEL = 5.5e-9
COPIED = 5e-3
"""Seconds of a core for a pixel that is decoded and a frame that is encoded. H.264 of 1920 × 1080, moving and at
8 Mbit/s, took 16 ms a frame on a busy core, of 1280 × 720 10 ms, H.265 of 1920 × 1080 22 ms."""
START = 60.0
"""Seconds for loading libraries and reading packets."""
MARGIN, WAITING = 3.0, 2.0
"""How often the estimate the reading may take, and how long it may wait for a core in multiples of that."""


def allowance() -> float:
    """Seconds of a core that one file may take; 0 in HAR_BUDGET_READ_SECONDS means without end.

    >>> allowance()
    1000.0
    """
    return float(os.environ.get("HAR_BUDGET_READ_SECONDS") or SECONDS) or math.inf


def estimate(width: int, height: int, frames: int, copied: float) -> float:
    """Seconds of a core for decoding so many frames and writing so many of the copy.

    >>> round(estimate(1920, 1080, 18_000, 18_000))
    295
    """
    return width * height * frames * PIXEL + copied * COPIED


def check(seconds: float, name: str) -> None:
    """Refuse a file that would take too long.

    Raises:
        ClipError: it would.
    """
    most = allowance()
    if seconds > most:
        raise ClipError(
            f"{name} would take about {duration(seconds)} to read here and a file may take {duration(most)}: "
            "save it with fewer pixels or frames a second, or cut out the part that matters."
        )


def limit_process(seconds: float) -> None:
    """Let this process end by a signal when it takes far longer than estimated; a later call replaces an earlier one.

    Both its time on cores and its time by the clock are limited, so that it ends even if nobody watches it.

    Args:
        seconds: of a core, estimated for the file; 0 while that is not known.
    """
    most = START + MARGIN * min(seconds, allowance())
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(most), resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_REAL, WAITING * most)


def duration(seconds: float) -> str:
    """Such as '40 seconds' or '3 minutes'.

    >>> duration(40.2), duration(200), duration(9000)
    ('40 seconds', '3 minutes', '2.5 hours')
    """
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
