"""Questions are answered by finished runs and by nothing else, and the sentences quote the table."""

import re

import pytest

from har_demo import assets
from har_demo.models import registry
from har_demo.tables.ablations import ABLATIONS, COLUMNS, FIGURES, answers, is_variation
from har_demo.tables.measured import COLUMNS as MEASURED
from har_demo.tables.rows import read_rows


def _row(seed, dataset, metric, value, model="mfnet_lab.frames_8", input="rgb", split="a"):
    values = (model, input, "scratch", split, str(seed), dataset, metric, str(value), "1")
    return dict(zip(MEASURED, values, strict=True))


def _run(seed, top1, **which):
    return [
        _row(seed, "", "parameters", 1_000_000, **which),
        _row(seed, "", "gmacs", 0.5, **which),
        *(_row(seed, name, "top1", top1, **which) for name in ("rendered", "arid6")),
        _row(seed, "rendered", "order", top1 + 10, **which),
    ]


def _named(rows, label):
    return [row for row in rows if row["label"] == label]


def test_a_row_is_the_mean_over_seeds_and_their_spread():
    (row,) = _named(answers(_run(0, 50) + _run(1, 60)), "MFNet, 8 frames")
    assert row["seeds"] == 2
    assert (row["parameters"], row["gmacs"]) == (1_000_000, 0.5)
    assert (row["arid6"], row["rendered_order"]) == (55, 65)
    assert row["arid6_spread"] == pytest.approx(50**0.5, abs=0.05)
    assert "weizmann" not in row


def test_one_seed_has_no_spread_and_another_split_or_input_is_not_counted():
    other = _run(1, 90, split="b") + _run(1, 90, input="difference") + _run(1, 90, model="c3d_lab")
    (row,) = _named(answers(_run(0, 50) + other), "MFNet, 8 frames")
    assert (row["seeds"], row["arid6"]) == (1, 50)
    assert "arid6_spread" not in row


def test_a_run_answers_every_question_it_is_a_row_of():
    rows = [row for row in answers(_run(0, 50, model="mfnet_lab")) if row["seeds"]]
    assert [row["question"] for row in rows] == [
        "frames",
        "stride",
        "non_local",
        "pyramid",
        "light",
    ]


def test_differences_are_another_row_than_frames():
    rows = answers(_run(0, 50, model="i3d_lab", input="difference"))
    assert [row["label"] for row in rows if row["seeds"]] == ["differences"]


def test_the_sentences_quote_the_table():
    """Every figure of a question's paragraph is one of its rows', to a tenth."""
    table = read_rows(assets.MEASURED / "ablations.csv")
    paragraphs = (assets.MEASURED / "ablations.md").read_text(encoding="utf-8").split("\n## ")[1:]
    assert paragraphs
    for paragraph in paragraphs:
        name = paragraph.split("\n")[0]
        rows = [row for row in table if row["question"] == name]
        measured = {row[figure] for row in rows for figure in FIGURES}
        assert set(re.findall(r"\d+\.\d", paragraph)) <= measured, name


def test_the_table_is_made_of_the_figures_of_every_run():
    table = read_rows(assets.MEASURED / "ablations.csv")
    made = answers(read_rows(assets.MEASURED / "tiny.csv"))
    assert [
        dict.fromkeys(COLUMNS, "") | {k: str(v) for k, v in row.items()} for row in made
    ] == table
    assert {row["seeds"] for row in table} == {"2"}


def test_every_row_of_a_question_differs_and_is_of_a_tiny_model():
    names = [ablation.name for ablation in ABLATIONS]
    assert len(set(names)) == len(names)
    for ablation in ABLATIONS:
        shown = [(row.model, row.input) for row in ablation.rows]
        assert len(set(shown)) == len(shown) >= 2
        assert len({row.label for row in ablation.rows}) == len(shown)
        for row in ablation.rows:
            base = registry.card(row.model.split(".")[0])
            if not is_variation(row.model) and row.input != "rgb":
                assert row.input in (base.input.modality, "difference")
