"""Errors that the lecture prints, with what is right: the table results/lecture_errata.csv.

Places are lines of the lecture's text. A status names how we know, or several ways with ' and ' between:
'recomputed' here, by running the network or by searching the text; 'documented' in a public paper or
repository, or plain from the lecture itself; 'unverified' where it rests on memory.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from har_demo import assets

TABLE = assets.RESULTS / "lecture_errata.csv"

WAYS = ("recomputed", "documented", "unverified")


@dataclass(frozen=True)
class Erratum:
    """One error or inconsistency of the lecture, in plain words.

    Attributes:
        id: 'E1' to 'E31'.
        place: line of the lecture's text, and what stands there.
        printed: what the lecture says.
        right: what is right, or what the printed thing is in truth.
        why: how the two come apart.
        status: how we know, of WAYS; several are joined by ' and '.
    """

    id: str
    place: str
    printed: str
    right: str
    why: str
    status: str

    @property
    def recomputed(self) -> bool:
        return "recomputed" in self.status.split(" and ")


COLUMNS = tuple(Erratum.__dataclass_fields__)


def load(path: Path = TABLE) -> dict[str, Erratum]:
    """Return the errata by id, in the table's order.

    Raises:
        ValueError: the table is not as it should be; the message names the file and the line.
    """
    errata: dict[str, Erratum] = {}
    with open(path, newline="", encoding="utf-8") as file:
        lines = csv.reader(file, strict=True)
        try:
            if tuple(next(lines, ())) != COLUMNS:
                raise ValueError(f"the columns are not {', '.join(COLUMNS)}")
            for cells in lines:
                erratum = _erratum(cells)
                if erratum.id in errata:
                    raise ValueError(f"{erratum.id} stands there twice")
                errata[erratum.id] = erratum
        except (ValueError, csv.Error) as error:
            raise ValueError(f"{path}, line {max(lines.line_num, 1)}: {error}") from error
    return errata


def _erratum(cells: list[str]) -> Erratum:
    if len(cells) != len(COLUMNS):
        raise ValueError(f"{len(cells)} cells instead of {len(COLUMNS)}")
    for column, words in zip(COLUMNS, cells, strict=True):
        if not words.strip() or words != words.strip():
            raise ValueError(f"'{column}' is empty or has blanks around it")
    erratum = Erratum(*cells)
    if not (erratum.id[0] == "E" and erratum.id[1:].isdecimal()):
        raise ValueError(f"'{erratum.id}' is no id such as E1")
    ways = erratum.status.split(" and ")
    if len(set(ways)) != len(ways) or not set(ways) <= set(WAYS):
        raise ValueError(f"the status '{erratum.status}' is not of {', '.join(WAYS)}")
    return erratum
