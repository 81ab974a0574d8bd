"""Rows of the CSV files in results/, as dictionaries of strings."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path


def read_rows(file: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file with a header."""
    with open(file, encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def kept_rows(file: Path) -> tuple[dict[str, str], ...]:
    """Return the rows of a CSV file, none where there is no file; they are shared and must not be changed.

    The file is read once, and again when it has changed.
    """
    if not file.exists():
        return ()
    return _read(file, *state(file))


def state(file: Path) -> tuple[int, int, int]:
    """Return numbers that differ when a file has changed, as a key for what was made of it."""
    facts = file.stat()
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def write_rows(file: Path, columns: Sequence[str], rows: Iterable[Mapping]) -> None:
    """Write a CSV file with a header."""
    with open(file, "w", encoding="utf-8", newline="") as opened:
        table = csv.DictWriter(opened, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


@lru_cache(8)
def _read(file: Path, *state: int) -> tuple[dict[str, str], ...]:
    return tuple(read_rows(file))
