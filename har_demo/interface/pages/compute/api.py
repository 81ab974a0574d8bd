"""Cost of networks and of single convolutions for programs: the endpoints /layers and /convolution."""

from dataclasses import asdict

import gradio as gr

from har_demo.interface.api import endpoint
from har_demo.profiling.convolutions import convolutions
from har_demo.profiling.what_if import explore


@endpoint("layers", {"layers": gr.JSON})
def layers(model: str, frames: int | None = None, side: int | None = None) -> dict:
    """
    Count the parameters, multiply-adds and activation memory of a model, layer by layer, for one view.

    Args:
        model: Name of a model, as /models lists them, tiny or of its paper's size.
        frames: Frames of the view; leave empty for the model's own.
        side: Pixels a side of the square view; leave empty for the model's own.
    """

    return explore(model, frames, side).as_json()


@endpoint("convolution", {"ways": gr.JSON})
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

    return [asdict(way) for way in convolutions(inputs, outputs, kernel, groups, frames, side)]
