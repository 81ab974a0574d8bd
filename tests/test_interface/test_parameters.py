"""What programs give is of the type that its endpoint says, or is refused by name."""

import inspect

import gradio as gr
import pytest

from har_demo.errors import ChoiceError
from har_demo.interface.api import Endpoint
from har_demo.interface.app import APIS
from har_demo.interface.parameters import (
    MOST_ITEMS,
    MOST_LETTERS,
    ClipFile,
    checked,
    component,
    schema,
)

ENDPOINTS = [one for module in APIS for one in vars(module).values() if isinstance(one, Endpoint)]
PARAMETERS = {
    f"{endpoint.name}.{one.name}": one for endpoint in ENDPOINTS for one in endpoint.parameters
}
FILES = (ClipFile, list[ClipFile])


def parameter(annotation, default=inspect.Parameter.empty):
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter("frames", kind, annotation=annotation, default=default)


def test_what_has_the_right_type_is_passed_on():
    for annotation, given, expected in (
        (int, 16, 16),
        (int, 16.0, 16),
        (int | None, None, None),
        (float, 3, 3),
        (float, 0.25, 0.25),
        (bool, False, False),
        (str, "ein Öl 😀", "ein Öl 😀"),
        (list[str], [], []),
        (list[int], [4.0, 8], [4, 8]),
        (list[str] | str, "a", "a"),
        (list[str] | str, ["a"], ["a"]),
    ):
        found = checked(parameter(annotation), given)
        assert found == expected and type(found) is type(expected), annotation


def test_what_has_another_type_is_refused_by_name():
    for annotation, given, sentence in (
        (int, "16", "'frames' must be a whole number, not \"16\"."),
        (int | None, 1.5, "'frames' must be a whole number or null, not 1.5."),
        (int, True, "'frames' must be a whole number, not true."),
        (int, None, "'frames' must be a whole number, not null."),
        (int, float("inf"), "'frames' must be a whole number, not Infinity."),
        (float, float("nan"), "'frames' must be a number, not NaN."),
        (float, "1", "'frames' must be a number, not \"1\"."),
        (bool, 1, "'frames' must be true or false, not 1."),
        (str, 5, "'frames' must be a string, not 5."),
        (str, "\ud800", r"'frames' is not text in Unicode, but \"\\ud800\"."),
        (str, "a" * (MOST_LETTERS + 1), "'frames' has 10001 letters: give at most 10000."),
        (list[str], None, "'frames' must be a list of which each item is a string, not null."),
        (list[str], "c3d_lab", "'frames' must be a list of which each item is a string, not"),
        (list[str], {"a": 1}, "'frames' must be a list"),
        (list[str], ["a", None], r"'frames\[1\]' must be a string, not null."),
        (list[str], ["a", ["b"]], r"'frames\[1\]' must be a string, not \[\"b\"\]."),
        (list[int], [4, 1.5], r"'frames\[1\]' must be a whole number, not 1.5."),
        (list[str], ["a"] * (MOST_ITEMS + 1), "'frames' has 1001 items: give at most 1000."),
    ):
        with pytest.raises(ChoiceError, match=sentence) as problem:
            checked(parameter(annotation), given)
        str(problem.value).encode()


@pytest.mark.parametrize("wrong", [float("nan"), "\ud800", [None], {"a": 1}], ids=repr)
def test_every_parameter_of_every_endpoint_is_checked(wrong):
    assert len(PARAMETERS) > 50
    for name, one in PARAMETERS.items():
        if one.annotation not in FILES:
            with pytest.raises(ChoiceError, match=f"'{one.name}"):
                checked(one, wrong)
                pytest.fail(f"{name} took {wrong!r}")


def test_an_endpoint_says_what_is_wrong_before_it_works():
    (recognize,) = (one for one in ENDPOINTS if one.name == "recognize")
    with pytest.raises(gr.Error) as problem:
        recognize.call(None, ["c3d_lab"], "16", None, None, 1, gr.Progress())
    assert problem.value.message == "'frames' must be a whole number or null, not \"16\"."


def test_schemas_name_the_type_and_default_of_every_parameter():
    with gr.Blocks():
        for name, one in PARAMETERS.items():
            made = component(one)
            if one.annotation in FILES:
                continue
            found = made.api_info()
            assert found == schema(one), name
            kinds = found.get("anyOf", [found])
            assert all(isinstance(kind["type"], str) for kind in kinds), name
            assert all(kind["items"]["type"] for kind in kinds if kind["type"] == "array"), name
            assert ("default" in found) == (one.default is not inspect.Parameter.empty), name
            assert made.preprocess("16") == "16"  # nothing is rounded or turned on the way
    assert schema(PARAMETERS["samplings.frames"]) == {
        "type": "array",
        "items": {"type": "integer"},
        "maxItems": MOST_ITEMS,
        "default": [4, 8, 16, 32, 64],
    }
