"""The list of models says whether each can run here, before anything is pressed."""

import re

from har_demo.interface import formatting
from har_demo.interface.picker import picker
from har_demo.models.registry import cards
from har_demo.recognize.defaults import TWO_TINY
from har_demo.weights import availability


def row(page: str, name: str) -> str:
    return next(part for part in page.split('<div class="pick ') if f'value="{name}"' in part)


def test_every_model_is_listed_once_with_its_facts():
    page = picker(TWO_TINY)
    for card in cards().values():
        assert page.count(f'value="{card.name}"') == 1
        part = row(page, card.name)
        assert str(card.year) in part and card.family in part
        assert formatting.gmacs(card.gmacs) in part


def test_what_is_ticked_comes_first_and_figures_are_explained():
    page = picker(TWO_TINY)
    names = re.findall(r'name="model" value="([^"]+)"', page)
    assert set(names[: len(TWO_TINY)]) == set(TWO_TINY)
    assert "no network" in row(page, "idt_lab") and "no network" not in row(page, "c3d_lab")
    assert "% on ARID<" in row(page, "c3d_lab") and "ARID: six actions filmed in the dark" in page


def test_models_of_optical_flow_are_asked_like_others():
    page = picker(TWO_TINY)
    flowing = [card for card in cards().values() if "flow" in card.input.modality]
    assert len(flowing) > 5
    for card in flowing:
        part, missing = row(page, card.name), availability(card).state == "missing"
        assert ("disabled" in part) == missing
        assert f"{card.input.flow_frames} fields of optical flow" in part


def test_models_of_differences_say_so():
    page = picker(TWO_TINY)
    for name, seen in (
        ("c2d_lab", "Sees 16 differences between neighbouring frames of 112 × 112 pixels"),
        ("single_frame_lab", "Sees 1 difference between neighbouring frames of 112 × 112 pixels"),
        ("single_frame", "Sees 1 frame of 170 × 170 pixels"),
    ):
        assert seen in row(page, name)


def test_shipped_models_are_ticked_first_and_ready():
    page = picker(TWO_TINY)
    shipped = [c for c in cards().values() if availability(c).state == "shipped"]
    assert len(shipped) >= 2
    assert len(re.findall(r"checked data-default", page)) == len(TWO_TINY)
    assert all(">ready<" in row(page, c.name) for c in shipped)


def test_a_model_to_be_fetched_says_how_large_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("HAR_CACHE", str(tmp_path))
    assert "MB<" in row(picker(TWO_TINY), "r3d_18")
