"""Flow is coloured as Middlebury's benchmark colours it, on a scale that noise cannot set."""

import numpy as np
import pytest

from har_demo.flow import colour


def field(right, down, size=(3, 4)):
    return np.broadcast_to(np.array([right, down], np.float32)[:, None, None], (2, *size))


@pytest.mark.parametrize(
    ("right", "down", "rgb"),
    [
        # The convention's own wheel: 0 of 55 hues is to the right, then clockwise.
        (1, 0, (255, 0, 0)),
        (0, 1, (255, 229, 0)),
        (-1, 0, (0, 209, 255)),
        (0, -1, (88, 0, 255)),
        (0, 0, (255, 255, 255)),
        (0.5, 0, (255, 127, 127)),
    ],
)
def test_known_vectors_have_the_colours_of_the_convention(right, down, rgb):
    for scale in (1.0, 7.5):
        picture = colour.coloured(field(right * scale, down * scale), scale)
        assert picture.shape == (3, 4, 3) and picture.dtype == np.uint8
        np.testing.assert_allclose(picture[1, 1], rgb, atol=1)


def test_longer_than_the_scale_is_the_full_colour_and_changes_nothing_else():
    mixed = np.zeros((2, 2, 2), np.float32)
    mixed[0, 0] = 2, 50
    picture = colour.coloured(mixed, 4.0)
    np.testing.assert_allclose(picture[0, 0], (255, 127, 127), atol=1)
    np.testing.assert_allclose(picture[0, 1], (255, 0, 0), atol=1)
    assert (picture[1] == 255).all()


def test_noise_stays_nearly_white():
    noise = np.random.default_rng(0).normal(0, 0.03, (2, 40, 40)).astype(np.float32)
    scale = colour.scale_of(np.percentile(np.linalg.norm(noise, axis=0), [99, 99]))
    assert scale == colour.FLOOR
    assert colour.coloured(noise, scale).min() > 215
    assert colour.scale_of(np.array([1.0, 3.0, 5.0])) == pytest.approx(4.6)


def test_the_wheel_shows_each_vector_where_it_points():
    wheel = colour.wheel(101)
    np.testing.assert_allclose(wheel[50, 99], (255, 0, 0), atol=8)
    np.testing.assert_allclose(wheel[99, 50], (255, 229, 0), atol=8)
    assert (wheel[50, 50] == 255).all() and (wheel[0, 0] == 255).all()


def test_arrows_stand_where_something_moves():
    frame = np.full((80, 120, 3), 200, np.uint8)
    moving = np.zeros((2, 80, 120), np.float32)
    plain = colour.arrows(frame, moving, 2.0)
    assert plain.shape == (160, 240, 3) and (plain == 100).all()
    moving[0, :, :40] = 2
    drawn = (colour.arrows(frame, moving, 2.0) != plain).any(axis=2)
    assert drawn[:, :80].mean() > 0.05 and not drawn[:, 120:].any()


def test_length_is_dark_where_nothing_moves_and_yellow_at_the_scale():
    picture = colour.length(np.concatenate([field(0, 0), field(0, -9)], axis=2), 9.0)
    assert picture[0, 0].tolist() == [68, 1, 84] and picture[0, -1].tolist() == [253, 231, 37]
