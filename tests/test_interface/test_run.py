"""A press: updates by name, errors as sentences, Stop, and files that last as long as the work."""

import logging

import gradio as gr
import pytest

from har_demo.errors import BROKEN, ChoiceError
from har_demo.interface import stopping
from har_demo.interface.pages.attention.callbacks import ask_model
from har_demo.interface.pages.flow.callbacks import ask_streams, show_motion
from har_demo.interface.pages.motion.callbacks import try_on_models
from har_demo.interface.pages.prompts.callbacks import ask_prompts
from har_demo.interface.pages.prompts.search import search_clips
from har_demo.interface.pages.recognize.callbacks import run_models
from har_demo.interface.run import key_of, on, press
from tests.test_interface.pressed import pressed


def test_a_problem_is_said_as_it_is_where_the_page_says_errors():
    @press(errors="where")
    def work(job):
        yield {"panel": "half"}
        raise ChoiceError("this is wrong: <b>choose</b> another.")

    first, last = pressed(work)
    assert first == {"panel": "half"}
    assert "this is wrong: &lt;b&gt;choose&lt;/b&gt; another." in last["where"]


def test_what_breaks_is_logged_and_says_nothing_of_its_inside(caplog):
    @press
    def work(job):
        yield from ()
        raise RuntimeError("no such luck")

    with caplog.at_level(logging.ERROR):
        (update,) = pressed(work)
    assert BROKEN in update["notice"] and "luck" not in update["notice"]
    assert "no such luck" in caplog.text and "work failed" in caplog.text


def test_progress_is_told_and_files_last_as_long_as_the_work():
    shares, paths = [], []

    @press
    def work(job, name):
        job.tell(0.5, "Half")
        path = job.folder / name
        path.write_text("kept")
        paths.append(path)
        yield {"file": str(path)}

    running = work("visitor", lambda share, desc: shares.append((share, desc)), "a.txt")
    update = next(running)
    assert paths[0].read_text() == "kept" and update == {"file": str(paths[0])}
    running.close()  # what Gradio does when it cancels
    assert not paths[0].exists()
    assert shares == [(0.5, "Half")]


LONG = {
    run_models: (None, "a.mp4", ["tsm_lab"], 0, 0, 0, 1, "", None),
    try_on_models: ("edits", None, "a.mp4", ["tsm_lab"], [], [], [], [], 0),
    ask_model: (None, "a.mp4", "tsm_lab", 0),
    show_motion: (None, "a.mp4", "dis", "", 0, 1, False, ""),
    ask_streams: (None, "a.mp4", "two_stream_lab", "", 0.5),
    ask_prompts: (None, "a.mp4", "a cat", True, "embedded", "{}", "mean", 1.0),
    search_clips: (["a.mp4"], "a cat", "embedded"),
}


@pytest.mark.parametrize("work", LONG, ids=lambda work: work.__name__)
def test_a_stop_before_the_first_answer_ends_each_pages_work_and_says_nothing(monkeypatch, work):
    def ready(*_):
        stopping.stop("visitor")
        stopping.check("visitor")

    inside = work.__wrapped__.__globals__
    monkeypatch.setitem(inside, "ready" if "ready" in inside else "find", ready)
    with stopping.work("visitor"):
        assert pressed(work, *LONG[work]) == []


class Request:
    session_hash = "visitor"
    query_params = {"clip": "a"}  # noqa: RUF012


def connected(work):
    """The function that Gradio calls for an event, and its outputs, by name."""
    calls = []
    with gr.Blocks():
        outputs = {"notice": gr.HTML(), "panel": gr.HTML()}
        on(lambda handle, *_, **__: calls.append(handle), work, [], outputs)
    return calls[0], outputs


def test_only_the_named_outputs_change_and_work_without_updates_changes_none():
    @press
    def work(job, number, event, query):
        if number:
            yield {"panel": f"{number} {event['place']} {query['clip']}"}

    handle, outputs = connected(work)
    data = gr.EventData(None, {"place": "left"})
    assert list(handle(Request, data, print, 3)) == [{outputs["panel"]: "3 left a"}]
    assert list(handle(Request, data, print, 0)) == [gr.skip()]


def test_an_output_that_the_page_does_not_have_is_an_error():
    @press
    def work(job):
        yield {"nowhere": ""}

    handle, _ = connected(work)
    with pytest.raises(KeyError, match="nowhere"):
        list(handle(Request, gr.EventData(None, None), print))


def test_each_kind_of_work_of_a_visitor_is_stopped_apart():
    assert key_of(Request, run_models) != key_of(Request, search_clips)
