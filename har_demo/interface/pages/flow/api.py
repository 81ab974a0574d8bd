"""Optical flow for programs: the endpoints /flow, /flow_files, /flow_methods and /two_stream."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import ingest
from har_demo.errors import ChoiceError, UserError
from har_demo.flow import catalogue, save
from har_demo.flow.look import forget, look, told
from har_demo.interface.gpu import on_gpu
from har_demo.recognize import two_streams


def build() -> None:
    """Add the endpoints to the current column, which nobody sees."""
    video = gr.Video(label="clip", sources=["upload"], interactive=True)
    methods = gr.JSON(label="methods", value=[catalogue.EMBEDDED])
    start = gr.Number(label="start", value=0)
    seconds = gr.Number(label="seconds", value=4)
    camera = gr.Checkbox(label="camera", value=True)
    streams = gr.Textbox(label="streams", value="lab")
    weight = gr.Number(label="weight", value=0.5)
    other = gr.Textbox(label="flow", value="")
    answer = gr.JSON(label="flow")
    said = gr.JSON(label="streams")
    film = gr.Video(label="coloured flow")
    archive = gr.File(label=".flo files")
    listed = gr.JSON(label="methods")
    together = {"concurrency_limit": 1, "concurrency_id": "models"}
    span = [video, methods, start, seconds]
    gr.Button().click(flow_of_clip, span, answer, api_name="flow", **together)
    gr.Button().click(
        flow_files, [*span, camera], [film, archive], api_name="flow_files", **together
    )
    gr.Button().click(list_flow_methods, None, listed, api_name="flow_methods")
    gr.Button().click(
        two_stream, [video, streams, weight, other], said, api_name="two_stream", **together
    )


@on_gpu
def flow_of_clip(
    clip: str,
    methods: list[str],
    start: float = 0,
    seconds: float = 4,
    progress=gr.Progress(),  # noqa: B008
) -> dict:
    """
    Measure how fast everything in a video clip moves over time, by one or two methods of optical flow.

    Args:
        clip: The video file: any common container and codec, up to 200 MB and 10 minutes.
        methods: One or two names, as /flow_methods lists them, such as "raft-people".
        start: Where the span begins, in seconds.
        seconds: How long the span is, up to 10; up to 32 pairs of frames in it are looked at.
    """
    try:
        found = _look(clip, methods, start, seconds, progress)
        forget(found)
        return told(found)
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


@on_gpu
def flow_files(
    clip: str,
    methods: list[str],
    start: float = 0,
    seconds: float = 4,
    camera: bool = True,
    progress=gr.Progress(),  # noqa: B008
):
    """
    Compute the optical flow of a video clip; returns a coloured H.264 video and a zip of .flo files.

    Args:
        clip: The video file: any common container and codec, up to 200 MB and 10 minutes.
        methods: One or two names, as /flow_methods lists them, such as "raft-people".
        start: Where the span begins, in seconds.
        seconds: How long the span is, up to 10; up to 32 pairs of frames in it are looked at.
        camera: Whether the camera's motion stays in.
    """
    try:
        found = _look(clip, methods, start, seconds, progress)
        with TemporaryDirectory() as folder:
            film, archive = Path(folder) / "flow.mp4", Path(folder) / "flow.zip"
            save.write_film(found, film, not camera)
            save.write_zip(found, archive, not camera)
            forget(found)
            yield str(film), str(archive)
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


def list_flow_methods() -> list[dict]:
    """List the methods of optical flow: idea, size, and whether their weights are here."""
    return [asdict(one) for one in catalogue.methods()]


@on_gpu
def two_stream(
    clip: str,
    streams: str = "lab",
    weight: float = 0.5,
    flow: str = "",
    progress=gr.Progress(),  # noqa: B008
) -> dict:
    """
    Recognise the action in a video clip by a stream of frames and a stream of optical flow, and fuse them.

    Args:
        clip: The video file: any common container and codec, up to 200 MB and 10 minutes.
        streams: Which two networks: "lab", "i3d-lab" or "i3d".
        weight: Of the temporal stream, from 0 (frames alone) to 1 (flow alone).
        flow: Also ask on this method's flow, as /flow_methods lists them; leave empty for what it knows.
    """
    try:
        if not isinstance(weight, int | float) or not 0 <= weight <= 1:
            raise ChoiceError(f"The weight of the temporal stream is from 0 to 1, not {weight}.")
        both = two_streams.ask(
            _source(clip), streams, flow or None, lambda done, what: progress(done, desc=what)
        )
        return two_streams.told(both, weight)
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


def _look(clip, methods, start, seconds, progress):
    names = [methods] if isinstance(methods, str) else list(map(str, methods or []))
    if start is None or seconds is None:
        raise ChoiceError("Say where the span begins and how long it is, in seconds.")
    return look(_source(clip), names, start, seconds, lambda done, what: progress(done, desc=what))


def _source(clip: str | None) -> Clip:
    if not clip:
        raise UserError("There is no clip: give a video file.")
    return ingest(clip, name=Path(clip).name)
