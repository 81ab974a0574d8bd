"""Who waits for whom: turns, fair shares, quotas."""

import threading
import time

import pytest

from har_demo.errors import ChoiceError
from har_demo.interface import lanes
from har_demo.interface.lanes import Lane
from har_demo.interface.visitor import Visitor

ANNA, BEN, CLEO = (Visitor(name, f"10.0.0.{n}") for n, name in enumerate(("anna", "ben", "cleo")))


class Turns:
    """Visitors in a lane, each in a thread of its own that waits to be told to leave."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.served: list[str] = []
        self.leave: dict[str, threading.Event] = {}
        self.told: dict[str, int] = {}

    def come(self, visitor: Visitor, name: str) -> None:
        self.leave[name] = threading.Event()
        threading.Thread(target=self._turn, args=(visitor, name), daemon=True).start()
        waited = time.monotonic() + 10
        while name not in self.served and name not in self.told:
            assert time.monotonic() < waited
            time.sleep(0.005)

    def _turn(self, visitor: Visitor, name: str) -> None:
        def waiting(before: int) -> None:
            self.told[name] = before

        with self.lane.turn(visitor, waiting):
            self.served.append(name)
            self.leave[name].wait(10)

    def go(self, name: str, then: int) -> list[str]:
        """Let one leave, and return who was served in all, once so many were."""
        self.leave[name].set()
        waited = time.monotonic() + 10
        while len(self.served) < then:
            assert time.monotonic() < waited, self.served
            time.sleep(0.005)
        time.sleep(0.02)
        return self.served


def test_one_after_another_in_the_order_they_came_and_each_is_told_how_many_come_first():
    turns = Turns(Lane(1, "questions"))
    for visitor in (ANNA, BEN, CLEO):
        turns.come(visitor, visitor.session)
    assert turns.served == ["anna"] and turns.told == {"ben": 1, "cleo": 2}
    assert turns.go("anna", 2) == ["anna", "ben"]
    assert turns.go("ben", 3) == ["anna", "ben", "cleo"]
    turns.go("cleo", 3)


def test_as_many_as_the_lane_is_wide_but_one_of_each_visitor():
    turns = Turns(Lane(2, "files"))
    turns.come(ANNA, "a1")
    turns.come(ANNA, "a2")
    turns.come(BEN, "b1")
    assert turns.served == ["a1", "b1"]
    assert turns.go("a1", 3) == ["a1", "b1", "a2"]
    turns.go("b1", 3), turns.go("a2", 3)


def test_who_had_more_waits_longer():
    turns = Turns(Lane(1, "questions"))
    turns.come(ANNA, "a1")
    time.sleep(0.05)
    turns.come(ANNA, "a2")
    turns.come(BEN, "b1")
    assert turns.go("a1", 2) == ["a1", "b1"]  # although she asked first
    assert turns.go("b1", 3) == ["a1", "b1", "a2"]
    turns.go("a2", 3)


def test_the_address_counts_before_the_page():
    """Who opens many pages gets no larger share."""
    turns = Turns(Lane(1, "questions"))
    second = Visitor("anna's other page", ANNA.address)
    turns.come(ANNA, "a1")
    time.sleep(0.05)
    turns.come(second, "a2")
    turns.come(BEN, "b1")
    assert turns.go("a1", 2) == ["a1", "b1"]
    turns.go("b1", 3), turns.go("a2", 3)


@pytest.mark.parametrize("sliced", [True, False])
def test_long_work_lets_a_short_question_go_first_where_it_can_pause(monkeypatch, sliced):
    monkeypatch.setattr(lanes, "SLICE", 0.05)
    lane, order, come = Lane(1, "questions", sliced), [], threading.Event()

    def long():
        with lane.turn(ANNA, lambda before: None) as ticket:
            for _ in range(40):
                order.append("piece")
                come.set()
                time.sleep(0.005)
                lane.let_others(ticket, lambda before: None)

    thread = threading.Thread(target=long)
    thread.start()
    come.wait(10)
    with lane.turn(BEN, lambda before: None):
        order.append("short")
    thread.join(10)
    assert order.count("piece") == 40
    assert 5 < order.index("short") < 30 if sliced else order[-1] == "short"
    assert (lanes.MODELS.sliced, lanes.READING.sliced) == (True, False)


def test_who_has_too_many_is_refused_and_others_are_not(monkeypatch):
    monkeypatch.setenv("HAR_QUOTA_SESSION", "2")
    monkeypatch.setenv("HAR_QUOTA_ADDRESS", "3")
    turns = Turns(Lane(1, "questions"))
    turns.come(ANNA, "a1")
    turns.come(ANNA, "a2")
    with pytest.raises(ChoiceError, match="2 questions of yours are waiting or running here"):
        turns.lane.turn(ANNA, print).__enter__()
    turns.come(Visitor("her other page", ANNA.address), "a3")
    with pytest.raises(ChoiceError, match="3 questions from your network are waiting or running"):
        turns.lane.turn(Visitor("her third", ANNA.address), print).__enter__()
    monkeypatch.setattr(lanes, "ALL", 3)
    with pytest.raises(ChoiceError, match="3 questions are waiting here"):
        turns.lane.turn(BEN, print).__enter__()
    monkeypatch.undo()
    turns.come(BEN, "b1")
    for number, name in enumerate(("a1", "b1", "a3", "a2")):
        turns.go(name, min(number + 2, 4))
    assert turns.served == ["a1", "b1", "a3", "a2"]  # her other page had nothing yet


def test_waiting_ends_when_who_waits_has_gone_and_the_place_is_free():
    turns = Turns(Lane(1, "questions"))
    turns.come(ANNA, "a1")

    def left(before: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError), turns.lane.turn(BEN, left):
        raise AssertionError("it was nobody's turn")
    assert len(turns.lane._tickets) == 1
    turns.go("a1", 1)


def test_a_turn_ends_with_the_work_that_fails():
    lane = Lane(1, "questions")
    with pytest.raises(ZeroDivisionError), lane.turn(ANNA, print):
        raise ZeroDivisionError
    with lane.turn(BEN, print):  # nobody is before
        assert len(lane._tickets) == 1
