"""A person at a page."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

DESK, PHONE = {"width": 1400, "height": 1000}, {"width": 390, "height": 844}


@contextmanager
def visitor(browser: Browser, address: str, *ready: str) -> Iterator[Page]:
    """A page that is open and shows all of `ready`; afterwards no script on it may have failed.

    One visitor does all of a file's tests where pages must stand one thing after another.
    """
    page = browser.new_page(viewport=DESK)
    page.set_default_timeout(90_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    for selector in ready:
        page.wait_for_selector(selector)
    yield page
    page.close()
    assert errors == []
