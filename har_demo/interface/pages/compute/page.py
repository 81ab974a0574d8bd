"""The page for costs: any network layer by layer, and the lecture's formulas for one convolution."""

import gradio as gr

from har_demo.interface import header, plots
from har_demo.interface.pages.compute.view import (
    START,
    UNITS,
    choose,
    convolutions_shown,
    layers_shown,
    network_choices,
    restore,
)
from har_demo.interface.render import fragment, loading
from har_demo.profiling.convolutions import KERNELS
from har_demo.profiling.what_if import FRAMES, SIDES

# The address names what is shown, so that it can be kept and passed on.
LINK_SCRIPT = """
const keepLink = () => {
  const link = element.querySelector('[data-link]')?.dataset.link;
  if (link) history.replaceState(null, '', location.pathname + link);
};
watch('value', keepLink);
"""


def build() -> None:
    """Lay out the page inside the current Blocks and connect its events."""
    header.build()
    with gr.Row(elem_classes="compute-row", equal_height=False):
        with gr.Column(min_width=280, elem_classes="compute-ask"):
            gr.HTML(fragment("parts", "step", number=1, title="A network"))
            model = gr.Dropdown(
                network_choices(),
                value=START,
                label="Which",
                info="Type to find one; tiny ones were trained here.",
                elem_id="explored",
            )
            frames = gr.Slider(*FRAMES, value=16, step=1, label="Frames", elem_id="frames")
            side = gr.Slider(*SIDES, value=112, step=1, label="Size, pixels a side", elem_id="side")
            unit = gr.Radio(
                list(UNITS.items()),
                value="MAC",
                label="Count",
                info="Papers on video say FLOPs and mostly mean multiply-adds.",
                elem_id="unit",
            )
        with gr.Column(min_width=300, elem_classes="compute-answer"):
            network = plots.build(
                loading("The layers of the network"), LINK_SCRIPT, elem_id="layers"
            )
    with gr.Row(elem_classes="compute-row", equal_height=False):
        with gr.Column(min_width=280, elem_classes="compute-ask"):
            gr.HTML(fragment("parts", "step", number=2, title="One convolution"))
            inputs = gr.Slider(16, 512, value=64, step=16, label="Channels in", elem_id="inputs")
            outputs = gr.Slider(16, 512, value=64, step=16, label="Channels out", elem_id="outputs")
            kernel = gr.Radio(list(KERNELS), value=3, label="Kernel, k", elem_id="kernel")
            groups = gr.Radio(
                [1, 2, 4, 8, 16],
                value=1,
                label="Groups of the ordinary convolution, G",
                elem_id="groups",
            )
            time = gr.Slider(1, 32, value=8, step=1, label="Frames that go out, T", elem_id="time")
            place = gr.Slider(
                7, 112, value=28, step=7, label="Size that goes out, H = W", elem_id="place"
            )
        with gr.Column(min_width=300, elem_classes="compute-answer"):
            one = [inputs, outputs, kernel, groups, time, place, unit]
            convolution = gr.HTML(loading("Four convolutions"), elem_id="convolution")

    quiet = {
        "api_visibility": "undocumented",
        "show_progress": "hidden",
        "trigger_mode": "always_last",
    }
    view = [model, frames, side, unit]
    # Its `input` also comes when the reader leaves the box, and would put the frames back.
    model.select(choose, [model, unit], [frames, side, network], api_name="choose_network", **quiet)
    for control, name in ((frames, "frames"), (side, "side"), (unit, "unit")):
        listen = control.input if control is unit else control.release
        listen(layers_shown, view, network, api_name=f"layers_by_{name}", **quiet)
    for control, name in ((frames, "frames"), (side, "side")):  # a number that is typed
        control.input(layers_shown, view, network, api_name=f"typed_{name}", **quiet)
    for number, control in enumerate(one):
        control.input(
            convolutions_shown, one, convolution, api_name=f"convolution_{number}", **quiet
        )
    page = gr.context.Context.root_block
    page.load(restore, None, [*view, network, convolution], api_name="restore_compute", **quiet)
