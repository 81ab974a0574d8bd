"""What the Measured page opens on and shows of a search, without a browser or a server."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from har_demo.interface.pages.measured import callbacks
from har_demo.interface.pages.measured.view import START, confusion_shown, restore
from har_demo.recognize.confusions import PendingClip, Search
from har_demo.recognize.defaults import TWO_TINY
from har_demo.tables.measured import confusion, entry
from tests.test_interface.pressed import pressed

MODEL = TWO_TINY[1]


def opened(**query) -> tuple:
    return restore(SimpleNamespace(query_params=query))


def test_it_opens_on_a_network_with_a_question():
    """The tiny model that is asked by default and its most frequent mistake, which a press shows."""
    dataset, metric, model, _, matrix, *_ = opened()
    assert (dataset, metric, model["value"]) == (START, "top1", MODEL)
    true, predicted, count, total = confusion(entry(MODEL), START).mistakes()[0]
    asked = re.search(r'<p class="opening">(.*?)</p>', matrix, re.S).group(1)
    assert f"Of {total} clips of '{true}'" in asked
    assert f"calls {count} '{predicted}'" in asked and "data-mistake" in asked
    dataset, _, model, *_ = opened(data="weizmann", model="tsm_lab")
    assert (dataset, model["value"]) == ("weizmann", "tsm_lab")
    assert "opening" not in confusion_shown("weizmann", "top1", MODEL)  # it makes none there


def search(tried=0, pending=None, done=False) -> Search:
    answers = {"squatting": tried} if tried else {}
    return Search(MODEL, "push-up", "squatting", answers, (), done, pending)


def test_a_clip_is_a_picture_before_it_is_a_video():
    frame = np.zeros((16, 16, 3), np.uint8)
    html = callbacks.films(search(pending=PendingClip("7", frame)), 3.25)
    assert "data:image/jpeg" in html and "being asked about" in html and "scene 7" in html
    assert 'data-spent="3.2"' in html and "0 of at most" in html and "Of 0 rendered" not in html
    html = callbacks.films(search(1, PendingClip("7", frame, "squatting", 0.4)), 5)
    assert "squatting, 40 %; its video is being rendered" in html and "Of 1 rendered" in html
    html = callbacks.films(search(1, PendingClip("7", frame, "archery", 0.4)), 5)
    assert "archery, 40 %" in html and "its video" not in html
    done = callbacks.films(search(1, done=True), 9)
    assert "elapsed" not in done and "<img" not in done


def test_a_press_says_at_once_that_it_works(monkeypatch):
    """Also where others come first."""
    monkeypatch.setattr(callbacks, "look_for", lambda *_: iter([search(1), search(2, done=True)]))
    first, *_, last = pressed(
        callbacks.examples_of, MODEL, event={"custom": ["push-up", "squatting"]}
    )
    assert "Rendering the first clip" in first["films"] and 'class="elapsed"' in first["films"]
    assert first["stop"]["visible"] and not last["stop"]["visible"]
    assert "predicted 2 as" in last["films"]


@pytest.mark.parametrize("custom", [None, "push-up", ["push-up"]])
def test_a_press_beside_the_cells_is_said(custom):
    (update,) = pressed(callbacks.examples_of, MODEL, event={"custom": custom})
    assert "Press a cell" in update["films"]
