"""Footage of rendered people: all classes equally often, each clip with frames of its own."""

import numpy as np
import pytest
import torch

from har_demo.labels import EVERYDAY
from har_demo.research.people.motion import move
from har_demo.research.people.shoot import frames, take_of
from har_demo.research.training.recognition import figures


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Two invented people as the sensor would have seen them: in millimetres, facing it."""
    folder = tmp_path_factory.mktemp("recordings")
    tracks = {
        name: np.round(1000 * (move(action, 3, 2.0, 30).joints * [-1, 1, -1] + [0, 0, 3]))
        for name, action in (("a03_s1_t1", "wave_one_hand"), ("a24_s2_t1", "stand_up"))
    }
    np.savez(folder / "skeletons.npz", **tracks)
    return folder


def test_every_class_is_invented_equally_often():
    scenes = figures.invented(2 * len(EVERYDAY), seed=5)
    names = [scene.name for scene in scenes]
    assert all(names.count(name) == 2 for name in EVERYDAY)
    assert all(scene.motion.joints.shape == (figures.FRAMES, 20, 3) for scene in scenes)
    assert len({scene.seed for scene in scenes}) == len(scenes)


def test_recordings_are_replayed_each_time_otherwise(recordings):
    scenes = figures.replayed(recordings, 12, seed=1)
    assert {scene.name for scene in scenes} == {"waving one hand", "standing up"}
    assert all(scene.motion.joints.shape == (figures.FRAMES, 20, 3) for scene in scenes)
    first, *others = [s.motion.joints for s in scenes if s.name == "standing up"]
    assert all(not np.allclose(first, other, atol=1e-3) for other in others)


def test_one_clip_in_five_is_a_recording(recordings, monkeypatch):
    monkeypatch.setattr(figures, "FRAMES", 2)
    footage = figures.rendered_footage(10, recordings, seed=0, devices=["cpu"], side=16)
    assert len(footage.labels) == 10
    invented = [EVERYDAY.index(scene.name) for scene in figures.invented(8, 0)]
    assert footage.labels[:8].tolist() == invented
    replays = {EVERYDAY.index("waving one hand"), EVERYDAY.index("standing up")}
    assert set(footage.labels[8:].tolist()) <= replays


def test_footage_holds_every_clips_own_frames(monkeypatch):
    monkeypatch.setattr(figures, "FRAMES", 4)
    monkeypatch.setattr(figures, "AT_ONCE", 2)
    footage = figures.rendered_footage(3, None, seed=7, devices=["cpu", "cpu"], side=24)
    assert footage.count.tolist() == [4, 4, 4]
    assert footage.frames.shape == (12, 3, 24, 24)
    assert footage.frames.dtype == torch.uint8
    for scene, first in zip(figures.invented(3, 7), footage.first, strict=True):
        alone = frames(take_of(scene.motion, scene.name, scene.seed, 25), (24, 24), 1)
        got = footage.frames[first : first + 4].permute(0, 2, 3, 1).numpy()
        assert (np.abs(got.astype(int) - alone) > 1).mean() < 1e-3
