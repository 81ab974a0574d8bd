"""Few clips leave a wide interval."""

import pytest

from har_demo.tables.intervals import confidence_interval


@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [
        (7, 10, 39.68, 89.22),  # Wilson's own formula, worked out by hand
        (0, 10, 0, 27.75),
        (10, 10, 72.25, 100),
        (1, 1, 20.65, 100),
        (500, 1000, 46.91, 53.09),
    ],
)
def test_wilsons_interval(correct, total, low, high):
    assert confidence_interval(correct, total) == pytest.approx((low, high), abs=0.01)
