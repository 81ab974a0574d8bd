"""Temperatures make models as sure as they are right, on validation clips, and change no order."""

import csv
import json

import numpy as np
import pytest

from har_demo.clips.rendered import TEST_SEED
from har_demo.recognize.prediction import calibrated
from har_demo.research.training.recognition import calibration
from har_demo.research.training.recognition.calibration import Answers


def answers(sharpness: float) -> Answers:
    """Of 300 clips with labels drawn from known probabilities, which a model gives too sharply; 20 show none."""
    rng = np.random.default_rng(0)
    true = rng.dirichlet(np.full(5, 0.6), 300)
    labels = np.array([rng.choice(5, p=shares) for shares in true])
    given = calibrated(true, 1 / sharpness)[:, None].astype(np.float32)
    labels[:20] = -1
    datasets = np.where(np.arange(300) < 120, "ucf101", "rendered")
    return Answers(("one",), given, labels, datasets)


def test_the_temperature_undoes_what_made_it_too_sure():
    made = answers(sharpness=3.0)
    found = calibration.temperature(made.probabilities[:, 0], made.labels, made.weights)
    assert found == pytest.approx(3.0, rel=0.2)


def test_half_of_the_weight_is_of_rendered_people():
    made = answers(1.0)
    assert made.weights.sum() == pytest.approx(1)
    assert made.weights[made.datasets == "rendered"].sum() == pytest.approx(0.5)
    assert (made.weights[made.labels < 0] == 0).all()


def test_a_row_says_how_sure_a_model_is_before_and_after():
    (row,) = calibration.rows(answers(3.0))
    assert row["clips"] == 280
    assert row["loss_after"] < row["loss_before"]
    gaps = [abs(row[f"confidence_{when}"] - row["top1"]) for when in ("before", "after")]
    assert gaps[1] < 5 < gaps[0]
    assert row["sure_outside_after"] < row["sure_outside_before"]


def test_the_order_of_actions_stays():
    shares = np.random.default_rng(1).dirichlet(np.ones(39), 50).astype(np.float32)
    for temperature in (0.5, 1.0, 4.0):
        changed = calibrated(shares, temperature)
        assert (changed.argsort(1) == shares.argsort(1)).all()
        assert changed.sum(1) == pytest.approx(np.ones(50), abs=1e-5)
    assert calibrated(shares, 1.0) is shares


def test_temperatures_go_into_the_manifest_and_the_table(tmp_path):
    made = answers(2.0)
    file = tmp_path / "answers.npz"
    np.savez_compressed(file, **{name: getattr(made, name) for name in made.__dataclass_fields__})
    (tmp_path / "manifest.json").write_text(json.dumps({"checkpoints": [{"model": "one"}]}))
    calibration.write(file, tmp_path, tmp_path)
    (entry,) = json.loads((tmp_path / "manifest.json").read_text())["checkpoints"]
    (row,) = csv.DictReader((tmp_path / "calibration.csv").open())
    assert float(row["temperature"]) == entry["temperature"] == pytest.approx(2.0, rel=0.2)


def test_no_rendered_clip_is_of_training_or_of_the_test():
    assert calibration.SEED > TEST_SEED + 100_000
