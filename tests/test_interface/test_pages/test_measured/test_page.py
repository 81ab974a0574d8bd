"""The Measured page as a student uses it: other sets and figures, a mistake to look at, times."""

import html
import json
import re

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from har_demo.interface.pages.measured.view import (
    ablations_shown,
    confusion_shown,
    curves_shown,
    scores_shown,
    sentences,
)
from har_demo.tables.ablations import answers
from har_demo.tables.measured import (
    FOLDER,
    METRICS,
    confusion,
    curves,
    curves_json,
    entries,
    entry,
    times,
)
from har_demo.tables.pareto import front
from har_demo.tables.rows import read_rows
from har_demo.tables.statistics import confidence_interval
from tests.visitor import PHONE, cut_off, visitor

pytestmark = pytest.mark.browser

BARS = "document.querySelector('#scores .plot').data[0]"


@pytest.fixture(scope="module")
def page(browser, server):
    with visitor(
        browser,
        f"{server}/measured?data=rendered&model=slow_fusion_lab",
        "#scores .drawn",
        "#matrix .drawn",
    ) as page:
        yield page


def drawn(page) -> dict[str, float]:
    """What the chart's bars say: model → percent."""
    return dict(page.evaluate(f"{BARS}.customdata.map((key, n) => [key, {BARS}.x[n]])"))


def scored(dataset: str, metric: str) -> dict[str, float]:
    return {
        one.key: round(one.figures[dataset, metric].mean, 2)
        for one in entries()
        if (dataset, metric) in one.figures
    }


def test_the_bars_are_the_tables_figures(page):
    assert drawn(page) == scored("rendered", "top1")
    page.get_by_text("Weizmann", exact=True).click()
    expect(page.locator("#scores h3")).to_contain_text("Weizmann, top-1")
    page.wait_for_function(f"{BARS}.x.length && document.querySelector('#scores h3')")
    assert drawn(page) == scored("weizmann", "top1")
    page.get_by_text(METRICS["order"][0], exact=True).click()
    expect(page.locator("#scores .notice")).to_contain_text("No model has a figure")
    page.get_by_text("Rendered people", exact=True).click()
    expect(page.locator("#scores h3")).to_contain_text("order in time")
    assert drawn(page) == scored("rendered", "order")
    whiskers = page.evaluate(f"{BARS}.customdata.map((key, n) => [key, {BARS}.error_x.array[n]])")
    figures = {one.key: one.figures.get(("rendered", "order")) for one in entries()}
    assert dict(whiskers) == {
        key: round(figure.interval[1] - figure.mean, 2) for key, figure in figures.items() if figure
    }
    page.wait_for_function("location.search.includes('figure=order')")
    assert "/measured?" in page.url


def test_the_matrix_is_that_of_the_model(page):
    page.locator("#whose input").fill("TSM")
    page.get_by_role("option", name="TSM", exact=True).click()
    expect(page.locator("#matrix h3")).to_contain_text("Confusion matrix of TSM")
    found = confusion(entry("tsm_lab"), "rendered")
    shares = page.evaluate("document.querySelector('#matrix .plot').data[1].z")
    wrong = sum(n is not None for row in shares for n in row)
    assert wrong == len(found.mistakes())


def test_the_curve_is_that_of_the_model_and_the_seed(page):
    expect(page.locator("#curve h3")).to_contain_text("Training of TSM")
    page.wait_for_selector("#curve .drawn")
    losses = "document.querySelector('#curve .plot').data.map(trace => trace.y)"
    kept = curves(entry("tsm_lab"))
    assert page.evaluate(losses) == [[loss for _, _, loss, _ in one.points] for one in kept]
    page.locator("#seed").get_by_text("seed 1", exact=True).click()
    page.wait_for_function("document.querySelector('#curve .plot').data?.length === 1")
    assert page.evaluate(losses) == [[loss for _, _, loss, _ in kept[1].points]]
    page.locator("#seed").get_by_text("all seeds", exact=True).click()
    page.wait_for_function("document.querySelector('#curve .plot').data?.length === 2")


