"""The choices above the comparison, as a link keeps them, and the points that they give."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from har_demo.profiling.published_costs import CLOSE
from har_demo.tables import published, tiny
from har_demo.tables.pareto import front
from har_demo.tables.published import COLUMNS, NUMBERS, PublishedRow, chosen

COSTS = ("MAC", "FLOP")
VIEWS = ("one", "all")
NUMBERS_OF = ("published", "here", "both")
FILTERS = {
    "family": "family",
    "year": "year",
    "modality": "modality",
    "pretraining": "pre-training",
}
"""Fields of a view that filter, with their columns."""
NOT_STATED = "not stated"
FIRST_COLUMNS = (
    "method",
    "family",
    "year",
    "data set",
    "metric",
    "value",
    "parameters (M)",
    "cost (G)",
    "views",
    "pre-training",
    "source",
    "place",
    "status",
    "erratum",
)
LONGEST = 200  # letters that are read of a word from a link


@dataclass(frozen=True)
class View:
    """The choices above chart and table; everything but a visitor's own rows.

    Attributes:
        data_set, metric: of the rows; '' for all.
        cost: 'MAC', or 'FLOP', which is two for every MAC.
        views: 'one' view of a clip, or 'all' that are averaged for one video.
        flow: whether the cost of computing optical flow is added for networks that read it.
        numbers: sizes and costs as 'published', counted 'here', or 'both' joined by a line.
        mark: points whose name has these letters stand out.
        search: words a row must say.
        family, year, modality, pretraining: what is accepted; () for everything.
        sort: column of the table, with a '-' before it for the largest first.
        columns: of the table, in order.
    """

    data_set: str = "Kinetics-400"
    metric: str = "top-1"
    cost: str = "MAC"
    views: str = "one"
    flow: bool = False
    numbers: str = "published"
    mark: str = ""
    search: str = ""
    family: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    pretraining: tuple[str, ...] = ()
    sort: str = "-value"
    columns: tuple[str, ...] = FIRST_COLUMNS


START = View()


@dataclass(frozen=True)
class Point:
    """A row's place in the chart.

    Attributes:
        cost: in the unit and of the views that were chosen, in 10⁹.
        parameters: in millions, None where not stated.
        counted: whether size and cost are our counter's and not as printed.
        wrong: whether an erratum says of the printed numbers that they are not right.
        best: whether no other point is both cheaper and better.
    """

    row: PublishedRow
    cost: float
    parameters: float | None
    counted: bool
    wrong: bool = False
    best: bool = False


def every_row(own: Sequence[PublishedRow] = ()) -> tuple[PublishedRow, ...]:
    """Published rows, those measured here and a visitor's own."""
    return (*published.load(), *tiny.load(), *own)


def offered(rows: Sequence[PublishedRow], column: str) -> list[str]:
    """The different cells of a column, an empty one as 'not stated', last."""
    cells = {row[column] for row in rows}
    return [*sorted(cells - {""}), *([NOT_STATED] if "" in cells else [])]


def data_sets(rows: Sequence[PublishedRow]) -> list[str]:
    """Return the data sets that methods can be compared on, that with the most rows first."""
    count = Counter(row["data set"] for row in rows if row["data set"])
    return [name for name, _ in count.most_common()]


def metrics(rows: Sequence[PublishedRow], data_set: str) -> list[str]:
    """Return the metrics of a data set, that of most rows first."""
    count = Counter(row["metric"] for row in chosen(rows, data_set) if row["metric"])
    return [metric for metric, _ in count.most_common()]


def table_rows(view: View, rows: Sequence[PublishedRow]) -> list[PublishedRow]:
    """The rows of the table, and of the files: those that fit, sorted; empty cells come last."""
    among = {
        column: ["" if cell == NOT_STATED else cell for cell in getattr(view, field)]
        for field, column in FILTERS.items()
    }
    fit = chosen(rows, view.data_set, view.metric, view.search, among)
    column = view.sort.removeprefix("-")
    stated = [row for row in fit if row[column]]
    stated.sort(
        key=(lambda row: row.number(column))
        if column in NUMBERS
        else (lambda row: row[column].lower()),
        reverse=view.sort.startswith("-"),
    )
    return [*stated, *(row for row in fit if not row[column])]


def points(view: View, rows: Sequence[PublishedRow]) -> tuple[list[Point], dict[str, int]]:
    """The points of these rows, and how many rows are left out for which reason.

    A row gives one point, or two: as published and as counted here. A printed number that an erratum
    corrects always has the counted one with it. The front goes by the counted one of such a pair.
    """
    drawn: list[Point] = []
    left_out: Counter[str] = Counter()
    for row in rows:
        both, reason = _of_row(view, row)
        drawn += both
        if not both:
            left_out[reason] += 1
    running = [place for place, point in enumerate(drawn) if not _overruled(point, drawn)]
    best = {running[n] for n in front([(drawn[p].cost, drawn[p].row.value) for p in running])}
    return [replace(point, best=place in best) for place, point in enumerate(drawn)], dict(left_out)


