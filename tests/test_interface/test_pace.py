"""The time left of work, from what of it is done so far."""

import pytest

from har_demo.interface.pace import Pace
from har_demo.interface.run import press


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ([(0.0, 0.0), (0.5, 0.9)], ""),  # not yet a second of work
        ([(0.0, 0.0), (0.25, 10.0)], ", about 30 seconds left"),
        ([(0.0, 0.0), (0.01, 10.0)], ", about 16 minutes left"),
        ([(0.0, 0.0), (0.9, 10.0)], ""),  # the end is near
        ([(0.0, 0.0), (1.0, 10.0)], ""),
        ([(0.0, 0.0)], ""),
        # Loading and waiting stand at the beginning: they do not count as what is done.
        ([(0.0, 0.0), (0.0, 60.0), (0.5, 70.0)], ", about 10 seconds left"),
        # Another part of the work begins anew.
        ([(0.0, 0.0), (0.9, 90.0), (0.0, 100.0), (0.2, 102.0)], ", about 8 seconds left"),
        ([(0.4, 0.0), (0.6, 10.0)], ", about 20 seconds left"),
    ],
)
def test_the_time_left_is_that_of_the_same_pace(told, words):
    pace = Pace()
    assert [pace.words(*one) for one in told][-1] == words


def test_progress_of_a_press_says_it(monkeypatch):
    clock = iter((0.0, 8.0, 16.0))
    monkeypatch.setattr("har_demo.interface.run.time.monotonic", lambda: next(clock))
    heard = []

    @press
    def work(job):
        for number in range(3):
            job.tell(number / 3, f"Pair {number + 1}")
        yield {}

    list(work("visitor", lambda share, desc: heard.append(desc)))
    assert heard == ["Pair 1", "Pair 2, about 16 seconds left", "Pair 3, about 8 seconds left"]
