import csv
import json

import pytest

from har_demo.errors import ChoiceError
from har_demo.interface.service import requests, write_files
from har_demo.recognize.prediction import ModelError, Request
from tests.test_interface.test_pages.test_recognize.test_view import (
    clip_named,
    prediction,
    scores_for,
)

AS_TRAINED = {"frames": None, "stride": None, "windows": None, "crops": 1}


def test_every_ticked_model_gets_the_settings_and_one_the_own_weights():
    asked = requests(["c3d_lab", "r3d_18"], AS_TRAINED | {"windows": 5}, "r3d_18", "mine.pt")
    assert asked == [
        Request("c3d_lab", windows=5),
        Request("r3d_18", windows=5, weights="mine.pt"),
    ]


@pytest.mark.parametrize(
    ("chosen", "own_model", "own_file", "sentence"),
    [
        ([], "", None, "No model is ticked"),
        (["c3d_lab"], "", "mine.pt", "belong to no ticked model"),
        (["c3d_lab"], "r3d_18", "mine.pt", "belong to no ticked model"),
        (["c3d_lab"], "c3d_lab", None, "file of your own weights is missing"),
    ],
)
def test_what_cannot_be_asked_is_said(chosen, own_model, own_file, sentence):
    with pytest.raises(ChoiceError, match=sentence):
        requests(chosen, AS_TRAINED, own_model, own_file)


def test_files_are_named_after_the_clip_and_hold_all_answers(tmp_path):
    said = [prediction("c3d_lab", scores_for(1, 2)), ModelError("r3d_18", "R3D-18", "not here")]
    as_json, as_csv = write_files(clip_named("my wave.mov"), said, tmp_path)
    assert as_json.name == "my wave-answers.json" and as_csv.name == "my wave-answers.csv"
    told = json.loads(as_json.read_text())
    assert [p["model"] for p in told["predictions"]] == ["c3d_lab"]
    assert told["refusals"][0]["message"] == "not here"
    rows = list(csv.DictReader(as_csv.open(newline="")))
    assert {row["model"] for row in rows} == {"c3d_lab", "r3d_18"}