def _of_row(view: View, row: PublishedRow) -> tuple[list[Point], str]:
    if row.value is None:
        return [], "without an accuracy"
    wrong = misprinted(row)
    printed = _cost(view, row, row.gmacs, "without a stated cost")
    ours = _cost(view, row, row.number("counted cost (G)"), "of networks not counted here")
    want_printed = view.numbers != "here" and row["status"] != "measured"
    want_ours = view.numbers != "published" or row["status"] == "measured" or wrong
    both = []
    if want_printed and isinstance(printed, float):
        both.append(Point(row, printed, row.number("parameters (M)"), False, wrong))
    if want_ours and isinstance(ours, float):
        both.append(Point(row, ours, row.number("counted parameters (M)"), True))
    if both:
        return both, ""
    reasons = [cost for cost in (printed, ours) if isinstance(cost, str)]
    return [], (reasons if want_printed else reasons[::-1])[0]


def _cost(view: View, row: PublishedRow, gmacs: float | None, unknown: str) -> float | str:
    """Return the cost of a row in the chosen unit and views, or the reason that there is none."""
    if gmacs is None:
        return unknown
    if view.flow and "flow" in row["modality"]:
        flow = row.number("flow (G)")
        if flow is None:
            return "with optical flow of unknown cost"
        gmacs += flow
    if view.views == "all":
        if row.views is None:
            return "without a stated number of views"
        gmacs *= row.views
    return gmacs * 2 if view.cost == "FLOP" else gmacs


def misprinted(row: PublishedRow) -> bool:
    """Return whether an erratum goes with the row and its printed size or cost is off our count."""
    pairs = (
        (row.number("parameters (M)"), row.number("counted parameters (M)"), CLOSE[0]),
        (row.gmacs, row.number("counted cost (G)"), CLOSE[1]),
    )
    return bool(row.errata) and any(
        theirs and ours and abs(theirs / ours - 1) > bound for theirs, ours, bound in pairs
    )


def _overruled(point: Point, points: Sequence[Point]) -> bool:
    """Return whether the same row has a counted point, which counts in its place."""
    return not point.counted and any(other.counted and other.row is point.row for other in points)


def query(view: View) -> str:
    """The view as the end of a link: only what differs from START, '' for START itself."""
    changed = {}
    for field in fields(View):
        value = getattr(view, field.name)
        if value != getattr(START, field.name):
            changed[field.name] = "~".join(value) if isinstance(value, tuple) else value
    if "data_set" in changed:  # without it, a link takes the metric that most rows of the set have
        changed["metric"] = view.metric
    return urlencode(changed | ({"flow": 1} if view.flow else {}))


def from_query(parameters: dict[str, str], rows: Sequence[PublishedRow]) -> tuple[View, list[str]]:
    """Return the view that a link names, and a sentence for each thing in it that does not exist."""
    view, problems = START, []
    for field in fields(View):
        if field.name not in parameters:
            continue
        word = parameters[field.name][: LONGEST * 10]
        value = tuple(filter(None, word.split("~"))) if field.type == tuple[str, ...] else word
        if field.type is bool:
            value = word == "1"
        wrong = _unknown(field.name, value, view, rows)
        if wrong:
            problems.append(f"The link asks for {field.name}={wrong[:40]}, which does not exist.")
        else:
            view = replace(view, **{field.name: value})
        if field.name == "data_set" and "metric" not in parameters:
            view = replace(view, metric=next(iter(metrics(rows, view.data_set)), ""))
    return view, problems


def _unknown(
    name: str, value: str | bool | tuple[str, ...], view: View, rows: Sequence[PublishedRow]
) -> str:
    """The first word of a choice that is not offered; '' if all are."""
    if isinstance(value, bool):
        return ""
    if name in ("mark", "search"):
        return value if len(value) > LONGEST else ""
    among = {
        "data_set": ["", *data_sets(rows)],
        "metric": ["", *metrics(rows, view.data_set)],
        "cost": COSTS,
        "views": VIEWS,
        "numbers": NUMBERS_OF,
        "sort": [sign + column for column in COLUMNS for sign in ("", "-")],
        "columns": list(COLUMNS),
    }
    accepted = among[name] if name in among else offered(rows, FILTERS[name])
    words = (value,) if isinstance(value, str) else value
    return next((word or "nothing" for word in words if word not in accepted), "")
