"""Labelled clips are split by person and place, and become one block of frames."""

import csv

import numpy as np
import pytest
import torch

from har_demo.clips.frames import read_frames
from har_demo.clips.transforms import transform
from har_demo.labels import EVERYDAY, class_of
from har_demo.models.card import ModelInput
from har_demo.recognize.prepared import LabelledClip, read_examples
from har_demo.recognize.splits import TEST, names
from har_demo.research.training.groups import group_of
from har_demo.research.training.recognition import data
from har_demo.research.training.recognition.data import (
    VideoDataset,
    load,
    prepare,
    split,
)
from tests.media import numbered_frames, write

# Every recording of ARID's six classes that is used here: class, number.
ARID = [
    *[("Jump", 8), ("Jump", 11), ("Run", 1), ("Run", 11), ("Sit", 2), ("Sit", 4), ("Sit", 10)],
    *[("Stand", 2), ("Stand", 3), ("Stand", 5), ("Stand", 9)],
    *[("Turn", 1), ("Turn", 7), ("Walk", 10), ("Walk", 14)],
]
WORKOUT = [
    *[("pull-ups", n) for n in (5, 6, 7, 8, 10, 11, 13, 16, 18, 19, 23, 24, 25, 26)],
    *[("pull-ups", "x_videoplayback"), ("pull-ups", "x_(1)"), ("push-ups", "x_videoplayback")],
    *[("push-ups", n) for n in (*range(1, 5), 6, 9, 10, 15, 16, 17, 19, *range(21, 28))],
    *[("push-ups", n) for n in (37, 38, 39, 40, 43, 47, 48, 50)],
    *[("squats", n) for n in (7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19, 24, 29)],
]
ACTORS = ["denis", "eli", "ido", "ira", "lena", "moshe"]


def _examples():
    """One example a recording, without clips."""
    arid = [
        LabelledClip(
            None, None, "arid6", class_of("arid6", name), group_of("arid6", name, f"x/x_{n}_1.mp4")
        )
        for name, n in ARID
    ]
    weizmann = [
        LabelledClip(
            None, None, "weizmann", class_of("weizmann", "walk"), group_of("weizmann", "walk", path)
        )
        for path in (f"weizmann/walk/{actor}_walk.mp4" for actor in ACTORS)
    ]
    workout = [
        LabelledClip(None, None, "workout4", class_of("workout4", name), group)
        for name, n in WORKOUT
        for group in [group_of("workout4", name, f"x/push-up_{n}.mp4".replace("push-up_x_", ""))]
    ]
    return arid + weizmann + workout


def test_group_is_the_actor_or_the_place():
    assert group_of("weizmann", "wave1", "weizmann/wave1/ido_wave1.mp4") == "ido"
    assert group_of("arid6", "Jump", "arid6/jump/jump_11_3.mp4") == "bridge"
    assert group_of("arid6", "Walk", "arid6/walk/walk_14_3.mp4") == "bridge"
    assert group_of("arid6", "Walk", "arid6/walk/walk_10_3.mp4") != group_of(
        "arid6", "Sit", "arid6/sit/sit_10_3.mp4"
    )


def test_an_unknown_recording_is_a_place_of_its_own():
    assert group_of("arid6", "Jump", "jump_99_1.mp4") == "Jump 99"


def test_no_group_is_on_both_sides_and_a_fold_uses_no_test_clip():
    tested = {e.group for e in split(_examples(), TEST)[1]}
    for name in names():
        train, held_out = split(_examples(), name)
        assert not {e.group for e in train} & {e.group for e in held_out}
        if name != TEST:
            assert not tested & {e.group for e in (*train, *held_out)}


@pytest.mark.parametrize(("dataset", "clips"), [("arid6", ARID), ("workout4", WORKOUT)])
def test_every_class_filmed_in_places_is_trained_and_tested(dataset, clips):
    classes = {class_of(dataset, c) for c, _ in clips}
    for side in split(_examples(), TEST):
        assert {e.label for e in side if e.dataset == dataset} == classes


