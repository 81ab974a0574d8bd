"""Questions are answered by finished runs and by nothing else."""

import re
from pathlib import Path

import pytest

from har_demo.research.training.recognition import tables
from har_demo.research.training.recognition.ablations import COLUMNS, FIGURES, answers, text
from har_demo.research.training.recognition.report import COLUMNS as MEASURED
from har_demo.research.training.recognition.report import read_rows, write_rows


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


def test_the_table_holds_finished_rows_alone(tmp_path):
    (tmp_path / "runs").mkdir()
    write_rows(tmp_path / "lab.csv", MEASURED, _run(0, 50))
    tables.tabulate(tmp_path / "runs", tmp_path)
    (row,) = read_rows(tmp_path / "ablations.csv")
    assert tuple(row) == COLUMNS
    assert (row["question"], row["label"], row["seeds"]) == ("frames", "MFNet, 8 frames", "1")
    assert (row["arid6"], row["arid6_spread"], row["weizmann"]) == ("50.0", "", "")


def test_the_text_says_what_is_measured_and_what_is_missing(tmp_path, capsys):
    write_rows(tmp_path / "lab.csv", MEASURED, _run(0, 50) + _run(1, 60))
    tables.main(["--questions", "--results", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    (measured,) = (line for line in lines if "MFNet, 8 frames" in line)
    assert "55.0 ± 7.1" in measured
    (missing,) = (line for line in lines if "MFNet, 4 frames" in line)
    assert "none yet" in missing
    assert "0.31 G" in missing
    assert any(line.startswith("frames: How many") for line in lines)
    assert text([])  # and without any run


def test_tar_files_need_a_place(tmp_path, capsys):
    with pytest.raises(SystemExit):
        tables.main([str(tmp_path)])
    assert "--runs" in capsys.readouterr().err


def test_the_sentences_quote_the_table():
    """Every figure of a question's paragraph is one of its rows', to a tenth."""
    folder = Path(__file__).parents[4] / "results" / "measured"
    table = read_rows(folder / "ablations.csv")
    paragraphs = (folder / "ablations.md").read_text(encoding="utf-8").split("\n## ")[1:]
    assert paragraphs
    for paragraph in paragraphs:
        name = paragraph.split("\n")[0]
        rows = [row for row in table if row["question"] == name]
        measured = {row[figure] for row in rows for figure in FIGURES}
        assert set(re.findall(r"\d+\.\d", paragraph)) <= measured, name
