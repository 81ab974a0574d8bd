"""The page for what was measured here: scores, confusions with real examples, times, ablations."""

import gradio as gr

from har_demo.interface import header, plots
from har_demo.interface.pages.measured.callbacks import examples_of, opened, stop_work, time_here
from har_demo.interface.pages.measured.view import (
    ablations_shown,
    choices,
    confusion_shown,
    scores_shown,
)
from har_demo.interface.render import fragment, source
from har_demo.tables.datasets import TITLES
from har_demo.tables.measured import METRICS

FIRST = next(iter(TITLES))

# The address names what is shown; a press on a mistake of the list is one on its cell.
LINK_SCRIPT = """
const keepLink = () => {
  const link = element.querySelector('[data-link]')?.dataset.link;
  if (link) history.replaceState(null, '', location.pathname + link);
};
watch('value', keepLink);
element.addEventListener('click', event => {
  const mistake = event.target.closest('[data-mistake]');
  if (mistake) trigger('point_click', {custom: JSON.parse(mistake.dataset.mistake)});
});
"""


def build() -> None:
    """Lay out the page inside the current Blocks and connect its events."""
    header.build()
    with gr.Row(elem_id="measured-ask"):
        dataset = gr.Radio(
            [(title, name) for name, title in TITLES.items()],
            value=FIRST,
            label="Tested on",
            min_width=300,
            elem_id="dataset",
        )
        metric = gr.Radio(
            [(name, metric) for metric, (name, _) in METRICS.items()],
            value="top1",
            label="Figure",
            min_width=300,
            elem_id="metric",
        )
    scores = plots.build(elem_id="scores")

    with gr.Row(elem_id="confused", equal_height=False):
        with gr.Column(scale=7, min_width=300):
            model = gr.Dropdown(
                choices(), value=None, label="Whose mistakes", elem_id="whose", filterable=True
            )
            matrix = plots.build(script=LINK_SCRIPT, elem_id="matrix")
        with gr.Column(scale=4, min_width=280):
            films = gr.HTML(fragment("measured/films", "empty"), elem_id="films")
            stop = gr.Button("Stop", visible=False, size="sm", elem_id="films-stop")

    with gr.Column(elem_id="times-part"):
        times = plots.build(script=source("static/chart_names.js"), elem_id="times")
        with gr.Row(elem_id="times-go"):
            press = gr.Button("Measure on this machine", elem_id="time", min_width=220)
            enough = gr.Button("Stop", visible=False, elem_id="time-stop", min_width=80)
    ablations = gr.HTML(elem_id="ablations")

    quiet = {
        "api_visibility": "undocumented",
        "show_progress": "hidden",
        "trigger_mode": "always_last",
        "concurrency_limit": 4,
    }
    told = [dataset, metric, model]
    dataset.input(scores_shown, told[:2], scores, api_name="scores_on", **quiet)
    dataset.input(confusion_shown, told, matrix, api_name="confusions_on", **quiet)
    dataset.input(ablations_shown, dataset, ablations, api_name="ablations_on", **quiet)
    metric.input(scores_shown, told[:2], scores, api_name="scores_by", **quiet)
    metric.input(confusion_shown, told, matrix, api_name="link_by", **quiet)
    model.select(confusion_shown, told, matrix, api_name="confusions_of", **quiet)
    scores.point_click(
        pick_model, [dataset, metric], [model, matrix], api_name="pick_model", **quiet
    )

    work = {"api_visibility": "undocumented", "show_progress": "hidden"}
    matrix.point_click(
        examples_of,
        model,
        [films, stop],
        api_name="examples_of",
        trigger_mode="multiple",  # 'once' would swallow a press soon after Stop
        concurrency_limit=1,
        concurrency_id="models",
        **work,
    )
    matrix.point_click(
        None, None, None, js="() => atlas.show('#films')", api_name="show_films", **work
    )
    for button, name in ((stop, "stop_examples"), (enough, "stop_times")):
        button.click(stop_work, api_name=name, queue=False, **work)
    press.click(
        time_here,
        dataset,
        [times, enough],
        api_name="time_here",
        trigger_mode="multiple",
        concurrency_limit=1,
        concurrency_id="models",
        **work,
    )
    page = gr.context.Context.root_block
    page.load(
        opened,
        None,
        [*told, scores, matrix, ablations, times],
        api_name="restore_measured",
        **quiet,
    )


def pick_model(dataset: str, metric: str, event: gr.EventData) -> tuple:
    """A press on a model's bar shows its confusions: updates of model, matrix."""
    key = str(event._data.get("custom"))
    return key, confusion_shown(dataset, metric, key)
