"""Models are asked in turn, and each stands beside the first."""

import pytest

from har_demo.errors import UserError
from har_demo.research.benchmarks import default_models


def test_every_model_has_a_row_beside_the_first(monkeypatch, tmp_path):
    monkeypatch.setattr(default_models, "SIZE", (96, 64))
    monkeypatch.setattr(default_models, "SECONDS", 1)
    rows = default_models.measure(("early_fusion_lab", "late_fusion_lab"), rounds=1)
    assert [row[0] for row in rows] == ["early_fusion_lab", "late_fusion_lab"]
    assert rows[0][-1] == "1.00"
    for row in rows:
        _, windows, frames, median, least, most, ratio = row
        assert int(windows) >= 1 and int(frames) >= 1
        assert float(least) <= float(median) <= float(most) and float(ratio) > 0
    file = tmp_path / "table.csv"
    default_models.write(rows, file)
    assert file.read_text().splitlines()[0] == ",".join(default_models.COLUMNS)


def test_a_model_that_does_not_answer_is_said(monkeypatch):
    monkeypatch.setattr(default_models, "SIZE", (96, 64))
    monkeypatch.setattr(default_models, "SECONDS", 1)
    with pytest.raises(UserError, match="weights"):
        default_models.measure(("r3d_18",), rounds=1)
