"""A checkpoint that is not what it claims to be is found out, whatever is wrong with it."""

import dataclasses
import hashlib
import json

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from har_demo import cli
from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models import registry
from har_demo.weights import shipped
from har_demo.weights.health import Health, every_health


@pytest.fixture
def card(card, monkeypatch):
    """The small network, which knows the first three everyday actions."""
    card = dataclasses.replace(card, classes=EVERYDAY[:3], label_set=LABEL_SET)
    monkeypatch.setitem(registry.cards(), card.name, card)
    return card


@pytest.fixture
def ship(card, trained):
    """A function that puts a checkpoint into checkpoints/, with changes to its entry."""

    def ship(network=trained, **changes) -> None:
        shipped.folder().mkdir(parents=True, exist_ok=True)
        path = shipped.folder() / "small.safetensors"
        save_file(
            {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()},
            path,
        )
        entry = {
            "model": card.name,
            "file": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
            "classes": list(card.classes),
            "label_set": card.label_set,
            "parameters": card.parameters,
            "accuracy": [
                {"dataset": "ARID", "top1": 61.5, "clips": 90},
                {"dataset": "Rendered people", "top1": 50, "clips": 130, "date": "2026-11-22"},
            ],
        }
        entry = {key: value for key, value in (entry | changes).items() if value is not None}
        (shipped.folder() / "manifest.json").write_text(json.dumps({"checkpoints": [entry]}))

    return ship


def wrong(one: Health) -> dict[str, str]:
    return {check.question: check.sentence for check in one.checks if not check.ok}


def test_a_sound_checkpoint(ship):
    ship()
    (one,) = every_health()
    assert one.ok and wrong(one) == {}
    said = {check.question: check.sentence for check in one.checks}
    assert list(said) == ["file", "hash", "label set", "parameters", "accuracy"]
    assert said["accuracy"] == (
        "ARID 61.5 % of 90 clips; Rendered people 50.0 % of 130 clips (2026-11-22)."
    )
    assert said["label set"] == "Everyday 39: 3 actions, in their order."


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"bytes": 1}, {"file": "the manifest says 1"}),
        ({"sha256": "0" * 64}, {"hash": "is not the manifest's"}),
        ({"sha256": None}, {"hash": "is not the manifest's"}),
        ({"file": "gone.safetensors"}, {"file": "is missing"}),
        ({"classes": ["a", "b", "c"]}, {"label set": "other names, or another order"}),
        ({"classes": list(EVERYDAY[2::-1])}, {"label set": "other names, or another order"}),
        ({"classes": list(EVERYDAY[:2])}, {"label set": "Trained for 2 classes of Everyday 39"}),
        ({"label_set": "Others"}, {"label set": "other names"}),
        ({"classes": None}, {"label set": "Trained for 0 classes"}),
        ({"parameters": 5}, {"parameters": "the manifest says 5"}),
        ({"accuracy": []}, {"accuracy": "Nobody has measured it"}),
        ({"accuracy": None}, {"accuracy": "Nobody has measured it"}),
        ({"model": "no_such_model"}, {"label set": "There is no model named 'no_such_model'"}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_what_is_wrong_with_an_entry_is_named(changes, found, ship):
    ship(**changes)
    (one,) = every_health()
    assert wrong(one).keys() == found.keys()
    for question, words in found.items():
        assert words in wrong(one)[question]


def test_classes_that_a_card_shares_with_its_file_but_not_with_the_labels(ship, card, monkeypatch):
    other = dataclasses.replace(card, classes=("a", "b", "c"))
    monkeypatch.setitem(registry.cards(), card.name, other)
    ship(classes=["a", "b", "c"])
    (one,) = every_health()
    assert wrong(one) == {"label set": "Its classes are not the first of Everyday 39."}


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_a_truncated_file(kept, ship):
    ship()
    path = shipped.folder() / "small.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    (one,) = every_health()
    assert wrong(one).keys() == {"file", "hash", "parameters"}
    assert "damaged" in wrong(one)["parameters"]


def test_one_altered_byte(ship):
    ship()
    path = shipped.folder() / "small.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    (one,) = every_health()
    assert wrong(one).keys() == {"hash"}


def test_another_networks_parameters(ship, card):
    ship(card.build(5))
    (one,) = every_health()
    assert wrong(one)["parameters"] == ("2 of its tensors do not fit the network (first: 3.bias).")
    ship(torch.nn.Sequential(torch.nn.Linear(2, 2)))
    (one,) = every_health()
    assert "do not fit" in wrong(one)["parameters"]


def test_a_file_that_is_too_large(ship, monkeypatch):
    monkeypatch.setattr(shipped, "LARGEST", 100)
    ship()
    (one,) = every_health()
    assert "over the limit of 100" in wrong(one)["file"]


def test_the_command_tells_all_and_its_exit_code_says_it_too(ship):
    ship()
    good = CliRunner().invoke(cli.app, ["weights", "--check"])
    assert good.exit_code == 0
    assert "1 of 1 shipped checkpoints are in order." in good.stdout
    assert "WRONG" not in good.stdout
    ship(sha256="0" * 64)
    bad = CliRunner().invoke(cli.app, ["weights", "--check"])
    assert bad.exit_code == 1
    assert "WRONG" in bad.stdout and "0 of 1 shipped checkpoints are in order." in bad.stdout


def test_the_command_with_a_manifest_that_cannot_be_read(ship):
    ship()
    (shipped.folder() / "manifest.json").write_text("{")
    done = CliRunner().invoke(cli.app, ["weights", "--check"])
    assert done.exit_code == 2
    assert "cannot be read" in done.stderr and done.stderr.count("\n") == 1
