"""Rendered scenes come from a process of its own, with the pixels that training sees."""

import threading

import numpy as np
import pytest

from har_demo import assets
from har_demo.clips import rendered
from har_demo.clips.rendered import FRAMES, SIDE, RenderedScene, renderer, scenes
from har_demo.errors import ChoiceError
from har_demo.labels import EVERYDAY
from har_demo.research.people.on_request import rendered_frames
from har_demo.research.training.recognition.figures import invented
from har_demo.research.training.recognition.protocol import read_protocol

READ = np.array([4, 1, 59])


def test_scenes_are_the_protocols_test_clips():
    assert read_protocol().test_seed == rendered.TEST_SEED
    every = scenes(EVERYDAY, 45)
    known = invented(45, rendered.TEST_SEED)
    assert [(one.action, one.seed) for one in every] == [(one.name, one.seed) for one in known]
    # Whoever knows fewer classes gets the same clips of those.
    few = ("walking", "push-up")
    assert scenes(few, 3) == [one for one in scenes(EVERYDAY, 78) if one.action in few][:3]
    assert scenes(("abseiling",), 5) == []


def test_the_renderer_gives_the_pixels_that_this_process_would_and_each_frame_once():
    one, other = scenes(EVERYDAY, 2)
    answers = {}
    with renderer() as open_scene:
        opened = {scene: open_scene(scene) for scene in (one, other)}

        def ask(scene):
            clip, read = opened[scene]
            answers[scene] = read(clip, READ)

        threads = [threading.Thread(target=ask, args=[scene]) for scene in opened]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        clip, read = opened[one]
        assert (clip.frames, clip.fps, clip.width, clip.height) == (FRAMES, 25, SIDE, SIDE)
        assert np.array_equal(read(clip, READ[:2]), answers[one][:2])

        clip, read = open_scene(RenderedScene("abseiling", 3))
        with pytest.raises(ChoiceError, match="'abseiling'"):
            read(clip, READ)
        process = read.__closure__ and open_scene.__self__._process
        assert process.poll() is None
    assert process.poll() is not None
    for scene, frames in answers.items():
        assert np.array_equal(frames, rendered_frames(scene.action, scene.seed, READ))


def test_a_renderer_that_breaks_is_no_fault_of_the_user(monkeypatch):
    monkeypatch.setattr(rendered.child, "command", lambda *words: ["false"])
    with renderer() as open_scene:
        clip, read = open_scene(RenderedScene("push-up", 1))
        with pytest.raises(RuntimeError, match="ended with exit code 1"):
            read(clip, READ)
    with pytest.raises(ValueError, match="closed"):
        read(clip, READ)


def test_a_copy_without_the_renderer_says_so(tmp_path, monkeypatch):
    """Such as the folder of a Space."""
    monkeypatch.setattr(assets, "PACKAGE", tmp_path)
    with pytest.raises(ChoiceError, match="without the renderer of people"), renderer():
        pass
