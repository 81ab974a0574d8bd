"""The front of what nothing else beats."""

import random

import pytest

from har_demo.tables.pareto import front


@pytest.mark.parametrize(
    ("points", "kept"),
    [
        ([], []),
        ([(1, 1)], [0]),
        ([(1, 50), (3, 70), (2, 60), (2, 55), (4, 70)], [0, 2, 1]),
        ([(2, 5), (2, 5)], [0, 1]),  # neither beats the other
        ([(1, 9), (2, 8), (3, 7)], [0]),
        ([(3, 1), (1, 1)], [1]),
    ],
)
def test_the_front(points, kept):
    assert front(points) == kept


def test_it_is_what_the_definition_says():
    draw = random.Random(0)
    points = [(draw.randint(1, 30), draw.randint(1, 30)) for _ in range(200)]

    def beaten(one):
        return any(o[0] <= one[0] and o[1] >= one[1] and o != one for o in points)

    assert set(front(points)) == {n for n, one in enumerate(points) if not beaten(one)}
