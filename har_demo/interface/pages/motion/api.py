"""The Motion page for programs: edits, one edited clip, and samplings."""

from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr

from har_demo.clips.ingest import ingest
from har_demo.errors import UserError
from har_demo.explain.edits import EDITS, asked
from har_demo.explain.edits_export import grid_json
from har_demo.explain.samplings import FRAMES, KINDS, STRIDES
from har_demo.explain.samplings_export import samplings_json
from har_demo.interface.gpu import on_gpu
from har_demo.interface.pages.motion.callbacks import sampled, tried, write_edited


def build() -> None:
    """Add the endpoints /edits, /edited, /samplings and /edit_list to the current Blocks."""
    video = gr.Video(label="clip", sources=["upload"], interactive=True)
    models = gr.JSON(label="models", value=[])
    edits = gr.JSON(label="edits", value=[])
    start = gr.Number(label="start", value=0)
    answer = gr.JSON(label="grid")
    edit = gr.Textbox(label="edit", value="reverse")
    drawn = gr.Video(label="edited clip")
    kinds = gr.JSON(label="kinds", value=list(KINDS))
    frames = gr.JSON(label="frames", value=list(FRAMES))
    strides = gr.JSON(label="strides", value=list(STRIDES))
    passes = gr.JSON(label="passes")
    listed = gr.JSON(label="edits")
    together = {"concurrency_limit": 1, "concurrency_id": "models"}
    gr.Button().click(
        try_edits, [video, models, edits, start], answer, api_name="edits", **together
    )
    gr.Button().click(edited, [video, edit, start], drawn, api_name="edited")
    asking = [video, models, kinds, frames, strides, start]
    gr.Button().click(try_samplings, asking, passes, api_name="samplings", **together)
    gr.Button().click(list_edits, None, listed, api_name="edit_list")


@on_gpu
def try_edits(
    clip: str,
    models: list[str],
    edits: list[str] | None = None,
    start: float = 0.0,
    progress=gr.Progress(),  # noqa: B008
) -> dict:
    """
    Change a clip in many ways and say how far each model's answer moves: who uses motion, who the scene.

    Args:
        clip: The video file: any common container and codec, up to 200 MB and 10 minutes.
        models: Names of models, as /models lists them.
        edits: Edits as /edit_list names them, with a strength where wanted, such as "darken=0.1"; leave empty for all.
        start: The second from which on ten seconds of the clip are looked at.
    """
    try:
        source = _source(clip)
        *_, last = tried(source, models or [], edits or list(EDITS), start, _teller(progress))
        return grid_json(last)
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


def edited(clip: str, edit: str = "reverse", start: float = 0.0):
    """
    Change a clip in one way and return it as an H.264 file.

    Args:
        clip: The video file: any common container and codec, up to 200 MB and 10 minutes.
        edit: An edit as /edit_list names it, with a strength where wanted, such as "speed=0.5".
        start: The second from which on ten seconds of the clip are taken.
    """
    try:
        asked(edit)  # what cannot be asked is said before the clip is read
        source = _source(clip)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "edited.mp4"
            write_edited(source, edit, start, path)
            yield str(path)
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


@on_gpu
def try_samplings(
    clip: str,
    models: list[str],
    kinds: list[str] | None = None,
    frames: list[int] | None = None,
    strides: list[float] | None = None,
    start: float = 0.0,
    progress=gr.Progress(),  # noqa: B008
) -> dict:
    """
    Show a clip to models by many samplings and say which frames were read, what was answered and at what cost.

    Args:
        clip: The video file: any common container and codec, up to 200 MB and 10 minutes.
        models: Names of models, as /models lists them.
        kinds: Of dense, uniform and segments; leave empty for all.
        frames: Numbers of frames from 1 to 64; leave empty for 4, 8, 16, 32 and 64.
        strides: Of dense sampling, in frames of the clip; leave empty for 1 and 4.
        start: The second from which on ten seconds of the clip are looked at.
    """
    try:
        source = _source(clip)
        chosen = (kinds or list(KINDS), frames or list(FRAMES), strides or list(STRIDES))
        taken, _, found = sampled(source, models or [], *chosen, start, _teller(progress))
        return samplings_json(taken.stretch, list(found))
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


def list_edits() -> list[dict]:
    """List the edits: what each does to a clip, and the strengths it can have."""
    return [
        {
            "edit": one.name,
            "title": one.title,
            "group": one.group,
            "does": one.does,
            "strength": one.strength
            and {
                "means": one.strength.words,
                "low": one.strength.low,
                "high": one.strength.high,
                "usual": one.strength.usual,
            },
        }
        for one in EDITS.values()
    ]


def _source(clip: str | None):
    if not clip:
        raise UserError("There is no clip: give a video file.")
    return ingest(clip, name=Path(clip).name)


def _teller(progress):
    return lambda fraction, sentence: progress(fraction, desc=sentence)
