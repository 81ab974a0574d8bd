"""Data sets: balanced labels, nobody in two splits, the same arrays from the same seed."""

import csv
from collections import Counter

import numpy as np
import pytest

from har_demo.labels import DATASETS, EVERYDAY, LABEL_SET
from har_demo.research.people import dataset
from har_demo.research.people.motion import ACTIONS


@pytest.mark.parametrize("clips", [600, 2000])
def test_labels_are_balanced_in_every_split(clips):
    entries = dataset.plan(clips, seed=3)
    assert [entry.number for entry in entries] == list(range(clips))
    shares = Counter(entry.split for entry in entries)
    assert shares["train"] == pytest.approx(0.8 * clips, abs=8 * len(ACTIONS))
    for split in ("train", "val", "test"):
        counts = Counter(entry.action for entry in entries if entry.split == split)
        assert max(counts.values()) - min(counts.get(action, 0) for action in ACTIONS) <= 1


def test_labels_are_what_the_models_answer():
    for entry in dataset.plan(len(ACTIONS)):
        assert EVERYDAY[entry.label] == DATASETS["people"][entry.action]
    assert {entry.label for entry in dataset.plan(len(ACTIONS))} == set(range(len(EVERYDAY)))


def test_no_seed_twice_and_another_seed_another_set():
    first, second = ({e.seed for e in dataset.plan(2000, seed)} for seed in (0, 1))
    assert len(first) == len(second) == 2000
    assert not first & second


def test_shards_are_filled_in_order():
    entries = dataset.plan(1200)
    for file in {entry.file for entry in entries}:
        rows = [entry.row for entry in entries if entry.file == file]
        assert rows == list(range(len(rows)))
        assert len(rows) <= dataset.SHARD
    assert len({(entry.file, entry.row) for entry in entries}) == 1200


def test_the_same_arrays_every_time(tmp_path, monkeypatch):
    """Ten rounds of two actions: eight for training, one for either other split."""
    monkeypatch.setattr(dataset, "SIDE", 12)
    monkeypatch.setattr(dataset, "FRAMES", 2)
    monkeypatch.setattr(dataset, "AT_ONCE", 7)
    done = []
    for name in ("first", "second"):
        dataset.write(tmp_path / name, 20, 5, ("bend", "walk"), on_progress=done.append)
    assert done[-1] == 1
    assert done[: len(done) // 2] == sorted(done[: len(done) // 2])
    with (tmp_path / "first" / "index.csv").open() as file:
        index = list(csv.DictReader(file))
    assert len(index) == 20
    for split, count in (("train", 16), ("val", 2), ("test", 2)):
        files = [np.load(tmp_path / name / f"{split}-000.npz") for name in ("first", "second")]
        for key in files[0]:
            np.testing.assert_array_equal(files[0][key], files[1][key])
        frames, labels = files[0]["frames"], files[0]["labels"]
        assert frames.shape == (count, 2, 12, 12, 3)
        assert frames.dtype == np.uint8
        assert files[0]["joints"].shape == (count, 2, 20, 3)
        assert [EVERYDAY[label] for label in labels[:2]] == ["bending down", "walking"]
        assert labels.tolist() == labels[:2].tolist() * (count // 2)
        assert files[0]["names"].tolist() == list(EVERYDAY)
        assert files[0]["label_set"] == LABEL_SET
        rows = [row for row in index if row["split"] == split]
        assert [int(row["label"]) for row in rows] == labels.tolist()
        assert [int(row["seed"]) for row in rows] == files[0]["seeds"].tolist()
        assert {row["dark"] for row in rows} <= {"0", "1"}
