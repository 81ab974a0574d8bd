"""Notices about files, in a page that has nothing else."""

import pytest

from har_demo.interface.render import source

pytestmark = pytest.mark.browser

PLACES = """
<div id="clip"><input type="file"></div><p id="too-big" class="notice" hidden></p>
<div id="clip-notice"><i>first</i></div><div id="facts"></div>
"""


@pytest.fixture
def page(browser):
    page = browser.new_page()
    yield page
    page.close()


def test_the_latest_notice_about_a_file_is_the_only_one(page):
    page.set_content(PLACES)
    page.evaluate(source("static/file_notices.js"))
    page.evaluate(
        "document.body.append('drawn')"
    )  # the places are there: they are watched from now on
    said = (
        "[...document.querySelectorAll('.notice')].filter(n => !n.hidden).map(n => n.textContent)"
    )
    page.evaluate(
        "document.querySelector('#clip-notice').innerHTML = '<p class=notice>no video</p>'"
    )
    assert page.evaluate(said) == ["no video"]
    page.set_input_files("input", {"name": "a.mp4", "mimeType": "video/mp4", "buffer": b""})
    page.wait_for_function(
        f"{said}.join() === 'a.mp4 is empty: choose the file again, or another one.'"
    )
    assert page.evaluate("document.querySelector('input').files.length") == 0
    page.evaluate("document.querySelector('#facts').innerHTML = '<p>a clip</p>'")
    page.wait_for_function(f"{said}.length === 0")
    page.set_input_files("input", {"name": "b.mp4", "mimeType": "video/mp4", "buffer": b"film"})
    assert page.evaluate(said) == []
