"""The Compute page as a student uses it: another network, other views, one convolution."""

import base64
import csv
import io

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from har_demo.interface.pages.compute.view import layers_shown, thousands
from har_demo.profiling.convolutions import convolutions
from har_demo.profiling.what_if import explore
from tests.visitor import PHONE, cut_off, visitor

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser, server):
    with visitor(browser, f"{server}/compute?model=tsm_lab&count=FLOP", "#layers .drawn") as page:
        yield page


def tile(page, number: int) -> str:
    return page.locator(".tiles dd:not(.dim)").nth(number).inner_text()


def test_a_link_names_the_network_and_the_bars_are_its_layers(page):
    found = explore("tsm_lab")
    expect(page.locator(".compute h2")).to_have_text(found.card.title)
    assert tile(page, 1) == thousands(found.gmacs * 2e9)  # the link asks for FLOPs
    bars = page.evaluate("document.querySelector('#layers .plot').data.map(bars => bars.y)")
    assert bars[0] == [layer.parameters for layer in found.layers]
    assert bars[1] == pytest.approx([layer.gmacs * 2e9 for layer in found.layers])
    assert bars[2] == pytest.approx([layer.megabytes * 1e6 for layer in found.layers])
    link = page.locator(".take a").first
    text = base64.b64decode(link.get_attribute("href").split(",")[1]).decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == len(found.layers) + 2 and rows[1][0] == found.layers[0].name


def test_another_network_and_another_view(page):
    box = page.locator("#explored input")
    box.fill("R3D-18")
    page.get_by_role("option", name="R3D-18 ·").click()
    expect(page.locator(".compute h2")).to_have_text(explore("r3d_18").card.title)
    frames = page.locator("#frames input[type=number]")
    frames.fill("32")
    frames.press("Tab")
    expect(page.locator(".compute header")).to_contain_text("32 frames of 112")
    assert tile(page, 1) == thousands(explore("r3d_18", 32).gmacs * 2e9)
    page.get_by_text("multiply-adds (MACs)").click()
    expect(page.locator(".tiles dd:not(.dim)").nth(1)).to_have_text(
        thousands(explore("r3d_18", 32).gmacs * 1e9)
    )
    page.wait_for_function("location.search.includes('frames=32')")
    assert "/compute?model=r3d_18" in page.url and "count=MAC" in page.url
    # A network with full connections takes its own size alone, and the page says so.
    box.fill("c3d (")
    page.get_by_role("option", name="C3D (pool5").click()
    expect(page.locator("#side input[type=number]")).to_be_disabled()
    expect(page.locator("#side")).to_contain_text("takes no other")


def test_the_formulas_follow_the_sliders(page):
    page.locator("#outputs input[type=number]").fill("128")
    page.locator("#groups").get_by_text("4", exact=True).click()
    for way in convolutions(64, 128, 3, 4, 8, 28):
        card = page.locator(f'[data-way="{way.name}"]')
        if not way.parts:
            expect(card).to_contain_text("as many must go out")
            continue
        exact = card.locator("[data-exact]")
        for place, value in enumerate((way.parameters, way.macs, way.interactions)):
            expect(exact.nth(place)).to_have_attribute("data-exact", f"{value:,}")
    expect(page.locator(".formulas")).to_contain_text("128 · 64/4 · 3³ = 55,296")


def test_it_fits_a_phone(page):
    page.set_viewport_size(PHONE)
    page.wait_for_function("document.querySelector('#layers .main-svg').clientWidth < 390")
    assert cut_off(page) == []
    inside = page.evaluate("document.querySelector('.compute').getBoundingClientRect().right")
    assert inside <= PHONE["width"]


@pytest.mark.nightly
def test_an_unknown_network_of_a_link_gets_a_sentence(browser, server):
    page = browser.new_page()
    page.goto(f"{server}/compute?model=r3d_81&frames=1e9")
    expect(page.locator("#layers .notice")).to_contain_text("did you mean")
    page.close()


def test_a_view_that_does_not_fit_is_said():
    assert "cannot take" in layers_shown("c3d", 16, 160, "MAC")


def test_the_same_network_in_another_unit_is_not_counted_again(monkeypatch):
    first = layers_shown("swin3d_t", 32, 224, "MAC")
    monkeypatch.setattr("har_demo.profiling.what_if.layers", lambda *asked, **how: pytest.fail())
    again = layers_shown("swin3d_t", 32, 224, "FLOP")
    assert again != first and "count=FLOP" in again
    with pytest.raises(pytest.fail.Exception):  # another view is counted
        layers_shown("swin3d_t", 8, 224, "MAC")


def test_programs_get_the_same(server):
    client = Client(server, verbose=False)
    told = client.predict(model="r3d_lab", frames=8, api_name="/layers")
    assert told == explore("r3d_lab", 8).as_json()
    ways = client.predict(inputs=64, outputs=128, groups=4, api_name="/convolution")
    assert [way["macs"] for way in ways] == [way.macs for way in convolutions(64, 128, 3, 4)]
    with pytest.raises(AppError, match="no_such"):
        client.predict(model="no_such", api_name="/layers")
    with pytest.raises(AppError, match="do not divide"):
        client.predict(groups=7, api_name="/convolution")
