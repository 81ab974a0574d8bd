"""Stop ends the work of the visitor who pressed it, and knows when nothing more comes of it."""

from threading import Event, Thread

import pytest

from har_demo.interface import stopping


def test_only_the_work_of_the_visitor_who_pressed_ends():
    with stopping.work("a"), stopping.work("b"):
        stopping.check("a")
        stopping.stop("a")
        with pytest.raises(stopping.Stopped):
            stopping.check("a")
        stopping.check("b")


def test_an_earlier_stop_does_not_count_for_the_next_question():
    stopping.stop("a")  # nothing is worked on yet
    for _ in range(2):
        with stopping.work("a"):
            stopping.check("a")
            stopping.stop("a")
    assert not stopping._working  # nothing is kept of visitors who have gone


def test_the_end_of_an_older_work_leaves_the_newer_one():
    older, newer = stopping.work("a"), stopping.work("a")
    older.__enter__()
    newer.__enter__()
    older.__exit__(None, None, None)
    stopping.stop("a")
    with pytest.raises(stopping.Stopped):
        stopping.check("a")
    newer.__exit__(None, None, None)


def test_waiting_lasts_as_long_as_the_work():
    shown, begun, step = [], Event(), Event()

    def answers():
        with stopping.work("a"):
            begun.set()
            step.wait(10)
            yield "a late answer"

    def run():
        for answer in answers():
            shown.append(answer)

    def press():
        stopping.wait("a")
        shown.append("stopped")

    threads = Thread(target=run), Thread(target=press)
    threads[0].start()
    begun.wait(10)
    threads[1].start()
    threads[1].join(0.1)
    assert not shown
    step.set()
    for thread in threads:
        thread.join(10)
    assert shown == ["a late answer", "stopped"]


def test_waiting_ends_with_a_generator_that_is_closed_and_with_patience(monkeypatch):
    monkeypatch.setattr(stopping, "PATIENCE", 0.05)

    def answers():
        with stopping.work("a"):
            yield "first"

    running = answers()
    next(running)
    stopping.wait("a")  # it hangs at its yield: patience ends
    assert "a" in stopping._working
    running.close()  # what Gradio does when it cancels
    assert "a" not in stopping._working
    stopping.wait("a")
