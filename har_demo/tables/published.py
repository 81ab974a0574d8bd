"""Figures that others printed, row by row: the tables results/published/*.csv.

A row is one value of one method on one data set, with what its source says of size, cost and input.
A field that the source does not state is empty. Beside a printed size and cost stands what our own
counter finds for the network here, and what it counted.

    rows = load()
    best = max(chosen(rows, data_set="Kinetics-400", metric="top-1"), key=lambda row: row.value)

The same loader reads the rows a visitor brings: fewer columns are enough there.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from har_demo import assets
from har_demo.errors import ChoiceError, TableError
from har_demo.tables import errata

FOLDER = assets.PUBLISHED

TABLES = {
    "karpathy_groups": "Slow Fusion on groups of UCF101's classes",
    "two_stream": "Two-stream networks beside older methods",
    "c3d": "C3D on UCF101, and three costs",
    "db_lstm": "DB-LSTM",
    "i3d": "I3D and what it was compared with",
    "sports_1m": "Channel-separated networks on Sports-1M",
    "non_local": "Non-local networks on Kinetics-400",
    "mini_kinetics": "Pyramid non-local networks on Mini-Kinetics",
    "kinetics_400": "Video Swin on Kinetics-400",
    "zoo": "Public model zoos",
}
"""The tables of this layout by file name; the others of the folder have layouts of their own."""

COLUMNS = {
    "method": "name in the source",
    "model": "name of the network here, if there is one",
    "family": "approach",
    "year": "of the method's first publication",
    "data set": "clips it was tested on",
    "split": "part of them",
    "metric": "what was measured",
    "value": "in percent; mAP of UCF101 from 0 to 1",
    "parameters (M)": "printed size, in millions",
    "cost (G)": "printed cost, in thousands of millions",
    "cost unit": "as printed",
    "convention": "what the printed cost counts in truth: MAC, FLOP, or MAC assumed",
    "cost of": "one view, always",
    "input": "frames × side of the picture",
    "views": "clips × crops averaged per video",
    "modality": "what the network sees",
    "pre-training": "data it had learned from before; none if that is stated",
    "source": "whose number it is",
    "place": "where it stands",
    "status": "of the value: printed, verified by a second source, unverified, or measured here",
    "cost status": "of size and cost: verified where our counter agrees to 0.5 %",
    "counted as": "the network here that was counted, frames × side, classes",
    "counted parameters (M)": "what our counter finds, in millions",
    "counted cost (G)": "multiply-adds of one view by our counter, in thousands of millions",
    "flow (G)": "computing one view's flow with RAFT (small), by our counter",
    "erratum": "entries of lecture_errata.csv",
    "note": "what else one must know",
}
"""The columns in their order, with what each holds."""

REQUIRED = ("method", "data set", "metric", "value")
"""Columns that a visitor's row must have."""

STATUSES = ("printed", "verified", "unverified", "measured")
COST_STATUSES = ("", "printed", "verified")
CONVENTIONS = ("", "MAC", "MAC assumed", "FLOP")
MODALITIES = ("", "rgb", "flow", "difference", "rgb+flow", "rgb+flow+audio")

MOST_BYTES, MOST_ROWS, MOST_LETTERS = 200_000, 500, 300
"""Bounds of a visitor's table: its size, its rows, the letters of a cell."""

NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
INPUT = re.compile(r"\d{1,5}( rgb)?( \+ \d{1,5} flow)?( × \d{1,5})?", re.ASCII)
VIEWS = re.compile(r"[1-9]\d{0,3}( × [1-9]\d{0,3})?", re.ASCII)
BOUNDS = {"year": (1950, 2100), "value": (0, 100)}
NUMBERS = (
    "year",
    "value",
    "parameters (M)",
    "cost (G)",
    "counted parameters (M)",
    "counted cost (G)",
    "flow (G)",
)
CHOICES = {
    "status": STATUSES,
    "cost status": COST_STATUSES,
    "convention": CONVENTIONS,
    "modality": MODALITIES,
    "cost of": ("", "one view"),
}


