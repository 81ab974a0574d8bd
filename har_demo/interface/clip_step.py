"""The first step of a page: a clip comes in by upload, webcam or example and shows what it is."""

from dataclasses import dataclass

import gradio as gr

from har_demo.clips.probe import limits
from har_demo.interface.clip_input import forget_clip, take_example, take_recording, take_upload
from har_demo.interface.examples import examples
from har_demo.interface.render import fragment, render

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
        video: what plays.
        current: the Clip under 'Your clip', or None.
        facts, notice: what the clip is, and what was wrong with a file.
        examples: the strip of example clips.
    """

    video: gr.Video
    current: gr.State
    facts: gr.HTML
    notice: gr.HTML
    examples: gr.HTML

    def taken(self, answer_notice: gr.HTML) -> list:
        """What every function of `taking` updates, the answer's notice included."""
        return [self.video, self.current, self.facts, self.notice, answer_notice]


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


def connect(part: ClipPart, answer_notice: gr.HTML) -> None:
    """Connect what brings a clip in, and compare it with the answers on the page."""
    taken = part.taken(answer_notice)
    private = {"api_visibility": "undocumented"}
    for event, take in (
        (part.video.upload, take_upload),
        (part.video.stop_recording, take_recording),
    ):
        event(
            take,
            part.video,
            taken,
            api_name=take.__name__,
            concurrency_limit=2,  # each decodes and encodes a whole file
            concurrency_id="ingest",
            show_progress_on=[part.video],
            **private,
        )
    part.video.clear(forget_clip, None, taken[1:], api_name="forget_clip", **private)
    part.examples.pick(take_example, None, taken, api_name="take_example", **private)
    part.facts.change(None, None, None, js="() => atlas.compare()", api_name="compare", **private)
