"""Examples of a confusion are real: the model is asked again and says so of the film that is shown."""

import pytest

from har_demo.clips import cache
from har_demo.clips.ingest import ingest
from har_demo.clips.rendered import renderer, scenes
from har_demo.errors import ChoiceError, WeightsError
from har_demo.recognize import confusions
from har_demo.recognize.prediction import Request
from har_demo.recognize.recognize import recognize

MODEL = "slow_fusion_lab"


@pytest.mark.nightly
def test_what_is_shown_was_answered_so():
    first = next(confusions.look_for(MODEL, "push-up", "push-up", most=1))
    (answered,) = first.answers
    again = next(confusions.look_for(MODEL, "push-up", answered, most=1))
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


def test_who_cannot_be_asked_gets_a_sentence(monkeypatch):
    with pytest.raises(ChoiceError, match="knows no class 'flying'"):
        next(confusions.look_for(MODEL, "flying", "push-up"))
    with pytest.raises(ChoiceError, match="Nobody can be rendered 'abseiling'"):
        next(confusions.look_for("r3d_18", "abseiling", "archery"))
    assert MODEL in confusions.ready()
    monkeypatch.setattr(confusions.shipped, "entry", lambda model: None)
    with pytest.raises(WeightsError, match="not shipped"):
        next(confusions.look_for(MODEL, "push-up", "squatting"))
