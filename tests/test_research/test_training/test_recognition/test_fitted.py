"""Improved dense trajectories fitted by the queue, on moving squares, and asked by recognition."""

import dataclasses
import pickle
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from har_demo.clips.clip import Clip, SourceFacts
from har_demo.errors import ChoiceError
from har_demo.labels import EVERYDAY
from har_demo.models.registry import card
from har_demo.models.trajectories import fit, trajectories
from har_demo.recognize.prediction import Request
from har_demo.recognize.recognize import recognize
from har_demo.research.training.recognition import fitted as module
from har_demo.research.training.recognition import score, tables
from har_demo.research.training.recognition.data import footage
from har_demo.research.training.recognition.fitted import (
    FITTED,
    fitted,
    found,
    on_all_cores,
    some_of_each_class,
)
from har_demo.research.training.recognition.run import runs_of, work
from har_demo.research.training.recognition.ship import ship
from har_demo.research.training.recognition.train import Run, trainable
from har_demo.research.training.recognition.work_folder import Queue, rendered_file
from har_demo.tables.rows import read_rows
from har_demo.weights import shipped
from tests.test_research.test_training.test_recognition.conftest import SIDEWAYS, UPWARDS, squares

pytestmark = pytest.mark.nightly

RUN = Run("idt_lab", "rgb", 7)


def _texture(side, random):
    smooth = cv2.GaussianBlur(random.random((side, side), np.float32), (0, 0), 1.5)
    return (255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


def textured(count, seed):
    """Squares of two seconds with points to follow, which move right or up over a still ground."""
    random = np.random.default_rng(seed)
    clips, labels = [], []
    for i in range(count):
        ground, square = _texture(112, random), _texture(36, random)
        way = slice(38, 74), slice(14, 98)  # blank, or points of it would be swept along
        ground[way if i % 2 else way[::-1]] = 128
        frames = np.repeat(ground[None], 16, 0)
        for t, frame in enumerate(frames):
            y, x = (38, 16 + 3 * t) if i % 2 else (60 - 3 * t, 38)
            frame[y : y + 36, x : x + 36] = square
        clips.append(torch.from_numpy(frames)[:, None].expand(16, 3, 112, 112))
        labels.append(SIDEWAYS if i % 2 else UPWARDS)
    return footage(clips, [8.0] * count, labels, [1.0] * count)


class Pickled:
    """A pool of processes without the processes: its work is pickled all the same, and done here."""

    def __init__(self, processes, context, initializer):
        assert context.get_start_method() == "spawn"

    def map(self, find, clips):
        return [pickle.loads(pickle.dumps(find))(clip) for clip in clips]


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Two cores whose work this process does, and mixtures that see a few trajectories."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.os, "sched_getaffinity", lambda _: {0, 1})
        patch.setattr(module, "ProcessPoolExecutor", Pickled)
        patch.setattr(module, "fit", partial(fit, sampled=1200))
        yield


@pytest.fixture(scope="module")
def queue(quick, tmp_path_factory, protocol):
    """A work folder after its run is done; equal clips are on file once."""
    small = dataclasses.replace(protocol, fitted_clips=2)
    queue = Queue((RUN,), tmp_path_factory.mktemp("work"), small, ("cpu",))
    textured(4, seed=0).save(rendered_file(queue.folder, small, "train"))
    textured(2, seed=1).save(rendered_file(queue.folder, small, "test"))
    textured(2, seed=0).save(queue.folder / "real-a-train.pt")
    textured(2, seed=1).save(queue.folder / "real-a-weizmann.pt")
    (queue.folder / "claims").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score, "AT_ONCE", 4)  # fewer that only fill a batch
        work(queue, 0)
    return queue


def _film(label, seed):
    """A clip that was never written, and what reads it."""
    source = textured(2, seed)
    first = int(source.first[source.labels == label])
    frames = source.frames[first : first + 16].permute(0, 2, 3, 1).numpy()
    facts = SourceFacts("squares", "none", "none", 112, 112, 8.0, 2.0, 0)
    return Clip(Path(), 8.0, 16, 112, 112, "", facts), lambda clip, indices: frames[indices]


def test_a_run_leaves_figures_confusions_and_weights_but_no_curve(queue, tmp_path):
    folder = queue.done(RUN)
    assert {file.name for file in folder.iterdir()} == {
        "weights.safetensors",
        "entry.json",
        "metrics.csv",
        "confusion.csv",
    }
    rows = {(row["dataset"], row["metric"]): row for row in read_rows(folder / "metrics.csv")}
    assert int(rows["", "parameters"]["value"]) == card("idt_lab").parameters
    assert ("", "gmacs") not in rows
    for dataset in ("rendered", "weizmann"):
        assert float(rows[dataset, "top1"]["value"]) == 100
        assert int(rows[dataset, "top1"]["clips"]) == 2

    assert tables.tabulate(queue.folder / "done", tmp_path) == 1
    assert {row["model"] for row in read_rows(tmp_path / "tiny.csv")} == {"idt_lab"}
    confused = read_rows(tmp_path / "confusion.csv")
    assert {row["dataset"] for row in confused} == {"rendered", "weizmann"}
    assert all(row["true"] == row["predicted"] for row in confused)
    assert read_rows(tmp_path / "curves.csv") == []


