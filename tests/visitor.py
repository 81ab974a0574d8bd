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


CUT_OFF = """() => {
  const scrolls = (one) => /auto|scroll/.test(getComputedStyle(one).overflowX);
  const reached = (one) => {
    for (let up = one.parentElement; up && !up.matches(".gradio-container"); up = up.parentElement)
      if (scrolls(up)) return true;
    return false;
  };
  return [...document.querySelectorAll(".gradio-container *")]
    .filter((one) => one.checkVisibility({ opacityProperty: true }))
    .filter((one) => one.getBoundingClientRect().width && one.getBoundingClientRect().right > innerWidth + 1)
    .filter((one) => !one.closest("svg") || one.matches("svg"))
    .filter((one) => !reached(one))
    .map((one) => `${one.tagName} .${one.className} ${one.textContent.trim().slice(0, 40)}`);
}"""


def cut_off(page: Page) -> list[str]:
    """What lies beyond the page's right side, where nobody can scroll to.

    Gradio clips what is too wide, so that the document itself is never wider than the window.
    """
    return page.evaluate(CUT_OFF)
