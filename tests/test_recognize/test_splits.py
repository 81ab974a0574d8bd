"""Nobody and no place is on two sides, and what the data cannot give is said."""

import csv
import itertools
from pathlib import Path

import pytest

from har_demo.recognize import splits
from har_demo.recognize.splits import (
    TEST,
    fold_names,
    held_out,
    names,
    recording_side,
    shortfalls,
    side_of,
)

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
CLIPS = {name: one for name, one in splits.splits().items() if one.folds}


def test_no_group_is_on_two_sides_of_any_split():
    for name, one in CLIPS.items():
        for split in names():
            sides = {group: side_of(name, group, split) for group in one.groups}
            tested = {group for group, side in sides.items() if side == "held out"}
            if split == TEST:
                assert tested == one.test
            else:  # a fold neither trains nor validates on the test
                assert {group for group, side in sides.items() if side == ""} == one.test
                assert not tested & one.test


def test_every_group_that_is_no_test_validates_in_one_fold():
    for name, one in CLIPS.items():
        validated = [group for fold in fold_names() for group in held_out(fold, name)]
        assert sorted(validated) == sorted(one.groups - one.test)


def test_the_test_of_2026_stays_the_test():
    assert held_out(TEST, "weizmann") == {"lena", "moshe"}
    assert {"lab", "park", "corridor"} < held_out(TEST, "arid6") and len(held_out(TEST)) == 18
    assert held_out(TEST, "nobody's data set") == frozenset()


def test_recordings_have_one_side_and_one_data_set_is_kept_for_testing():
    for name, one in splits.splits().items():
        if not one.folds:
            for a, b in itertools.combinations((one.train, one.validation, one.test), 2):
                assert not a & b, name
    assert (
        recording_side("utdmhad", "s7") == "test" and recording_side("nucla", "s08") == "validation"
    )
    assert splits.splits()["utkinect"].groups == splits.splits()["utkinect"].test
    with pytest.raises(KeyError, match="s11"):
        recording_side("nucla", "s11")


def test_a_file_that_puts_a_group_on_two_sides_is_refused(tmp_path):
    for text, words in (
        ('folds = 2\n[x]\ngroup = "place"\nfolds = [["a"], ["b"]]\ntest = ["b"]\n', "two sides: b"),
        ('folds = 2\n[x]\ngroup = "place"\nfolds = [["a"]]\ntest = ["b"]\n', "1 folds"),
    ):
        file = tmp_path / f"{len(words)}.toml"
        file.write_text(text)
        with pytest.raises(ValueError, match=words):
            splits.splits(file)


def test_unknown_splits_and_data_sets():
    assert side_of("new set", "anyone", "fold0") == "train"
    assert side_of("arid6", "Jump 99", TEST) == "train"
    with pytest.raises(KeyError):
        side_of("arid6", "park", "b")


def test_what_the_data_cannot_give_is_said():
    clips = [
        ("arid6", "Walk", "bridge"),
        ("arid6", "Run", "bridge"),
        ("arid6", "Sit", "wall"),
        ("arid6", "Walk", "park"),
        ("arid6", "Run", "lab"),
        ("weizmann", "walk", "ido"),
        ("weizmann", "walk", "ira"),
        ("other", "walk", "x"),
    ]
    assert shortfalls(clips) == [
        "arid6, training and validation: one place only shows Run, Sit, Walk: while it validates, no other "
        "clip of the set trains it.",
        "arid6, training and validation: 1 of 2 groups (place) show one action each: wall.",
        "arid6, test: one place only shows Run, Walk.",
        "arid6, test: 2 of 2 groups (place) show one action each: lab, park.",
        "other: splits.toml does not name it, so that it only trains.",
        "weizmann: no test clips.",
    ]


@pytest.mark.skipif(not (DATA / "more_clips.tsv").exists(), reason="needs the labelled clips")
def test_every_group_of_the_real_clips_has_a_side_and_classes_have_several_where_they_can():
    from har_demo.research.training.recognition.data import labelled

    clips = [(dataset, name, group) for _, dataset, name, group in labelled(DATA)]
    assert all(group in CLIPS[dataset].groups for dataset, _, group in clips)
    said = " ".join(shortfalls(clips))
    assert "7 of 7 groups (place) show one action each" in said
    for dataset, name in {clip[:2] for clip in clips}:
        groups = {g for d, n, g in clips if (d, n) == (dataset, name)} - CLIPS[dataset].test
        folds = {fold for fold in fold_names() if groups & held_out(fold, dataset)}
        # With several groups a class validates in several folds, and trains in each of them.
        assert len(folds) > 1 if len(groups) > 1 else name in said, (dataset, name)
    with open(DATA / "skeletons" / "index.tsv", encoding="utf-8", newline="") as file:
        people = {(row["set"], row["subject"]) for row in csv.DictReader(file, delimiter="\t")}
    assert all(recording_side(*person) for person in people)
