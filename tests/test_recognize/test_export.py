import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from har_demo.recognize.export import as_csv, as_json
from har_demo.recognize.prediction import ModelError, Request
from har_demo.recognize.recognize import recognize


@pytest.fixture
def answers(zoo, clip):
    return list(recognize(clip, [Request("first", windows=3), Request("bare"), Request("second")]))


def test_json_carries_everything_and_survives_the_trip(clip, answers):
    text = json.dumps(as_json(clip, answers), allow_nan=False)
    found = json.loads(text)
    first = found["predictions"][0]
    assert [p["model"] for p in found["predictions"]] == ["first", "second"]
    refusal = {"model": "bare", "title": "Bare", "message": answers[1].message, "internal": False}
    assert found["refusals"] == [refusal]
    assert first["classes"] == list(answers[0].classes)
    scores = [window["probabilities"] for window in first["windows"]]
    np.testing.assert_allclose(scores, answers[0].scores, atol=5e-7)
    np.testing.assert_allclose(first["overall"], answers[0].overall, atol=5e-7)
    assert [window["frames"] for window in first["windows"]] == answers[0].frames.tolist()
    assert first["top"][0]["class"] == answers[0].top(1)[0][0]
    assert first["sampling"] == {
        "frames": 4,
        "stride": 2.0,
        "windows": 3,
        "distinct_frames": 4,
        "crops": answers[0].crops.tolist(),
        "fps": 25.0,
    }
    assert first["provenance"]["sha256"] == "ab" * 32
    assert set(first["times_ms"]) == {"decode", "transform", "forward", "flow"}
    assert found["clip"]["sha256"] == clip.sha256 and found["clip"]["source"]["codec"] == "h264"
    assert found["clip"]["frames"] == 120 and found["clip"]["duration"] == 4.8
    same, other = answers[0].overall, answers[2].overall
    assert found["agreement"][0][0] == pytest.approx(1, abs=1e-5)
    shared = None if answers[0].classes != answers[2].classes else np.minimum(same, other).sum()
    assert found["agreement"][0][1] == found["agreement"][1][0]
    assert found["agreement"][0][1] == (shared and pytest.approx(shared, abs=1e-5))
    assert found["software"]["torch"]


def test_json_rounds_to_six_places_and_hides_the_machines_paths(clip, answers):
    found = as_json(clip, answers)
    for value in found["predictions"][0]["overall"]:
        assert value == round(value, 6)
    assert str(clip.path.parent) not in json.dumps(found)


def test_csv_has_a_row_for_every_model_window_and_rank(clip, answers):
    text = as_csv(clip, answers)
    assert text.count("\r\n") == text.count("\n") == 1 + 4 * 4 + 1 + 11 * 4
    rows = list(csv.DictReader(io.StringIO(text)))
    window = [row for row in rows if row["model"] == "first" and row["window"] == "1"]
    assert [row["rank"] for row in window] == ["1", "2", "3", "4"]
    expected = answers[0].top(4, window=1)
    assert [row["class"] for row in window] == [name for name, _ in expected]
    for row, (_, probability) in zip(window, expected, strict=True):
        assert float(row["probability"]) == pytest.approx(probability, abs=1e-6)
    start, end = answers[0].seconds()[1]
    assert (float(window[0]["start_s"]), float(window[0]["end_s"])) == (start, end)
    overall = [row for row in rows if row["model"] == "first" and row["window"] == "overall"]
    assert [row["class"] for row in overall] == [name for name, _ in answers[0].top(4)]
    (refused,) = [row for row in rows if row["model"] == "bare"]
    assert refused["note"] == answers[1].message and refused["class"] == ""


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x")', "+1", "-1+2", "@SUM(A1)", "\tx.mp4"])
def test_a_file_name_never_becomes_a_formula(clip, answers, name):
    named = replace(clip, source=replace(clip.source, name=name))
    rows = list(csv.DictReader(io.StringIO(as_csv(named, answers))))
    assert {row["clip"] for row in rows} == {f"'{name}"}


def test_names_with_commas_quotes_and_line_breaks_survive(clip, answers):
    name = 'two, "three"\nfour é.mp4'
    named = replace(clip, source=replace(clip.source, name=name))
    rows = list(csv.DictReader(io.StringIO(as_csv(named, answers), newline="")))
    assert {row["clip"] for row in rows} == {name}


def test_refusals_alone_can_be_exported(clip):
    refusals = [ModelError("bare", "Bare", "no weights.")]
    assert as_json(clip, refusals)["predictions"] == []
    assert len(as_csv(clip, refusals).splitlines()) == 2
