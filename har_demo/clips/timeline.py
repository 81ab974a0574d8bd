"""When each frame is shown, as a player shows it, from the times that a file's packets carry.

Times can be wrong in three ways. A clock that leaps (recordings glued together, a receiver that lost its
signal) is closed: the film goes on as if nothing were between. A single frame out of place is put back
in its place. What has no time at all follows at the usual distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import inf
from statistics import fmean, median
from typing import NamedTuple

LONG_GAP = 1.0  # seconds; no shorter one is a leap of the clock or a pause
REORDERED = 17  # more frames than any decoder keeps to show them in another order (16)
FASTEST = 240  # frames per second that are believed of a header
COMMON = [
    *map(Fraction, (5, 8, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240)),
    *(Fraction(1000 * rate, 1001) for rate in (15, 24, 30, 60, 120)),
]


class Stamp(NamedTuple):
    """What a packet says of its time, in seconds.

    Attributes:
        decoded, shown: when it is decoded and when it is shown; None where it does not say.
        key: whether decoding can begin with it.
        alone: whether no sound was sent for the time between the packet before and this one.
        space: bytes of the file from the packet before to this one.
    """

    decoded: float | None
    shown: float | None
    key: bool
    alone: bool
    space: int = 0


@dataclass(frozen=True)
class Pace:
    """How fast frames follow each other.

    Attributes:
        rate: frames per second: the average, or that of the quick parts where the rate varies.
        gap: usual seconds from one frame to the next, of the quick parts where the rate varies.
        variable: whether the time between frames varies.
    """

    rate: Fraction
    gap: float
    variable: bool


def player_times(
    stamps: Sequence[Stamp], leaping: bool, longest: float, reordered: bool = True
) -> tuple[list[float | None], int]:
    """Seconds at which each packet's frame is shown, and how many leaps of the clock were closed.

    Frames that are shown in another order than they are decoded in are told from leaps by counting, since
    seconds say nothing where the rate varies: decoders keep at most `REORDERED` frames, and no key frame
    is shown before a frame that was decoded earlier. So a step back to a key frame is a leap, as is one
    behind all of the last frames. A gap over `longest` is a leap; one over `LONG_GAP` and ten usual ones is
    a pause, unless the container keeps a clock, the gap ends at a key frame, and nothing was sent meanwhile:
    neither sound nor a quarter of the bytes that such a time takes, as where they are there and damaged.
    Where the next packets are back in their places, this one alone is wrong: it goes into the gap that it
    left between its neighbours.

    Args:
        stamps: in the order of the file.
        leaping: whether the container keeps the time of a clock (a broadcast), and not of the film.
        longest: seconds.
        reordered: whether frames may be shown in another order than they are decoded in.

    Returns:
        Seconds from any zero, None where a packet does not say.

    >>> stamps = [Stamp(t, t, True, True) for t in (0.0, 0.25, 900.0, 900.25)]
    >>> player_times(stamps, leaping=True, longest=600)
    ([0.0, 0.25, 0.5, 0.75], 1)
    """
    shown = [one.decoded if one.shown is None else one.shown for one in stamps]
    known = [number for number, moment in enumerate(shown) if moment is not None]
    moments = [moment for moment in shown if moment is not None]
    steps = [b - a for a, b in pairwise(sorted(moments)) if b > a]
    usual = median(steps) if steps else 0.04
    usual_space = median([one.space for one in stamps] or [0])
    far = max(LONG_GAP, 10 * usual)
    depth = REORDERED if reordered else 1
    times: list[float | None] = [None] * len(stamps)
    misplaced: list[int] = []  # places in `known`
    part: list[float] = []  # moments since the last leap, but for misplaced ones
    offset, latest, last, leaps = 0.0, -inf, -inf, 0
    for place, (number, moment) in enumerate(zip(known, moments, strict=True)):
        stamp, following = stamps[number], moments[place + 1 : place + 1 + depth]
        back, step = False, 0.0
        if part:
            earliest = min(part[-depth:]) if len(part) >= depth else -inf
            back = moment < (last - usual / 2 if stamp.key else earliest)
            step = moment - last
        if part and len(following) == depth:
            too_early = back and following[0] > last
            too_late = last < following[-1] <= max(following) < moment
            if too_early or too_late:
                misplaced.append(place)
                continue
        goes_on = not following or following[0] - last > far
        if (step > longest and not goes_on) or (
            step > far
            and not stamp.key
            and following
            and stamps[known[place + 1]].key
            and following[0] <= moment
        ):  # the time of a packet after it: some parsers confuse them at a leap
            misplaced.append(place)
            continue
        empty = stamp.alone and stamp.space <= usual_space * max(4, step / usual / 4)
        leap = leaping and step > far and stamp.key and empty and goes_on
        if back or step > longest or leap:
            leaps += 1
            offset = latest + usual - moment
            part, last = [], -inf
        part.append(moment)
        last = max(last, moment)
        times[number] = moment + offset
        latest = max(latest, moment + offset)
    for place in misplaced:
        near = [times[one] for one in known[max(0, place - depth) : place + depth + 1]]
        sure = sorted(moment for moment in near if moment is not None)
        if len(sure) > 1:
            before, after = max(pairwise(sure), key=lambda pair: pair[1] - pair[0])
            times[known[place]] = (before + after) / 2
    return times, leaps


def pace(
    times: Sequence[float], tick: float, announced: Sequence[Fraction], holes: int = 0
) -> Pace | None:
    """How fast frames follow each other; None when the times do not say.

    Where the rate varies, the rate is that of the quick parts: the mean of gaps like the fifth
    shortest (the fiftieth part of all, in a long film), so that a burst of frames counts however long
    nothing happened around it, and a few odd times do not.

    Args:
        times: seconds at which frames are shown, ascending.
        tick: seconds; times are rounded to multiples of it.
        announced: rates that the header names, which are exact where they are right.
        holes: places of damage; as many of the longest gaps come of it, and do not count.

    >>> pace([0, 1, 2, 3, 3.04, 3.08, 3.12, 3.16, 4, 5, 6], 0.001, [])
    Pace(rate=Fraction(25, 1), gap=0.04, variable=True)
    """
    gaps = sorted(b - a for a, b in pairwise(times) if b > a)
    gaps = gaps[: len(gaps) - min(holes, len(gaps) // 2)]
    if not gaps:
        return None
    usual = median(gaps)
    even = _like(gaps, usual, tick)
    # Containers round times to milliseconds or worse; that alone is not a variable rate, nor is a frame
    # that is missing or out of place, which makes up to three odd gaps.
    few = max(0.01 * len(gaps), min(3, 0.1 * len(gaps)))
    variable = len(gaps) - len(even) > few or gaps[-1] > max(LONG_GAP, 5 * usual)
    if variable:
        usual = gaps[min(max(4, len(gaps) // 50), len(gaps) // 4)]
        even = _like(gaps, usual, tick)
    gap = fmean(even)
    if gap < 1e-5:
        return None
    rate = 1 / gap
    near = [one for one in announced if abs(one / rate - 1) < 0.02]
    near = near or [one for one in COMMON if abs(one / rate - 1) < 0.005]
    if near:
        exact = min(near, key=lambda one: abs(one / rate - 1))
    else:
        exact = Fraction(rate).limit_denominator(1001)
        exact = exact or Fraction(rate).limit_denominator(1_000_000)
    return Pace(exact, round(gap, 6), variable)


def _like(gaps: Sequence[float], usual: float, tick: float) -> list[float]:
    rounding = min(2 * tick, usual / 2)
    return [gap for gap in gaps if abs(gap - usual) <= 0.2 * usual + rounding]