def test_every_place_and_person_is_held_out_once():
    groups = [g for name in names() for g in sorted({e.group for e in split(_examples(), name)[1]})]
    assert sorted(groups) == sorted({e.group for e in _examples()})
    assert len([e for e in _examples() if e.dataset == "workout4"]) == 56


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labelled")
    rows = [
        ("denis_walk.mp4", "weizmann", "walk", 12),
        ("lena_walk.mp4", "weizmann", "walk", 20),
        ("turn_7_1.mp4", "arid6", "Turn", 9),
        ("squat_24.mp4", "workout4", "squats", 7),
        ("dips_1.mp4", "workout4", "dips", 9),
    ]
    for path, _, _, count in rows:
        write(folder / path, numbered_frames(count))
    with open(folder / "clips.tsv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t")
        table.writerow(["path", "dataset", "class"])
        table.writerows(row[:3] for row in rows)
    write(folder / "kick.mp4", numbered_frames(8))
    with open(folder / "more_clips.tsv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t")
        table.writerow(["path", "dataset", "class", "group", "label39"])
        table.writerow(["kick.mp4", "ut_interaction", "kicking", "set1_seq02", "kicking"])
        table.writerow(["hug.mp4", "ut_interaction", "hugging", "set1_seq02", ""])  # none of ours
    (folder / "utdmhad").mkdir()
    keys = ("a01_s1_t1", "a01_s6_t1", "a01_s7_t1", "a27_s8_t2")
    np.savez(folder / "utdmhad" / "skeletons.npz", **{key: np.zeros((2, 20, 3)) for key in keys})
    assert prepare(folder, folder / "prepared") == 5  # dips are none of our classes
    return folder / "prepared"


def test_prepared_examples_come_back(prepared):
    examples = read_examples(prepared)
    assert [e.group for e in examples] == ["denis", "lena", "kitchen", "dumbbells", "set1_seq02"]
    shown = ["walking", "walking", "turning around", "squatting", "kicking"]
    assert [EVERYDAY[e.label] for e in examples] == shown
    assert [e.clip.frames for e in examples] == [12, 20, 9, 7, 8]
    assert all(e.clip.path.is_relative_to(prepared) and e.clip.path.exists() for e in examples)


def test_nobodys_recordings_are_on_both_sides(prepared):
    people = {}
    for side in ("train", "validation", "test"):
        with np.load(prepared / "recordings" / side / "skeletons.npz") as recordings:
            people[side] = {key.split("_")[1] for key in recordings.files}
    assert people == {"train": {"s1"}, "validation": {"s6"}, "test": {"s7", "s8"}}


def test_small_copies_show_what_recognition_reads(prepared):
    (example, *_) = read_examples(prepared)
    read = read_frames(example.clip, np.arange(example.clip.frames))
    spec = ModelInput(
        1, 1, (data.SIDE,) * 2, (data.SIDE,) * 2, (0, 0, 0), (1, 1, 1), antialias=True
    )
    served = transform(read, spec)[0]
    small = load([example]).frames / 255
    assert (served - small).abs().mean() < 2 / 255


def test_footage_holds_every_frame_once(prepared):
    examples = read_examples(prepared)
    footage = load(examples)
    assert footage.frames.shape == (12 + 20 + 9 + 7 + 8, 3, data.SIDE, data.SIDE)
    assert footage.frames.dtype == torch.uint8
    assert footage.first.tolist() == [0, 12, 32, 41, 48]
    assert footage.count.tolist() == [12, 20, 9, 7, 8]
    assert footage.labels.tolist() == [e.label for e in examples]
    assert footage.fps.tolist() == [25, 25, 25, 25, 25]
    # Frame 5 of the second clip and of the first show the same number; frame 6 shows another.
    frames = footage.frames.float()
    same = (frames[12 + 5] - frames[5]).abs().mean()
    assert same < (frames[12 + 6] - frames[5]).abs().mean() / 2


def test_classes_weigh_the_same_however_many_clips_they_have(prepared):
    footage = load(read_examples(prepared))
    np.testing.assert_allclose(footage.weights, [0.5, 0.5, 1.0, 1.0, 1.0])


def test_footage_comes_back_from_a_file(prepared, tmp_path):
    footage = load(read_examples(prepared))
    footage.save(tmp_path / "f.pt")
    again = VideoDataset.read(tmp_path / "f.pt")
    assert footage.fields is again.fields is None  # computed when a model asks for it
    for name, value in vars(footage).items():
        assert value is None or torch.equal(value, getattr(again, name)), name
    assert [file.name for file in tmp_path.iterdir()] == ["f.pt"]
