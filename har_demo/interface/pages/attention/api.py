"""Attention and class activation for programs: the endpoints /attention and /class_activation."""

from pathlib import Path

import gradio as gr

from har_demo.clips.clip import Clip
from har_demo.explain.export import (
    ExplainedAttention,
    ExplainedClass,
    explained_attention,
)
from har_demo.interface.api import ClipFile, endpoint, read_clip
from har_demo.interface.pages.attention.on_gpu import class_explained, traced
from har_demo.interface.run import Job
from har_demo.models import registry

RESULTS = {"map": gr.JSON, "picture": gr.File, "array": gr.File}


@endpoint("attention", RESULTS)
def attention(
    job: Job,
    clip: ClipFile,
    model: str,
    x: float,
    y: float,
    frame: int,
    second: float | None = None,
    block: str | None = None,
    head: int | None = None,
    function: str | None = None,
    lines: int = 8,
) -> tuple[dict, str, str]:
    """
    Show where one place of a clip attends in all sampled frames: scores, a picture and the array.

    Args:
        clip: The video file: any common container and codec, up to 10 minutes.
        model: Name of a model with attention between places whose weights are here.
        x: Pixels from the left edge of the clip.
        y: Pixels from its upper edge.
        frame: Number of the sampled frame, from 0.
        second: The moment to look at; leave empty for the middle of the clip.
        block: Name of the block that is asked; leave empty for the last.
        head: Number of a head, from 0; leave empty for the mean of all.
        function: gaussian, embedded_gaussian, dot_product or concatenation over the same weights;
            leave empty for the one that was trained.
        lines: How many of the strongest connections are listed and drawn.
    """
    place = (x or 0, y or 0, int(frame or 0))
    trace = traced(job, read(job, clip, model), model, second, maps=False)[0]
    return _files(
        explained_attention(trace, place, block or None, head, function or None, int(lines)),
        job.folder,
    )


@endpoint("class_activation", RESULTS)
def class_activation(
    job: Job,
    clip: ClipFile,
    model: str,
    action: str | None = None,
    method: str = "grad-cam",
    second: float | None = None,
    trust: bool = False,
) -> tuple[dict, str, str]:
    """
    Show when and where a model found an action in a clip: the map, a picture and the array.

    Args:
        clip: The video file: any common container and codec, up to 10 minutes.
        model: Name of a model whose weights are here, as /models lists them.
        action: One of the model's classes; leave empty for the likeliest.
        method: grad-cam, grad-cam++, hirescam, layercam, or rollout for transformers.
        second: The moment to look at; leave empty for the middle of the clip.
        trust: Whether to measure deletion, insertion and a network with shuffled parameters, too.
    """
    trace = traced(job, read(job, clip, model), model, second, maps=False)[0]
    return _files(
        class_explained(job, trace, action or None, method or "grad-cam", trust), job.folder
    )


def read(job: Job, clip: ClipFile, model: str) -> Clip:
    """Read the clip; a wrong model is named before."""
    registry.card(model)
    return read_clip(job, clip)


def _files(explained: ExplainedAttention | ExplainedClass, folder: Path) -> tuple[dict, str, str]:
    picture, array = folder / "map.png", folder / "map.npz"
    picture.write_bytes(explained.png())
    array.write_bytes(explained.npz())
    return explained.json(), str(picture), str(array)
