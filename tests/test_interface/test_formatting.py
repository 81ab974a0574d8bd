import pytest

from har_demo.interface import formatting


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "100 %"), (0.624, "62 %"), (0.1, "10 %"), (0.0312, "3.1 %"), (0.0004, "< 0.1 %")],
)
def test_a_probability_keeps_as_many_digits_as_people_read(value, text):
    assert formatting.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0.0 s"), (0.04, "0.04 s"), (3.21, "3.2 s"), (125.4, "2:05")]
)
def test_moments(value, text):
    assert formatting.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "cost not counted"),
        (0.628, "0.628 GMACs"),
        (87.764, "87.8 GMACs"),
        (2106.38, "2,106 GMACs"),
    ],
)
def test_costs(value, text):
    assert formatting.gmacs(value) == text


def test_counts_and_lists():
    assert formatting.count(1, "window") == "1 window"
    assert formatting.count(3, "window") == "3 windows"


def test_every_family_has_one_colour_and_factorised_is_not_plain_3d():
    assert formatting.hue("2D fusion") == formatting.hue("2D image network") == 28
    assert formatting.hue("Factorised 3D convolution") != formatting.hue("3D convolution")
    assert 0 <= formatting.hue("something new") < 360
