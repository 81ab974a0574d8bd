"""The first step of a page: a clip comes in by upload, webcam or example and shows its facts."""

import json
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from har_demo.clips.changes import changes
from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip
from har_demo.clips.probe import limits
from har_demo.errors import ChoiceError, ClipError
from har_demo.interface import formatting
from har_demo.interface.address import link
from har_demo.interface.examples import example, examples
from har_demo.interface.reading import read
from har_demo.interface.render import fragment, render
from har_demo.interface.run import PRIVATE, Job, on, press

# A press on an example tells the server which one.
EXAMPLES_SCRIPT = """
element.addEventListener('click', event => {
  const button = event.target.closest('[data-example]');
  if (button) trigger('pick', {file: button.dataset.example});
});
"""
MOST_ORIGINALS = 1000
EMPTY = {"current": None, "facts": "", "clip_notice": "", "notice": ""}


@dataclass(frozen=True)
class ClipPart:
    """The components of this step.

    Attributes:
        video: the player.
        current: the Clip under 'Your clip', or None.
        facts, notice: size and codec of the clip, and problems with a file.
        examples: the strip of example clips.
    """

    video: gr.Video
    current: gr.State
    facts: gr.HTML
    notice: gr.HTML
    examples: gr.HTML

    def outputs(self, notice: gr.HTML) -> dict:
        """Outputs of every press of `clip_input`, the notice beside the answers included."""
        return {
            "video": self.video,
            "current": self.current,
            "facts": self.facts,
            "clip_notice": self.notice,
            "notice": notice,
        }


def build() -> ClipPart:
    """Lay out the step inside the current column."""
    current = gr.State(None)
    gr.HTML(fragment("parts", "step", number=1, title="Your clip"))
    video = gr.Video(
        sources=["upload", "webcam"],
        # Left and right stay what they are; more pixels than this no model looks at.
        webcam_options=gr.WebcamOptions(
            mirror=False,
            constraints={"video": {"width": {"ideal": 640}, "height": {"ideal": 480}}},
        ),
        show_label=False,
        label="Clip",
        height=300,
        elem_id="clip",
    )
    gr.HTML(fragment("parts", "too_big", megabytes=limits().megabytes))
    notice = gr.HTML("", elem_id="clip-notice")
    facts = gr.HTML("", elem_id="facts")
    strip = gr.HTML(
        render("examples", examples=examples()), js_on_load=EXAMPLES_SCRIPT, elem_id="examples"
    )
    return ClipPart(video, current, facts, notice, strip)


def connect(part: ClipPart, notice: gr.HTML) -> None:
    """Connect what brings a clip in, and compare it with the answers on the page."""
    outputs = part.outputs(notice)
    for event, take in (
        (part.video.upload, take_upload),
        (part.video.stop_recording, take_recording),
    ):
        on(
            event,
            take,
            [part.video],
            outputs,
            show_progress_on=[part.video],
        )
    on(part.video.clear, forget_clip, [], outputs)
    on(part.examples.pick, take_example, [], outputs)
    part.facts.change(None, None, None, js="() => atlas.compare()", api_name="compare", **PRIVATE)


def shown(clip: Clip) -> dict:
    """Updates that show a clip: its copy, itself, its facts, and no notices."""
    facts = render(
        "clip_facts",
        clip=clip,
        link=json.dumps(link(clip)),
        duration=formatting.seconds(clip.duration),
        changes=changes(clip),
    )
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
        clip = read(job, video, name)
    except Exception:
        yield empty
        raise
    _remember(clip, video)
    yield shown(clip)


@press(errors="clip_notice")
def take_example(job: Job, event: dict):
    """Show one of the shipped clips."""
    shipped = example(str(event.get("file", "")))
    if shipped is None:
        raise ChoiceError("That example does not exist.")
    clip = read(job, shipped.path, shipped.title)
    _remember(clip, shipped.path)
    yield shown(clip)


@press(errors="clip_notice")
def forget_clip(job: Job):
    """No clip any more: nothing is current, facts and notices are empty."""
    yield EMPTY


def ready(job: Job, current: Clip | None, video: str | None, lines: int = 0) -> Clip:
    """The clip of the page, read again when its copy has left the cache.

    Args:
        current, video: the clip, and the file that the page plays.
        lines: how many pixels the short side shall have; a larger copy is made where the file that came
            is still here and has them.

    Raises:
        ClipError: there is none, or its file cannot be read.
    """
    original = _originals.get(current.sha256) if current else None
    if current and original and original.is_file() and lines > min(current.width, current.height):
        return read(job, original, current.source.name, lines)
    if current is not None and cached_clip(current.sha256) is not None:
        return current
    if not video:
        raise ClipError("There is no clip yet: drop a video, record one or take an example.")
    name = current.source.name if current else Path(video).name
    return read(job, video, name)


_originals: dict[str, Path] = {}
"""Files that clips were made from, by their hash, while Gradio keeps them."""


def _remember(clip: Clip, path: str | Path) -> None:
    while len(_originals) >= MOST_ORIGINALS:
        _originals.pop(next(iter(_originals)))
    _originals[clip.sha256] = Path(path)
