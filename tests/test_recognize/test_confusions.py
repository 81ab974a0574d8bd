"""Examples of a confusion are real: the model is asked again and says so of the film that is shown."""

import itertools
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from har_demo.clips import cache
from har_demo.clips.clip import Clip, SourceFacts
from har_demo.clips.ingest import ingest
from har_demo.clips.rendered import renderer, scenes
from har_demo.errors import ChoiceError, WeightsError
from har_demo.recognize import confusions
from har_demo.recognize.prediction import Request
from har_demo.recognize.recognize import recognize

MODEL = "slow_fusion_lab"


@pytest.mark.nightly
def test_what_is_shown_was_answered_so():
    *_, first = confusions.look_for(MODEL, "push-up", "push-up", most=1)
    (answered,) = first.answers
    *_, again = confusions.look_for(MODEL, "push-up", answered, most=1)
    assert (again.tried, again.found, again.done) == (1, 1, True)
    (example,) = again.examples
    assert example.film.parent == cache.folder() and example.answered == answered

    # The very clip of the test set, asked the way everybody asks.
    (scene,) = scenes(("push-up",), 1)
    assert example.seed == str(scene.seed)
    with renderer() as open_scene:
        opened, read = open_scene(scene)
        prediction = next(iter(recognize(opened, [Request(MODEL)], read=read)))
    assert prediction.top(1)[0] == (answered, pytest.approx(example.share, abs=1e-5))
    film = ingest(example.film)
    assert (film.frames, film.width, film.height) == (opened.frames, 144, 144)


@pytest.mark.nightly
def test_where_there_is_no_such_answer_the_first_clips_are_shown():
    found = list(confusions.look_for(MODEL, "push-up", "bowling", most=1))
    assert found[-1].done and found[-1].found == 0
    assert [example.answered for example in found[-1].examples] == list(found[-1].answers)


@pytest.fixture
def rendered(monkeypatch, tmp_path):
    """Scenes of grey that cost nothing, the frames read of them, and a model that takes turns of two answers."""
    read, taken = [], itertools.cycle(["push-up", "squatting"])

    @contextmanager
    def renderer():
        def open_scene(scene, kept):
            def frames(clip, indices):
                read.append((scene.seed, len(indices)))
                return np.full((len(indices), 16, 16, 3), 90, np.uint8)

            facts = SourceFacts(scene.action, "none", "none", 16, 16, 25, 0.4, 0)
            return Clip(Path(), 25, 10, 16, 16, "", facts), frames

        yield open_scene

    def answered(clip, requests, read):
        read(clip, np.arange(4))
        name = next(taken)
        yield SimpleNamespace(top=lambda count: [(name, 0.5)])

    monkeypatch.setattr(confusions, "renderer", renderer)
    monkeypatch.setattr(confusions, "recognize", answered)
    monkeypatch.setattr(confusions, "_ANSWERS", {})
    monkeypatch.setattr(confusions, "_film", lambda scene: tmp_path / f"{scene.seed}.mp4")
    return read


def test_the_first_picture_costs_one_frame_and_every_clip_is_shown(rendered):
    search = confusions.look_for(MODEL, "push-up", "squatting", most=3)
    first = next(search)
    seeds = [scene.seed for scene in scenes(("push-up",), 3)]
    assert rendered == [(seeds[0], 1)]
    assert (first.tried, first.pending.seed, first.pending.answered) == (0, str(seeds[0]), "")
    assert first.pending.frame.shape == (16, 16, 3)
    states = [first, *search]
    told = [(one.tried, one.pending and one.pending.answered, len(one.examples)) for one in states]
    assert told == [
        (0, "", 0),
        (1, "push-up", 0),
        (1, "", 0),
        (2, "squatting", 0),  # its answer and a frame, before its video
        (2, None, 1),
        (2, "", 1),
        (3, "push-up", 1),
        (3, None, 1),
    ]
    assert [one.done for one in states] == [False] * 7 + [True]
    assert ingest(states[-1].examples[0].film).frames == 10

    # What is known comes at once: nothing is rendered.
    rendered.clear()
    again = list(confusions.look_for(MODEL, "push-up", "squatting", most=3))
    assert rendered == [] and again[-1].answers == states[-1].answers
    assert [one.film for one in again[-1].examples] == [one.film for one in states[-1].examples]


def test_without_such_an_answer_the_first_two_are_shown_one_after_the_other(rendered):
    states = list(confusions.look_for(MODEL, "push-up", "bowling", most=2))
    assert [len(one.examples) for one in states] == [0, 0, 0, 0, 0, 1, 2]
    assert [one.answered for one in states[-1].examples] == ["push-up", "squatting"]
    assert states[-1].done and states[-1].found == 0


def test_who_cannot_be_asked_gets_a_sentence(monkeypatch):
    with pytest.raises(ChoiceError, match="knows no class 'flying'"):
        next(confusions.look_for(MODEL, "flying", "push-up"))
    with pytest.raises(ChoiceError, match="Nobody can be rendered 'abseiling'"):
        next(confusions.look_for("r3d_18", "abseiling", "archery"))
    assert MODEL in confusions.ready()
    monkeypatch.setattr(confusions.shipped, "entry", lambda model: None)
    with pytest.raises(WeightsError, match="not shipped"):
        next(confusions.look_for(MODEL, "push-up", "squatting"))
