"""The Motion page as a person uses it, in a real browser, and its endpoints."""

import csv
import json
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from har_demo.clips.ingest import ingest
from har_demo.explain.edits import EDITS, several
from har_demo.explain.film import film
from har_demo.explain.samplings import samplings, ways
from har_demo.explain.sensitivity import grid
from har_demo.interface.examples import example
from tests.visitor import PHONE, cut_off, visitor

WALKING = "walking.mp4"
MODELS = ["slow_fusion_lab", "mfnet_pnl_lab"]  # ticked when the page is opened


@pytest.fixture(scope="module")
def page(browser, server):
    with visitor(browser, f"{server}/motion", "#run") as page:
        yield page


def picture(page, film: str) -> str:
    return page.evaluate(f"getComputedStyle(document.querySelector('{film}')).backgroundImage")


@pytest.mark.nightly
@pytest.mark.browser
def test_every_edit_shows_what_it_does_before_any_model_is_asked(page):
    expect(page.locator("#run")).to_have_text("Try with 2 models")
    page.click("#run")
    expect(page.locator("#notice .notice")).to_contain_text("There is no clip yet")
    page.click(f'[data-example="{WALKING}"]')
    page.wait_for_function(
        "getComputedStyle(document.querySelector('#edits .film')).backgroundImage !== 'none'"
    )
    strips = [picture(page, f'#edits .film[data-film="{name}"]') for name in EDITS]
    assert "none" not in strips and len(set(strips)) == len(EDITS)
    before = strips[list(EDITS).index("blur")]
    page.locator('[data-edit="blur"] input[type=range]').focus()
    page.keyboard.press("End")
    expect(page.locator('[data-edit="blur"] output')).to_have_text("10 %")
    page.wait_for_function("document.querySelector('[data-edit=blur] .film').style.backgroundImage")
    assert picture(page, '#edits .film[data-film="blur"]') != before


@pytest.mark.nightly
@pytest.mark.browser
def test_the_grid_says_what_the_engine_says(page):
    page.click(f'[data-example="{WALKING}"]')
    expect(page.locator(".clip-facts")).to_contain_text(example(WALKING).title)
    page.get_by_role("button", name="Time only").click()
    for name in ("freeze", "single", "drop", "speed"):
        page.locator(f'[data-edit="{name}"] input[type=checkbox]').uncheck()
    page.locator('[data-edit="blur"] input[type=checkbox]').check()
    page.locator('[data-edit="blur"] input[type=range]').focus()
    page.keyboard.press("End")
    expect(page.locator('[data-edit="blur"] output')).to_have_text("10 %")
    page.click("#run")
    page.wait_for_selector(".sensitivities")
    asked = several(["reverse", "shuffle", "blur=0.1"])
    *_, last = grid(film(ingest(example(WALKING).path)), MODELS, asked)
    lines = page.locator(".grid tbody tr:not(.kind)")
    expect(lines).to_have_count(4)
    for column, row in enumerate(last.rows):
        for line, cell in enumerate(row.cells, start=1):
            told = lines.nth(line).locator("td").nth(column)
            expect(told).to_contain_text(cell.answer)
            expect(told).to_contain_text(f"{cell.distance:.2f}")
        bars = page.locator(".sensitivities li").nth(column).locator(".bar-value")
        assert bars.all_inner_texts() == [f"{row.temporal:.2f}", f"{row.picture:.2f}"]
    with page.expect_download() as download:
        page.click("#csv")
    rows = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    assert [r["edit"] for r in rows] == ["", "reverse", "shuffle", "blur"] * 2
    page.locator('[data-watch="reverse"]').click()
    page.wait_for_function("document.querySelector('#played video')?.readyState > 0")


