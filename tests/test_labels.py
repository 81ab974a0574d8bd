"""The class names that the shipped models answer with."""

import json
from pathlib import Path

import pytest

from har_demo.labels import DATASETS, EVERYDAY, LABEL_SET, class_of

ROOT = Path(__file__).resolve().parent.parent

WEIZMANN = ["bend", "jack", "jump", "pjump", "run", "side", "skip", "walk", "wave1", "wave2"]
ARID = ["Jump", "Run", "Sit", "Stand", "Turn", "Walk"]


def test_thirteen_distinct_readable_names():
    assert len(EVERYDAY) == len(set(EVERYDAY)) == 13
    assert LABEL_SET == "Everyday 13"
    for name in EVERYDAY:
        assert name == name.lower().strip()
        assert name.replace(" ", "").isalpha()


def test_every_class_of_every_data_set_has_a_name():
    assert sorted(DATASETS["weizmann"]) == sorted(WEIZMANN)
    assert sorted(DATASETS["arid6"]) == sorted(ARID)


def test_every_name_is_used_by_a_data_set():
    used = {name for names in DATASETS.values() for name in names.values()}
    assert used == set(EVERYDAY)


@pytest.mark.parametrize("weizmann, arid", [("walk", "Walk"), ("run", "Run"), ("jump", "Jump")])
def test_shared_actions_are_one_class(weizmann, arid):
    assert class_of("weizmann", weizmann) == class_of("arid6", arid)


def test_two_names_of_one_data_set_never_merge():
    for names in DATASETS.values():
        assert len(set(names.values())) == len(names)


def test_unknown_names_raise():
    with pytest.raises(KeyError):
        class_of("weizmann", "moonwalk")
    with pytest.raises(KeyError):
        class_of("kinetics", "walk")


def test_shipped_checkpoints_have_these_classes():
    manifest = json.loads((ROOT / "checkpoints" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["checkpoints"]
    for entry in manifest["checkpoints"]:
        if entry["label_set"] == LABEL_SET:
            assert tuple(entry["classes"]) == EVERYDAY