def test_steps_go_on_where_the_first_stage_ended_and_what_has_no_curve_says_so():
    (figure,) = re.findall(r'data-figure="([^"]+)"', curves_shown("tsm_lab", "0"))
    data = json.loads(html.unescape(figure))
    steps, points = data["data"][0]["x"], curves(entry("tsm_lab"))[0].points
    assert steps == sorted(set(steps)) and len(steps) == len(points)
    (begins,) = [shape["x0"] for shape in data["layout"]["shapes"]]
    assert points[steps.index(begins)][:2] == ("finetune", 0)
    assert "has no curve" in curves_shown("idt_lab", "all")
    assert "with seed 0 and 1" in curves_shown("tsm_lab", "9")


@pytest.mark.nightly
def test_a_press_plays_clips_that_are_answered_so(page):
    page.locator("#matrix [data-mistake]").first.click()
    page.wait_for_selector("#films video")
    expect(page.locator("#films")).to_contain_text("rendered test clip")
    page.wait_for_function("document.querySelector('#films video').videoWidth === 144")
    if page.locator("#films-stop").is_visible():
        page.click("#films-stop")
    expect(page.locator("#films-stop")).to_be_hidden()


@pytest.mark.nightly
def test_who_read_another_input_than_the_shipped_weights_says_so(page):
    other = next(one for one in entries() if one.key != one.model)
    page.locator("#whose input").fill(other.title)
    page.get_by_role("option", name=other.title, exact=True).click()
    expect(page.locator("#matrix h3")).to_contain_text(f"Confusion matrix of {other.title}")
    page.locator("#matrix [data-mistake]").first.click()
    expect(page.locator("#films .notice")).to_contain_text(
        "shipped are the weights for another input", timeout=30_000
    )


def test_names_of_the_quickest_lie_over_no_point_and_no_name(page):
    taken, score = next(iter(times().values())), scored("rendered", "top1")
    timed = [one for one in entries() if one.key in score and one.key in taken]
    best = front([(taken[one.key], score[one.key]) for one in timed])
    named = page.locator("#times .labels span")
    named.first.wait_for()
    assert set(named.all_inner_texts()) <= {timed[place].title for place in best}
    # At one moment: what is loaded above moves the chart.
    names, points = page.locator("#times").evaluate(
        "one => ['.labels span', '.points path'].map("
        "what => [...one.querySelectorAll(what)].map(each => each.getBoundingClientRect().toJSON()))"
    )
    assert len(names) >= 4 and len(points) == len(timed)
    for n, a in enumerate(names):
        for b in names[:n] + points:
            assert (
                a["right"] <= b["left"] + 0.5
                or b["right"] <= a["left"] + 0.5
                or a["bottom"] <= b["top"] + 0.5
                or b["bottom"] <= a["top"] + 0.5
            )


@pytest.mark.nightly
def test_times_are_recorded_measured_and_can_be_stopped(page):
    recorded = page.locator("#times")
    expect(recorded).to_contain_text("as recorded")
    machine, taken = next(iter(times().items()))
    expect(recorded.locator("h3")).to_contain_text(machine)
    quickest = min(taken[one.model] for one in entries() if one.model in taken)
    first = recorded.locator(".times li").first
    expect(first).to_contain_text(f"{quickest:.1f} ms")
    for other in list(times())[1:]:
        expect(recorded).to_contain_text(other)
        expect(first.locator(f"[title='{other}']")).to_contain_text("ms")
    page.click("#time")
    page.wait_for_selector("#times progress")
    page.wait_for_selector("#times .times li")
    page.click("#time-stop")
    expect(page.locator("#times .notice")).to_contain_text("Stopped")
    expect(page.locator("#time-stop")).to_be_hidden()
    page.click("#time")
    page.wait_for_selector("#times progress")
    page.click("#time-stop")


