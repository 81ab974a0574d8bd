"""Surfaces are painted in their own coordinates, the same every time."""

import pytest
import torch

from har_demo.research.people.texture import (
    BLOTCHES,
    CHECKS,
    PLAIN,
    STRIPES,
    TILES,
    Paint,
    colour,
    noise,
)

BASE, SECOND = torch.tensor([0.2, 0.4, 0.6]), torch.tensor([0.8, 0.1, 0.3])


def painted(pattern, points, scale=1.0, grain=0.0):
    paint = Paint(
        BASE.view(1, 1, 3),
        SECOND.view(1, 1, 3),
        torch.tensor([[pattern]]),
        torch.tensor([[scale]]),
        torch.tensor([[grain]]),
        torch.tensor([[3.0]]),
    )
    points = torch.as_tensor(points)[None]
    return colour(points, paint, torch.zeros(points.shape[:2], dtype=torch.int64))[0]


@pytest.fixture(scope="module")
def points():
    return torch.rand(2000, 3, generator=torch.Generator().manual_seed(1)) * 4 - 2


def test_plain_is_one_colour(points):
    assert (painted(PLAIN, points) == BASE).all()


def test_stripes_and_checks_repeat_as_often_as_they_say():
    for y, second in ((0.1, True), (0.3, False), (0.6, True), (0.8, False)):  # 2 a metre
        (found,) = painted(STRIPES, [[0.7, y, 0.2]], scale=2.0)
        torch.testing.assert_close(found, SECOND if second else BASE)
    here, next_square = painted(CHECKS, [[0.25, 0.25, 0.25], [0.75, 0.25, 0.25]])
    assert not torch.equal(here, next_square)


@pytest.mark.parametrize("pattern", [STRIPES, CHECKS, BLOTCHES, TILES])
def test_patterns_show_both_colours_and_nothing_beyond(pattern, points):
    found = painted(pattern, points)
    share = (found[:, 0] - BASE[0]) / (SECOND[0] - BASE[0])
    assert share.min() > -1e-6 and share.max() < 1 + 1e-6
    assert share.min() < 0.01 and share.max() > 0.99


def test_grain_lightens_and_darkens_about_the_colour(points):
    found = painted(PLAIN, points, grain=0.4)
    assert found.std(0).min() > 0.01
    torch.testing.assert_close(found.mean(0), BASE, atol=0.03, rtol=0)


def test_noise_is_smooth_even_and_fixed(points):
    here = noise(points * 10)
    assert here.min() >= 0 and here.max() <= 1
    assert here.mean() == pytest.approx(0.5, abs=0.02)
    assert here.std() > 0.12
    near = noise(points * 10 + 1e-3)
    assert (near - here).abs().max() < 0.01
    assert torch.equal(here, noise(points * 10))
    on_corners = noise(points.round())
    assert not torch.equal(on_corners, noise(points.round() + 1))
    # The same numbers on every machine: clips of a seed are the same everywhere.
    expected = noise(torch.tensor([[0.0, 0.0, 0.0], [5.0, -3.0, 12.0]]))
    assert expected.tolist() == pytest.approx([0.0, 0.576150], abs=1e-5)
