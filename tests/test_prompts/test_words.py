"""What is typed becomes prompts, and what is odd about them is said."""

import pytest

from har_demo.errors import ChoiceError
from har_demo.labels import EVERYDAY
from har_demo.prompts import words
from har_demo.prompts.words import check_templates, class_list, filled, normalise_prompts, split


def test_lines_and_semicolons_separate():
    typed = " riding a bike;  cooking \n\nwaving  goodbye;"
    assert normalise_prompts(split(typed)).texts == ("riding a bike", "cooking", "waving goodbye")
    assert normalise_prompts(typed) == normalise_prompts(split(typed))


@pytest.mark.parametrize("nothing", [[], "", " ; \n", ["  "]])
def test_no_prompt_is_refused(nothing):
    with pytest.raises(ChoiceError, match="no prompt"):
        normalise_prompts(nothing)


def test_repetitions_are_asked_once_and_said():
    found = normalise_prompts(["Waving", "cooking", "waving ", "waving"])
    assert found.texts == ("Waving", "cooking")
    assert found.notes == ("2 prompts said the same as another and were left out.",)


def test_too_many_and_too_long_are_refused():
    assert len(normalise_prompts([f"prompt {n}" for n in range(words.MOST)]).texts) == words.MOST
    with pytest.raises(ChoiceError, match="501 prompts"):
        normalise_prompts([f"prompt {n}" for n in range(words.MOST + 1)])
    with pytest.raises(ChoiceError, match="2001 letters"):
        normalise_prompts(["a" * (words.LONGEST + 1)])


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("a person 🚴", "emoji"),
        ("человек едет на велосипеде", "English letters"),
        ("跑步", "English letters"),
        ("???", "no word"),
    ],
)
def test_odd_prompts_are_asked_with_a_remark(prompt, says):
    found = normalise_prompts([prompt, "walking"])
    assert found.texts == (prompt, "walking")
    assert len(found.notes) == 1 and says in found.notes[0] and prompt in found.notes[0]


def test_accents_and_digits_are_no_reason_for_a_remark():
    assert normalise_prompts(["a person in a café", "tai chi", "a 100 m run"]).notes == ()


def test_models_of_many_languages_need_no_remark_on_letters():
    assert normalise_prompts(["бег"], english=False).notes == ()


def test_lists_of_classes():
    assert class_list("Everyday 39") == EVERYDAY
    assert {name: len(class_list(name)) for name in words.CLASS_LISTS}["Kinetics-400"] == 400
    with pytest.raises(ChoiceError, match="Kinetics-400"):
        class_list("Kinetics-9000")


def test_every_list_fits_into_one_question():
    for name in words.CLASS_LISTS:
        assert normalise_prompts(class_list(name)).texts == class_list(name)
        assert normalise_prompts(class_list(name)).notes == ()


def test_templates():
    assert filled("a video of {}!", "a {curly} thing") == "a video of a {curly} thing!"
    assert check_templates([" a {} ", "", "a {}", "{}"]) == ("a {}", "{}")
    for wrong in (["no place"], ["{} and {}"]):
        with pytest.raises(ChoiceError, match="exactly one"):
            check_templates(wrong)
    with pytest.raises(ChoiceError, match="no template"):
        check_templates([" "])
    assert check_templates(words.ENSEMBLE) == words.ENSEMBLE
