"""The Compare page as a person uses it, in a real browser, and its rows for programs."""

import csv
import io
import json
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from har_demo.interface.pages.compare.selection import START, every_row, points, table_rows
from har_demo.tables.published import FOLDER, load
from tests.visitor import PHONE, cut_off, visitor

pytestmark = pytest.mark.browser


# The chart's points: of every trace with markers, the row and where it stands.
POINTS = """() => document.querySelector('#chart .plot').data.filter(trace => trace.mode === 'markers')
  .flatMap(trace => trace.customdata.map((row, n) => [row, trace.x[n], trace.y[n], trace.name]))"""
# Milliseconds from a press to the drawn chart.
REDRAWN = """async control => {
  const drawn = new Promise(done => document.querySelector('#chart')
    .addEventListener('plot-drawn', done, {once: true}));
  control.click();
  await drawn;
}"""


@pytest.fixture(scope="module")
def page(browser, server):
    with visitor(browser, f"{server}/compare", "#chart .labels span") as page:
        yield page


def choose(page, control: str, option: str) -> None:
    """Pick from a dropdown, and wait until the table follows."""
    before = page.locator("#table .compare-table").get_attribute("data-query")
    page.locator(f"{control} input").click()
    page.locator(f'{control} [role="option"][aria-label="{option}"]').click()
    page.wait_for_function(
        "before => document.querySelector('[data-query]').dataset.query !== before", arg=before
    )


def tick(page, text: str) -> None:
    """Press a radio or a box by its words, and wait until the chart is drawn anew."""
    page.get_by_label(text, exact=True).evaluate(REDRAWN)


def test_the_chart_shows_what_the_tables_say(page):
    expected, _ = points(START, table_rows(START, every_row()))
    shown = page.evaluate(POINTS)
    assert sorted(row[:3] for row in shown) == sorted(
        [p.row.id, p.cost, p.row.value] for p in expected
    )
    swin = next(row for row in load() if row["place"] == "lecture, line 629")
    assert [swin.id, 88, 78.8, "Video transformer"] in shown
    # Names do not meet.
    boxes = page.locator("#chart .labels span").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().toJSON())"
    )
    assert len(boxes) >= 12
    for n, a in enumerate(boxes):
        for b in boxes[:n]:
            assert (
                a["right"] <= b["left"]
                or b["right"] <= a["left"]
                or a["bottom"] <= b["top"] + 0.5
                or b["bottom"] <= a["top"] + 0.5
            )


def test_a_change_is_drawn_at_once_and_the_address_keeps_it(page):
    for text in ("FLOPs", "all views", "with the cost of flow", "Both, joined", "MACs", "one view"):
        tick(page, text)
    page.wait_for_function("location.search.includes('numbers=both')")
    assert len(page.evaluate(POINTS)) > 80
    assert page.evaluate("document.querySelector('#chart .plot').data[1].x.length") > 30
    page.locator("#mark input, #mark textarea").fill("swin-l")
    page.wait_for_function("location.search.includes('mark=swin-l')")
    names = page.locator("#chart .labels span").all_inner_texts()
    assert names and all("swin-l" in name.lower() for name in names)
    address = page.url
    page.goto(address)
    page.wait_for_function("document.querySelector('#chart .plot')?.data?.[1].x.length > 30")
    expect(page.get_by_label("Both, joined")).to_be_checked()
    expect(page.get_by_label("with the cost of flow")).to_be_checked()
    expect(page.locator("#mark input, #mark textarea")).to_have_value("swin-l")


def test_a_link_to_nothing_says_so(page, server):
    page.goto(f"{server}/compare?data_set=Atlantis&views=all")
    page.wait_for_selector("#notice .notice")
    expect(page.locator("#notice .notice")).to_contain_text("data_set=Atlantis")
    expect(page.get_by_label("all views")).to_be_checked()


def test_the_csv_is_the_file_and_the_json_says_the_same(page, server):
    page.goto(f"{server}/compare?sort=place")
    page.wait_for_selector("#chart .drawn")
    choose(page, "#data-set", "Mini-Kinetics-200")
    with page.expect_download() as taken:
        page.click("#csv")
    saved = Path(taken.value.path()).read_text("utf-8")
    file = (FOLDER / "mini_kinetics.csv").read_text("utf-8")
    assert sorted(saved.splitlines()) == sorted(file.splitlines())
    with page.expect_download() as taken:
        page.click("#json")
    told = json.loads(Path(taken.value.path()).read_text("utf-8"))
    rows = list(csv.DictReader(io.StringIO(saved)))
    assert [row["method"] for row in told] == [row["method"] for row in rows]
    shown = page.locator("#table [data-open]").all_inner_texts()
    assert shown == [row["method"] for row in rows]


