"""Networks are timed, and other machines' rows stay."""

import torch
from typer.testing import CliRunner

from har_demo.research.cli import app
from har_demo.research.training.recognition import timing
from har_demo.tables.measured import TIME_COLUMNS
from har_demo.tables.rows import read_rows, write_rows


def test_the_quickest_of_all_rounds_counts(tmp_path, monkeypatch):
    disturbed = iter([7.0, 1.0, 2.0, 9.0, 3.0, 4.0])
    monkeypatch.setattr(timing, "milliseconds", lambda card, device: next(disturbed))
    file = tmp_path / "times.csv"
    words = ["timing", str(file), "--models", "c3d_lab,tsn_lab"]
    assert CliRunner().invoke(app, words).exit_code == 0
    found = {row["model"]: row["milliseconds"] for row in read_rows(file)}
    assert found == {"c3d_lab": "2.00", "tsn_lab": "1.00"}


def test_rows_of_other_machines_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "milliseconds", lambda card, device: 1.5)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    file = tmp_path / "times.csv"
    kept = dict.fromkeys(TIME_COLUMNS, "1") | {"model": "c3d_lab", "machine": "other"}
    write_rows(file, TIME_COLUMNS, [kept])
    for _ in range(2):
        assert len(list(timing.time_all(file, ["c3d_lab"], "cpu"))) == timing.ROUNDS
    rows = read_rows(file)
    assert len(rows) == 2
    assert kept in rows
    assert [row["milliseconds"] for row in rows if row != kept] == ["1.50"]
