"""Which parameters a network runs with; every answer carries it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Provenance:
    """Which parameters answered: 'user', 'shipped' or 'hub', the file's name and its sha256."""

    source: Literal["user", "shipped", "hub"]
    file: str
    sha256: str
    note: str = ""
