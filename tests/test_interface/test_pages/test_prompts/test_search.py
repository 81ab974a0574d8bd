"""The search among clips as HTML and as events, without a browser; and the link that brings a question back."""

from dataclasses import replace

import numpy as np
import pytest

from har_demo.interface import links, stopping
from har_demo.interface.pages.prompts import curves, search
from har_demo.prompts import Found, Ranking, Unread
from har_demo.prompts.curves import FewShotPoint, shots
from tests.test_interface.pressed import pressed
from tests.test_interface.test_pages.test_prompts.test_view import answer
from tests.test_interface.test_pages.test_recognize.test_view import clip_named


@pytest.fixture
def ranking(monkeypatch) -> Ranking:
    monkeypatch.setattr(
        search, "read_frames", lambda clip, at: np.zeros((len(at), 40, 60, 3), np.uint8)
    )
    one, other = clip_named(), replace(clip_named(), sha256="2")
    return Ranking(
        "a cat",
        "embedded",
        (Found(one, 0.4, 0.5), Found(other, -0.1, 0.0)),
        ("a <b>note</b>",),
        (Unread("<script>.mp4", "it is broken: send another."),),
    )


def test_clips_stand_in_their_order_and_bad_files_are_named(ranking):
    html = search.ranked(ranking)
    assert html.count("data-play") == 2 and html.index("0.40") < html.index("\u22120.10")
    assert 'data-at="0.500"' in html and "width:100.0%" in html and "width:0.0%" in html
    assert "1 left out" in html and "it is broken: send another." in html
    assert "<script>" not in html and "<b>note" not in html


def test_a_search_says_what_is_wrong_and_leaves_the_ranking():
    for files, sentence in ((None, "a cat"), (["a.mp4"], "  ")):
        (update,) = pressed(search.search_clips, files, sentence, "embedded")
        assert update.keys() == {"notice"} and "There is no" in update["notice"]


def test_stop_ends_a_search_at_its_next_step(monkeypatch, ranking):
    def find(job, files, sentence, model):
        job.tell(0.1, "before")
        stopping.stop("visitor")
        job.tell(0.2, "after")
        return ranking

    monkeypatch.setattr(search, "find", find)
    steps = []
    searching = search.search_clips(
        "visitor", lambda share, desc: steps.append(desc), ["a.mp4"], "a cat", "embedded"
    )
    with stopping.work("visitor"):
        assert list(searching) == []
    assert steps == ["before"]


def test_a_link_brings_the_question_back():
    asked = answer([[0.1, 0.2]], templates=("a {}", "the {}"), background=("nothing",))
    link = links.prompts_link(clip_named(), asked)
    (update,) = pressed(links.restore_prompts, query=link)
    question = {name: update[name] for name in ("prompts", "none", "templates", "pooling")}
    assert question == {
        "prompts": "prompt 0\nprompt 1",
        "none": True,
        "templates": "a {}\nthe {}",
        "pooling": "mean",
    }
    assert update["tower"] == "embedded"
    many = replace(asked, prompts=tuple(f"prompt {n}" for n in range(500)))
    assert "prompts" not in links.prompts_link(clip_named(), many)
    listed = replace(asked, prompts=links.CLASS_LISTS["UCF101"])
    assert links.prompts_link(clip_named(), listed)["classes"] == "UCF101"


def test_what_a_link_names_wrongly_is_said_and_changes_nothing_else():
    wrong = {"classes": "mine", "tower": "no/such", "pooling": "sum", "clip": "gone"}
    (update,) = pressed(links.restore_prompts, query=wrong)
    assert update.keys() == {"clip_notice"}
    for words in ("no longer on this server", "mine", "no image-text model", "pooling=sum"):
        assert words in update["clip_notice"]


def test_opening_a_page_takes_no_notice_away():
    """A press may be answered before the page's own link is."""
    assert pressed(links.restore, query={}) == pressed(links.restore_prompts, query={}) == [{}]


def test_curves_are_the_tables_means(tmp_path):
    table = tmp_path / "some.csv"
    table.write_text(
        "method,shots,seed,tested_on,clips,top1\n"
        "class name,0,0,real,9,3\nlearned prompts,1,0,real,9,10\nlearned prompts,1,1,real,9,20\n"
    )
    assert shots(table)[1] == FewShotPoint("learned prompts", "real", 1, 9, 15, 10, 20, 2)
    html = curves.curves()
    assert html.count("data-figure") == 2 and "Guessing gives 2.6 %" in html