def test_all_bars_of_a_question_have_one_scale(page):
    """Whether a deviation stands beside them or not."""
    page.wait_for_selector("#ablations .questions .bar")
    widths = page.evaluate(
        """[...document.querySelectorAll('#ablations .questions .panel')].map(panel =>
        [...panel.querySelectorAll('.bar')].map(bar => Math.round(bar.clientWidth)))"""
    )
    assert len(widths) > 10 and all(len(set(one)) == 1 and one[0] > 50 for one in widths)


def test_it_fits_a_phone(page):
    page.set_viewport_size(PHONE)
    page.wait_for_function("document.querySelector('#scores .main-svg').clientWidth < 390")
    assert cut_off(page) == []


def test_sentences_go_to_their_questions():
    text = "# A\n\nintro\n\n## frames: how many?\n\n| a | b |\n\nOne.\ngoes on\n\nTwo.\n\n## `non_local`\nThree."
    found = sentences(text)
    assert found["frames"] == ("One. goes on", "Two.") and found["non_local"] == ("Three.",)


def test_whiskers_are_of_clips_where_clips_are_counted():
    """Of a mean over classes or a calibration error the number of clips says nothing so simple."""
    counted, mean = scores_shown("arid6", "top1"), scores_shown("arid6", "class_mean")
    best = max((one.figures["arid6", "top1"] for one in entries()), key=lambda f: f.mean)
    low, high = confidence_interval(round(best.mean * 55 / 100), 55)
    assert f"{best.mean:.0f} % may be anything from {low:.0f} to {high:.0f} %" in counted
    assert "arrayminus" in counted
    assert "may be anything" not in mean and "arrayminus" not in mean


def test_a_change_has_a_bar_on_the_chosen_set_and_one_on_rendered_people():
    """Each with its figure, and a line from and to where it could as well lie."""
    row = next(row for row in answers(read_rows(FOLDER / "tiny.csv")) if "arid6" in row)
    low, high = confidence_interval(round(row["arid6"] * 55 / 100), 55)
    drawn = ablations_shown("arid6").split("<article")[1].split("</li>")[0]
    assert row["label"] in drawn and drawn.count('class="bar"') == 2
    assert [f"<span>{row[name]:.1f}" in drawn for name in ("arid6", "rendered")] == [True, True]
    left, width = map(float, re.search(r"left:([\d.]+)%;width:([\d.]+)%", drawn).groups())
    assert (left, left + width) == pytest.approx((low, high)) and left < row["arid6"] < high
    alone = ablations_shown("rendered").split("<article")[1].split("</li>")[0]
    assert alone.count('class="bar"') == 1 and f"<span>{row['rendered']:.1f}" in alone


def test_another_choice_does_not_read_the_large_table_again(monkeypatch):
    def draw():
        scores_shown("rendered", "top1")
        confusion_shown("rendered", "top1", "tsm_lab")
        ablations_shown("rendered")

    draw()
    opened = []
    monkeypatch.setattr("har_demo.tables.rows.read_rows", opened.append)
    draw()
    assert opened == []


def test_programs_get_the_same(server):
    client = Client(server, verbose=False)
    told = {(one["model"], one["input"]): one for one in client.predict(api_name="/measured")}
    assert len(told) == len(entries())
    one = entry("tsm_lab")
    assert told["tsm_lab", "rgb"]["milliseconds"] == {
        machine: taken["tsm_lab"] for machine, taken in times().items()
    }
    figures = {(f["dataset"], f["metric"]): f["percent"] for f in told["tsm_lab", "rgb"]["figures"]}
    assert figures["rendered", "top1"] == round(one.figures["rendered", "top1"].mean, 2)
    assert client.predict(model="tsm_lab", api_name="/curves") == curves_json(one)
    counts = client.predict(model="tsm_lab", dataset="arid6", api_name="/confusion")["counts"]
    assert sum(map(sum, (row.values() for row in counts.values()))) == 55 * len(one.seeds)
    with pytest.raises(AppError, match="choose arid6"):
        client.predict(model="tsm_lab", dataset="ucf101", api_name="/confusion")
