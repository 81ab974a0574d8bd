"""What stands under 'Your clip': from an upload, a recording or an example to a clip, and back to none."""

from pathlib import Path

import gradio as gr

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip, ingest
from har_demo.errors import ClipError
from har_demo.interface import words
from har_demo.interface.examples import example
from har_demo.interface.problems import explain_error
from har_demo.interface.render import notice, render


def shown(clip: Clip) -> tuple:
    """What the page shows of a clip: its copy, itself, its facts, and no notices."""
    return str(clip.path), clip, _facts(clip), "", ""


def _facts(clip: Clip) -> str:
    return render("clip_facts", clip=clip, duration=words.seconds(clip.duration))


def take_upload(video: str | None, progress=gr.Progress()) -> tuple:  # noqa: B008
    """Ingest a file and show the copy that every browser can play."""
    return _take(video, Path(video or "").name, progress)


def take_recording(video: str | None, progress=gr.Progress()) -> tuple:  # noqa: B008
    """Ingest what the webcam recorded, a WebM that does not know how long it is."""
    return _take(video, "your recording", progress)


def _take(video: str | None, name: str, progress: gr.Progress) -> tuple:
    if not video:
        return None, *forget_clip()
    try:
        return shown(ingest(video, name=name, on_progress=_reader(progress)))
    except Exception as problem:
        return None, None, "", notice(explain_error(problem, "reading a clip failed")), ""


def take_example(event: gr.EventData) -> tuple:
    """Show one of the shipped clips."""
    found = example(str(event._data.get("file", "")))
    if found is None:
        return *[gr.skip()] * 3, notice("That example does not exist."), ""
    return shown(ingest(found.path, name=found.title))


def forget_clip() -> tuple:
    """No clip any more: nothing is current, facts and notices are empty."""
    return None, "", "", ""


def _reader(progress):
    return lambda fraction: progress(fraction, desc="Reading the clip")


def ready(current: Clip | None, video: str | None, progress: gr.Progress) -> Clip:
    """The clip under 'Your clip', read again when its copy has left the cache."""
    if current is not None and cached_clip(current.sha256) is not None:
        return current
    if not video:
        raise ClipError("There is no clip yet: drop a video, record one or take an example.")
    name = current.source.name if current else Path(video).name
    return ingest(video, name=name, on_progress=_reader(progress))
