"""Text can be read: WCAG's 4.5 to 1 for every text colour on every ground that it stands on."""

import re

import numpy as np
import pytest

from har_demo.interface import theme
from har_demo.interface.render import source

PAIRS = [
    *[
        (text, ground)
        for text in ("ink", "soft", "faint")
        for ground in ("paper", "ground", "sunk")
    ],
    ("accent", "paper"),
    ("accent", "accent-soft"),
    ("on-accent", "accent"),
    ("bad", "bad-soft"),
    ("warn", "warn-soft"),
    ("warn", "ground"),
]


def tokens(block: str) -> dict[str, str]:
    body = re.search(rf"^{re.escape(block)} {{(.*?)^}}", source("static/style.css"), re.S | re.M)[1]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", body))


def luminance(colour: str) -> float:
    value = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def ratio(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_is_21_to_1():
    assert ratio("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("block", [":root", ".dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(block, text, ground):
    colours = tokens(block)
    assert ratio(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("suffix", ["", "_dark"])
def test_a_field_has_a_frame_that_can_be_seen(suffix):
    """In light as in dark: WCAG's 3 to 1 on the field and on what lies around it."""
    look = theme.theme()
    frame = getattr(look, f"input_border_color{suffix}")
    for ground in ("input_background_fill", "block_background_fill", "body_background_fill"):
        assert ratio(frame, getattr(look, ground + suffix)) >= 3
    width = getattr(look, f"input_border_width{suffix}") or look.input_border_width
    assert width == "1px"
