"""The top of every page: the other pages, the name and the switch to dark."""

import gradio as gr

from har_demo.interface.render import render

START = "Recognise"  # what the first page is called among the others
ABOUT_CLIPS = (
    "prompts",
    "flow",
    "attention",
    "motion",
)  # as the first page: the bar takes the clip there


def build() -> None:
    """Lay it out at the top of the current page."""
    gr.Navbar(main_page_name=START)
    gr.HTML(
        render("header", about_clips=" ".join(ABOUT_CLIPS)),
        js_on_load="atlas.lead();",
        elem_id="header",
    )