def test_the_table_sorts_filters_and_opens_a_row(page):
    page.locator('#table [data-sort="-value"]').click()
    first = page.locator("#table tbody tr").first
    expect(first).to_contain_text("MFNet-PNL (×5)")
    page.locator("#search input, #search textarea").fill("2018 long-range")
    expect(page.locator("#table tbody tr")).to_have_count(2)
    expect(page.locator("#table .errata")).to_contain_text("17.88 below them could not be")
    first.locator("[data-open]").focus()
    page.keyboard.press("Enter")
    about = page.locator("#about-row .compare-details")
    expect(about).to_contain_text("har_demo/models/compact_global.py")
    page.locator("#search input, #search textarea").fill("")
    expect(page.locator("#table tbody tr")).to_have_count(14)


@pytest.mark.nightly
def test_a_press_on_a_point_opens_the_model_and_leads_to_it(page, server):
    page.goto(f"{server}/compare?data_set=Rendered people")
    page.wait_for_selector("#chart .drawn .points path")
    # Until the link is followed the chart is that of a page just opened.
    page.wait_for_function(f"({POINTS})().every(([row]) => row.startsWith('tiny:'))")
    row = page.evaluate(POINTS)[0][0]
    page.locator("#chart .points path").first.click(force=True)
    about = page.locator("#about-row .compare-details")
    expect(about).to_be_visible()
    model = next(one["model"] for one in every_row() if one.id == about.get_attribute("data-of"))
    assert model.endswith("_lab") and row
    run = about.get_by_role("link", name="Run it on my clip")
    assert run.get_attribute("href") == f"./?models={model}"
    about.get_by_role("link", name="layer by layer").wait_for()
    run.click()
    page.wait_for_selector("#models")
    page.wait_for_function(
        "model => [...document.querySelectorAll('#models input:checked')].map(b => b.value).join() === model",
        arg=model,
    )


@pytest.mark.nightly
def test_own_rows_are_checked_drawn_and_forgotten(page, server):
    page.goto(f"{server}/compare")
    page.wait_for_selector("#chart .drawn")
    page.get_by_role("button", name="Add rows of your own").click()
    pasted, said = page.locator("#pasted textarea"), page.locator("#notice .notice")
    pasted.fill("method,data set,metric,value\nMine,Kinetics-400,top-1,much")
    page.click("#add-rows")
    expect(said).to_contain_text("yours, line 2: 'value' is 'much'")
    pasted.fill(
        "method,data set,metric,value,cost (G)\n=HYPERLINK(1),Kinetics-400,top-1,90,10\n<b>x</b>,Kinetics-400,top-1,80,20"
    )
    page.click("#add-rows")
    expect(said).to_contain_text("2 rows of yours")
    assert ["yours:2", 10, 90, "Yours"] in page.evaluate(POINTS)
    expect(page.locator("#table tbody tr").first).to_contain_text("=HYPERLINK(1)")
    with page.expect_download() as taken:
        page.click("#csv")
    assert "\n'=HYPERLINK(1)," in Path(taken.value.path()).read_text("utf-8")
    page.click("#forget-rows")
    expect(page.locator("#table")).not_to_contain_text("HYPERLINK")
    expect(said).to_have_count(0)


def test_it_fits_a_phone_in_the_dark(page):
    page.set_viewport_size(PHONE)
    page.click("[data-toggle-theme]")
    page.wait_for_function("document.querySelector('#chart .main-svg').clientWidth < 390")
    assert cut_off(page) == []


def test_programs_get_the_rows(server):
    client = Client(server, verbose=False)
    told = client.predict(data_set="Mini-Kinetics-200", api_name="/published")
    assert [row["value"] for row in told] == [
        row.value for row in load() if row.table == "mini_kinetics"
    ]
    assert all(row["source"] and row["place"] for row in told)
    with urllib.request.urlopen(f"{server}/gradio_api/mcp/schema") as answer:
        tools = {tool["name"]: tool["description"] for tool in json.load(answer)}
    (said,) = [tools[name] for name in tools if name.endswith("list_published")]
    assert "accuracies with cost and source" in said
    with pytest.raises(AppError, match="There is no data set 'Mini' here"):
        client.predict(data_set="Mini", api_name="/published")
