"""The grid of scores as JSON and as a table, for the page's downloads, the API and the command line."""

import csv
import io
from collections.abc import Iterator

from har_demo.explain.sensitivity import Cell, Grid, SensitivityRow, verdict
from har_demo.recognize.export import cell_text, clip_json
from har_demo.recognize.prediction import ModelError, Prediction

PLACES = 6
TOP = 5
COLUMNS = (
    *("clip", "start_s", "end_s", "model", "edit", "strength", "answer", "probability"),
    *("change", "distance", "temporal_sensitivity", "picture_sensitivity", "note"),
)
DEFINITION = (
    "distance: total variation between the probabilities for the clip and for the edited clip, half the "
    "sum of the absolute differences, 0 to 1; temporal_sensitivity: its mean over the edits of time; "
    "picture_sensitivity: its mean over the edits of the picture; change: of the probability of the "
    "clip's answer"
)


def grid_json(grid: Grid) -> dict:
    """Everything there is to know about a grid, in plain JSON types; probabilities to six places."""
    start, end = grid.stretch.seconds
    return {
        "clip": clip_json(grid.stretch.source),
        "start": _rounded(start),
        "end": _rounded(end),
        "definition": DEFINITION,
        "edits": [
            {
                "edit": one.edit.name,
                "strength": one.strength,
                "group": one.edit.group,
                "title": one.title,
                "does": one.edit.does,
            }
            for one in grid.asked
        ],
        "models": [_row(grid, row) for row in grid.rows],
        "verdict": verdict(grid),
    }


def _row(grid: Grid, row: SensitivityRow) -> dict:
    told = {"model": row.model, "title": row.title}
    if not isinstance(row.plain, Prediction):
        return told | {"message": row.plain.message if row.plain else "not asked"}
    return told | {
        "answer": row.plain.top(1)[0][0],
        "top": _top(row.plain.top(TOP)),
        "windows": len(row.plain.frames),
        "temporal_sensitivity": _rounded(row.temporal),
        "picture_sensitivity": _rounded(row.picture),
        "edits": [
            {"edit": one.edit.name, "strength": one.strength} | _cell(row, cell)
            for one, cell in zip(grid.asked, row.cells, strict=True)
        ],
    }


def _cell(row: SensitivityRow, cell: Cell | ModelError | None) -> dict:
    if not isinstance(cell, Cell):
        return {"message": cell.message if cell else "not asked"}
    order = (-cell.scores).argsort(kind="stable")[:TOP]
    return {
        "answer": cell.answer,
        "probability": _rounded(cell.probability),
        "same": cell.same,
        "change": _rounded(cell.change),
        "distance": _rounded(cell.distance),
        # Of a mirrored clip these are put back, so that they compare with the clip's.
        "top": _top([(row.plain.classes[i], float(cell.scores[i])) for i in order]),
    }


def grid_csv(grid: Grid) -> str:
    """A row for every model's answer to the clip, then one for each edit. RFC 4180."""
    sheet = io.StringIO()
    table = csv.writer(sheet)
    table.writerow(COLUMNS)
    table.writerows(_lines(grid))
    return sheet.getvalue()


def _lines(grid: Grid) -> Iterator[tuple]:
    place = (cell_text(grid.stretch.source.source.name), *map(_rounded, grid.stretch.seconds))
    for row in grid.rows:
        both = _rounded(row.temporal), _rounded(row.picture)
        if not isinstance(row.plain, Prediction):
            note = row.plain.message if row.plain else "not asked"
            yield (*place, cell_text(row.model), *[""] * 8, cell_text(note))
            continue
        name, probability = row.plain.top(1)[0]
        yield (
            *place,
            cell_text(row.model),
            "",
            "",
            cell_text(name),
            _rounded(probability),
            0,
            0,
            *both,
            "",
        )
        for one, cell in zip(grid.asked, row.cells, strict=True):
            known = (*place, cell_text(row.model), one.edit.name, one.strength)
            if not isinstance(cell, Cell):
                note = cell.message if cell else "not asked"
                yield (*known, *[""] * 6, cell_text(note))
                continue
            numbers = map(_rounded, (cell.probability, cell.change, cell.distance))
            yield (*known, cell_text(cell.answer), *numbers, *both, "")


def _top(pairs: list[tuple[str, float]]) -> list[dict]:
    return [{"class": name, "probability": _rounded(share)} for name, share in pairs]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), PLACES)
