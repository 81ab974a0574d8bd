"""A shared link names a clip by its hash or as an example, and tells nothing of the file that it came in."""

import json
import re
from dataclasses import dataclass
from html import escape, unescape
from inspect import getmodule, getsource
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from har_demo.clips.ingest import ingest
from har_demo.interface import app, links
from har_demo.interface.address import link
from har_demo.interface.clip_input import shown
from har_demo.interface.examples import example
from har_demo.interface.header import ABOUT_CLIPS
from har_demo.interface.pages.attention import callbacks as attention
from har_demo.interface.pages.attention.view import model_choices, verdict_shown
from har_demo.interface.pages.flow import callbacks as flow
from har_demo.interface.pages.flow.view import FlowOnPage
from har_demo.interface.pages.motion import callbacks as motion
from har_demo.interface.pages.prompts import view as prompts
from har_demo.interface.pages.recognize import view as recognize
from har_demo.models.registry import card
from har_demo.recognize.prediction import SeenWindow
from tests.media import numbered_frames, write
from tests.test_interface.pressed import pressed
from tests.test_interface.test_pages.test_prompts.test_view import answer
from tests.test_interface.test_pages.test_recognize.test_view import clip_named

RESTORES = {
    "": links.restore,
    "prompts": links.restore_prompts,
    "flow": flow.restore_flow,
    "attention": attention.restore_attention,
    "motion": motion.restore_motion,
}
SWEPT = "The clip of this link is no longer on this server; please add it again."


@pytest.fixture
def upload(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "cache"))
    clip = ingest(write(tmp_path / "my secret.mp4", numbered_frames(8)))
    assert clip.source.name == "my secret.mp4"
    return clip


@pytest.fixture
def shipped(upload):
    return ingest(example("walking.mp4").path, name="Walking")


def in_page(html: str) -> dict[str, str]:
    """What the link of a page's answers names."""
    return json.loads(unescape(re.search(r'data-link="([^"]*)"', html)[1]))


@dataclass(frozen=True)
class Tried:
    """Stands for the answers of the Motion page."""

    link: str = "{}"

    def panel(self, stopped=False):
        return f'<div data-link="{escape(self.link)}">'


def links_of(clip, monkeypatch) -> dict[str, dict[str, str]]:
    """The link that every page gives for its answers about the clip."""
    asked = {"clip": clip.sha256, "shown": clip.sha256, "own": "c3d_lab", "models": "c3d_lab"}
    asked |= {"frames": None, "stride": None, "windows": 5, "crops": 3, "published": 1}
    asking = answer([[0.1, 0.2]], templates=("a {}", "the {}"), background=("nothing",))
    found = SimpleNamespace(clip=clip, ways=[SimpleNamespace(method="dis")])
    trace = SimpleNamespace(
        clip=clip,
        card=card(model_choices()[0][1]),
        frames=[0, 1],
        seconds=[0.0, 0.1],
        note="",
        top=lambda count: [("walking", 0.5), ("running", 0.2)][:count],
    )
    for name in ("_grids", "_samplings"):
        monkeypatch.setattr(motion, name, lambda *given: iter([Tried()]))
    monkeypatch.setattr(motion, "_files", lambda *given: {})
    monkeypatch.setattr(motion.motion_previews, "style", lambda *given: "")
    ticked = (["c3d_lab"], ["reverse", "darken=0.5"], ["uniform"], [8, 16], [1.0, 4.0])
    by_page = {
        "": recognize.results(clip, asked, []),
        "prompts": prompts.results(prompts.PromptsOnPage(clip, clip.sha256, asking, ("",))),
        "attention": verdict_shown(trace, clip.sha256, True, 0.1),
    }
    found = {page: in_page(html) for page, html in by_page.items()}
    found["flow"] = FlowOnPage(
        SimpleNamespace(clip=clip, ways=[SimpleNamespace(method="dis")]), "", 0, True, (0.2, 1.5)
    ).link()
    for part, page in ((motion.EDITS, "motion"), (motion.SAMPLINGS, "motion, samplings")):
        *_, last = pressed(motion.try_on_models, part, clip, None, *ticked, 0.1)
        found[page] = in_page(last["panel"])
    return found


SETTINGS = {
    "": {"windows": 5, "crops": 3, "published": 1},
    "prompts": {
        "prompts": "prompt 0\nprompt 1",
        "none": True,
        "templates": "a {}\nthe {}",
        "tower": "embedded",
        "pooling": "mean",
    },
    "flow": {"method": "dis", "start": 0.2, "seconds": 1.5, "without_camera": True},
    "attention": {"second": 0.1},
    "motion": {"part": motion.EDITS, "start": 0.1},
    "motion, samplings": {
        "part": motion.SAMPLINGS,
        "start": 0.1,
        "kinds": ["uniform"],
        "frames": [8, 16],
        "strides": [1.0, 4.0],
    },
}


