"""Callbacks of the Compare page: choices, own rows, downloads and links."""

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import gradio as gr

from har_demo.errors import TableError
from har_demo.interface import formatting
from har_demo.interface.pages.compare.selection import (
    FILTERS,
    FIRST_COLUMNS,
    START,
    View,
    data_sets,
    every_row,
    from_query,
    metrics,
    offered,
    table_rows,
)
from har_demo.interface.pages.compare.view import details, shown
from har_demo.interface.render import notice
from har_demo.tables.published import MOST_BYTES, MOST_ROWS, PublishedRow, as_csv, as_records, parse

EVERY = "every data set"
ANY = "any metric"


def view_of(*chosen) -> View:
    """The view that the page's controls stand for, in the order of View's fields."""
    view = View(*(tuple(c) if isinstance(c, list) else c for c in chosen))
    return replace(
        view,
        data_set="" if view.data_set == EVERY else view.data_set or "",
        metric="" if view.metric == ANY else view.metric or "",
        mark=view.mark or "",
        search=view.search or "",
        columns=view.columns or FIRST_COLUMNS,
    )


def controls_of(view: View, rows: Sequence[PublishedRow]) -> list:
    """Return the value of every control for a view, with what it offers for these rows."""
    updates = []
    for field in fields(View):
        value = getattr(view, field.name)
        if field.name == "data_set":
            updates.append(gr.Dropdown([EVERY, *data_sets(rows)], value=value or EVERY))
        elif field.name == "metric":
            updates.append(gr.Dropdown([ANY, *metrics(rows, view.data_set)], value=value or ANY))
        elif field.name in FILTERS:
            updates.append(
                gr.Dropdown(offered(rows, FILTERS[field.name]), value=list(value), multiselect=True)
            )
        else:
            updates.append(list(value) if isinstance(value, tuple) else value)
    return updates


def draw(*given) -> tuple[str, str]:
    """Draw chart and table of what is chosen; the last argument is the visitor's own rows."""
    view = view_of(*given[:-1])
    drawn = shown(view, table_rows(view, every_row(given[-1])))
    return drawn.chart, drawn.table


def change_data_set(*given) -> tuple:
    """Change the data set: its metrics are offered, and the one that most rows have is drawn."""
    *chosen, own = given
    view, rows = view_of(*chosen), every_row(own)
    known = metrics(rows, view.data_set)
    metric = view.metric if view.metric in known else next(iter(known), "")
    drawn = shown(replace(view, metric=metric), table_rows(replace(view, metric=metric), rows))
    return gr.Dropdown([ANY, *known], value=metric or ANY), drawn.chart, drawn.table


def sort_by(event: gr.EventData, *given) -> tuple[str, str, str]:
    """Sort by the column whose head is pressed."""
    *chosen, own = given
    place = [field.name for field in fields(View)].index("sort")
    chosen[place] = event.column
    return event.column, *draw(*chosen, own)


def open_row(event: gr.EventData, own: list[PublishedRow]) -> str:
    """Show the details of a row whose name, or point, is pressed."""
    pressed = getattr(event, "custom", None) or getattr(event, "row", None)
    row = next((row for row in every_row(own) if row.id == pressed), None)
    return details(row) if row else gr.skip()


def take(kind: str, *given) -> dict:
    """Return a file of the table as it stands, for the page's script to save."""
    *chosen, own = given
    view = view_of(*chosen)
    rows = table_rows(view, every_row(own))
    if kind == "csv":
        return {"name": "comparison.csv", "type": "text/csv", "text": as_csv(rows)}
    text = json.dumps(as_records(rows), indent=1, ensure_ascii=False)
    return {"name": "comparison.json", "type": "application/json", "text": text}


def add_rows(pasted: str, file: str | None, *given) -> tuple:
    """Take a visitor's rows into this session: notice, own rows, the controls, chart and table."""
    *chosen, own = given
    silent = [gr.skip()] * (len(fields(View)) + 2)
    try:
        new = _read(pasted or "", file, len(own))
    except TableError as problem:
        return notice(str(problem)), own, *silent
    own = [*own, *new]
    rows = every_row(own)
    view = replace(view_of(*chosen), data_set=new[0]["data set"], metric=new[0]["metric"])
    drawn = shown(view, table_rows(view, rows))
    counted = formatting.count(len(new), "row")
    without = sum(row.gmacs is None for row in new)
    sentence = f"{counted} of yours stand among the others, until you leave this page."
    if without:
        sentence += f" {without} without a cost: only in the table."
    return notice(sentence, "warn"), own, *controls_of(view, rows), drawn.chart, drawn.table


def _read(pasted: str, file: str | None, had: int) -> list[PublishedRow]:
    if not pasted.strip() and not file:
        raise TableError("There are no rows yet: paste some, or choose a CSV file.")
    if file:
        path = Path(file)
        if path.stat().st_size > MOST_BYTES:
            raise TableError(f"The file is larger than {MOST_BYTES // 1000} kB: keep fewer rows.")
        try:
            pasted = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise TableError("The file is not text in UTF-8: save it as CSV UTF-8.") from None
    new = parse(pasted)
    if had + len(new) > MOST_ROWS:
        raise TableError(f"These would be more than {MOST_ROWS} rows of yours: forget some first.")
    # Lines go on counting, so that no two rows have one name.
    return [replace(row, line=row.line + 10_000 * had) for row in new] if had else new


def forget_rows(*given) -> tuple:
    """Remove the visitor's rows."""
    view, rows = view_of(*given[:-1]), every_row()
    if view.data_set not in data_sets(rows) or view.metric not in metrics(rows, view.data_set):
        view = replace(view, data_set=START.data_set, metric=START.metric)
    kept = {
        field: tuple(c for c in getattr(view, field) if c in offered(rows, column))
        for field, column in FILTERS.items()
    }
    view = replace(view, **kept)
    drawn = shown(view, table_rows(view, rows))
    return "", [], *controls_of(view, rows), drawn.chart, drawn.table


def restore(request: gr.Request) -> tuple:
    """Bring back the view that a link keeps, and say what of it does not exist."""
    parameters = dict(request.query_params)
    rows = every_row()
    view, problems = from_query(parameters, rows)
    warning = notice(" ".join(problems), "warn") if problems else ""
    if view == START:
        return warning, *[gr.skip()] * (len(fields(View)) + 2)
    drawn = shown(view, table_rows(view, rows))
    return warning, *controls_of(view, rows), drawn.chart, drawn.table
