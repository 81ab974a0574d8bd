"""Every opening of the test is noted before a clip is read."""

from pathlib import Path

from har_demo.research.training.recognition.sealed import COLUMNS, note_opening
from har_demo.tables.rows import read_rows
from tests.evaluated import outcome


def test_openings_are_appended_with_weights_and_command(tmp_path):
    one = outcome([("arid6", "park", "walking")] * 2, ["walking"] * 2)
    for answers in ("a.parquet", "b.parquet"):
        note_opening(
            tmp_path / "log.csv",
            [one.target],
            Path("x") / answers,
            ["sealed-test", "--data", "a b"],
        )
    first, second = read_rows(tmp_path / "log.csv")
    assert tuple(first) == COLUMNS
    assert (first["model"], first["weights"], first["clips"]) == ("c3d_lab", "0f", "2")
    assert first["command"] == "sealed-test --data 'a b'" and first["code"] and first["date"]
    assert (first["answers"], second["answers"]) == ("a.parquet", "b.parquet")
