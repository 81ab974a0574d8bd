"""The story's figures are looked up: nothing in it is typed that the tables could contradict."""

import re

import pytest
from typer.testing import CliRunner

from har_demo import cli
from har_demo.models import registry
from har_demo.tables import lecture
from har_demo.tables.measured import Figure, MeasuredRow, entries

ORDER = [
    "fusion", "recurrent", "streams", "volume", "factorised", "grouped", "far", "transformer", "language"
]  # fmt: skip
SYSTEMS = [system for one in lecture.CHAPTERS for system in one.systems]


def test_the_story_goes_in_the_lectures_order():
    assert [one.name for one in lecture.CHAPTERS] == ORDER
    assert all(one.question and one.text and one.open_question for one in lecture.CHAPTERS)


def test_systems_are_cards_of_both_sizes():
    for system in SYSTEMS:
        if system.paper:
            assert registry.card(system.paper).size == "paper"
        if system.tiny:
            assert registry.card(system.tiny).size == "tiny"
        if system.paper and system.tiny:  # one system in two sizes, not two systems
            assert registry.card(system.paper).family == registry.card(system.tiny).family
    names = [name for system in SYSTEMS for name in (system.paper, system.tiny) if name]
    assert len(set(names)) == len(names)


def test_words_hold_no_figures_of_accuracy():
    for one in lecture.CHAPTERS:
        assert not re.search(r"\d %|\d\.\d", one.text + one.open_question + one.question)


def an_entry(order: float, clips: int = 79) -> MeasuredRow:
    figures = {("rendered", "order"): Figure(order, None, 1, clips)}
    return MeasuredRow("tsm_lab", "rgb", "scratch", "TSM", "2D fusion", 2019, (0,), 1, 1.0, figures)


@pytest.mark.parametrize(
    ("order", "says", "worse"),
    [
        (80.0, "tells 80.0 % of pairs apart", False),
        (50.0, "cannot be told from guessing", True),
        (55.0, "cannot be told from guessing", True),
        (20.0, "wrong more often than guessing", True),
    ],
)
def test_what_is_said_of_order_follows_the_figure(order, says, worse, monkeypatch):
    monkeypatch.setattr(lecture, "confusion", lambda one, dataset: None)
    (limit,) = lecture.limits(an_entry(order))
    assert says in limit.words and limit.worse == worse


def test_what_another_input_does_to_the_same_network_is_said():
    found = {one.key: one for one in entries()}
    frames = found["tsn_lab-rgb"].figures["arid6", "top1"].words()
    said = lecture.limits(found["tsn_lab"])[1]
    assert (said.words, said.worse) == (f"The same network on frames: {frames} %.", False)
    (back,) = [o for o in lecture.limits(found["tsn_lab-rgb"]) if "on differences" in o.words]
    assert back.worse
    assert not [o for o in lecture.limits(found["tsm_lab"]) if "same network" in o.words]


def test_limits_are_the_tables():
    best = max(entries(), key=lambda one: one.figures["arid6", "top1"].mean)
    first = lecture.limits(best)[0]
    figure = best.figures["arid6", "top1"]
    low, high = figure.interval
    assert figure.words() in first.words and f"{low:.0f} to {high:.0f} by clip" in first.words
    assert "guessing among the 6 actions filmed there gets 16.7" in first.words
    assert not [o for one in entries() for o in lecture.limits(one) if "rank" in o.words]
    assert not first.worse


def test_every_data_set_has_a_source_and_the_years_go_on():
    found = lecture.data_sets()
    years = [one.year for one in found]
    assert years == sorted(years) and len(found) >= 12
    named = {one.name for one in found if one.in_lecture}
    assert {"Weizmann", "HMDB51", "UCF101", "Sports-1M", "Moments in Time"} <= named
    assert all("recalled" in one.source for one in found if one.status == "unverified")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("A,2004,6,600,huge,x,no,s,documented,", "line 2: 'huge' is not of"),
        ("A,2004,six,600,small,x,no,s,documented,", "line 2: .*'six'"),
        ("A,2004,6,600,small,x,no,,documented,", "line 2: a data set needs a name and a source"),
        ("A,2004,6", "line 2: 3 cells"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path, row, sentence):
    file = tmp_path / "datasets.csv"
    file.write_text(",".join(lecture.COLUMNS) + f"\n{row}\n")
    with pytest.raises(ValueError, match=sentence):
        lecture.data_sets(file)


def test_the_command_tells_it():
    printed = CliRunner().invoke(cli.app, ["lecture"]).stdout
    assert "1. Pictures, joined" in printed and "9. From numbers to words" in printed
    assert "Moments in Time" in printed


def test_learned_prompts_are_told_by_their_mean(monkeypatch, tmp_path):
    (tmp_path / "measured").mkdir()
    rows = [
        "method,shots,seed,tested_on,clips,top1,top5,trained_parameters",
        "class name,0,0,rendered,10,3.0,9.0,0",
        *(f"learned prompts,2,{seed},rendered,10,90.0,99.0,7" for seed in range(3)),
        *(f"learned prompts,16,{seed},rendered,10,{20 + seed}.0,50.0,7" for seed in range(3)),
    ]
    (tmp_path / "measured/prompting_fewshot.csv").write_text("\n".join(rows), encoding="utf-8")
    monkeypatch.setattr(lecture, "RESULTS", tmp_path)
    assert "from 16 clips a class: 21.0 %, the mean of 3 trainings" in lecture.prompting()[1]
