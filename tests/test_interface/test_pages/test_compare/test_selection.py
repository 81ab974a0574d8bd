"""What is compared: which rows, which points, and the link that brings a view back."""

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from har_demo.interface.pages.compare.selection import (
    NUMBERS_OF,
    START,
    View,
    every_row,
    from_query,
    metrics,
    points,
    query,
    table_rows,
)
from har_demo.interface.pages.compare.view import details, figure, shown
from har_demo.tables.published import parse

ROWS = every_row()


def drawn(**changes) -> tuple[dict[str, list], dict[str, int]]:
    """The points of a view by place of their row, and what is left out."""
    view = replace(START, **changes)
    found, left_out = points(view, table_rows(view, ROWS))
    by: dict[str, list] = {}
    for point in found:
        by.setdefault(point.row["place"], []).append(point)
    return by, left_out


SWIN_B, R2PLUS1D, CSN = "lecture, line 632", "lecture, line 621", "lecture, line 624"


@pytest.mark.parametrize(
    ("changes", "cost"),
    [
        ({}, 282),
        ({"cost": "FLOP"}, 2 * 282),
        ({"views": "all"}, 12 * 282),
        ({"views": "all", "cost": "FLOP"}, 24 * 282),
        ({"flow": True}, 282),
        ({"numbers": "here"}, 281.33),
    ],
)
def test_a_cost_is_in_the_unit_and_of_the_views_that_are_wanted(changes, cost):
    (point,) = drawn(**changes)[0][SWIN_B]
    assert point.cost == pytest.approx(cost)


def test_the_cost_of_flow_is_added_where_flow_is_read():
    place = "lecture, line 486"
    plain, flowing = (
        drawn(data_set="Sports-1M", metric="video@1", flow=flow)[0][place][0].cost
        for flow in (False, True)
    )
    row = next(row for row in ROWS if row["place"] == place)
    assert plain == 305 and flowing == pytest.approx(305 + row.number("flow (G)"))


def test_a_misprint_has_what_we_count_beside_it_and_the_front_goes_by_that():
    printed, counted = drawn()[0][R2PLUS1D]
    assert (printed.cost, printed.parameters, printed.wrong) == (75, 61.8, True)
    assert (counted.cost, counted.parameters, counted.counted) == (152.36, 63.7, True)
    (right,) = drawn()[0][CSN]  # has an erratum, and its numbers are right
    assert not right.wrong
    cheap = parse("method,data set,metric,value,cost (G)\nMine,Kinetics-400,top-1,99,0.1")
    view = START
    found, _ = points(view, [*cheap, *table_rows(view, ROWS)])
    assert [p.row["method"] for p in found if p.best] == ["Mine"]
    assert not any(p.best for p in drawn()[0][R2PLUS1D])


def test_published_and_counted_are_joined():
    both, _ = drawn(numbers="both")
    assert [p.counted for p in both[SWIN_B]] == [False, True]
    chart = figure(replace(START, numbers="both"), [p for ps in both.values() for p in ps])
    lines = chart["data"][1]
    pairs = sum(len(ps) == 2 for ps in both.values() if ps[0].row["place"].startswith("lecture"))
    assert lines["x"].count(None) >= pairs > 10


def test_every_row_is_drawn_or_its_absence_is_told():
    for numbers in NUMBERS_OF:
        for data_set in ("Kinetics-400", "UCF101", "Rendered people"):
            for views in ("one", "all"):
                view = replace(START, data_set=data_set, numbers=numbers, views=views, flow=True)
                rows = table_rows(view, ROWS)
                found, left_out = points(view, rows)
                assert len({p.row.id for p in found}) + sum(left_out.values()) == len(rows)
                said = shown(view, rows).chart
                assert all(f"{n} {reason}" in said for reason, n in left_out.items())


def test_lab_models_are_drawn_at_their_counted_cost():
    by, left_out = drawn(data_set="Rendered people")
    rows = [
        row for row in ROWS if row["data set"] == "Rendered people" and row["metric"] == "top-1"
    ]
    costless = [row for row in rows if not row["counted cost (G)"]]  # hand-crafted ones
    assert len(by) == len(rows) - len(costless) >= 16
    assert sum(left_out.values()) == len(costless)


def test_the_table_is_sorted_with_empty_cells_last():
    for sort in ("-value", "cost (G)", "method", "-year"):
        view = replace(START, sort=sort)
        cells = [row[sort.removeprefix("-")] for row in table_rows(view, ROWS)]
        stated = [cell for cell in cells if cell]
        assert cells == stated + [""] * (len(cells) - len(stated))
        key = str.lower if sort == "method" else float
        assert [key(c) for c in stated] == sorted(map(key, stated), reverse=sort[0] == "-")


VIEW = View(
    "UCF101", "mAP", "FLOP", "all", True, "both", "slow & fast", "“x” =1",
    ("Recurrent", "Two-stream"), ("2014",), ("rgb", "not stated"), ("none",), "method",
    ("method", "value"),
)  # fmt: skip


@pytest.mark.parametrize(
    "view",
    [
        START,
        VIEW,
        replace(START, data_set="", metric=""),
        replace(START, data_set="Sports-1M", metric="video@5"),
        replace(START, metric="top-5"),
        replace(START, data_set="UCF101"),
    ],
)
def test_a_link_brings_the_whole_view_back(view):
    asked = dict(parse_qsl(query(view), keep_blank_values=True))
    assert from_query(asked, ROWS) == (view, [])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"data_set": "Atlantis"}, "data_set=Atlantis"),
        ({"metric": "luck"}, "metric=luck"),
        ({"columns": "method~<b>"}, "columns=<b>"),
        ({"year": "2017~9"}, "year=9"),
        ({"sort": "__class__"}, "sort=__class__"),
        ({"search": "x" * 300}, "search=xxx"),
        ({"numbers": ""}, "numbers=nothing"),
    ],
)
def test_what_a_link_asks_for_and_does_not_exist_is_said(asked, said):
    view, problems = from_query(asked, ROWS)
    assert view == START and len(problems) == 1 and said in problems[0]


def test_metrics_of_a_data_set_begin_with_the_usual_one():
    assert metrics(ROWS, "Sports-1M") == ["video@1", "video@5"]
    assert metrics(ROWS, "Kinetics-400")[0] == "top-1"


def test_a_stranger_s_words_are_escaped_everywhere():
    evil = "<img src=x onerror=alert(1)>"
    rows = parse(
        "method,data set,metric,value,cost (G),note,source,family\n"
        + ",".join([evil, evil, evil, "50", "3", evil, evil, evil])
    )
    view = replace(START, data_set=evil, metric=evil)
    found, _ = points(view, rows)
    answer = shown(view, table_rows(view, rows))
    assert len(found) == 1
    for text in (answer.chart, answer.table, details(rows[0])):
        assert "<img" not in text
    hover = figure(view, found)["data"][2]["hovertext"][0]
    assert "<img" not in hover and "&lt;img" in hover


def test_details_lead_to_the_model():
    row = next(row for row in ROWS if row["place"] == R2PLUS1D)
    told = details(row)
    assert "har_demo/models/r2plus1d.py" in told and "def r2plus1d" in told.lower()
    assert "./compute?model=r2plus1d_34" in told and "?models=r2plus1d" in told
    assert "E17" in told and "61.8 is also what the row of the non-local I3D says" in told
    unknown = next(row for row in ROWS if row["method"] == "(2+C1)D")
    assert "no network of that name" in details(unknown)
