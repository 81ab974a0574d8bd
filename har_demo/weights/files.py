"""Two facts about files that every source of weights needs: their hash, and their size in words."""

import hashlib
from pathlib import Path

_known: dict[tuple, str] = {}


def sha256(path: Path) -> str:
    """Hexadecimal sha256 of the file's content.

    Remembered for as long as the file keeps its size and time of change: 400 MB take about a second.
    """
    facts = path.stat()
    key = (str(path), facts.st_ino, facts.st_size, facts.st_mtime_ns)
    if key not in _known:
        with path.open("rb") as file:
            _known[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _known[key]


def megabytes(count: int) -> str:
    """A number of bytes for people, in units of 10⁶.

    >>> megabytes(133_545_591)
    '134 MB'
    """
    millions = count / 1e6
    return f"{millions:.0f} MB" if millions >= 10 else f"{millions:.1f} MB"
