"""Clips are found in every layout, and what they show is found among a model's classes."""

import json

import pytest

from har_demo.clips.rendered import TEST_SEED
from har_demo.errors import ChoiceError
from har_demo.labels import DATASETS, EVERYDAY
from har_demo.recognize.eval_set import class_folders, counterparts, prepared, rendered_people

FEWER = EVERYDAY[:13]
CLASSES = ("walking", "jumping jack", "apply eye makeup", "push up")


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no film")
    return folder


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("walking", 0),
        ("Walking", 0),
        ("ApplyEyeMakeup", 2),
        ("apply_eye-makeup", 2),
        ("jack", 1),  # Weizmann's
        ("Walk", 0),  # ARID's
        ("PushUps", 3),  # the workout clips'
        ("push_up", 3),
        ("swimming", None),
        ("", None),
        ("…", None),
    ],
)
def test_names_find_their_counterparts(name, label):
    assert counterparts([name], CLASSES) == ({} if label is None else {name: label})


def test_no_data_set_calls_two_actions_the_same():
    for names in DATASETS.values():
        for theirs, ours in names.items():
            assert EVERYDAY[counterparts([theirs], EVERYDAY)[theirs]] == ours


def test_class_folders_in_order_of_their_paths(tmp_path):
    folder = touch(
        tmp_path / "Set", "walk/b.mp4", "walk/a.AVI", "walk/notes.txt", "walk/.c.mp4", "x/y/z.mp4",
        "Jumping_Jack/1.webm", "cooking/1.mp4", "loose.mp4",
    )  # fmt: skip
    found = class_folders(folder, CLASSES)
    assert [(clip.name, clip.label) for clip in found.clips] == [
        ("Jumping_Jack/1.webm", 1),
        ("walk/a.AVI", 0),
        ("walk/b.mp4", 0),
    ]
    assert {clip.dataset for clip in found.clips} == {"Set"}
    assert found.note() == "Left out, as the model has no such class: cooking."


@pytest.mark.parametrize("flat", [True, False])
def test_ucf101_with_and_without_class_folders(tmp_path, flat):
    files = ["ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi", "Walking/v_Walking_g02_c01.avi"]
    here = [name.split("/")[1] for name in files] if flat else files
    touch(tmp_path / "UCF-101", *here)
    found = class_folders(tmp_path / "UCF-101", CLASSES)
    assert [(clip.name, clip.label) for clip in found.clips] == list(zip(here, (2, 0), strict=True))
    listed = tmp_path / "trainlist01.txt"
    listed.write_text(f"{files[1]} 102\r\n{files[1]} 102\n\nWalking/v_Walking_g09_c09.avi 102\n")
    found = class_folders(tmp_path / "UCF-101", CLASSES, listed)
    assert [clip.name for clip in found.clips] == [here[1]]
    assert found.note() == "1 clips of the list are not in the folder."


def test_a_name_in_two_folders_is_not_taken_for_another(tmp_path):
    touch(tmp_path / "set", "walk/1.mp4", "jack/1.mp4")
    (tmp_path / "list.txt").write_text("walk/1.mp4\nelsewhere/1.mp4\n")
    found = class_folders(tmp_path / "set", CLASSES, tmp_path / "list.txt")
    assert [clip.name for clip in found.clips] == ["walk/1.mp4"]
    assert found.absent == 1


def test_many_unknown_classes_are_named_in_one_sentence(tmp_path):
    touch(tmp_path, "walk/1.mp4", *(f"other{n:02}/1.mp4" for n in range(20)))
    note = class_folders(tmp_path, CLASSES).note()
    assert "other00" in note and "other11 and 8 more." in note and "other12" not in note


@pytest.mark.parametrize(
    ("files", "listed", "words"),
    [
        ([], None, "holds no videos in class folders"),
        (["walk/readme.txt", "1.mp4"], None, "holds no videos in class folders"),
        (["cooking/1.mp4", "sewing/1.mp4"], None, "None of the 2 classes of 'data' is among the 4"),
        (["walk/1.mp4"], b"jack/2.mp4\n", "No clip that 'list.txt' lists is in 'data'"),
        (["walk/1.mp4"], b"", "No clip that 'list.txt' lists"),
        (["walk/1.mp4"], b"\xff\xfe\x00", "'list.txt' cannot be read"),
    ],
)
def test_a_folder_of_no_use_says_so(tmp_path, files, listed, words):
    folder = tmp_path / "data"
    folder.mkdir()
    touch(folder, *files)
    if listed is not None:
        (tmp_path / "list.txt").write_bytes(listed)
    with pytest.raises(ChoiceError, match=words):
        class_folders(folder, CLASSES, tmp_path / "list.txt" if listed is not None else None)


def test_a_list_that_is_not_there(tmp_path):
    touch(tmp_path, "walk/1.mp4")
    with pytest.raises(ChoiceError, match=r"'no\.txt' cannot be read"):
        class_folders(tmp_path, CLASSES, tmp_path / "no.txt")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"clip": {}}]'])
def test_a_prepared_folder_that_is_damaged(tmp_path, text):
    (tmp_path / "examples.json").write_text(text)
    with pytest.raises(ChoiceError):
        prepared(tmp_path, EVERYDAY)


def test_prepared_clips_are_those_of_the_split_that_the_model_knows(tmp_path):
    clip = {
        "fps": 25, "frames": 9, "width": 32, "height": 32, "sha256": "",
        "source": {"name": "", "container": "", "codec": "", "width": 32, "height": 32,
                   "fps": 25, "duration": 1, "bytes": 1},
    }  # fmt: skip
    told = [
        ("weizmann", "walk", "lena"),
        ("weizmann", "walk", "denis"),
        ("workout4", "push-ups", "sofa"),
    ]
    records = [
        {"clip": clip | {"path": f"{n}.mp4"}, "dataset": d, "class": c, "group": g}
        for n, (d, c, g) in enumerate(told)
    ]
    (tmp_path / "examples.json").write_text(json.dumps(records))
    found = prepared(tmp_path, FEWER, "a")
    assert [(c.name, c.dataset, c.group, EVERYDAY[c.label]) for c in found.clips] == [
        ("0.mp4", "weizmann", "lena", "walking")
    ]
    assert found.left_out == ("push-up",)
    assert [c.group for c in prepared(tmp_path, FEWER, "fold0").clips] == ["denis"]


def test_rendered_people_are_the_first_test_scenes():
    opened = []
    every, few = (rendered_people(EVERYDAY, n, opened.append) for n in (2 * len(EVERYDAY), 20))
    names = [clip.name for clip in every.clips]
    assert names == [str(TEST_SEED + i) for i in range(2 * len(EVERYDAY))]
    assert sorted(clip.label for clip in every.clips) == sorted([*range(len(EVERYDAY))] * 2)
    assert [clip.name for clip in few.clips] == names[:20]
    # A model of fewer classes gets the same clips of those.
    fewer = rendered_people(FEWER, 26, opened.append)
    known = [clip.name for clip in every.clips if clip.label < len(FEWER)]
    assert [clip.name for clip in fewer.clips] == known
    assert all(sum(c.label == label for c in fewer.clips) == 2 for label in range(13))
    # Nothing is rendered before a clip is opened, and then its own scene is.
    assert opened == []
    fewer.clips[3].open()
    (scene,) = opened
    assert (str(scene.seed), EVERYDAY[fewer.clips[3].label]) == (fewer.clips[3].name, scene.action)


def test_people_without_a_class_to_act():
    with pytest.raises(ChoiceError, match="None of the 39 classes of rendered people"):
        rendered_people(("abseiling", "zumba"), 5, None)
