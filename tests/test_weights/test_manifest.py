"""Every shipped checkpoint is the file its manifest describes, and answers as its card says."""

import hashlib
from pathlib import Path

import pytest

from har_demo.models.registry import card, cards
from har_demo.weights import load, shipped
from har_demo.weights.health import health

FOLDER = Path(__file__).resolve().parents[2] / "checkpoints"
LISTED = shipped.entries(FOLDER)
# One network of frames, one of flow, one of both, one that is recurrent, one with attention, and no network.
A_FEW = ("c3d_lab", "temporal_stream_lab", "two_stream_lab", "gru_lab", "swin_lab", "idt_lab")


@pytest.fixture(autouse=True)
def the_shipped_folder(apart, monkeypatch):
    monkeypatch.delenv("HAR_CHECKPOINTS")


def test_some_checkpoints_are_shipped():
    assert {entry["model"] for entry in LISTED} >= set(A_FEW), (
        "checkpoints/manifest.json lacks some"
    )


def test_the_manifest_lists_each_model_and_each_file_once():
    for key in ("model", "file"):
        listed = [entry[key] for entry in LISTED]
        assert len(set(listed)) == len(listed)


def test_the_folder_holds_no_other_weights():
    assert {p.name for p in FOLDER.glob("*.safetensors")} == {entry["file"] for entry in LISTED}


def test_every_tiny_model_is_shipped():
    tiny = {name for name, model in cards().items() if model.size == "tiny"}
    assert {entry["model"] for entry in LISTED} == tiny


def test_no_shipped_model_is_worse_than_promised():
    """On people and places never seen in training: the best 97 and 60 %, none below 35 % in the dark."""
    scored = [{one["dataset"]: one["top1"] for one in entry["accuracy"]} for entry in LISTED]
    assert min(row["ARID"] for row in scored) >= 35
    assert any(row["ARID"] >= 60 and row["Weizmann"] >= 97 for row in scored)


def test_together_they_are_small_enough():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.safetensors")) <= 200_000_000


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry["model"])
def test_checkpoint(entry):
    path = FOLDER / entry["file"]
    assert path.is_file()
    assert path.stat().st_size == entry["bytes"] <= 10_000_000
    assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
    model = card(entry["model"])
    assert tuple(entry["classes"]) == model.classes
    assert entry["label_set"] == model.label_set
    assert [check.sentence for check in health(entry).checks if not check.ok] == []


@pytest.mark.parametrize(
    "entry",
    [
        entry if entry["model"] in A_FEW else pytest.param(entry, marks=pytest.mark.nightly)
        for entry in LISTED
    ],
    ids=lambda entry: entry["model"],
)
def test_checkpoint_is_loaded(entry):
    """`health` has compared names and shapes of every one."""
    network, provenance = load(card(entry["model"]))
    assert not network.training
    assert (provenance.source, provenance.sha256) == ("shipped", entry["sha256"])


def test_where_each_comes_from_is_written_down():
    for entry in LISTED:
        assert entry["protocol"] and entry["command"] and entry["date"], entry["model"]
        assert isinstance(entry["seed"], int), entry["model"]
        assert all(source["name"] and source["citation"] for source in entry["data"]), entry[
            "model"
        ]
        assert entry["accuracy"], entry["model"]
        for row in entry["accuracy"]:
            assert row["dataset"] and row["split"] and row["clips"] > 0, entry["model"]
            assert 0 <= row["top1"] <= 100, entry["model"]
