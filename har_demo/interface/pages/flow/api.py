"""Optical flow for programs: the endpoints /flow, /flow_files, /flow_methods and /two_stream."""

from dataclasses import asdict

import gradio as gr

from har_demo.errors import ChoiceError
from har_demo.flow import catalogue, save
from har_demo.flow.look import FlowResult, flow_json, forget
from har_demo.interface import budget
from har_demo.interface.api import ClipFile, endpoint, read_clip
from har_demo.interface.lanes import MODELS, PICTURES
from har_demo.interface.pages.flow.on_gpu import computed
from har_demo.interface.run import Job
from har_demo.recognize import two_streams


@endpoint("flow", {"flow": gr.JSON})
def flow_of_clip(
    job: Job,
    clip: ClipFile,
    methods: list[str] | str = (catalogue.EMBEDDED,),
    start: float = 0,
    seconds: float = 4,
) -> dict:
    """
    Measure how fast everything in a video clip moves over time, by one or two methods of optical flow.

    Args:
        clip: The video file: any common container and codec, up to 10 minutes.
        methods: One or two names, as /flow_methods lists them, such as "raft-people".
        start: Where the span begins, in seconds.
        seconds: How long the span is, up to 10; up to 32 pairs of frames in it are looked at.
    """
    result = _look(job, clip, methods, start, seconds)
    forget(result)
    return flow_json(result)


@endpoint("flow_files", {"coloured flow": gr.Video, ".flo files": gr.File})
def flow_files(
    job: Job,
    clip: ClipFile,
    methods: list[str] | str = (catalogue.EMBEDDED,),
    start: float = 0,
    seconds: float = 4,
    camera: bool = True,
) -> tuple[str, str]:
    """
    Compute the optical flow of a video clip; returns a coloured H.264 video and a zip of .flo files.

    Args:
        clip: The video file: any common container and codec, up to 10 minutes.
        methods: One or two names, as /flow_methods lists them, such as "raft-people".
        start: Where the span begins, in seconds.
        seconds: How long the span is, up to 10; up to 32 pairs of frames in it are looked at.
        camera: Whether the camera's motion stays in.
    """
    result = _look(job, clip, methods, start, seconds)
    film, archive = job.folder / "flow.mp4", job.folder / "flow.zip"
    with job.turn(PICTURES):
        save.write_film(result, film, not camera, lambda share: job.tell(share, "Drawing"))
        save.write_zip(result, archive, not camera)
    forget(result)
    return str(film), str(archive)


@endpoint("flow_methods", {"methods": gr.JSON})
def list_flow_methods() -> list[dict]:
    """List the methods of optical flow: idea, size, and whether their weights are here."""
    return [asdict(method) for method in catalogue.methods()]


@endpoint("two_stream", {"streams": gr.JSON})
def two_stream(
    job: Job, clip: ClipFile, streams: str = "lab", weight: float = 0.5, flow: str = ""
) -> dict:
    """
    Recognise the action in a video clip by a stream of frames and a stream of optical flow, and fuse them.

    Args:
        clip: The video file: any common container and codec, up to 10 minutes.
        streams: Which two networks: "lab", "i3d-lab" or "i3d".
        weight: Of the temporal stream, from 0 (frames alone) to 1 (flow alone).
        flow: Also ask on this method's flow, as /flow_methods lists them; leave empty for what it knows.
    """
    if not isinstance(weight, int | float) or not 0 <= weight <= 1:
        raise ChoiceError(f"The weight of the temporal stream is from 0 to 1, not {weight}.")
    asked = two_streams.requests_of(
        streams, flow or None
    )  # bad names are said before the clip is read
    source = read_clip(job, clip)
    budget.check_models(source, asked)
    with job.turn(MODELS):
        both = two_streams.ask(source, streams, flow or None, job.tell)
    return two_streams.streams_json(both, weight)


def _look(
    job: Job, clip: ClipFile, methods: list[str], start: float | None, seconds: float | None
) -> FlowResult:
    names = [methods] if isinstance(methods, str) else list(map(str, methods or []))
    if start is None or seconds is None:
        raise ChoiceError("Give the start and the duration of the span in seconds.")
    return computed(job, read_clip(job, clip), names, start, seconds)
