"""A visitor's page."""

import pytest

from tests.visitor import DESK


@pytest.fixture
def page(browser, server):
    """The first page as a visitor opens it, which must stay free of script errors."""
    page = browser.new_page(viewport=DESK)
    page.set_default_timeout(90_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(server)
    page.wait_for_selector("#run")
    yield page
    page.close()
    assert errors == []