@pytest.mark.parametrize("kind", ["upload", "shipped"])
def test_every_pages_link_brings_clip_and_settings_back(kind, request, monkeypatch):
    clip = request.getfixturevalue(kind)
    named = {"clip": clip.sha256} if kind == "upload" else {"example": "walking.mp4"}
    for page, link_of in links_of(clip, monkeypatch).items():
        assert named.items() <= link_of.items(), page
        assert not {"own", "shown", *({"clip", "example"} - named.keys())} & link_of.keys(), page
        (brought,) = pressed(RESTORES[page.split(",")[0]], query=link_of)
        assert "clip_notice" not in brought, page
        assert brought["current"].path == clip.path, page
        assert SETTINGS[page].items() <= brought.items(), page
        # No name of a visitor's file, on the way out or back.
        assert "secret" not in f"{link_of}{brought}", page
        if kind == "upload":
            assert brought["current"].source.name == f"clip-{clip.sha256[:8]}"


def test_what_only_the_page_knows_is_in_the_link(upload, monkeypatch):
    """Ticks are the page script's to restore."""
    found = links_of(upload, monkeypatch)
    assert found[""]["models"] == found["motion"]["models"] == "c3d_lab"
    assert found["motion"]["edits"] == "reverse,darken=0.5"
    assert "edits" not in found["motion, samplings"]
    assert found["attention"]["model"] == model_choices()[0][1]


def test_a_swept_clip_is_one_sentence_and_the_settings_stay(upload, monkeypatch):
    for page, link_of in links_of(upload, monkeypatch).items():
        for lost in ({"clip": "0" * 64}, {"clip": "../../etc/passwd"}, {"example": "no.mp4"}):
            query = {k: v for k, v in link_of.items() if k != "clip"} | lost
            (brought,) = pressed(RESTORES[page.split(",")[0]], query=query)
            assert SWEPT in brought["clip_notice"], page
            assert "current" not in brought and "video" not in brought, page
            assert SETTINGS[page].items() <= brought.items(), page


def test_without_a_clip_only_the_settings_come_back(upload, monkeypatch):
    assert link(None, model="x", second=None, beside="") == {"model": "x"}
    for page, link_of in links_of(upload, monkeypatch).items():
        del link_of["clip"]
        (brought,) = pressed(RESTORES[page.split(",")[0]], query=link_of)
        assert not {"clip_notice", "current"} & brought.keys(), page
        assert SETTINGS[page].items() <= brought.items(), page


def test_what_is_not_offered_is_said_by_name():
    wrong = {
        "flow": {"method": "guess", "start": "-1", "seconds": "nan", "without_camera": "2"},
        "attention": {"model": "no_such", "second": "soon"},
        "motion": {
            "models": "no_such",
            "edits": "melt",
            "part": "x",
            "kinds": "odd",
            "frames": "9",
            "strides": "²",
        },
    }
    for page, query in wrong.items():
        (brought,) = pressed(RESTORES[page], query=query)
        assert brought.keys() == {"clip_notice"}, page
        for value in query.values():
            assert value in brought["clip_notice"], (page, value)


def test_nothing_named_changes_nothing():
    """A press may be answered before the page's own address is."""
    for restore in RESTORES.values():
        assert pressed(restore, query={}) == pressed(restore, query={"ask": "0"}) == [{}]


def test_a_long_list_comes_back_whole():
    (brought,) = pressed(links.restore_prompts, query={"classes": "Kinetics-400"})
    assert len(brought["prompts"].splitlines()) == 400


def test_the_clip_on_the_page_says_how_an_address_names_it(upload, shipped):
    assert in_page(shown(upload)["facts"]) == {"clip": upload.sha256}
    assert in_page(shown(shipped)["facts"]) == {"example": "walking.mp4"}


def test_answers_lead_to_their_moment_on_the_other_pages():
    clip = clip_named(frames=500)  # 20 s
    frames = np.arange(400, 416).reshape(1, 16)
    image = np.zeros((1, 8, 8, 3), np.uint8)
    window = SeenWindow(window=0, frames=frames[0][:1], filmed=image, given=image, given_count=16)

    def moments(of):
        html = str(recognize.seen(clip, card(of), frames, 1, window))
        parts = [urlsplit(unescape(href)) for href in re.findall(r'<a href="([^"]+)"', html)]
        return {part.path: dict(parse_qsl(part.query)) for part in parts}

    found = moments("c3d_lab")
    assert all(query.pop("clip") == clip.sha256 for query in found.values())
    assert found == {
        "flow": {"start": "15.82", "seconds": "1"},
        "attention": {"model": "c3d_lab", "second": "16.32"},
        "motion": {"models": "c3d_lab", "start": "10"},
    }
    for page, query in found.items():
        assert "clip_notice" not in pressed(RESTORES[page], query=query)[-1]


def test_the_bar_takes_the_clip_to_every_page_that_asks_about_one():
    sources = {address: getsource(getmodule(build)) for _, address, build in app.PAGES}
    assert set(ABOUT_CLIPS) == {a for a, text in sources.items() if "clip_input.build()" in text}
    assert {"", *ABOUT_CLIPS} == RESTORES.keys()


def test_the_panel_knows_the_clip_by_hash_for_windows_and_links_by_example(shipped):
    asked = {"clip": shipped.sha256, "shown": shipped.sha256, "models": "c3d_lab"}
    html = recognize.results(shipped, asked, [])
    assert json.loads(unescape(re.search(r'data-asked="([^"]*)"', html)[1])) == asked
    assert in_page(html) == {"example": "walking.mp4", "models": "c3d_lab"}
