"""A file on its way: written under another name by one process, and moved into place when it is whole.

A process that is killed leaves its partial file behind, and the next one goes on with it. A lock, which
ends with its owner, tells a file that was left behind from one that is being written.
"""

import glob
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, cast

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

OLD_SECONDS = 3600.0
"""Without locks, a partial file that nobody has written to for so long was left behind."""


@contextmanager
def partial_file(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Yield a partial file of the target that nobody else writes: one that was left behind, or a new one.

    Whoever writes it moves it into place inside the context, while it is locked. Otherwise it stays for
    the next try, unless it is empty.

        with partial_file(target) as (file, path):
            file.write(content)
            file.flush()
            os.replace(path, target)
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    file, path = _left_behind(target) or _new(target)
    with file:
        try:
            yield file, path
        finally:
            if not os.fstat(file.fileno()).st_size:
                path.unlink(missing_ok=True)


def _left_behind(target: Path) -> tuple[BinaryIO, Path] | None:
    """Lock a partial file that a killed process left, and delete the others that were left."""
    found = None
    for path in sorted(target.parent.glob(f"{glob.escape(target.name)}.*.part")):
        try:
            file = cast(BinaryIO, path.open("r+b"))
        except OSError:  # it was moved into place just now, or is another user's
            continue
        owner = _lock(file)
        if owner == "ours" and found is None and _is_still_there(file, path):
            found = file, path
            continue
        with file:
            age = time.time() - os.fstat(file.fileno()).st_mtime
            if owner == "ours" or (owner == "unknown" and age > OLD_SECONDS):
                path.unlink(missing_ok=True)
    return found


def _new(target: Path) -> tuple[BinaryIO, Path]:
    while True:
        handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)
        file = cast(BinaryIO, os.fdopen(handle, "r+b"))
        if _lock(file) != "another's":  # a process that looked just now may have taken it
            return file, Path(name)
        file.close()


def _lock(file: BinaryIO) -> Literal["ours", "another's", "unknown"]:
    """Lock a file until it is closed, and say whose it is; some systems and network disks have no locks."""
    if fcntl is None:
        return "unknown"
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "another's"
    except OSError:
        return "unknown"
    return "ours"


def _is_still_there(file: BinaryIO, path: Path) -> bool:
    """Return whether the name is still the file's: its owner may have moved it before it was locked."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False
