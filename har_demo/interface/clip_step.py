"""The first step of a page: a clip comes in by upload, webcam or example and shows its facts."""

from dataclasses import dataclass

import gradio as gr

from har_demo.clips.probe import limits
from har_demo.interface.clip_input import forget_clip, take_example, take_recording, take_upload
from har_demo.interface.examples import examples
from har_demo.interface.render import fragment, render
from har_demo.interface.run import PRIVATE, on

# A press on an example tells the server which one.
EXAMPLES_SCRIPT = """
element.addEventListener('click', event => {
  const button = event.target.closest('[data-example]');
  if (button) trigger('pick', {file: button.dataset.example});
});
"""


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
            concurrency_limit=2,  # each decodes and encodes a whole file
            concurrency_id="ingest",
            show_progress_on=[part.video],
        )
    on(part.video.clear, forget_clip, [], outputs)
    on(part.examples.pick, take_example, [], outputs)
    part.facts.change(None, None, None, js="() => atlas.compare()", api_name="compare", **PRIVATE)
