"""Lanes: in each, so many visitors are served at a time, and the others wait for their turn.

    READING    files that come in, each read by a process of its own
    MODELS     questions to models, one after another
    PICTURES   small pictures of what was answered

Next comes whoever had the least of the lane in the last ten minutes. A long question lets others go first
between two pieces of it, so that a visitor with many or long questions delays another by some seconds. A visitor
who has too many waiting is refused.
"""

import itertools
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from har_demo.errors import ChoiceError
from har_demo.interface.visitor import Visitor

SESSION, ADDRESS, ALL = 8, 32, 96
"""Waiting and running at once in one lane: of one page or program, of one address, of everybody. HAR_QUOTA_SESSION
and HAR_QUOTA_ADDRESS set the first two; a class behind one router needs as many as it has pupils."""
MEMORY = 600.0
"""Seconds for which it counts what somebody had."""
SLICE = 4.0
"""Seconds after which work lets those go first who had less."""
LOOK = 0.2
"""Seconds between two looks at whether one who waits is still there."""


@dataclass(eq=False)
class Ticket:
    """One who waits or is served.

    Attributes:
        visitor: who.
        number: of the order in which they came.
        started: when the turn began; None while waiting.
    """

    visitor: Visitor
    number: int
    started: float | None = None


@dataclass(frozen=True)
class _Had:
    visitor: Visitor
    until: float
    seconds: float


@dataclass(eq=False)
class Lane:
    """A lane.

    Attributes:
        width: visitors served at a time; one page or program has one turn at a time.
        of: what waits in it, as a sentence names many of them.
        sliced: long work in it lets others go first; a process that reads a file would go on meanwhile.
    """

    width: int
    of: str
    sliced: bool = False
    _tickets: list[Ticket] = field(default_factory=list)
    _had: deque[_Had] = field(default_factory=deque)
    _changed: Condition = field(default_factory=Condition)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def turn(self, visitor: Visitor, waiting: Callable[[int], None]) -> Iterator[Ticket]:
        """Wait until it is the visitor's turn, and have it until this is left, by whichever thread.

        Yields what `let_others` wants.

        Args:
            visitor: who wants it.
            waiting: called now and then with how many come first; what it raises ends the waiting.

        Raises:
            ChoiceError: too many wait already.
        """
        ticket = self._enter(visitor)
        try:
            self._wait(ticket, waiting)
            yield ticket
        finally:
            self._leave(ticket)

    def let_others(self, ticket: Ticket, waiting: Callable[[int], None]) -> None:
        """Let those who had less of the lane go first, if this turn has lasted; `waiting` as for `turn`."""
        with self._changed:
            if (
                not self.sliced
                or ticket.started is None
                or time.monotonic() - ticket.started < SLICE
            ):
                return
            self._note(ticket)
            self._changed.notify_all()
        self._wait(ticket, waiting)

    def _enter(self, visitor: Visitor) -> Ticket:
        session = int(os.environ.get("HAR_QUOTA_SESSION") or SESSION)
        address = int(os.environ.get("HAR_QUOTA_ADDRESS") or ADDRESS)
        with self._changed:
            others = [ticket.visitor for ticket in self._tickets]
            if sum(one.session == visitor.session for one in others) >= session:
                raise ChoiceError(
                    f"{session} {self.of} of yours are waiting or running here: wait for one of them, or stop it."
                )
            if sum(one.address == visitor.address for one in others) >= address:
                raise ChoiceError(
                    f"{address} {self.of} from your network are waiting or running here: try again in a minute."
                )
            if len(others) >= ALL:
                raise ChoiceError(f"{ALL} {self.of} are waiting here: try again in some minutes.")
            ticket = Ticket(visitor, next(self._numbers))
            self._tickets.append(ticket)
            return ticket

    def _wait(self, ticket: Ticket, waiting: Callable[[int], None]) -> None:
        while True:
            with self._changed:
                if self._before(ticket):
                    self._changed.wait(LOOK)
                before = self._before(ticket)
                if not before:
                    ticket.started = time.monotonic()
                    self._changed.notify_all()  # there may be room for one more
                    return
            waiting(before)

    def _before(self, ticket: Ticket) -> int:
        """Return how many are served or come first, 0 when there is room for this one now."""
        running = [one for one in self._tickets if one.started is not None]
        sessions = {one.visitor.session for one in running}
        next_ones = []  # the first that each page or program waits for, unless it is served
        for one in self._tickets:
            if one.started is None and one.visitor.session not in sessions:
                sessions.add(one.visitor.session)
                next_ones.append(one)
        if ticket not in next_ones:
            return len(running) + self._tickets.index(ticket)
        place = sorted(next_ones, key=self._order()).index(ticket)
        return 0 if len(running) + place < self.width else len(running) + place

    def _order(self) -> Callable[[Ticket], tuple]:
        """Order those who wait: by what their address had, then by what they had, then by when they came."""
        now = time.monotonic()
        while self._had and now - self._had[0].until > MEMORY:
            self._had.popleft()
        addresses: dict[str, float] = {}
        sessions: dict[str, float] = {}
        running = (
            _Had(one.visitor, now, now - one.started)
            for one in self._tickets
            if one.started is not None
        )
        for one in itertools.chain(self._had, running):
            for had, name in (
                (addresses, one.visitor.address),
                (sessions, one.visitor.session),
            ):
                had[name] = had.get(name, 0.0) + one.seconds
        return lambda ticket: (
            addresses.get(ticket.visitor.address, 0.0),
            sessions.get(ticket.visitor.session, 0.0),
            ticket.number,
        )

    def _note(self, ticket: Ticket) -> None:
        """Note what somebody had until now; the turn is over."""
        if ticket.started is not None:
            now = time.monotonic()
            self._had.append(_Had(ticket.visitor, now, now - ticket.started))
            ticket.started = None

    def _leave(self, ticket: Ticket) -> None:
        with self._changed:
            self._tickets.remove(ticket)
            self._note(ticket)
            self._changed.notify_all()


READING = Lane(4, "files")
MODELS = Lane(1, "questions", sliced=True)
PICTURES = Lane(2, "pictures")
