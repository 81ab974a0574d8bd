"""What programs give to an endpoint: from each parameter's annotation a component, a schema and a check.

    frames: int | None = None  ──▶  gr.Number, {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": null}

Gradio's own components round 1.5 frames to 2, take 5 for "5", and fail without a word at "16". So values pass them as
they are, and `checked` says what is wrong, with the parameter's name.
"""

import inspect
import json
import math
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin

import gradio as gr
from gradio.components import Component
from gradio.data_classes import FileData, GradioRootModel, ListFiles
from pydantic import ValidationError

from har_demo.errors import ChoiceError

ClipFile = NewType("ClipFile", str)
"""The path of a video file that a program has sent; `har_demo.interface.api.read_clip` makes a clip of it."""

MOST_ITEMS = 1000  # of a list
MOST_LETTERS = 10_000  # of a string

NAMES = {
    str: ("string", "a string"),
    int: ("integer", "a whole number"),
    float: ("number", "a number"),
    bool: ("boolean", "true or false"),
    NoneType: ("null", "null"),
}
"""What JSON schemas and people call a type."""

COMPONENTS = {
    str: gr.Textbox,
    int: gr.Number,
    float: gr.Number,
    bool: gr.Checkbox,
    list: gr.JSON,
}
"""By the first type of an annotation."""


def component(parameter: inspect.Parameter) -> Component:
    """Return the component that carries a parameter's value, and its default."""
    name, kinds = parameter.name, _kinds(parameter.annotation)
    if ClipFile in kinds:
        video = gr.Video(label=name, sources=["upload"], interactive=True)
        video.data_model = _OneFile
        return video
    if list[ClipFile] in kinds:
        files = gr.File(label=name, file_count="multiple")
        files.data_model = _Files
        return files
    value = None if parameter.default is inspect.Parameter.empty else parameter.default
    kind = COMPONENTS[get_origin(kinds[0]) or kinds[0]]
    made = kind(list(value) if isinstance(value, tuple) else value, label=name)
    # Of this component alone: Gradio writes files beside the code for classes of its components.
    found = schema(parameter)
    made.api_info = lambda: found
    made.preprocess = _as_given
    return made


def schema(parameter: inspect.Parameter) -> dict:
    """Return the JSON schema of a parameter, with its default where it has one.

    >>> def work(frames: list[int] = (4, 8)): ...
    >>> schema(inspect.signature(work).parameters["frames"])
    {'type': 'array', 'items': {'type': 'integer'}, 'maxItems': 1000, 'default': [4, 8]}
    """
    kinds = [_schema(kind) for kind in _kinds(parameter.annotation)]
    found = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if parameter.default is not inspect.Parameter.empty:
        value = parameter.default
        found = found | {"default": list(value) if isinstance(value, tuple) else value}
    return found


def checked(parameter: inspect.Parameter, value: Any) -> Any:
    """Return what a program gave for a parameter, if it is of the type that the parameter says.

    Raises:
        ChoiceError: it is not, is no number that can be calculated with, no text that can be written, or too
            long; the sentence names the parameter.
    """
    kinds = _kinds(parameter.annotation)
    if ClipFile in kinds or list[ClipFile] in kinds:
        return value  # Gradio has seen to it that these are files that were uploaded
    return _checked(parameter.name, value, kinds)


def _checked(name: str, value: Any, kinds: tuple) -> Any:
    for kind in kinds:
        if get_origin(kind) is list and isinstance(value, list | tuple):
            if len(value) > MOST_ITEMS:
                raise ChoiceError(f"'{name}' has {len(value)} items: give at most {MOST_ITEMS}.")
            return [_checked(f"{name}[{n}]", one, get_args(kind)) for n, one in enumerate(value)]
        if kind is str and isinstance(value, str):
            return _text(name, value)
        if kind is int and _is_number(value) and math.isfinite(value) and value == int(value):
            return int(value)  # programs may send 16.0 for 16
        if kind is float and _is_number(value) and math.isfinite(value):
            return value
        if kind in (bool, NoneType) and isinstance(value, kind):
            return value
    wanted = " or ".join(_in_words(kind) for kind in kinds)
    raise ChoiceError(f"'{name}' must be {wanted}, not {_shown(value)}.")


def _text(name: str, value: str) -> str:
    if len(value) > MOST_LETTERS:
        raise ChoiceError(f"'{name}' has {len(value)} letters: give at most {MOST_LETTERS}.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ChoiceError(f"'{name}' is not text in Unicode, but {_shown(value)}.") from None
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    """A value as JSON has it, in a few letters that any terminal can show."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _kinds(annotation: Any) -> tuple:
    """The types that an annotation allows: (int, None's type) of `int | None`."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _schema(kind: Any) -> dict:
    if get_origin(kind) is list:
        (item,) = get_args(kind)
        return {"type": "array", "items": _schema(item), "maxItems": MOST_ITEMS}
    return {"type": NAMES[kind][0]}


def _in_words(kind: Any) -> str:
    if get_origin(kind) is list:
        (item,) = get_args(kind)
        return f"a list of which each item is {NAMES[item][1]}"
    return NAMES[kind][1]


def _as_given(payload: Any) -> Any:
    return payload.root if isinstance(payload, GradioRootModel) else payload


class _OneFile(FileData):
    """A file that was uploaded; whatever else is given gets a sentence."""

    @classmethod
    def model_validate(cls, *given, **named):
        try:
            return super().model_validate(*given, **named)
        except ValidationError:
            raise gr.Error(NO_FILE, print_exception=False) from None


class _Files(ListFiles):
    """Several of them."""

    @classmethod
    def model_validate(cls, *given, **named):
        try:
            return super().model_validate(*given, **named)
        except ValidationError:
            raise gr.Error(NO_FILE, print_exception=False) from None


NO_FILE = (
    "A clip must be a file that was uploaded, such as handle_file(PATH) of gradio_client gives: upload it, and "
    'give {"path": "...", "meta": {"_type": "gradio.FileData"}}.'
)
