"""Endpoints for gradio_client and, through MCP, for assistants: typed functions with docstrings.

    @endpoint("layers", {"layers": gr.JSON})
    def layers(model: str, frames: int | None = None) -> dict:
        \"\"\"
        Count the multiply-adds of a model, layer by layer.

        Args:
            model: Name of a model, as /models lists them.
            frames: Frames of the view; leave empty for the model's own.
        \"\"\"

A parameter's annotation gives its component, schema and check (`har_demo.interface.parameters`), its default the
value that clients may leave out. A first
parameter `job` is no input: it is the Job that reports progress and has a folder for files.
"""

import functools
import inspect
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import gradio as gr
from gradio.components import Component

from har_demo.clips.clip import Clip
from har_demo.errors import ClipError
from har_demo.interface import stopping
from har_demo.interface.parameters import ClipFile, checked, component
from har_demo.interface.problems import explain_error
from har_demo.interface.reading import read
from har_demo.interface.run import Job
from har_demo.interface.visitor import gone, visitor


@dataclass(frozen=True)
class Endpoint:
    """A function that programs may call.

    Attributes:
        name: its address, without the slash.
        call: what Gradio calls.
        parameters: those that a program may give.
        results: the kinds of component that carry what it returns, by their labels.
    """

    name: str
    call: Callable
    parameters: tuple[inspect.Parameter, ...]
    results: Mapping[str, type[Component]]

    def add(self) -> None:
        """Add it to the current Blocks, inside something invisible."""
        gr.Button().click(
            self.call,
            [component(parameter) for parameter in self.parameters],
            [kind(label=label) for label, kind in self.results.items()],
            api_name=self.name,
        )


def endpoint(name: str, results: Mapping[str, type[Component]]):
    """Decorate a typed, documented function, so that `build` makes an endpoint of it.

    Args:
        name: the endpoint's address, without the slash.
        results: the kind of component for each value that the function returns, by label.
    """

    def decorate(work: Callable) -> Endpoint:
        signature = inspect.signature(work)
        takes_job = next(iter(signature.parameters), None) == "job"
        parameters = tuple(signature.parameters.values())[takes_job:]

        def answer(*given):
            key = uuid.uuid4().hex
            with TemporaryDirectory() as folder, stopping.work(key, gone()):
                *values, progress = given if takes_job else (*given, None)
                job = (Job(key, Path(folder), progress, visitor()),) if takes_job else ()
                try:
                    values = list(map(checked, parameters, values))
                    yield work(*job, *values)
                except stopping.Stopped:
                    raise gr.Error("The call was cancelled.", print_exception=False) from None
                except Exception as problem:
                    said = explain_error(problem, f"/{name} failed")
                    raise gr.Error(said, print_exception=False) from None

        def answer_at_once(*given):
            return next(answer(*given))

        # Files must last until Gradio has copied them: it asks a generator for more when it has.
        makes_files = any(kind is not gr.JSON for kind in results.values())
        call = functools.wraps(work)(answer if makes_files else answer_at_once)
        progress = inspect.Parameter(
            "progress", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=gr.Progress()
        )
        call.__signature__ = signature.replace(
            parameters=[*parameters, progress] if takes_job else parameters
        )
        return Endpoint(name, call, parameters, results)

    return decorate


def endpoints(*modules: ModuleType) -> tuple[Endpoint, ...]:
    """Return the endpoints of these modules."""
    values = (value for module in modules for value in vars(module).values())
    return tuple(value for value in values if isinstance(value, Endpoint))


def build(*modules: ModuleType) -> None:
    """Add every endpoint of these modules to the current Blocks."""
    with gr.Column(visible=False):
        for one in endpoints(*modules):
            one.add()


def read_clip(job: Job, clip: ClipFile | None, lines: int = 0) -> Clip:
    """Read a file that a program has sent, in its turn; `lines` as in har_demo.clips.ingest.

    Raises:
        ClipError: there is none, or it is no clip.
    """
    if not clip:
        raise ClipError("There is no clip: give a video file.")
    return read(job, clip, Path(clip).name, lines)
