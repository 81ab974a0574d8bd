"""The class names that the shipped models answer with."""

from pathlib import Path

import pytest

from har_demo.labels import (
    DATASETS,
    EVERYDAY,
    LABEL_SET,
    MIRRORED,
    class_of,
)
from har_demo.weights import shipped

ROOT = Path(__file__).resolve().parent.parent

WEIZMANN = ["bend", "jack", "jump", "pjump", "run", "side", "skip", "walk", "wave1", "wave2"]
ARID = ["Jump", "Run", "Sit", "Stand", "Turn", "Walk"]
WORKOUT = ["pull-ups", "push-ups", "squats"]  # its dips have no class here
UTD_MHAD = [f"a{number:02}" for number in range(1, 28)]


def test_thirty_nine_distinct_readable_names():
    assert len(EVERYDAY) == len(set(EVERYDAY)) == 39
    assert LABEL_SET == "Everyday 39"
    for name in EVERYDAY:
        assert name == name.lower().strip()
        assert name.replace(" ", "").replace("-", "").isalpha()


@pytest.mark.parametrize(
    "dataset, names",
    [("weizmann", WEIZMANN), ("arid6", ARID), ("workout4", WORKOUT), ("utdmhad", UTD_MHAD)],
)
def test_every_class_of_every_data_set_has_a_name(dataset, names):
    assert sorted(DATASETS[dataset]) == sorted(names)
    assert set(DATASETS[dataset].values()) <= set(EVERYDAY)


def test_every_name_is_an_action_of_the_rendered_people():
    assert sorted(DATASETS["people"].values()) == sorted(EVERYDAY)


@pytest.mark.parametrize("weizmann, arid", [("walk", "Walk"), ("run", "Run"), ("jump", "Jump")])
def test_shared_actions_are_one_class(weizmann, arid):
    assert class_of("weizmann", weizmann) == class_of("arid6", arid)


def test_two_names_of_one_data_set_merge_only_where_meant():
    merged = {"drawing a shape": ["a08", "a11"], "swinging a bat": ["a14", "a15", "a17"]}
    for dataset, names in DATASETS.items():
        for name in set(names.values()):
            known_as = [own for own, ours in names.items() if ours == name]
            if dataset == "utdmhad" and name in merged:
                assert known_as == merged[name]
            else:
                assert len(known_as) == 1


def test_mirroring_twice_changes_nothing():
    assert MIRRORED["swiping left"] == "swiping right"
    assert MIRRORED["drawing a circle clockwise"] == "drawing a circle counter-clockwise"
    for name, other in MIRRORED.items():
        assert name in EVERYDAY
        assert name != other
        assert MIRRORED[other] == name


def test_every_name_that_says_a_side_is_mirrored():
    sided = {n for n in EVERYDAY if {"left", "right"} & set(n.split()) or "clockwise" in n}
    assert sided == set(MIRRORED)


def test_unknown_names_raise():
    with pytest.raises(KeyError):
        class_of("weizmann", "moonwalk")
    with pytest.raises(KeyError):
        class_of("workout4", "dips")
    with pytest.raises(KeyError):
        class_of("kinetics", "walk")


def test_shipped_checkpoints_have_these_classes():
    listed = shipped.entries(ROOT / "checkpoints")
    known = {LABEL_SET: EVERYDAY}
    assert listed
    for entry in listed:
        if entry["label_set"] in known:
            assert tuple(entry["classes"]) == known[entry["label_set"]]
