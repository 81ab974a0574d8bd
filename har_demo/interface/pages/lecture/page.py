"""The lecture as a page: the story in order, each system with its picture and what it did here."""

import gradio as gr

from har_demo.interface import header, plots
from har_demo.interface.pages.lecture.view import data_sets_shown, pictures, story
from har_demo.interface.render import loading, render
from har_demo.tables.lecture import CHAPTERS

# Gradio's pages have a base address, so that a plain link to a place in the page would leave it.
STEPS_SCRIPT = """
element.addEventListener('click', event => {
  const step = event.target.closest('[data-step]');
  if (!step) return;
  event.preventDefault();
  document.getElementById(step.dataset.step)?.scrollIntoView({behavior: 'smooth', block: 'start'});
  history.replaceState(null, '', `${location.pathname}#${step.dataset.step.replace('chapter-', '')}`);
});
"""
ARRIVE = "() => location.hash && document.getElementById(`chapter-${location.hash.slice(1)}`)?.scrollIntoView()"


def build() -> None:
    """Lay out the page inside the current Blocks and connect its events."""
    header.build()
    steps = [(one.name, one.title) for one in CHAPTERS]
    gr.HTML(render("lecture/steps", steps=steps), js_on_load=STEPS_SCRIPT, elem_id="steps")
    chapters = [
        gr.HTML(loading(one.title), elem_id=f"chapter-{one.name}", elem_classes="chapter")
        for one in CHAPTERS
    ]
    sets = plots.build(loading("Data sets"), elem_id="chapter-data", elem_classes="chapter")

    quiet = {
        "api_visibility": "undocumented",
        "show_progress": "hidden",
    }
    page = gr.context.Context.root_block
    page.load(story, None, chapters, api_name="story", **quiet).then(
        None, None, None, js=ARRIVE, api_name="arrive", **quiet
    ).then(pictures, None, chapters, api_name="pictures", **quiet)
    page.load(data_sets_shown, None, sets, api_name="data_sets", **quiet)
