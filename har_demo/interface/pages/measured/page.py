"""The page for what was measured here: scores, confusions with clips, curves of training, times, ablations."""

import gradio as gr

from har_demo.interface import header, plots
from har_demo.interface.pages.measured import callbacks
from har_demo.interface.pages.measured.view import (
    ALL_SEEDS,
    START,
    ablations_shown,
    choices,
    confusion_shown,
    curves_shown,
    scores_shown,
    seeds,
)
from har_demo.interface.render import fragment, loading, source
from har_demo.interface.run import PRIVATE, ends, on
from har_demo.tables.datasets import TITLES
from har_demo.tables.measured import METRICS

# The address names what is shown; a press on a mistake of the list is one on its cell.
LINK_SCRIPT = """
const keepLink = () => {
  const link = element.querySelector('[data-link]')?.dataset.link;
  if (link) history.replaceState(null, '', location.pathname + link);
};
watch('value', keepLink);
// Seconds go on by themselves between two updates, each of which says how many have passed.
const begun = new WeakMap();
const count = () => {
  for (const place of document.querySelectorAll('.elapsed')) {
    if (begun.get(place)?.spent !== place.dataset.spent)
      begun.set(place, {spent: place.dataset.spent, at: performance.now() - 1000 * place.dataset.spent});
    place.textContent = `${Math.floor((performance.now() - begun.get(place).at) / 1000)} s`;
  }
};
setInterval(count, 250);
element.addEventListener('click', event => {
  const mistake = event.target.closest('[data-mistake]');
  if (mistake) trigger('point_click', {custom: JSON.parse(mistake.dataset.mistake)});
});
"""

QUIET = {
    **PRIVATE,
    "show_progress": "hidden",
    "trigger_mode": "always_last",
}
# 'once' would swallow a press soon after Stop.
LONG = {
    "show_progress": "hidden",
    "trigger_mode": "multiple",
}


def build() -> None:
    """Lay out the page inside the current Blocks and connect its events."""
    header.build()
    with gr.Row(elem_id="measured-ask"):
        dataset = gr.Radio(
            [(title, name) for name, title in TITLES.items()],
            value=START,
            label="Test set",
            min_width=300,
            elem_id="dataset",
        )
        metric = gr.Radio(
            [(name, metric) for metric, (name, _) in METRICS.items()],
            value="top1",
            label="Metric",
            min_width=300,
            elem_id="metric",
        )
    scores = plots.build(loading("The scores of all models"), elem_id="scores")

    with gr.Row(elem_id="confused", equal_height=False):
        with gr.Column(scale=7, min_width=300):
            model = gr.Dropdown(
                choices(),
                value=None,
                label="Model, for confusions and curves",
                elem_id="whose",
                filterable=True,
            )
            matrix = plots.build(loading("The confusion matrix"), LINK_SCRIPT, elem_id="matrix")
        with gr.Column(scale=4, min_width=280):
            films = gr.HTML(fragment("measured/films", "empty"), elem_id="films")
            stop_films = gr.Button("Stop", visible=False, size="sm", elem_id="films-stop")
    with gr.Column(elem_id="curves-part"):
        seed = gr.Radio(seeds(), value=ALL_SEEDS, label="Training", elem_id="seed")
        curve = plots.build(loading("The curve of training"), elem_id="curve")

    with gr.Column(elem_id="times-part"):
        times = plots.build(
            loading("The times of one view"), source("static/chart_names.js"), elem_id="times"
        )
        with gr.Row(elem_id="times-go"):
            time = gr.Button("Measure on this machine", elem_id="time", min_width=220)
            stop_timing = gr.Button("Stop", visible=False, elem_id="time-stop", min_width=80)
    ablations = gr.HTML(loading("The ablations"), elem_id="ablations")

    shown = [dataset, metric, model]
    dataset.input(scores_shown, shown[:2], scores, api_name="scores_on", **QUIET)
    dataset.input(confusion_shown, shown, matrix, api_name="confusions_on", **QUIET)
    dataset.input(ablations_shown, dataset, ablations, api_name="ablations_on", **QUIET)
    metric.input(scores_shown, shown[:2], scores, api_name="scores_by", **QUIET)
    metric.input(confusion_shown, shown, matrix, api_name="link_by", **QUIET)
    model.select(confusion_shown, shown, matrix, api_name="confusions_of", **QUIET)
    model.select(curves_shown, [model, seed], curve, api_name="curves_of", **QUIET)
    seed.input(curves_shown, [model, seed], curve, api_name="curve_of_seed", **QUIET)
    scores.point_click(
        pick_model,
        [dataset, metric, seed],
        [model, matrix, curve],
        api_name="pick_model",
        **QUIET,
    )

    outputs = {"films": films, "stop": stop_films}
    running = on(matrix.point_click, callbacks.examples_of, [model], outputs, **LONG)
    running.then(hidden, None, stop_films, api_name="examples_over", **PRIVATE)
    ends(stop_films, [running], callbacks.examples_of, callbacks.examples_stopped, [], outputs)
    matrix.point_click(
        None, None, None, js="() => atlas.show('#films')", api_name="show_films", **PRIVATE
    )

    outputs = {"times": times, "stop": stop_timing}
    running = on(time.click, callbacks.time_here, [dataset], outputs, **LONG)
    running.then(hidden, None, stop_timing, api_name="timing_over", **PRIVATE)
    ends(stop_timing, [running], callbacks.time_here, callbacks.timing_stopped, [], outputs)

    page = gr.context.Context.root_block
    page.load(
        callbacks.opened,
        None,
        [*shown, scores, matrix, curve, ablations, times],
        api_name="restore_measured",
        **QUIET,
    )


def hidden() -> dict:
    """Hide a Stop button, also after work that ended with an error."""
    return callbacks.HIDDEN


def pick_model(dataset: str, metric: str, seed: str, event: gr.EventData) -> tuple:
    """Show the confusions and the curve of a model whose bar is pressed: updates of model, matrix, curve."""
    key = str(event._data.get("custom"))
    return key, confusion_shown(dataset, metric, key), curves_shown(key, seed)
