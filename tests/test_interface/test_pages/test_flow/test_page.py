"""The Flow page as a person uses it, in a real browser, and the same for programs."""

import json
import re
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from har_demo.clips.ingest import ingest
from har_demo.flow.files import read_flo
from har_demo.flow.look import look
from har_demo.interface.examples import example
from har_demo.recognize import two_streams
from tests.visitor import PHONE, cut_off, visitor

pytestmark = pytest.mark.browser

WAVING, WALKING = "waving_both_hands.mp4", "walking.mp4"
SPAN = 0.4  # seconds: quick


@pytest.fixture(scope="module")
def page(browser, server):
    with visitor(browser, f"{server}/flow", "#run") as page:
        yield page


@pytest.fixture(scope="module")
def known():
    """What the engine says of the same span."""
    return look(ingest(example(WAVING).path), ["dis", "farneback"], 0.2, SPAN)


def take(page, file: str) -> None:
    page.click(f'[data-example="{file}"]')
    expect(page.locator(".clip-facts")).to_contain_text(example(file).title)


def choose(page, place: str, title: str) -> None:
    page.locator(f"{place} input").click()
    # Of two lists the one opened before may not have closed yet.
    page.locator(place).get_by_role("option", name=title, exact=True).click()
    expect(page.locator(f"{place} input")).to_have_value(title)


def span(page, start: float, seconds: float) -> None:
    page.locator("#start input").fill(str(start))
    page.locator("#seconds input[type=number]").fill(str(seconds))
    page.locator("#seconds input[type=number]").press("Tab")


def run(page) -> None:
    page.click("#run")
    expect(page.locator("#run")).to_be_enabled(timeout=60_000)


def test_what_cannot_be_computed_gets_a_sentence(page):
    said = page.locator("#notice .notice")
    run(page)
    expect(said).to_contain_text("There is no clip yet")
    take(page, WAVING)
    choose(page, "#method", "Farneback")
    expect(page.locator("#about-methods")).to_contain_text("parabola")
    choose(page, "#beside", "Farneback")
    run(page)
    expect(said).to_contain_text("Both methods are the same")
    span(page, 99, SPAN)
    choose(page, "#method", "DIS")
    run(page)
    expect(said).to_contain_text("the span cannot begin at 99")
    expect(page.locator(".flowing")).to_have_count(0)


def test_motion_is_shown_as_the_engine_finds_it(page, known):
    span(page, 0.2, SPAN)
    run(page)
    page.wait_for_selector(".network-view")
    expect(page.locator("#notice .notice")).to_have_count(0)
    count = len(known.pairs)
    expect(page.locator(".verdict")).to_contain_text(f"{count} pairs of frames, 320 × 240 pixels")
    cells = page.locator(".chart [data-pair]")
    expect(cells).to_have_count(count)
    assert f"DIS {known.ways[0].means[3]:.2f} pixels" in cells.nth(3).get_attribute("title")

    # A press on a moment goes there and shows its pair; the arrows step on.
    page.wait_for_function("document.querySelector('#clip video')?.readyState > 0")
    cells.nth(3).click()
    head = page.locator(".pair-head")
    expect(head).to_contain_text(f"4 of {count}")
    expect(head).to_contain_text(f"{known.pairs[3, 0]} and {known.pairs[3, 1]}")
    moment = known.seconds()[3]
    near = f"Math.abs(document.querySelector('#clip video').currentTime - {moment}) < 0.05"
    page.wait_for_function(near)
    page.get_by_label("The next pair").click()
    expect(head).to_contain_text(f"5 of {count}")
    expect(page.locator(".pair-flow .wipe")).to_have_count(2)
    expect(page.locator(".pair-apart")).to_contain_text("times as long as")

    # The frame is wiped over its flow, by keyboard too.
    page.locator(".wipe input").first.focus()
    page.keyboard.press("End")
    assert page.locator(".wipe").first.evaluate("e => e.style.getPropertyValue('--cut')") == "100%"

    # The camera stands still here, so that nothing changes when its motion is taken off.
    page.locator("#without-camera input").click()
    expect(page.locator(".flowing h3")).to_contain_text("without the camera's")
    expect(head).to_contain_text(f"5 of {count}")


def test_channels_are_shown_with_what_they_weigh(page):
    view = page.locator(".network-view")
    expect(view.locator(".stack img")).to_have_count(20)
    expect(view).to_contain_text("clipped to ±20 pixels")
    expect(view).to_contain_text("4.01 MB")
    expect(view).to_contain_text("2.42 ×")
    page.locator("#seen-by").get_by_text("our small stream").click()
    expect(view).to_contain_text("clipped to ±12 pixels")
    expect(view).to_contain_text("112 × 112 points")


