"""How a server's numerical libraries share the machine: said before PyTorch is loaded.

By default a thread of PyTorch that waits for others turns in circles for as long as it takes, which takes
the core from whoever else has work, such as a process that reads another visitor's film.
"""

import contextlib
import ctypes
import os
import sys

SPINS = "1000"
ARENAS = 2
_M_ARENA_MAX = -8  # of mallopt, malloc.h of the GNU C library


def share() -> None:
    """Bound how long threads wait in circles, and how many arenas the C library keeps memory in.

    What the person has set stays. Elsewhere than with the GNU C library only the first has an effect.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