@dataclass(frozen=True)
class PublishedRow:
    """One line of a table.

    Attributes:
        table: file it is of, without ending; 'yours' for a visitor's.
        line: its line there, the header being 1.
        words: the cells as they are written, in the order of COLUMNS.
    """

    table: str
    line: int
    words: tuple[str, ...]

    def __getitem__(self, column: str) -> str:
        """The cell of a column, '' where nothing is stated."""
        return self.words[_PLACE[column]]

    def number(self, column: str) -> float | None:
        """The number in a column, None where nothing is stated."""
        return float(self[column]) if self[column] else None

    @property
    def id(self) -> str:
        """Names the row among all: 'zoo:17'."""
        return f"{self.table}:{self.line}"

    @property
    def value(self) -> float | None:
        return self.number("value")

    @property
    def errata(self) -> tuple[str, ...]:
        return tuple(self["erratum"].split())

    @property
    def views(self) -> int | None:
        """Views that are averaged for one video."""
        if not self["views"]:
            return None
        clips, _, crops = self["views"].partition(" × ")
        return int(clips) * int(crops or 1)

    @property
    def gmacs(self) -> float | None:
        """The printed cost of one view in 10⁹ multiply-adds: a FLOP is half of one."""
        cost = self.number("cost (G)")
        return cost / 2 if cost is not None and self["convention"] == "FLOP" else cost


_PLACE = {column: place for place, column in enumerate(COLUMNS)}


@cache
def load(folder: Path = FOLDER) -> tuple[PublishedRow, ...]:
    """All rows of the published tables, in the order of TABLES.

    Raises:
        TableError: a table is not as it should be; the message names the file and the line.
    """
    return tuple(
        row
        for table in TABLES
        for row in parse((folder / f"{table}.csv").read_text("utf-8"), table, tuple(COLUMNS))
    )


def parse(
    text: str, table: str = "yours", columns: Sequence[str] | None = None
) -> list[PublishedRow]:
    """The rows of a table in CSV; lines of blanks are passed over.

    Args:
        text: header and rows, with commas, semicolons or tabs between.
        table: what it is called in messages.
        columns: those it must have, in order; None for a visitor's table, which has REQUIRED and any
            other of COLUMNS in any order and is held to the bounds.

    Raises:
        TableError: one sentence that names the table, the line and what is wrong there.
    """
    own = columns is None
    if own and len(text.encode()) > MOST_BYTES:
        raise TableError(
            f"The table is larger than {MOST_BYTES // 1000} kB: leave out what you do not compare."
        )
    lines = csv.reader(
        io.StringIO(text.lstrip("\ufeff"), newline=""), _dialect(text, own), strict=True
    )
    rows: list[PublishedRow] = []
    try:
        header = [name.strip() for name in next(lines, [])]
        _check_header(header, columns)
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise ValueError(f"{len(cells)} cells instead of {len(header)}")
            if own and len(rows) == MOST_ROWS:
                raise ValueError(f"more than {MOST_ROWS} rows")
            rows.append(
                _row(
                    dict(zip(header, map(str.strip, cells), strict=True)),
                    table,
                    lines.line_num,
                    own,
                )
            )
    except (ValueError, csv.Error) as error:
        raise TableError(f"{table}, line {max(lines.line_num, 1)}: {error}.") from error
    if own and not rows:
        raise TableError(f"{table}: there is no row under the header.")
    return rows


def chosen(
    rows: Iterable[PublishedRow],
    data_set: str = "",
    metric: str = "",
    search: str = "",
    among: Mapping[str, Collection[str]] | None = None,
) -> list[PublishedRow]:
    """Return the rows that fit, in their order.

    Args:
        data_set, metric: as written in the tables; '' for any.
        search: words that must all stand somewhere in the row, in small letters or capitals.
        among: column → accepted cells, such as {'family': ['Recurrent']}; an empty list accepts all.
    """
    words = search.lower().split()
    accepted = {column: set(cells) for column, cells in (among or {}).items() if cells}
    return [
        row
        for row in rows
        if data_set in ("", row["data set"])
        and metric in ("", row["metric"])
        and all(row[column] in cells for column, cells in accepted.items())
        and _says(row, words)
    ]


def find_rows(
    rows: Sequence[PublishedRow], data_set: str = "", metric: str = "", search: str = ""
) -> list[PublishedRow]:
    """Return the rows that fit, as `chosen` does, for names that somebody typed.

    Raises:
        ChoiceError: no row has that data set or metric, or none fits.
    """
    for column, word in (("data set", data_set), ("metric", metric)):
        known = sorted({row[column] for row in rows} - {""})
        if word and word not in known:
            raise ChoiceError(
                f"There is no {column} '{word[:60]}' here: take one of {', '.join(known)}."
            )
    fitting = chosen(rows, data_set, metric, search)
    if not fitting:
        raise ChoiceError("No row has all of that: ask for less.")
    return fitting


def as_records(rows: Iterable[PublishedRow]) -> list[dict]:
    """Return JSON-ready rows: numbers as numbers, None where nothing is stated, and the table they are of."""
    return [
        {"table": row.table, "line": row.line}
        | {
            column: (row.number(column) if column in NUMBERS else row[column] or None)
            for column in COLUMNS
        }
        for row in rows
    ]