def test_video_and_fields_can_be_taken_away(page, known, tmp_path):
    page.locator("#without-camera input").click()
    expect(page.locator(".flowing h3")).to_contain_text("the camera's included")
    page.click("#make-files")
    page.wait_for_selector("#film video")
    with page.expect_download() as download:
        page.click("#flo")
    with zipfile.ZipFile(download.value.path()) as archive:
        name = f"dis_{known.pairs[2, 0]:06d}.flo"
        assert len(archive.namelist()) == 1 + 2 * len(known.pairs)
        archive.extract(name, tmp_path)
    np.testing.assert_allclose(read_flo(tmp_path / name), known.field(0, 2), atol=1e-4)
    with page.expect_download() as download:
        page.click("#json")
    told = json.loads(Path(download.value.path()).read_text())
    assert told["methods"][1]["mean_px"] == pytest.approx(known.ways[1].means, abs=1e-3)


def test_two_streams_answer_or_say_what_is_missing(page):
    here = [
        name
        for name in two_streams.ready()
        if two_streams.state(two_streams.STREAMS[name]).state in ("shipped", "cached")
    ]
    if not here:
        expect(page.locator("#no-streams")).to_contain_text("No weights of a flow network")
        return
    expect(page.locator("#no-streams .notice")).to_have_count(0)
    page.click("#ask-streams")
    view = page.locator(".streams-view")
    both = two_streams.ask(ingest(example(WAVING).path), here[0])
    expect(view.locator(".stream-best .frame")).to_contain_text(both.spatial.top(1)[0][0])
    expect(view.locator(".stream-best .flow")).to_contain_text(both.temporal.top(1)[0][0])
    page.locator("#weight input[type=number]").fill("1")
    page.locator("#weight input[type=number]").press("Tab")
    expect(view.locator(".stream-best .fused")).to_contain_text(both.temporal.top(1)[0][0])
    expect(view).to_contain_text("1.00 × temporal")


@pytest.mark.nightly
def test_it_fits_a_phone_and_works_by_keyboard(page):
    page.set_viewport_size(PHONE)
    page.click("[data-toggle-theme]")
    page.locator(f'[data-example="{WALKING}"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator(".clip-facts")).to_contain_text(example(WALKING).title)
    expect(page.locator(".elsewhere-only")).to_be_visible()
    page.locator("#run").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_contain_text("Walking")
    expect(page.locator("#film video")).to_have_count(0)  # it was the other clip's
    page.get_by_label("The pair before").focus()
    before = page.locator(".pair-head").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator(".pair-head")).not_to_have_text(re.compile(re.escape(before)))
    assert cut_off(page) == []


def test_programs_get_the_same(server, known, tmp_path):
    client = Client(server, verbose=False)
    file = handle_file(str(example(WAVING).path))
    told = client.predict(clip=file, methods=["dis"], start=0.2, seconds=SPAN, api_name="/flow")
    assert told["methods"][0]["mean_px"] == pytest.approx(known.ways[0].means, abs=1e-3)
    video, archive = client.predict(
        clip=file, methods=["dis"], start=0.2, seconds=SPAN, api_name="/flow_files"
    )
    film = ingest(video["video"] if isinstance(video, dict) else video)
    assert (film.source.codec, film.frames) == ("h264", len(known.pairs))
    with zipfile.ZipFile(archive) as opened:
        assert len(opened.namelist()) == 1 + len(known.pairs)
    listed = client.predict(api_name="/flow_methods")
    assert {"dis", "raft-people", "flownet-c"} <= {one["name"] for one in listed}
    for asked, sentence in (
        ({"methods": ["horn"], "api_name": "/flow"}, "No optical flow is called 'horn'"),
        ({"methods": ["flownet-s"], "api_name": "/flow"}, "Weights of FlowNetS"),
        ({"streams": "late", "api_name": "/two_stream"}, "choose lab"),
        ({"weight": 2, "api_name": "/two_stream"}, "from 0 to 1"),
    ):
        with pytest.raises(AppError, match=sentence):
            client.predict(clip=file, **asked)


def test_assistants_find_the_tools(server):
    with urllib.request.urlopen(f"{server}/gradio_api/mcp/schema") as answer:
        tools = {tool["name"]: tool["description"] for tool in json.load(answer)}
    for name in ("flow_of_clip", "flow_files", "list_flow_methods", "two_stream"):
        assert any(tool.endswith(name) and told for tool, told in tools.items())
