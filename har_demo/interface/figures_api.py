"""The pages of numbers for programs: endpoints for gradio_client and, through MCP, for assistants."""

from dataclasses import asdict

import gradio as gr

from har_demo.errors import UserError
from har_demo.profiling import convolutions as formulas
from har_demo.profiling.what_if import explore
from har_demo.tables import lecture as told
from har_demo.tables import measured as scores


def build() -> None:
    """Add /layers, /convolution, /measured, /confusion and /lecture to the current Blocks."""
    model = gr.Textbox(label="model")
    frames = gr.Number(label="frames", value=None, precision=0)
    side = gr.Number(label="side", value=None, precision=0)
    found = gr.JSON(label="layers")
    gr.Button().click(layers, [model, frames, side], found, api_name="layers")

    names = ("inputs", "outputs", "kernel", "groups", "frames", "side")
    given = [
        gr.Number(label=name, value=value, precision=0)
        for name, value in zip(names, (64, 64, 3, 1, 8, 28), strict=True)
    ]
    ways = gr.JSON(label="ways")
    gr.Button().click(convolution, given, ways, api_name="convolution")

    figures = gr.JSON(label="figures")
    gr.Button().click(measured, None, figures, api_name="measured")
    dataset = gr.Textbox(label="dataset", value="rendered")
    table = gr.JSON(label="confusions")
    gr.Button().click(confusion, [model, dataset], table, api_name="confusion")
    gr.Button().click(lecture, None, gr.JSON(label="story"), api_name="lecture")


def layers(model: str, frames: int | None = None, side: int | None = None) -> dict:
    """
    Count the parameters, multiply-adds and activation memory of a model, layer by layer, for one view.

    Args:
        model: Name of a model, as /models lists them, in its lab or its paper's size.
        frames: Frames of the view; leave empty for the model's own.
        side: Pixels a side of the square view; leave empty for the model's own.
    """
    try:
        return explore(model, frames, side).as_json()
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


def convolution(
    inputs: int = 64,
    outputs: int = 64,
    kernel: int = 3,
    groups: int = 1,
    frames: int = 8,
    side: int = 28,
) -> list[dict]:
    """
    Compare an ordinary, a (2+1)D, an ip- and an ir-separated 3D convolution: parameters, multiply-adds, interactions.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        kernel: The kernel's side, 1, 3, 5 or 7.
        groups: Groups of the ordinary convolution; must divide both numbers of channels.
        frames: Frames of what goes out.
        side: Height and width of what goes out.
    """
    try:
        found = formulas.convolutions(inputs, outputs, kernel, groups, frames, side)
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None
    return [asdict(one) for one in found]


def measured() -> list[dict]:
    """
    List what every lab-size model scored here, on each test set, in percent, with the spread between seeds.
    """
    return scores.as_json(scores.entries())


def confusion(model: str, dataset: str = "rendered") -> dict:
    """
    Count what a lab-size model answered about the clips of each class, over all seeds.

    Args:
        model: Name of a model that /measured lists.
        dataset: arid6, weizmann, workout4 or rendered.
    """
    try:
        found = scores.confusion(scores.entry(model), dataset)
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None
    if found is None:
        return {"model": model, "dataset": dataset, "counts": {}}
    counts = {
        true: {name: int(n) for name, n in zip(found.predicted, row, strict=True) if n}
        for true, row in zip(found.true, found.counts, strict=True)
    }
    return {"model": model, "dataset": dataset, "seeds": found.seeds, "counts": counts}


def lecture() -> dict:
    """Tell the story of video action recognition in nine steps: systems, what was measured, data sets."""
    return told.as_json()
