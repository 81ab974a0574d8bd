"""The Pareto front: methods that no other beats, being both cheaper and better."""

from collections.abc import Sequence


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the places of the points (cost, value) that no other point beats, from cheap to dear.

    A point is beaten by one that costs no more and is worth no less, and is better in one of them;
    of equal points all stay.

    >>> front([(1, 50), (3, 70), (2, 60), (2, 55), (4, 70)])
    [0, 2, 1]
    """
    order = sorted(range(len(points)), key=lambda place: (points[place][0], -points[place][1]))
    kept: list[int] = []
    for place in order:
        best = points[kept[-1]] if kept else None
        if best is None or points[place][1] > best[1] or points[place] == best:
            kept.append(place)
    return kept
