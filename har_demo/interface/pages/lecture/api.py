"""The lecture's story for programs: the endpoint /lecture."""

import gradio as gr

from har_demo.interface.api import endpoint
from har_demo.tables.lecture import as_json


@endpoint("lecture", {"story": gr.JSON})
def lecture() -> dict:
    """Tell the story of video action recognition in nine steps: systems, what was measured, data sets."""
    return as_json()
