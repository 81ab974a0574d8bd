"""A clip on a page: from an upload, a recording or an example to a clip, and back to none."""

from collections.abc import Callable
from pathlib import Path

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip, ingest
from har_demo.errors import ChoiceError, ClipError, UserError
from har_demo.interface import formatting
from har_demo.interface.examples import example
from har_demo.interface.render import render
from har_demo.interface.run import Job, press

EMPTY = {"current": None, "facts": "", "clip_notice": "", "notice": ""}


def shown(clip: Clip) -> dict:
    """Updates that show a clip: its copy, itself, its facts, and no notices."""
    facts = render("clip_facts", clip=clip, duration=formatting.seconds(clip.duration))
    return EMPTY | {"video": str(clip.path), "current": clip, "facts": facts}


@press(errors="clip_notice")
def take_upload(job: Job, video: str | None):
    """Ingest a file and show the copy that every browser can play."""
    yield from _take(job, video, Path(video or "").name)


@press(errors="clip_notice")
def take_recording(job: Job, video: str | None):
    """Ingest what the webcam recorded, a WebM that does not know how long it is."""
    yield from _take(job, video, "your recording")


def _take(job: Job, video: str | None, name: str):
    empty = EMPTY | {"video": None}
    if not video:
        yield empty
        return
    try:
        clip = ingest(video, name=name, on_progress=_reading(job.tell))
    except UserError:
        yield empty
        raise
    yield shown(clip)


@press(errors="clip_notice")
def take_example(job: Job, event: dict):
    """Show one of the shipped clips."""
    shipped = example(str(event.get("file", "")))
    if shipped is None:
        raise ChoiceError("That example does not exist.")
    yield shown(ingest(shipped.path, name=shipped.title))


@press(errors="clip_notice")
def forget_clip(job: Job):
    """No clip any more: nothing is current, facts and notices are empty."""
    yield EMPTY


def ready(current: Clip | None, video: str | None, tell: Callable[[float, str], None]) -> Clip:
    """The clip of the page, read again when its copy has left the cache.

    Raises:
        ClipError: there is none, or its file cannot be read.
    """
    if current is not None and cached_clip(current.sha256) is not None:
        return current
    if not video:
        raise ClipError("There is no clip yet: drop a video, record one or take an example.")
    name = current.source.name if current else Path(video).name
    return ingest(video, name=name, on_progress=_reading(tell))


def _reading(tell: Callable[[float, str], None]) -> Callable[[float], None]:
    return lambda share: tell(share, "Reading the clip")
