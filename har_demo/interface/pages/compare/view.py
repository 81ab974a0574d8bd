"""HTML of the Compare page: the chart, the table under it, and the details of one row."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from har_demo.interface import formatting, plots
from har_demo.interface.pages.compare.selection import Point, View, points, query
from har_demo.interface.render import fragment, render
from har_demo.models import registry
from har_demo.tables import errata
from har_demo.tables.published import COLUMNS, NUMBERS, PublishedRow
from har_demo.weights import availability

HEIGHT = 520
BASE_SIZE, MORE_SIZE = 7, 1.9  # pixels across of a point: this, and this for the root of a million
UNKNOWN_SIZE = 9
DIM = 0.18  # of points that are not marked, where some are
UNITS = {"MAC": "GMACs", "FLOP": "GFLOPs"}
OF_VIEWS = {"one": "one view", "all": "all views of a video"}


@dataclass(frozen=True)
class ChartState:
    """The page's answer to a view: HTML of the chart and of the table."""

    chart: str
    table: str


def shown(view: View, rows: Sequence[PublishedRow]) -> ChartState:
    """Draw these rows of the table, already chosen and sorted."""
    placed, left_out = points(view, rows)
    return ChartState(_chart(view, rows, placed, left_out), _table(view, rows))


# The chart


def figure(view: View, placed: Sequence[Point]) -> dict:
    """The chart as Plotly.js reads it: one trace a family, lines below for the front and for pairs."""
    marked = view.mark.lower().strip()

    def opacity(point: Point) -> float:
        return 0.85 if marked in point.row["method"].lower() else DIM

    families = sorted({point.row["family"] or "Yours" for point in placed})
    traces = [_front(placed), _pairs(placed)] if placed else []
    for family in families:
        of = [point for point in placed if (point.row["family"] or "Yours") == family]
        of.sort(key=lambda point: _symbol(point) != "circle")  # the legend shows the first one's
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": family,
                "x": [point.cost for point in of],
                "y": [point.row.value for point in of],
                "customdata": [point.row.id for point in of],
                "hovertext": [_hover(view, point) for point in of],
                "hoverinfo": "text",
                "marker": {
                    "color": f"hue({formatting.hue(family)})",
                    "size": [_size(point) for point in of],
                    "opacity": [opacity(point) for point in of],
                    "symbol": [_symbol(point) for point in of],
                    "line": {"width": 1.5, "color": f"hue({formatting.hue(family)})"},
                },
            }
        )
    unit = f"{UNITS[view.cost]} for {OF_VIEWS[view.views]}"
    return {
        "data": traces,
        "layout": {
            "xaxis": {
                "type": "log",
                "title": {"text": unit + (", with flow" if view.flow else "")},
                **_ticks(placed),
            },
            "yaxis": {"title": {"text": f"{view.metric}, %"}},
            # Families are left out by the filter, which the table obeys too.
            "legend": {
                "orientation": "h",
                "y": 1.02,
                "yanchor": "bottom",
                "itemclick": False,
                "itemdoubleclick": False,
            },
            "showlegend": True,
            "meta": {"labels": _labels(placed, marked)},
        },
    }


def _ticks(placed: Sequence[Point]) -> dict:
    """Marks of the axis of costs: 1, 10, 100, and 2 and 5 between them where the costs are close."""
    costs = [point.cost for point in placed]
    if not costs:
        return {}
    steps = (1, 2, 5) if max(costs) / min(costs) < 300 else (1,)
    places = [step * 10.0**power for power in range(-4, 7) for step in steps]
    near = [place for place in places if min(costs) / 6 < place < max(costs) * 6]
    return {"tickvals": near, "ticktext": [f"{place:,.10g}" for place in near]}


def _front(placed: Sequence[Point]) -> dict:
    best = sorted((p.cost, p.row.value) for p in placed if p.best)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "nothing cheaper is better",
        "x": [cost for cost, _ in best],
        "y": [value for _, value in best],
        "hoverinfo": "skip",
        "line": {"color": "var(--faint)", "width": 1.5, "shape": "hv"},
    }


def _pairs(placed: Sequence[Point]) -> dict:
    """Lines from what is printed to what is counted, each row's own, with gaps between."""
    x: list[float | None] = []
    y: list[float | None] = []
    counted = {point.row.id: point for point in placed if point.counted}
    for point in placed:
        other = counted.get(point.row.id)
        if other and not point.counted:
            x += [point.cost, other.cost, None]
            y += [point.row.value, other.row.value, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "printed – counted",
        "showlegend": bool(x),
        "x": x,
        "y": y,
        "hoverinfo": "skip",
        "line": {"color": "var(--bad)", "width": 1.3, "dash": "dot"},
    }


def _size(point: Point) -> float:
    if point.parameters is None:
        return UNKNOWN_SIZE
    return round(BASE_SIZE + MORE_SIZE * point.parameters**0.5, 1)


def _symbol(point: Point) -> str:
    if point.wrong:
        return "circle-open"
    return "diamond" if point.counted and point.row["status"] != "measured" else "circle"


def _labels(placed: Sequence[Point], marked: str) -> list[dict]:
    """Names in the order in which they get their room: marked, then on the front, then dear ones."""
    named: dict[str, Point] = {}
    for point in placed:
        named.setdefault(point.row["method"], point)
        if point.best:
            named[point.row["method"]] = point
    if marked:
        named = {name: point for name, point in named.items() if marked in name.lower()}
    order = sorted(named.values(), key=lambda p: (not p.best, -p.row.value))
    return [
        {
            "text": textwrap.shorten(point.row["method"], 34, placeholder=" …"),
            "x": point.cost,
            "y": point.row.value,
            "size": _size(point),
        }
        for point in order
    ]


