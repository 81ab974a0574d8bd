"""How much time a piece of work still needs, by what of it is done so far."""

from har_demo.clips.budget import duration

SPENT = 1.0
"""Seconds of work before which nothing is said."""
LEFT = 1.5
"""Seconds left that are worth saying."""


class Pace:
    """The time left of work whose shares come one after the other.

    The clock starts where the share is last seen at its beginning, and anew where a share is smaller than
    the one before: then another part of the work begins.
    """

    def __init__(self) -> None:
        self._began = 0.0  # on the clock
        self._first = self._last = 1.0  # shares

    def words(self, share: float, now: float) -> str:
        """Return the time left to stand behind a sentence, such as ', about 8 seconds left', or ''.

        Args:
            share: of the work that is done, 0 to 1.
            now: seconds on any clock that never goes back.

        >>> pace = Pace()
        >>> pace.words(0.0, 100.0), pace.words(0.5, 104.0), pace.words(0.75, 106.0)
        ('', ', about 4 seconds left', ', about 2 seconds left')
        """
        if share < self._last or share <= self._first:
            self._began, self._first = now, share
        self._last = share
        spent, done = now - self._began, share - self._first
        if spent < SPENT or done <= 0:
            return ""
        left = spent * (1 - share) / done
        return f", about {duration(left)} left" if left >= LEFT else ""
