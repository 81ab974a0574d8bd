"""The Lecture page as a student reads it: chapters, pictures, links that lead on, data sets."""

import pytest
from gradio_client import Client
from playwright.sync_api import expect

from har_demo.interface.pages.lecture.pictures import picture
from har_demo.profiling.shapes import lanes
from har_demo.tables.lecture import CHAPTERS, data_sets, measured_of
from tests.visitor import PHONE, cut_off, visitor

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser, server):
    with visitor(browser, f"{server}/lecture", "#chapter-fusion .net-picture") as page:
        yield page


def test_the_chapters_stand_in_order_with_what_was_measured(page):
    headings = page.locator(".story h2").all_inner_texts()
    assert [words.split(maxsplit=1)[1] for words in headings[:9]] == [one.title for one in CHAPTERS]
    systems = CHAPTERS[0].systems
    cards = page.locator("#chapter-fusion .system")
    assert cards.count() == len(systems)
    for number, system in enumerate(systems):
        figure = measured_of(system).figures["arid6", "top1"]
        expect(cards.nth(number).locator(".limits li").first).to_contain_text(f"{figure.words()} %")
    drawn = page.locator("#chapter-fusion .net-picture").first
    volumes = lanes("single_frame")[0].volumes
    assert drawn.locator("g > title").all_text_contents() == [volume.words() for volume in volumes]


def test_a_step_leads_to_its_chapter(page):
    page.locator(".steps").get_by_text("Data sets through time").click()
    page.wait_for_selector("#chapter-data .drawn")
    page.wait_for_function(
        "document.querySelector('#chapter-data').getBoundingClientRect().top < 800"
    )
    assert page.url.endswith("/lecture#data")
    points = page.evaluate(
        "document.querySelector('#chapter-data .plot').data.flatMap(t => t.text)"
    )
    assert sorted(points) == sorted(one.name for one in data_sets())


def test_it_fits_a_phone(page):
    page.set_viewport_size(PHONE)
    page.wait_for_function("document.querySelector('#chapter-data .main-svg').clientWidth < 390")
    assert cut_off(page) == []


def test_a_system_leads_to_recognising_with_it_ticked(page):
    link = page.locator("#chapter-fusion").get_by_text("Run Slow Fusion (tiny)")
    link.click()
    page.wait_for_selector("#models input[value=slow_fusion_lab]", state="attached")
    expect(page.locator("#models input[value=slow_fusion_lab]")).to_be_checked()


def test_a_picture_is_escaped_and_named():
    drawn = picture("slowfast_lab", 172)
    assert 'aria-label="slow: ' in drawn and drawn.count("<title>") == sum(
        len(lane.volumes) for lane in lanes("slowfast_lab")
    )
    assert picture("idt", 0) == ""


def test_programs_get_the_story(server):
    told = Client(server, verbose=False).predict(api_name="/lecture")
    assert [one["name"] for one in told["chapters"]] == [one.name for one in CHAPTERS]
    assert len(told["data_sets"]) == len(data_sets())
