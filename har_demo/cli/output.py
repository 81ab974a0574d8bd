"""Printed output: tables, bars and progress."""

import sys
from collections.abc import Sequence

BAR = 28


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of words as columns, two blanks between."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def bar(done: float, words: str) -> str:
    """A bar as long as the share that is done, and words."""
    full = round(done * BAR)
    return f"{'█' * full}{'░' * (BAR - full)} {done:4.0%}  {words}"


def progress(words: str) -> None:
    """Keep one line of the terminal up to date; where nobody watches, say nothing."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{words}")
        sys.stderr.flush()
