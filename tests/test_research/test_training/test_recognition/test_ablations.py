"""The ablations as a table and as text: finished rows, and those that are missing."""

from typer.testing import CliRunner

from har_demo.research.cli import app
from har_demo.research.training.recognition import tables
from har_demo.research.training.recognition.ablations import text
from har_demo.tables.ablations import COLUMNS
from har_demo.tables.measured import COLUMNS as MEASURED
from har_demo.tables.rows import read_rows, write_rows


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


def test_the_table_holds_finished_rows_alone(tmp_path):
    (tmp_path / "runs").mkdir()
    write_rows(tmp_path / "tiny.csv", MEASURED, _run(0, 50))
    tables.tabulate(tmp_path / "runs", tmp_path)
    (row,) = read_rows(tmp_path / "ablations.csv")
    assert tuple(row) == COLUMNS
    assert (row["question"], row["label"], row["seeds"]) == ("frames", "MFNet, 8 frames", "1")
    assert (row["arid6"], row["arid6_spread"], row["weizmann"]) == ("50.0", "", "")


def test_the_text_says_what_is_measured_and_what_is_missing(tmp_path):
    write_rows(tmp_path / "tiny.csv", MEASURED, _run(0, 50) + _run(1, 60))
    result = CliRunner().invoke(app, ["ablations", "--results", str(tmp_path)])
    lines = result.stdout.splitlines()
    (measured,) = (line for line in lines if "MFNet, 8 frames" in line)
    assert "55.0 ± 7.1" in measured
    (missing,) = (line for line in lines if "MFNet, 4 frames" in line)
    assert "none yet" in missing
    assert "0.31 G" in missing
    assert any(line.startswith("frames: How many") for line in lines)
    assert text([])  # and without any run
