"""The Prompts page as a person uses it, in a real browser, with the model that needs no network."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from har_demo.clips.ingest import ingest
from har_demo.interface.examples import example
from har_demo.interface.pages.prompts.callbacks import START
from har_demo.prompts import BACKGROUND, ask, rescore
from tests.visitor import DESK, PHONE, cut_off, visitor

pytestmark = pytest.mark.browser

TYPED = ("a person waving both hands", "a plate of food", "a snake in the grass")
WAVING, WALKING = "waving_both_hands.mp4", "walking.mp4"


@pytest.fixture(scope="module")
def page(browser, server):
    with visitor(browser, f"{server}/prompts", "#run") as page:
        yield page


def take(page, file: str) -> None:
    page.click(f'[data-example="{file}"]')
    expect(page.locator(".clip-facts")).to_contain_text(example(file).title)


def typed(page, *prompts: str) -> None:
    page.locator("#prompts textarea").fill("\n".join(prompts))


def run(page) -> None:
    page.click("#run")


def ranked(page) -> list[str]:
    return page.locator('[aria-label="Which"] .bar-name').all_inner_texts()


@pytest.mark.nightly
def test_what_cannot_be_asked_gets_a_sentence(page):
    said = page.locator("#notice .notice")
    run(page)
    expect(said).to_contain_text("There is no clip yet")
    take(page, WAVING)
    typed(page, "", "   ")
    run(page)
    expect(said).to_contain_text("There is no prompt")
    typed(page, *(f"prompt number {n}" for n in range(600)))
    run(page)
    expect(said).to_contain_text("There are 600 prompts: give at most 500")
    typed(page, "a person")
    page.click("#settings button")
    templates = page.locator("#templates textarea")
    expect(templates).to_have_value("{}")
    page.wait_for_timeout(500)  # it has just come into the page, which fills it once more
    templates.fill("nothing in it")
    run(page)
    expect(said).to_contain_text("needs exactly one {}")
    page.get_by_text("Prompt alone").click()
    expect(templates).to_have_value("{}")
    expect(page.locator("#about-tower")).to_contain_text("Licence: Apache-2.0")
    expect(page.locator("#which")).to_have_text(
        "The embedded recogniser answers, because 127.0.0.1 does not answer."
    )
    expect(page.locator("#examples")).to_contain_text("no real clips")
    page.click("#settings button >> nth=0")
    expect(page.locator(".prompted")).to_have_count(0)


def test_a_clip_is_asked_in_words(page):
    take(page, WAVING)
    typed(page, *TYPED)
    run(page)
    page.wait_for_selector(".prompted")
    expect(page.locator("#notice .notice")).to_have_count(0)

    # What the page says is what the engine says.
    clip = ingest(example(WAVING).path)
    answer = ask(clip, TYPED, background=BACKGROUND)
    shares = dict(answer.top(3)) | {"none of these": answer.none}
    order = sorted(shares, key=shares.get, reverse=True)
    assert ranked(page) == order
    expect(page.locator(".verdict")).to_contain_text("Embedded: EfficientNet-Lite0 and MiniLM")
    assert page.locator(".chart polyline").count() == 4

    # A press on the chart goes to that moment; one on a picture also shows where its prompt matches.
    page.wait_for_function("document.querySelector('#clip video')?.readyState > 0")
    page.locator(".chart [data-seek]").nth(5).click()
    moment = answer.seconds()[5]
    near = f"Math.abs(document.querySelector('#clip video').currentTime - {moment}) < 0.05"
    page.wait_for_function(near)
    page.locator(".best button").first.click()
    expect(page.locator(".heat h3")).to_contain_text(answer.top(1)[0][0])
    expect(page.locator(".heat")).to_contain_text("7 × 7 cells")

    # Read otherwise, without asking again: the page says so of itself, and so does its file.
    page.locator("#pooling").get_by_text("maximum").click()
    page.locator("#temperature input[type=number]").fill("3")
    expect(page.locator("#who")).not_to_contain_text("the model's own")
    other = rescore(answer, "max", 3 * answer.temperature)
    with page.expect_download() as download:
        page.click("#json")
    told = json.loads(Path(download.value.path()).read_text())
    assert told["pooling"] == "max" and told["temperature"] == pytest.approx(other.temperature)
    assert [one["probability"] for one in told["prompts"]] == pytest.approx(
        other.probabilities, abs=1e-3
    )
    expect(page.locator(".heat")).to_be_visible()


@pytest.mark.nightly
def test_a_class_list_fills_in_and_the_next_clip_is_asked(page):
    typed(page, "mine alone")
    page.get_by_role("button", name="Everyday 39").click()
    expect(page.locator("#prompts textarea")).to_have_value(re.compile("bending down\n"))
    take(page, WALKING)
    expect(page.locator(".elsewhere-only")).to_be_visible()
    run(page)
    expect(page.locator(".verdict")).to_contain_text("39 prompts in 16 frames", timeout=30_000)
    expect(page.locator(".verdict")).to_contain_text("Walking")
    expect(page.locator(".elsewhere-only")).to_be_hidden()
    expect(page.locator(".heat")).to_have_count(0)
    page.get_by_text("more prompts").click()
    assert len(ranked(page)) == 40
    page.click("#own-prompts")
    expect(page.locator("#prompts textarea")).to_have_value("mine alone")


def test_stop_ends_the_waiting_and_leaves_what_was_there(page):
    before = page.locator(".verdict").inner_text()
    page.click("#settings button >> nth=0")
    page.locator("#several").click()
    expect(page.locator("#templates textarea")).to_have_value(re.compile("a person is {}"))
    typed(page, *(f"a person with {n} things to carry" for n in range(480)))
    run(page)
    page.click("#stop")
    expect(page.locator("#notice .notice")).to_contain_text("Stopped.")
    expect(page.locator("#stop")).to_be_hidden()
    expect(page.locator("#run")).to_be_enabled()
    assert page.locator(".verdict").inner_text() == before
    page.get_by_text("Prompt alone").click()


def test_a_prompt_that_is_cut_says_so(page):
    typed(page, "waving " * 270, "🎺🎺🎺")
    run(page)
    remarks = page.locator(".prompted .notice.warn:visible")
    expect(remarks.filter(has_text="tokens and 256 are read")).to_have_count(1)
    expect(remarks.filter(has_text="emoji")).to_have_count(1)


@pytest.mark.nightly
def test_clips_are_searched_and_play_from_their_best_moment(page, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_text("no film")
    files = [example(WAVING).path, example(WALKING).path, broken]
    page.set_input_files("#search-files input[type=file]", files)
    expect(page.locator("#search-files")).to_contain_text("broken")
    page.locator("#search-for textarea, #search-for input").first.fill(TYPED[0])
    page.click("#search-go")
    expect(page.locator(".found button")).to_have_count(2)
    expect(page.locator(".search-results")).to_contain_text("1 left out")
    page.locator(".found button").first.click()
    page.wait_for_function("document.querySelector('.found-player video').readyState > 0")
    page.click("#learned button")
    expect(page.locator("#few-shots .plot.drawn:visible")).to_have_count(2)


@pytest.mark.nightly
def test_it_fits_a_phone_and_works_by_keyboard(page):
    page.set_viewport_size(PHONE)
    page.click("[data-toggle-theme]")
    page.locator(f'[data-example="{WAVING}"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator(".clip-facts")).to_contain_text(example(WAVING).title)
    box = page.locator("#prompts textarea")
    box.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type(START)
    page.locator("#run").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("7 prompts")
    page.locator(".chart [data-seek]").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.previousElementSibling.dataset.seek")
    page.locator(".best button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".heat")).to_be_visible()
    assert cut_off(page) == []


@pytest.mark.nightly
def test_pages_lead_to_each_other(page):
    page.set_viewport_size(DESK)
    page.get_by_role("link", name="Recognise", exact=True).click()
    page.wait_for_selector("#models")
    page.get_by_role("link", name="Prompts", exact=True).click()
    page.wait_for_selector("#prompts")
