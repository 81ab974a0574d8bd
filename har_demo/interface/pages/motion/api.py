"""The Motion page for programs: edits, one edited clip, and samplings."""

import gradio as gr

from har_demo.explain.edits import EDITS, asked
from har_demo.explain.edits_export import grid_json
from har_demo.explain.samplings import FRAMES, KINDS, STRIDES
from har_demo.explain.samplings_export import samplings_json
from har_demo.interface.api import ClipFile, endpoint, read_clip
from har_demo.interface.lanes import PICTURES
from har_demo.interface.pages.motion.callbacks import sampled, tried, write_edited
from har_demo.interface.run import Job


@endpoint("edits", {"grid": gr.JSON})
def try_edits(
    job: Job,
    clip: ClipFile,
    models: list[str] = (),
    edits: list[str] = (),
    start: float = 0,
) -> dict:
    """
    Change a clip in many ways and say how far each model's answer moves: who uses motion, who the scene.

    Args:
        clip: The video file: any common container and codec, up to 10 minutes.
        models: Names of models, as /models lists them.
        edits: Edits as /edit_list names them, with a strength where wanted, such as "darken=0.1"; leave empty for all.
        start: The second from which on ten seconds of the clip are looked at.
    """
    *_, last = tried(job, read_clip(job, clip), models or [], edits or list(EDITS), start)
    return grid_json(last)


@endpoint("edited", {"edited clip": gr.Video})
def edited(job: Job, clip: ClipFile, edit: str = "reverse", start: float = 0) -> str:
    """
    Change a clip in one way and return it as an H.264 file.

    Args:
        clip: The video file: any common container and codec, up to 10 minutes.
        edit: An edit as /edit_list names it, with a strength where wanted, such as "speed=0.5".
        start: The second from which on ten seconds of the clip are taken.
    """
    asked(edit)  # a bad edit is named before the clip is read
    path = job.folder / "edited.mp4"
    source = read_clip(job, clip)
    with job.turn(PICTURES):
        write_edited(source, edit, start, path)
    return str(path)


@endpoint("samplings", {"passes": gr.JSON})
def try_samplings(
    job: Job,
    clip: ClipFile,
    models: list[str] = (),
    kinds: list[str] = KINDS,
    frames: list[int] = FRAMES,
    strides: list[float] = STRIDES,
    start: float = 0,
) -> dict:
    """
    Show a clip to models by many samplings and say which frames were read, what was answered and at what cost.

    Args:
        clip: The video file: any common container and codec, up to 10 minutes.
        models: Names of models, as /models lists them.
        kinds: Of dense, uniform and segments; leave empty for all.
        frames: Numbers of frames from 1 to 64; leave empty for 4, 8, 16, 32 and 64.
        strides: Of dense sampling, in frames of the clip; leave empty for 1 and 4.
        start: The second from which on ten seconds of the clip are looked at.
    """
    chosen = (kinds or list(KINDS), frames or list(FRAMES), strides or list(STRIDES))
    excerpt, _, passes = sampled(job, read_clip(job, clip), models or [], *chosen, start)
    return samplings_json(excerpt.stretch, list(passes))


@endpoint("edit_list", {"edits": gr.JSON})
def list_edits() -> list[dict]:
    """List the edits: what each does to a clip, and the strengths it can have."""
    return [
        {
            "edit": edit.name,
            "title": edit.title,
            "group": edit.group,
            "does": edit.does,
            "strength": edit.strength
            and {
                "means": edit.strength.words,
                "low": edit.strength.low,
                "high": edit.strength.high,
                "usual": edit.strength.usual,
            },
        }
        for edit in EDITS.values()
    ]
