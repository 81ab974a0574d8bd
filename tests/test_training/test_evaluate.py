"""Accuracy is counted right, recorded right, and that of the shipped files can be measured again."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from har_demo.errors import WeightsError
from har_demo.labels import LABEL_SET_13
from har_demo.models import registry
from har_demo.training.data import HELD_OUT, Example, group_of, prepare, read_examples, split
from har_demo.training.evaluate import evaluate, measure, record

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
MANIFEST = ROOT / "checkpoints" / "manifest.json"


def _example(dataset, label, group):
    return Example(None, None, dataset, label, group)


def _answers(first, second=None):
    """Scores whose best class is `first`, for each clip, and whose others follow in order."""
    scores = np.tile(np.linspace(0.05, 0.01, 13), (len(first), 1))
    scores[np.arange(len(first)), first] = 0.5
    return scores


def test_counts():
    examples = [
        _example("weizmann", 0, "lena"),
        _example("weizmann", 0, "moshe"),
        _example("weizmann", 0, "lena"),
        _example("weizmann", 12, "lena"),
        _example("arid6", 7, "park"),
    ]
    arid, weizmann = measure(_answers([0, 0, 3, 5, 7]), examples)
    assert (arid.dataset, arid.clips, arid.top1, arid.groups) == ("arid6", 1, 100.0, ("park",))
    assert weizmann.groups == ("lena", "moshe")
    assert weizmann.clips == 4
    assert weizmann.top1 == 50.0
    assert weizmann.top5 == 75.0  # class 12 is last, class 0 is second behind 3
    assert weizmann.class_mean == pytest.approx(100 * (2 / 3 + 0) / 2)
    assert weizmann.confusion.sum() == 4
    assert weizmann.confusion[0, 3] == 1
    assert weizmann.confusion[12, 5] == 1


def test_figures_go_to_their_own_model(tmp_path):
    entries = [{"model": "a", "accuracy": []}, {"model": "b", "accuracy": [{"top1": 1}]}]
    (tmp_path / "manifest.json").write_text(json.dumps({"checkpoints": entries}))
    examples = [_example("arid6", 7, "park"), _example("arid6", 4, "lab")]
    record(tmp_path, "a", measure(_answers([7, 7]), examples))
    a, b = json.loads((tmp_path / "manifest.json").read_text())["checkpoints"]
    assert b == entries[1]
    (row,) = a["accuracy"]
    assert (row["dataset"], row["top1"], row["clips"]) == ("ARID", 50.0, 2)
    assert "lab, park" in row["split"]


def test_missing_weights_are_an_error(tmp_path):
    from har_demo.clips.ingest import ingest
    from tests.media import numbered_frames, write

    clip = ingest(write(tmp_path / "clip.mp4", numbered_frames(20)))
    example = Example(clip, None, "arid6", 7, "park")
    with pytest.raises(WeightsError):
        evaluate("r2plus1d_lab", [example], weights=tmp_path / "nothing.safetensors")


def test_shipped_models_answer_with_probabilities(tmp_path):
    from har_demo.clips.ingest import ingest
    from tests.media import numbered_frames, write

    clip = ingest(write(tmp_path / "clip.mp4", numbered_frames(30)))
    scores = evaluate("c3d_lab", [Example(clip, None, "arid6", 7, "park")])
    assert scores.shape == (1, len(registry.card("c3d_lab").classes))
    assert scores.sum() == pytest.approx(1, abs=1e-4)


def _shipped():
    return json.loads(MANIFEST.read_text(encoding="utf-8"))["checkpoints"]


def test_shipped_models_were_measured_on_all_data_sets_that_they_know():
    for entry in _shipped():
        clips = {row["dataset"]: row["clips"] for row in entry["accuracy"]}
        expected = {"ARID": 55, "Weizmann": 20}
        if "push-up" in entry["classes"]:
            expected["Workout"] = 23
        assert clips == expected, entry["model"]


def test_the_table_of_first_checkpoints_repeats_what_the_manifest_still_has():
    with open(ROOT / "results" / "measured" / "first_checkpoints.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["measured"].startswith("recognition")]
    stated = {
        (entry["model"], row["dataset"]): (row["top1"], row["clips"])
        for entry in _shipped()
        if entry["label_set"] == LABEL_SET_13
        for row in entry["accuracy"]
    }
    listed = {
        (row["model"], row["dataset"]): (float(row["top1"]), int(row["clips"])) for row in rows
    }
    assert stated.items() <= listed.items()


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "clips.tsv").exists(), reason="needs the labelled clips")
def test_a_shipped_model_scores_what_its_manifest_says(tmp_path):
    """R(2+1)D on all held-out clips of Weizmann and on every third of ARID's."""
    source = tmp_path / "source"
    source.mkdir()
    kept = []
    with open(DATA / "clips.tsv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            dataset = row["dataset"]
            if dataset not in ("weizmann", "arid6"):
                continue
            if group_of(dataset, row["class"], row["path"]) in HELD_OUT["a"]:
                kept.append(row)
    people = [row for row in kept if row["dataset"] == "weizmann"]
    places = [row for row in kept if row["dataset"] == "arid6"]
    assert (len(people), len(places)) == (20, 55)
    with open(source / "clips.tsv", "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["path", "dataset", "class"], delimiter="\t")
        table.writeheader()
        for row in people + places[::3]:
            table.writerow({key: row[key] for key in ("path", "dataset", "class")})
    for folder in ("weizmann", "arid6"):
        (source / folder).symlink_to(DATA / folder)

    prepare(source, tmp_path / "prepared")
    train, test = split(read_examples(tmp_path / "prepared"), HELD_OUT["a"])
    assert not train
    arid, weizmann = measure(evaluate("r2plus1d_lab", test), test)
    (entry,) = [one for one in _shipped() if one["model"] == "r2plus1d_lab"]
    stated = {row["dataset"]: row["top1"] for row in entry["accuracy"]}
    assert weizmann.top1 == pytest.approx(stated["Weizmann"], abs=5.1)  # one clip of 20
    assert arid.top1 == pytest.approx(stated["ARID"], abs=20)  # a third of the clips
