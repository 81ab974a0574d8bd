"""Prompts before any model sees them: what was typed becomes a list of sentences, with remarks."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from har_demo.errors import ChoiceError
from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.label_sets import HMDB51, KINETICS400, UCF101

MOST = 500
LONGEST = 2000  # letters of one prompt
MOST_TEMPLATES = 100  # CLIP's own list for ImageNet has 80
LONGEST_TEMPLATE = 300  # letters; text encoders read about as many

PLAIN = ("{}",)
ENSEMBLE = (
    "a video of a person {}",
    "a photo of someone {}",
    "a person is {}",
    "{}",
)
"""Sentences around a class name; the vectors of all are averaged."""

BACKGROUND = (
    "an empty scene with nobody in it",
    "a person standing still",
    "nothing in particular is happening",
    "a blurry picture",
    "a landscape",
)
"""What a clip may show when it shows none of the prompts."""

SOFTMAX = (
    "The probabilities share 100 % among these prompts alone: one is always likeliest, even when none "
    "fits, so look at the similarities too."
)

CLASS_LISTS: dict[str, tuple[str, ...]] = {
    "Kinetics-400": KINETICS400,
    "UCF101": UCF101,
    "HMDB51": HMDB51,
    LABEL_SET: EVERYDAY,
}
"""Lists of action names to ask for with one click."""


@dataclass(frozen=True)
class Prompts:
    """Sentences to ask about.

    Attributes:
        texts: different from each other, none empty, at most MOST.
        notes: a sentence for everything that was left out or will answer badly.
    """

    texts: tuple[str, ...]
    notes: tuple[str, ...] = ()


def split(typed: str) -> list[str]:
    """Split the text of one field: a prompt a line, or with semicolons between."""
    return re.split(r"[\n;]", typed)


def normalise_prompts(given: Sequence[str], english: bool = True) -> Prompts:
    """Prompts without blanks, empty ones and repetitions, and what is to be said of them.

    Args:
        given: as typed.
        english: whether the model knows English alone.

    Raises:
        ChoiceError: none is left, there are more than MOST, or one is longer than LONGEST.
    """
    if isinstance(given, str):
        given = split(given)
    texts = [" ".join(text.split()) for text in given]
    there = [text for text in texts if text]
    if not there:
        raise ChoiceError("There is no prompt: type what the clip may show, one a line.")
    first = {text.casefold(): text for text in reversed(there)}
    different = tuple(text for text in dict.fromkeys(first[t.casefold()] for t in there))
    if len(different) > MOST:
        raise ChoiceError(f"There are {len(different)} prompts: give at most {MOST}.")
    long = next((text for text in different if len(text) > LONGEST), None)
    if long:
        raise ChoiceError(
            f"The prompt '{long[:30]}…' has {len(long)} letters: give at most {LONGEST}."
        )
    notes = []
    if len(there) > len(different):
        repeated = len(there) - len(different)
        were = "were" if repeated > 1 else "was"
        notes.append(f"{_count(repeated, 'prompt')} said the same as another and {were} left out.")
    notes += _odd(
        different, _has_symbols, "has signs or emoji, which the text encoder hardly knows"
    )
    if english:
        notes += _odd(
            different,
            _is_foreign,
            "is not in English letters, and the text encoder learned English",
        )
    notes += _odd(different, _has_no_word, "has no word in it")
    return Prompts(different, tuple(notes))


def class_list(name: str) -> tuple[str, ...]:
    """The action names of a data set.

    Raises:
        ChoiceError: no list has that name.
    """
    if name not in CLASS_LISTS:
        raise ChoiceError(
            f"There is no list of classes '{name[:40]}': choose {', '.join(CLASS_LISTS)}."
        )
    return CLASS_LISTS[name]


def filled(template: str, text: str) -> str:
    """A template with a prompt in its place.

    >>> filled("a video of a person {}", "waving")
    'a video of a person waving'
    """
    return template.replace("{}", text)


def check_templates(templates: Sequence[str]) -> tuple[str, ...]:
    """The same, without blanks at the ends.

    Raises:
        ChoiceError: there is none, one has not exactly one {} in it or more than LONGEST_TEMPLATE letters,
            or there are more than MOST_TEMPLATES.
    """
    tidied = tuple(dict.fromkeys(one.strip() for one in templates if one.strip()))
    if not tidied:
        raise ChoiceError("There is no template: give one with {} where the prompt goes.")
    if len(tidied) > MOST_TEMPLATES:
        raise ChoiceError(f"There are {len(tidied)} templates: give at most {MOST_TEMPLATES}.")
    for one in tidied:
        if len(one) > LONGEST_TEMPLATE:
            raise ChoiceError(
                f"The template '{one[:60]}…' has {len(one)} letters: give at most {LONGEST_TEMPLATE}."
            )
        if one.count("{}") != 1:
            raise ChoiceError(f"The template '{one[:60]}' needs exactly one {{}} for the prompt.")
    return tidied


def _odd(texts: Sequence[str], is_odd, says: str) -> list[str]:
    found = [text for text in texts if is_odd(text)]
    if not found:
        return []
    more = f" and {_count(len(found) - 1, 'other')}" if len(found) > 1 else ""
    return [f"'{found[0][:40]}'{more} {says}: expect little of the answer."]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number > 1)}"


def _has_symbols(text: str) -> bool:
    return any(unicodedata.category(letter) in ("So", "Sk", "Cn", "Co") for letter in text)


def _is_foreign(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    return sum(not letter.isascii() for letter in letters) * 4 > len(letters)


def _has_no_word(text: str) -> bool:
    return not any(letter.isalnum() for letter in text)
