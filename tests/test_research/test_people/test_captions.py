"""Every action can be put into words, several ways, the same by seed."""

import re

import pytest

from har_demo.errors import ChoiceError
from har_demo.research.people.captions import captions
from har_demo.research.people.motion import ACTIONS


def test_at_least_four_different_sentences():
    for action in ACTIONS:
        for seed in range(3):
            sentences = captions(action, seed)
            assert len(sentences) == len(set(sentences)) >= 4
            for sentence in sentences:
                assert re.fullmatch(r"(a person|someone|somebody)( [a-z-]+)+", sentence)


def test_no_sentence_fits_two_actions():
    said = [sentence for action in ACTIONS for sentence in set(captions(action))]
    assert len(said) == len(set(said))


def test_sides_are_named_right():
    assert not any("right" in s or "counter" in s for s in captions("swipe_left"))
    assert all("left" in s for s in captions("swipe_left"))
    assert all("right" in s for s in captions("swipe_right"))


def test_clothes_place_and_darkness_are_mentioned_and_nothing_else_is():
    plain = captions("walk", 3)
    assert not any("shirt" in s or "dark" in s for s in plain)
    told = captions("walk", 3, shirt="orange", place="in a street", dark=True)
    assert told[-1].endswith("in an orange shirt is walking in a street in the dark")
    assert told[:2] == ("a person walks", "a person is walking")


def test_the_seed_decides():
    assert captions("run", 1, shirt="red") == captions("run", 1, shirt="red")
    assert len({captions("run", seed, shirt="red") for seed in range(8)}) > 4


def test_an_unknown_action_is_refused():
    with pytest.raises(ChoiceError, match="moonwalk"):
        captions("moonwalk")