def _hover(view: View, point: Point) -> str:
    """Return the text of a point under the pointer; plotly reads a little HTML, so everything is escaped."""
    row = point.row
    whose = "counted here" if point.counted else "as printed"
    costs = f"{_short(point.cost)} G{view.cost}s for {OF_VIEWS[view.views]}"
    if row["convention"] == "MAC assumed" and not point.counted:
        costs += " (taken for MACs)"
    size = f"{_short(point.parameters)} M parameters" if point.parameters else "size not stated"
    lines = [
        f"{row['value']} {row['metric']} on {row['data set']}"
        + (f", {row['split']}" if row["split"] else ""),
        f"{costs}, {size}, {whose}",
    ]
    about = [
        row["input"] and f"input {row['input']}",
        row["views"] and f"views {row['views']}",
        row["pre-training"] and f"pre-training {row['pre-training']}",
    ]
    lines += [", ".join(filter(None, about)), f"{row['source']}; {row['place']} ({row['status']})"]
    if point.counted and row["counted as"]:
        lines.append(f"counted as {row['counted as']}")
    for id in row.errata:
        lines.append(f"{id}, right: {_errata()[id].right}. {_errata()[id].why}")
    wrapped = [escape(part) for line in lines if line for part in textwrap.wrap(line, 58)]
    return f"<b>{escape(row['method'])}</b><br>" + "<br>".join(wrapped)


def _chart(
    view: View, rows: Sequence[PublishedRow], placed: Sequence[Point], left_out: dict[str, int]
) -> str:
    drawn = len({point.row.id for point in placed})
    label = f"{view.metric} on {view.data_set} against cost, {formatting.count(drawn, 'method')}"
    ready = view.data_set and view.metric
    return fragment(
        "compare/parts",
        "chart",
        ready=ready,
        plot=plots.draw(figure(view, placed), label, HEIGHT) if ready and placed else "",
        sentences=_sentences(
            view, len(rows), drawn, left_out, sum(point.wrong for point in placed)
        ),
    )


def _sentences(
    view: View, rows: int, drawn: int, left_out: dict[str, int], wrong: int
) -> list[str]:
    """The sentences under the chart."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(left_out.items()))
    sentences = [f"{drawn} of {formatting.count(rows, 'row')} can be drawn."]
    if reasons:
        sentences = [f"{sentences[0]} Only in the table: {reasons}."]
    sentences.append("Larger points have more parameters.")
    if view.numbers == "here":
        sentences.append(
            "Accuracies are the published ones where the data set is; sizes and costs are what our "
            "counter finds for the network here (diamonds)."
        )
    if view.numbers == "both":
        sentences.append(
            "A dotted line joins what is printed (circle) to what our counter finds (diamond)."
        )
    if wrong:
        sentences.append(
            f"{wrong} printed {'number is' if wrong == 1 else 'numbers are'} wrong: an open circle shows "
            "what is printed, the diamond at the end of its dotted line what we count; point at it "
            "to see why."
        )
    return sentences


# The table


def _table(view: View, rows: Sequence[PublishedRow]) -> str:
    by, down = view.sort.removeprefix("-"), view.sort.startswith("-")
    heads = [
        {
            "name": column,
            "about": COLUMNS[column],
            "number": column in NUMBERS,
            "next": _next_sort(column, view.sort),
            "arrow": ("↓" if down else "↑") if column == by else "",
            "order": ("descending" if down else "ascending") if column == by else "none",
        }
        for column in view.columns
    ]
    errata_of_rows = [
        erratum for erratum in _errata().values() if any(erratum.id in row.errata for row in rows)
    ]
    return render(
        "compare/table",
        heads=heads,
        rows=rows,
        columns=view.columns,
        numbers=NUMBERS,
        errata=errata_of_rows,
        hue=formatting.hue,
        count=formatting.count(len(rows), "row"),
        query=query(view),
    )


def _next_sort(column: str, sort: str) -> str:
    """Return the order that a press on a column's head gives: numbers start with the largest, words with A."""
    first, second = (f"-{column}", column) if column in NUMBERS else (column, f"-{column}")
    return second if sort == first else first


# One row


def details(row: PublishedRow) -> str:
    """Return the details of a row and of the network that goes with it here, as HTML."""
    card = registry.cards().get(row["model"])
    facts = [
        (column, row[column])
        for column in COLUMNS
        if row[column] and column not in ("method", "model", "erratum")
    ]
    here = None
    if card:
        path = _file(card.name)
        here = {
            "card": card,
            "able": availability(card),
            "path": path.relative_to(path.parents[2]).as_posix(),
            "source": path.read_text("utf-8"),
            "hue": formatting.hue(card.family),
            "small": _small(card.name),
        }
    return render(
        "compare/details",
        row=row,
        facts=facts,
        here=here,
        errata=[_errata()[e] for e in row.errata],
    )


def _small(name: str) -> dict | None:
    """Return the tiny network of the same file whose weights are here, if the named one has none."""
    cards = registry.cards()
    if availability(cards[name]).state != "missing":
        return None
    same = [
        other
        for other in cards.values()
        if other.size == "tiny"
        and _file(other.name) == _file(name)
        and availability(other).state == "shipped"
    ]
    return {"name": same[0].name, "title": same[0].title} if same else None


@cache
def _file(name: str) -> Path:
    """The file that ends with the card of that name."""
    return next(
        Path(module.__file__)
        for module in registry.files()
        if any(card.name == name for card in module.CARDS)
    )


@cache
def _errata() -> dict[str, errata.Erratum]:
    return errata.load()


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:.4g}"