@pytest.mark.browser
def test_samplings_show_frames_answers_and_costs(page):
    page.click(f'[data-example="{WALKING}"]')
    expect(page.locator(".clip-facts")).to_contain_text(example(WALKING).title)
    page.get_by_role("tab", name="Samplings").click()
    for name in ("16", "32"):
        page.get_by_role("checkbox", name=name, exact=True).uncheck()
    page.click("#run")
    page.wait_for_selector(".motion:not(.partial) .sampled")
    assert (
        page.locator(".sampled tbody tr:not(.kind)").count() == (2 + 1) * 4
    )  # 10 frames are fixed
    expect(page.locator(".said")).to_contain_text("Slow Fusion (tiny) always takes 10 frames")
    first = page.locator(".sampled tbody tr:not(.kind)").first
    assert first.locator("line").count() == 4
    with page.expect_download() as download:
        page.click("#json")
    told = json.loads(Path(download.value.path()).read_text())["passes"]
    found = samplings(
        film(ingest(example(WALKING).path)), MODELS[:1], ways(frames=[10], strides=[1, 4])
    )
    for said, one in zip(told[:4], found, strict=True):
        assert said["top"][0]["class"] == one.answer.top(1)[0][0]
        assert said["frame_numbers"] == one.indices.tolist()


@pytest.mark.browser
def test_stop_keeps_what_was_answered(page):
    page.get_by_role("tab", name="Edits").click()
    page.locator("#edits").get_by_role("button", name="Picture only").click()
    page.click("#run")
    page.wait_for_selector(".partial .answer")
    page.click("#stop")
    expect(page.locator(".verdict h2")).to_contain_text("Stopped after")
    expect(page.locator("#run")).to_be_enabled()
    page.wait_for_timeout(800)
    expect(page.locator(".verdict h2")).to_contain_text("Stopped after")


@pytest.mark.nightly
@pytest.mark.browser
def test_it_fits_a_phone_and_works_by_keyboard(page):
    page.set_viewport_size(PHONE)
    page.click("[data-toggle-theme]")
    page.locator("[data-tick-edits=time]").focus()
    page.keyboard.press("Enter")
    page.locator("#run").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".sensitivities")
    expect(page.locator(".grid tbody tr:not(.kind)")).to_have_count(7)
    assert cut_off(page) == []


def test_programs_try_edits_and_samplings(server):
    client = Client(server, verbose=False)
    clip = handle_file(str(example(WALKING).path))
    told = client.predict(
        clip=clip, models=["tsm_lab"], edits=["reverse", "darken=0.5"], api_name="/edits"
    )
    *_, last = grid(
        film(ingest(example(WALKING).path)), ["tsm_lab"], several(["reverse", "darken=0.5"])
    )
    said = told["models"][0]
    assert said["temporal_sensitivity"] == pytest.approx(last.rows[0].temporal, abs=1e-4)
    assert [one["answer"] for one in said["edits"]] == [c.answer for c in last.rows[0].cells]

    video = client.predict(clip=clip, edit="speed=4", api_name="/edited")
    fast = ingest(video["video"] if isinstance(video, dict) else video)
    assert fast.frames == 20 and fast.source.codec == "h264"

    told = client.predict(
        clip=clip, models=["tsm_lab"], kinds=["uniform"], frames=[8], api_name="/samplings"
    )
    assert [one["frames"] for one in told["passes"]] == [8] and told["passes"][0]["gmacs"] > 1
    assert [one["edit"] for one in client.predict(api_name="/edit_list")] == list(EDITS)

    for name, wrong, sentence in (
        ("/edits", {"models": ["tsm_lab"], "edits": ["upside-down"]}, "No edit is called"),
        ("/edits", {"models": []}, "No model is ticked"),
        ("/edits", {"models": ["tsm_lab"], "start": 99}, "start somewhere"),
        ("/edited", {"edit": "darken=7"}, "a number from"),
        ("/samplings", {"models": ["tsm_lab"], "kinds": ["sparse"]}, "No sampling is called"),
    ):
        with pytest.raises(AppError, match=sentence):
            client.predict(clip=clip, api_name=name, **wrong)
    with urllib.request.urlopen(f"{server}/gradio_api/mcp/schema") as answer:
        tools = " ".join(tool["name"] for tool in json.load(answer))
    assert all(name in tools for name in ("try_edits", "edited", "try_samplings", "list_edits"))
