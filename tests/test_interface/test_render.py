"""Templates: the shell's and the pages', whole or one macro, always escaped."""

import re
from pathlib import Path

import gradio as gr
import pytest
from jinja2 import TemplateNotFound, UndefinedError

from har_demo import interface
from har_demo.interface.pages.compute import page as compute
from har_demo.interface.pages.lecture import page as lecture
from har_demo.interface.pages.measured import page as measured
from har_demo.interface.render import fragment, notice, render, source, styles

HERE = Path(interface.__file__).parent


def test_a_page_has_its_templates_in_its_folder():
    assert "Show the motion" in render("flow/empty")
    assert "Action Atlas" in render("header", about_clips="flow")
    with pytest.raises(TemplateNotFound):
        render("empty")


def test_names_of_strangers_are_escaped():
    assert notice("<b>a</b>") == (
        '<div class="notice error" role="alert">&lt;b&gt;a&lt;/b&gt;</div>'
    )
    assert "&lt;i&gt;" in fragment(
        "prompts/parts", "image_text_model", card={"sentence": "<i>", "link": ""}, able=""
    )


@pytest.mark.parametrize("page", [compute, lecture, measured], ids=lambda page: page.__name__)
def test_what_is_drawn_on_opening_has_a_placeholder_until_then(page):
    """A reader whose answer is on its way, or lost, sees what will stand there and no empty page."""
    with gr.Blocks() as demo:
        page.build()
    filled = [
        place
        for event in demo.fns.values()
        if ("load" in [kind for _, kind in event.targets])
        for place in event.outputs
        if isinstance(place, gr.HTML)
    ]
    assert len(filled) > 1
    for place in filled:
        assert 'aria-busy="true"' in place.value and re.search(r"<h3>\w", place.value)


def test_a_missing_value_is_an_error_and_not_a_blank():
    with pytest.raises(UndefinedError):
        fragment("parts", "step", number=1)
    with pytest.raises(TypeError):
        fragment("parts", "step", number=1, title="a", more="b")


def test_every_template_is_used():
    code = "".join(path.read_text() for path in HERE.rglob("*.py"))
    code += "".join(path.read_text() for path in HERE.rglob("*.html"))
    for path in HERE.rglob("templates/*.html"):
        page = path.parent.parent.name
        name = path.stem if page == "interface" else f"{page}/{path.stem}"
        assert re.search(rf'"{name}(\.html)?"', code), f"nothing renders {name}"


def test_styles_of_every_page_follow_the_shells():
    every = styles()
    assert every.startswith(source("static/style.css"))
    assert len(list(HERE.glob("pages/*/style.css"))) == 9
    for path in HERE.glob("pages/*/style.css"):
        assert path.read_text() in every
