"""Which parameters a network runs with; every answer carries it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Provenance:
    """Which parameters answered: 'user', 'shipped', 'hub' or 'packaged', the file's name and its sha256."""

    source: Literal["user", "shipped", "hub", "packaged"]
    file: str
    sha256: str
    note: str = ""
