"""A clip and a question go along from page to page, and reload, back and forward keep them."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from har_demo.clips import cache
from har_demo.recognize.defaults import TWO_TINY
from tests.media import acted, write

pytestmark = pytest.mark.browser


def query(address: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(address).query).items()}


def addressed(page, part: str) -> dict[str, str]:
    """The page's address once it has this in it."""
    page.wait_for_function("part => location.search.includes(part)", arg=part)
    return query(page.evaluate("location.href"))


def bar(page, title: str):
    return page.locator(".nav-holder a", has_text=title).first


def test_clip_and_question_travel(page, tmp_path: Path):
    page.set_input_files(
        "#clip input[type=file]",
        str(write(tmp_path / "my jumps.avi", acted("jumping_jack", seconds=1.0), codec="mpeg4")),
    )
    name = page.locator(".clip-facts strong")
    expect(name).to_have_text("my jumps.avi")
    clip = addressed(page, "clip=")["clip"]
    page.locator(f'#models input[value="{TWO_TINY[1]}"]').uncheck()
    assert addressed(page, "models=") == {"clip": clip, "models": TWO_TINY[0], "ask": "0"}

    # The bar leads to the same clip, under its name, which no address has.
    bar(page, "Flow").click()
    expect(name).to_have_text("my jumps.avi")
    assert query(page.url) == {"clip": clip} and page.url.split("?")[0].endswith("/flow")
    bar(page, "Prompts").click()
    expect(name).to_have_text("my jumps.avi")

    # What is typed stays when the page is loaded again, and nothing is asked by that.
    page.fill("#prompts textarea", "a person jumping\na cat asleep")
    assert addressed(page, "prompts=")["ask"] == "0"
    page.reload()
    expect(name).to_have_text("my jumps.avi")
    expect(page.locator("#prompts textarea")).to_have_value("a person jumping\na cat asleep")
    expect(page.locator(".results")).to_have_count(0)

    # Once asked, the link is the address; an upload is named by its hash.
    page.click("#run")
    page.wait_for_selector(".results")
    page.wait_for_function(
        "!location.search.includes('ask=0') && location.search.includes('tower=')"
    )
    expect(page.locator(".results .verdict")).to_contain_text("my jumps.avi, 1.0 s")
    page.evaluate("navigator.clipboard.writeText = async text => { window.copied = text; }")
    page.click("#share")
    page.wait_for_function("window.copied")
    assert query(page.evaluate("window.copied")) == query(page.url)
    assert query(page.url)["clip"] == clip and "example" not in query(page.url)

    # Back to pages before, which have what they had.
    page.go_back()
    page.go_back()
    expect(name).to_have_text("my jumps.avi")
    expect(page.locator(f'#models input[value="{TWO_TINY[1]}"]')).not_to_be_checked()
    expect(page.locator(f'#models input[value="{TWO_TINY[0]}"]')).to_be_checked()
    expect(page.locator(".results")).to_have_count(0)


@pytest.mark.nightly
def test_another_clip_travels_and_a_swept_one_is_missed(page, tmp_path):
    film = write(tmp_path / "my jumps.avi", acted("jumping_jack", seconds=1.0), codec="mpeg4")
    page.set_input_files("#clip input[type=file]", str(film))
    name = page.locator(".clip-facts strong")
    expect(name).to_have_text("my jumps.avi")
    clip = addressed(page, "clip=")["clip"]
    bar(page, "Prompts").click()
    expect(name).to_have_text("my jumps.avi")
    page.fill("#prompts textarea", "a person jumping\na cat asleep")
    addressed(page, "prompts=")
    page.click("#run")
    page.wait_for_selector(".results")
    page.go_back()
    expect(name).to_have_text("my jumps.avi")

    # Another clip goes along as well, and an old question is not asked about it unbidden.
    page.click('[data-example="walking.mp4"]')
    addressed(page, "example=walking.mp4")
    bar(page, "Prompts").click()
    expect(name).to_have_text("Walking")
    expect(page.locator("#prompts textarea")).to_have_value("a person jumping\na cat asleep")
    assert query(page.url)["ask"] == "0"
    expect(page.locator(".results")).to_have_count(0)

    # A clip that was swept meanwhile is missed in one sentence.
    (cache.folder() / f"{clip}.mp4").unlink()
    page.goto(page.url.replace("example=walking.mp4", f"clip={clip}"))
    expect(page.locator("#clip-notice .notice")).to_have_text(
        "The clip of this link is no longer on this server; please add it again."
    )
    expect(page.locator("#prompts textarea")).to_have_value("a person jumping\na cat asleep")