def test_recognition_tells_two_motions_apart_with_what_was_shipped(queue, tmp_path, monkeypatch):
    file = ship(queue.done(RUN), tmp_path)
    assert file.stat().st_size < shipped.LARGEST
    monkeypatch.setenv("HAR_CHECKPOINTS", str(tmp_path))
    for label in (SIDEWAYS, UPWARDS):
        clip, read = _film(label, seed=50)
        (answer,) = recognize(clip, [Request("idt_lab")], read=read)
        assert answer.provenance.source == "shipped"
        assert answer.top(1)[0][0] == EVERYDAY[label]
        # Classes without a clip are never answered.
        assert np.delete(answer.overall, [SIDEWAYS, UPWARDS]).max() < 1e-6


def test_a_seed_gives_the_same_and_finds_its_trajectories_kept(queue, protocol, monkeypatch):
    def again(seed):
        run = dataclasses.replace(RUN, seed=seed)
        sources = (textured(4, seed=0), textured(2, seed=0))
        few = dataclasses.replace(protocol, fitted_clips=2)
        return fitted(card("idt_lab"), run, *sources, few, queue.folder / "states").state_dict()

    def lost(*words):
        raise AssertionError("trajectories are looked for again")

    monkeypatch.setattr(module, "trajectories", lost)
    state, before = again(RUN.seed), load_file(queue.done(RUN) / "weights.safetensors")
    for name, value in state.items():
        torch.testing.assert_close(value, before[name].float(), atol=2e-3, rtol=2e-3)
    monkeypatch.setattr(module, "trajectories", trajectories)
    assert not torch.equal(again(8)["planes"], state["planes"])


def test_some_clips_of_each_class_are_drawn():
    source = squares(9, seed=0)  # five upwards, four sideways
    some = some_of_each_class(source, 3, seed=0)
    assert sorted(some.labels.tolist()) == sorted([SIDEWAYS] * 3 + [UPWARDS] * 3)
    for first, label in zip(some.first.tolist(), some.labels.tolist(), strict=True):
        assert source.labels[first // 24] == label
    assert some_of_each_class(source, 3, seed=0).first.tolist() == some.first.tolist()
    draws = {tuple(some_of_each_class(source, 3, seed).first.tolist()) for seed in range(9)}
    assert len(draws) > 3
    assert len(some_of_each_class(source, 100, seed=0).first) == 9


def test_a_clips_trajectories_are_kept_under_its_pixels(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        module, "trajectories", lambda clip, scales: asked.append(scales) or clip[0, :1]
    )
    clips = np.random.default_rng(0).integers(0, 255, (2, 3, 4, 5), np.uint8)
    for _ in range(2):
        for clip in clips:
            np.testing.assert_array_equal(found(tmp_path, 3, clip), clip[0, :1])
    assert asked == [3, 3]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.nightly
def test_other_cores_find_the_same_in_processes_of_their_own(tmp_path, monkeypatch):
    clip = textured(1, seed=0).frames[:, 0].numpy()
    monkeypatch.setattr(module, "ProcessPoolExecutor", ProcessPoolExecutor)
    monkeypatch.setattr(module, "trajectories", None)  # of this process
    (rows,) = on_all_cores(partial(found, tmp_path, 2))([clip])
    np.testing.assert_allclose(rows, trajectories(clip, 2), rtol=1e-5)
    assert len(rows) > 50


def test_one_core_needs_no_processes(monkeypatch):
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda _: {0})
    assert on_all_cores(len)([[1, 2], []]) == [2, 0]


def test_it_takes_frames_alone(tmp_path, protocol):
    assert runs_of(["idt_lab"], ["own", "rgb", "difference", "other"], [0], ["a"]) == [
        Run("idt_lab", "rgb", 0)
    ]
    run = dataclasses.replace(RUN, input="difference")
    with pytest.raises(ChoiceError, match="its input is rgb, not difference"):
        fitted(card("idt_lab"), run, squares(2, 0), squares(2, 1), protocol, tmp_path)


def test_too_little_motion_is_refused_by_name(tmp_path, protocol):
    with pytest.raises(ValueError, match="trajectories are too few, 96 are needed: add clips"):
        fitted(card("idt_lab"), RUN, squares(1, 0), squares(1, 1), protocol, tmp_path)


def test_every_lab_model_is_trained_or_fitted():
    assert not trainable().keys() & set(FITTED)
    assert all(card(name).gmacs is None and card(name).size == "tiny" for name in FITTED)
