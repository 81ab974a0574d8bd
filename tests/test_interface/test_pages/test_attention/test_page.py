"""The Attention page as a person uses it, in a real browser, and its endpoints as a program does."""

import cv2
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from har_demo.clips.ingest import ingest
from har_demo.explain.attention import blocks
from har_demo.explain.export import attention_at, explained_attention, explained_class
from har_demo.explain.look import look
from har_demo.interface.examples import example
from har_demo.interface.pages.attention import view as results
from har_demo.models.registry import cards
from har_demo.weights import availability
from tests.visitor import cut_off, visitor

MODEL = "mfnet_pnl_lab"
SLOW = 60_000  # ms, for what takes some seconds where nobody else computes
WAVING, WALKING = "waving_both_hands.mp4", "walking.mp4"


@pytest.fixture(scope="module")
def one():
    return look(ingest(example(WAVING).path), MODEL)


@pytest.fixture(scope="module")
def page(browser, server):
    with visitor(browser, f"{server}/attention", "#run") as page:
        yield page


def _choose(page, title: str) -> None:
    page.locator("#model input").click()
    page.get_by_role("option", name=title, exact=True).click()


def _query(page) -> str:
    return page.get_attribute("#overlay svg", "data-query")


def _press(page, frame: int, x: float, y: float) -> None:
    strip = page.locator(".frames")
    box = strip.bounding_box()
    across, down = (frame % 4 + x) / 4 * box["width"], (frame // 4 + y) / 4 * box["height"]
    strip.click(position={"x": across, "y": down})


@pytest.mark.browser
def test_a_place_is_pressed_and_moved(page, one):
    page.click("#run")
    expect(page.locator("#notice .notice")).to_contain_text("There is no clip yet")
    page.click(f'[data-example="{WAVING}"]')
    expect(page.locator(".clip-facts")).to_contain_text(example(WAVING).title)
    _choose(page, "MFNet-PNL (tiny)")
    page.click("#run")
    page.wait_for_selector("#overlay svg")
    expect(page.locator(".looked h2")).to_contain_text(f"says '{one.top(1)[0][0]}'")
    assert page.locator(".frames image").count() == len(one.frames)

    page.locator("#where-part").scroll_into_view_if_needed()
    _press(page, 13, 0.9, 0.2)
    found = attention_at(one, (13.5 / 16, 0.2, 0.9)).result
    expect(page.locator("#overlay svg")).to_have_attribute("data-query", "3,1,6")
    assert found.cell == (3, 1, 6)
    expect(page.locator(".map-said").first).to_contain_text("of 232 cells")
    # The same cells are drawn as the engine gives: as many colours as the finest level has moments.
    images = page.eval_on_selector_all(
        "#overlay .cells", "all => all.map(one => one.getAttribute('href'))"
    )
    wanted = [cell["image"] for cell in results._cells(results._layout(one), found.levels[0][0])]
    assert images == wanted

    for key, cell in (("ArrowLeft", "3,1,5"), ("ArrowDown", "3,2,5"), ("Shift+ArrowLeft", "2,2,5")):
        page.keyboard.press(key)
        expect(page.locator("#overlay svg")).to_have_attribute("data-query", cell)
    for _ in range(5):  # the clip has a beginning
        page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#overlay svg")).to_have_attribute("data-query", "0,2,5")


@pytest.mark.browser
def test_levels_functions_and_files(page, one):
    page.locator("#level").get_by_text("1 × 2 × 2").click()
    expect(page.locator("#scores .ramp")).to_contain_text("1 × 2 × 2 cells, each lasts 16 frames")
    page.locator("#level").get_by_text("4 × 7 × 7").click()
    expect(page.locator(".functions .chosen")).to_contain_text("embedded Gaussian trained")
    page.locator("#function").get_by_text("dot product").click()
    expect(page.locator(".functions .chosen")).to_contain_text("dot product")
    page.locator("#difference input").check()
    expect(page.locator("#scores .ramp")).to_contain_text("than the trained one")
    assert page.evaluate("getComputedStyle(document.querySelector('.cells')).imageRendering") == (
        "pixelated"
    )
    page.locator("#smooth input").check()
    page.wait_for_function(
        "getComputedStyle(document.querySelector('.cells')).imageRendering === 'auto'"
    )
    with page.expect_download() as download:
        page.click("#attention-npz")
    held = np.load(download.value.path())
    t, h, w = (int(n) for n in _query(page).split(","))
    at = ((t + 0.5) / 4, (h + 0.5) / 7, (w + 0.5) / 7)
    wanted = attention_at(one, at, function="dot_product").result
    assert held["level_0"] == pytest.approx(wanted.levels[0], rel=1e-3, abs=1e-5)
    with page.expect_download() as download:
        page.click("#attention-png")
    assert cv2.imread(str(download.value.path())) is not None


@pytest.mark.nightly
@pytest.mark.browser
def test_a_class_is_chosen_and_its_map_tested(page):
    page.locator("#class-name input").click()
    page.get_by_role("option", name="clapping").click()
    expect(page.locator("#class-map .ramp")).to_contain_text("Class activation map of 'clapping'")
    page.click("#trust")
    expect(page.locator("#curves .map-said")).to_contain_text("parameters shuffled", timeout=SLOW)
    expect(page.locator("#curves .plot .main-svg").first).to_be_visible()
    page.locator("#method input").click()
    page.get_by_role("option", name="Attention rollout (transformers)").click()
    expect(page.locator("#class-map .notice")).to_contain_text("no rollout")
    expect(page.locator("#curves .map-said")).to_have_count(0)  # they were of the map before


@pytest.mark.browser
def test_another_model_without_attention_and_a_phone(page):
    page.click(f'[data-example="{WALKING}"]')
    expect(page.locator(".elsewhere-only")).to_be_visible()
    _choose(page, "TSM (tiny), class activation alone")
    page.click("#run")
    expect(page.locator(".looked h2")).to_contain_text("TSM (tiny) says", timeout=SLOW)
    expect(page.locator(".looked")).to_contain_text("no attention between places")
    expect(page.locator("#where-part")).to_be_hidden()
    expect(page.locator("#class-map svg")).to_be_visible()
    page.locator("#missing summary").click()
    expect(page.locator("#missing")).to_contain_text("MFNet-PNL (×5)")
    page.set_viewport_size({"width": 390, "height": 844})
    assert cut_off(page) == []


def test_programs_get_the_same_maps(server, one):
    client, file = Client(server, verbose=False), handle_file(str(example(WAVING).path))
    told, picture, array = client.predict(
        clip=file, model=MODEL, x=300, y=40, frame=9, api_name="/attention"
    )
    said = explained_attention(one, (300, 40, 9))
    assert told["query"] == list(said.result.cell) and told["words"] == said.words
    assert np.load(array)["level_0"] == pytest.approx(said.result.levels[0], abs=1e-5)
    assert cv2.imread(picture) is not None

    told, _, array = client.predict(
        clip=file, model=MODEL, action="clapping", api_name="/class_activation"
    )
    found = explained_class(one, "clapping").result
    assert told["class"] == "clapping"
    assert np.load(array)["values"] == pytest.approx(found.values, abs=1e-4)

    for endpoint, given, sentence in (
        ("/attention", {"model": "no_such", "x": 1, "y": 1, "frame": 0}, "no model named"),
        ("/attention", {"model": MODEL, "x": -5, "y": 1, "frame": 0}, "choose a point in there"),
        ("/attention", {"model": "tsm_lab", "x": 1, "y": 1, "frame": 0}, "no attention between"),
        ("/class_activation", {"model": MODEL, "method": "magic"}, "choose grad-cam"),
        ("/class_activation", {"model": "mfnet_pnl_x5"}, "MFNet-PNL"),
    ):
        with pytest.raises(AppError, match=sentence):
            client.predict(clip=file, api_name=endpoint, **given)


def test_only_models_with_weights_are_offered():
    names = [name for _, name in results.model_choices()]
    assert MODEL in names and "idt" not in names
    for name in names:
        assert availability(cards()[name]).state in ("shipped", "cached")
    first = [cards()[name].attends for name in names]
    assert first == sorted(first, reverse=True)
    missing = results.missing_models()
    assert "MFNet-PNL (×5)" in missing and "MFNet-PNL (tiny)" not in missing


def test_titles_of_strangers_are_escaped(one):
    from dataclasses import replace

    source = replace(one.clip.source, name="<script>alert(1)</script>.mp4")
    told = results.verdict_shown(
        replace(one, clip=replace(one.clip, source=source)), "x" * 64, True
    )
    assert "<script>" not in told and "&lt;script&gt;" in told


def test_choices_name_what_they_are(one):
    (of,) = blocks(one)
    assert results.block_choices((of,)) == [("conv4.5: pyramid non-local, 4 × 7 × 7", "conv4.5")]
    assert results.level_choices(of)[2] == ("1 × 2 × 2", 2)
    assert ("embedded Gaussian (trained)", "embedded_gaussian") in results.function_choices(of)
