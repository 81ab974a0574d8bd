"""What the measurement of many visitors counts, and the film that one of them brings."""

import threading

import av
import httpx2
import pytest

from har_demo.research.benchmarks import visitors
from har_demo.research.benchmarks.visitors import COLUMNS, Seen, Visit


def test_the_film_lasts_ten_minutes_and_can_be_sought(tmp_path):
    path = visitors._film(tmp_path / "film.mp4")
    with av.open(path) as film:
        (stream,) = film.streams.video
        assert float(stream.duration * stream.time_base) == pytest.approx(600, abs=0.1)
        assert stream.frames == 18_000
        film.seek(round(599 / stream.time_base), stream=stream)
        assert 590 <= next(film.decode(stream)).time <= 599


def answering(*events: str) -> Visit:
    """A visitor whose server answers every question with these events."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            return httpx2.Response(200, json={"event_id": "1"})
        return httpx2.Response(200, text="\n".join(events))

    http = httpx2.Client(transport=httpx2.MockTransport(answer), base_url="http://app")
    return Visit(http, {}, threading.Lock())


def test_answers_refusals_and_failures_are_told_apart():
    refused = 'data: {"error": "8 questions of yours are waiting or running here: wait."}'
    for events, expected in (
        (("event: generating", "data: [1]", "event: complete", "data: [1]"), (1, 0, 0)),
        (("event: error", refused), (0, 1, 0)),
        (("event: error", 'data: {"error": null}'), (0, 0, 1)),
        ((), (0, 0, 1)),
    ):
        visit = answering(*events)
        visit.ask("ask", "ask", "a clip")
        seen = visit.seen["ask"]
        assert (len(seen.seconds), seen.refused, len(seen.failed)) == expected, events


def test_a_row_has_the_median_and_how_long_nearly_all_waited(capsys):
    seen = {"ask": Seen([float(n) for n in range(1, 102)], refused=2, failed=["no"])}
    (row,) = visitors._rows(20, 10, seen, [100e6] * 5 + [200e6] * 5 + [400e6] * 10)
    told = dict(zip(COLUMNS, row, strict=True))
    assert (told["asked"], told["median_s"], told["p95_s"], told["longest_s"]) == (
        *("104", "51.0", "96.0"),
        "101.0",
    )
    assert (told["refused_by_quota"], told["failed"]) == ("2", "1")
    assert (told["memory_early_mb"], told["memory_late_mb"]) == ("175", "400")
    assert "ask: no" in capsys.readouterr().err
