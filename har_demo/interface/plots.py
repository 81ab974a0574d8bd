"""Charts on a page: a plotly figure inside gr.HTML, drawn by plotly's own bundled script.

A figure is what Plotly.js reads, {'data': [...], 'layout': {...}} of plain lists and numbers, so that
plotly itself is never imported. Colours may follow the page's theme: 'var(--accent)' is that token of
static/style.css and 'hue(172)' is a family's colour (formatting.hue), in light and in dark.

    chart = plots.build(plots.draw(figure, "Accuracy against cost"), elem_id="chart")
    chart.point_click(tell, None, told)  # def tell(event: gr.EventData): event.custom, event.curve, event.point

`event.custom` is the point's own `customdata`, `event.curve` and `event.point` are its trace's and its
place's numbers; `point_hover` brings the same. A press on something that is not a point does nothing.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import gradio as gr

from har_demo.interface.render import fragment, source

LIBRARY = Path(find_spec("plotly").origin).parent / "package_data/plotly.min.js"
"""Plotly's script, 4.8 MB, served as a static file and fetched once by the pages that draw."""

HEAD = f'<script src="/gradio_api/file={LIBRARY}"></script>'
SCRIPT = source("static/plots.js")


def build(value: str = "", script: str = "", **options) -> gr.HTML:
    """A place on the page for charts: whatever HTML it is given, every figure in it is drawn.

    Args:
        value: HTML with `draw(...)` in it, now or later as an output of an event.
        script: more to run in the page when the place is there; `charts.all()` are its charts.
        options: as for gr.HTML.
    """
    return gr.HTML(value, head=HEAD, js_on_load=SCRIPT + script, **options)


def draw(figure: dict, label: str, height: int = 420) -> str:
    """HTML of one figure, escaped.

    Args:
        figure: {'data': [...], 'layout': {...}}, JSON only: no NaN, no arrays.
        label: what the chart shows, for those who cannot see it.
        height: pixels; the width is that of the page.

    Raises:
        ValueError: a number in the figure is not finite.
    """
    return fragment(
        "parts", "plot", figure=json.dumps(figure, allow_nan=False), label=label, height=height
    )
