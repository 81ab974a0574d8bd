"""A visitor's own rows: what is taken, what is refused in one sentence, and what is left after."""

from dataclasses import fields, replace
from html import unescape

import pytest

from har_demo.interface.pages.compare.callbacks import (
    add_rows,
    change_data_set,
    controls_of,
    forget_rows,
    take,
    view_of,
)
from har_demo.interface.pages.compare.selection import START, View, every_row
from har_demo.tables.published import MOST_BYTES, MOST_ROWS

NAMES = [field.name for field in fields(View)]
CONTROLS = [
    list(value) if isinstance(value := getattr(START, name), tuple) else value for name in NAMES
]
HEADER = "method,data set,metric,value"


def test_controls_and_view_are_each_other_s_reverse():
    assert view_of(*CONTROLS) == START
    shown = [getattr(one, "value", one) for one in controls_of(START, every_row())]
    assert view_of(*shown) == START


def test_rows_are_added_once_more_and_forgotten():
    text = f"{HEADER}\nMine,Attic,top-1,50"
    notice, own, *rest = add_rows(text, None, *CONTROLS, [])
    assert "1 row of yours" in notice and "1 without a cost" in notice
    assert rest[NAMES.index("data_set")].value == "Attic" and "Mine" in rest[-1]
    _, own, *_ = add_rows(text, None, *CONTROLS, own)
    assert len({row.id for row in own}) == len(own) == 2
    view = replace(START, data_set="Attic")
    given = [getattr(view, name) for name in NAMES]
    assert len(take("json", *given, own)["text"].split('"Mine"')) == 3
    _, own, *rest = forget_rows(*given, own)
    assert own == [] and rest[NAMES.index("data_set")].value == START.data_set
    assert "Mine" not in rest[-1]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe\x00m", "not text in UTF-8"),
        (b"x" * (MOST_BYTES + 1), "larger than 200 kB"),
        (b"", "'method' is missing"),
        (b"\x00" * 50, "no column"),
    ],
)
def test_a_bad_file_gets_one_sentence_and_changes_nothing(tmp_path, content, sentence):
    file = tmp_path / "mine.csv"
    file.write_bytes(content)
    notice, own, *_ = add_rows("", str(file), *CONTROLS, [])
    assert sentence in unescape(str(notice)) and own == []


def test_nothing_and_too_much_are_refused():
    assert "There are no rows yet" in add_rows("  ", None, *CONTROLS, [])[0]
    many = HEADER + "\na,b,c,1" * MOST_ROWS
    _, own, *_ = add_rows(many, None, *CONTROLS, [])
    assert len(own) == MOST_ROWS
    notice, kept, *_ = add_rows(f"{HEADER}\na,b,c,1", None, *CONTROLS, own)
    assert "more than 500 rows of yours" in notice and kept == own


def test_another_data_set_brings_its_own_metric():
    given = [getattr(replace(START, data_set="Sports-1M"), name) for name in NAMES]
    metric, chart, table = change_data_set(*given, [])
    assert metric.value == "video@1" and "ir-CSN-152" in table and "video@1" in chart
