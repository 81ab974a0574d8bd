"""Charts: a figure reaches the page whole, follows its theme and width, and its points answer."""

import html
import json
import re

import gradio as gr
import pytest

from har_demo.interface import plots
from har_demo.interface.render import source
from tests.visitor import cut_off

FIGURE = {
    "data": [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [1, 2],
            "y": [3, 4],
            "customdata": ["</div><script>&'\"", "second"],
            "marker": {"size": 30, "color": ["var(--accent)", "hue(172)"]},
        }
    ],
    "layout": {"xaxis": {"title": {"text": "cost"}}},
}


def test_a_figure_is_escaped_and_comes_back_whole():
    drawn = plots.draw(FIGURE, 'a "chart"')
    assert "<script" not in drawn
    kept = re.search(r'data-figure="([^"]*)"', drawn).group(1)
    assert json.loads(html.unescape(kept)) == FIGURE


def test_a_number_that_json_lacks_is_refused():
    with pytest.raises(ValueError, match="float"):
        plots.draw({"data": [{"x": [float("nan")]}]}, "chart")


def test_the_script_is_plotlys_own_and_on_this_machine():
    assert "plotly.js v" in plots.LIBRARY.read_text(encoding="utf-8")[:200]
    assert "http" not in plots.HEAD + plots.SCRIPT


def clicked(event: gr.EventData) -> str:
    return event.custom


def hovered(event: gr.EventData) -> str:
    return f"over {event.point}"


@pytest.fixture(scope="module")
def address():
    """A page with two charts, and two places that repeat what points told Python."""
    gr.set_static_paths([plots.LIBRARY])
    with gr.Blocks(analytics_enabled=False) as demo:
        chart = plots.build(plots.draw(FIGURE, "one", 300), elem_id="chart")
        plots.build(plots.draw(FIGURE, "two", 200))
        told = gr.HTML(elem_id="told")
        over = gr.HTML(elem_id="over")
        other = gr.Button("other", elem_id="other")
        chart.point_click(clicked, None, told)
        chart.point_hover(hovered, None, over)
        moved = {"data": [FIGURE["data"][0] | {"y": [9, 9], "customdata": ["a", "b"]}]}
        other.click(lambda: plots.draw(moved, "one", 300), None, chart)
    _, url, _ = demo.launch(
        css=source("static/style.css"), prevent_thread_lock=True, quiet=True, ssr_mode=False
    )
    yield url
    demo.close()


@pytest.mark.nightly
@pytest.mark.browser
def test_points_answer_and_theme_and_width_are_followed(browser, address):
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    fetched, errors = [], []
    page.on("request", lambda request: fetched.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#chart .drawn .points path")
    points = page.locator("#chart .points path")
    colour = "document.querySelectorAll('#chart .points path')[{}].style.fill"
    light = [page.evaluate(colour.format(n)) for n in (0, 1)]
    assert light[0] == "rgb(15, 118, 110)"

    points.nth(1).hover(force=True)
    page.wait_for_function("document.querySelector('#over').innerText.includes('over 1')")
    points.nth(1).click(force=True)
    page.wait_for_function("document.querySelector('#told').innerText.includes('second')")

    page.evaluate("document.body.classList.add('dark')")
    page.wait_for_function(f"{colour.format(0)} === 'rgb(65, 177, 164)'")
    assert page.evaluate(colour.format(1)) != light[1]

    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function("document.querySelector('#chart .main-svg').clientWidth < 390")
    assert cut_off(page) == []

    page.click("#other")
    page.wait_for_function("document.querySelector('#chart .plot').data?.[0].y[0] === 9")
    points.first.click(force=True)
    page.wait_for_function("document.querySelector('#told').innerText.trim() === 'a'")
    page.close()
    assert errors == []
    assert sum("plotly.min.js" in url for url in fetched) == 1
    assert all(url.startswith((address, "data:", "blob:")) for url in fetched)