def as_csv(rows: Iterable[PublishedRow], columns: Sequence[str] = tuple(COLUMNS)) -> str:
    """Return the rows as CSV; a cell that a spreadsheet would take for a formula gets a ' before it.

    >>> as_csv(parse("method,data set,metric,value\\n=1+1,mine,top-1,50"), ["method", "value"])
    "method,value\\n'=1+1,50\\n"
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[_no_formula(row[column]) for column in columns] for row in rows])
    return file.getvalue()


def _no_formula(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _says(row: PublishedRow, words: list[str]) -> bool:
    text = " ".join(row.words).lower() if words else ""
    return all(word in text for word in words)


def _dialect(text: str, own: bool) -> type[csv.Dialect]:
    """Commas; a visitor's spreadsheet may have written semicolons or tabs instead."""
    header = text.lstrip("\ufeff").partition("\n")[0]
    delimiter = max(",;\t", key=header.count) if own else ","

    class Written(csv.excel):
        pass

    Written.delimiter = delimiter
    return Written


def _check_header(header: list[str], columns: Sequence[str] | None) -> None:
    if columns is not None:
        if tuple(header) != tuple(columns):
            raise ValueError(f"the columns are not {', '.join(columns)}")
        return
    unknown = [name for name in header if name not in COLUMNS]
    if unknown:
        raise ValueError(f"there is no column '{unknown[0][:40]}'; there are {', '.join(COLUMNS)}")
    if len(set(header)) < len(header):
        raise ValueError("a column stands there twice")
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise ValueError(f"the column '{missing[0]}' is missing")


def _row(cells: dict[str, str], table: str, line: int, own: bool) -> PublishedRow:
    cells = dict.fromkeys(COLUMNS, "") | cells
    if own:
        # What a visitor brings is a visitor's: it cannot call itself verified, or counted by us.
        cells |= {"status": "unverified", "cost status": "printed" if cells["cost (G)"] else ""}
        cells["source"] = cells["source"] or "your own row"
        cells |= dict.fromkeys(("counted as", "counted parameters (M)", "counted cost (G)"), "")
        if cells["cost (G)"] and not cells["convention"]:
            cells |= {"convention": "MAC assumed"}
    for column, cell in cells.items():
        _check_cell(column, cell)
    required = REQUIRED if own or cells["value"] else ("method",)
    for column in required:
        if not cells[column]:
            raise ValueError(f"'{column}' is empty")
    if not (cells["value"] or cells["cost (G)"] or cells["parameters (M)"]):
        raise ValueError("there is neither a value nor a size nor a cost")
    if bool(cells["cost (G)"]) != bool(cells["convention"]):
        raise ValueError("a cost and its convention go together")
    if not own and not (cells["source"] and cells["place"] and cells["status"]):
        raise ValueError("'source', 'place' or 'status' is empty")
    return PublishedRow(table, line, tuple(cells[column] for column in COLUMNS))


def _check_cell(column: str, cell: str) -> None:
    if len(cell) > MOST_LETTERS:
        raise ValueError(f"'{column}' has {len(cell)} letters and may have {MOST_LETTERS}")
    if not cell.isprintable():
        raise ValueError(f"'{column}' has a letter that cannot be shown")
    if not cell:
        if column in CHOICES and "" not in CHOICES[column]:
            raise ValueError(f"'{column}' is empty")
        return
    if column in CHOICES and cell not in CHOICES[column]:
        offered = ", ".join(filter(None, CHOICES[column]))
        raise ValueError(f"'{column}' is '{cell[:40]}' and not of {offered}")
    if column in NUMBERS:
        if not NUMBER.fullmatch(cell):
            raise ValueError(f"'{column}' is '{cell[:40]}', which is no plain number such as 12.5")
        low, high = BOUNDS.get(column, (1e-6, 1e7))
        if not low <= float(cell) <= high or (column == "year" and "." in cell):
            raise ValueError(f"'{column}' is {cell}, which is not between {low:g} and {high:g}")
    if column == "input" and not INPUT.fullmatch(cell):
        raise ValueError(f"'input' is '{cell[:40]}' and not such as 32 × 224 or 64 rgb + 64 flow")
    if column == "views" and not VIEWS.fullmatch(cell):
        raise ValueError(f"'views' is '{cell[:40]}' and not such as 10 × 3")
    if column == "erratum" and not set(cell.split()) <= set(_errata()):
        raise ValueError(f"'erratum' is '{cell[:40]}', which lecture_errata.csv does not have")


@cache
def _errata() -> dict[str, errata.Erratum]:
    return errata.load()
