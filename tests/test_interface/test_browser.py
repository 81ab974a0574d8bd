"""The main job as a person does it, in a real browser, on a clip no browser can play by itself."""

import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from har_demo.clips.frames import read_frames
from har_demo.clips.ingest import cached_clip, ingest
from har_demo.models.registry import cards
from har_demo.recognize.defaults import TWO_TINY
from har_demo.recognize.prediction import Request
from har_demo.recognize.recognize import recognize
from har_demo.weights import availability
from tests.media import acted, write
from tests.visitor import DESK, PHONE, cut_off

pytestmark = pytest.mark.browser

ANSWERED = ".results[aria-busy=false]"
CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"
REAL = Path(__file__).parents[3] / "shared" / "data" / "clips" / "biking.avi"
# HAR_SCREENSHOTS=1 renews the pictures that README shows.
PICTURES = Path(__file__).parents[2] / "results" / "screenshots"


@pytest.fixture(scope="module")
def avi(tmp_path_factory) -> Path:
    """Four seconds of jumping jacks in a container and codec that browsers do not play."""
    path = tmp_path_factory.mktemp("clips") / "jumping jacks.avi"
    return write(path, acted("jumping_jack", seconds=4.0), codec="mpeg4")


def upload(page, path: Path) -> None:
    page.set_input_files("#clip input[type=file]", str(path))


def tick(page, *models: str) -> None:
    """These models and no others, wherever in the list they are."""
    for part in page.query_selector_all("#models .picker-part:not([open])"):
        if any(part.query_selector(f'input[value="{name}"]') for name in models):
            part.query_selector("summary").click()
    for box in page.query_selector_all("#models .picker-part[open] input[name=model]:enabled"):
        box.set_checked(box.get_attribute("value") in models)


def run(page, *models: str) -> None:
    tick(page, *models)
    page.click("#run")


def shipped() -> list[str]:
    return [c.name for c in cards().values() if availability(c).state == "shipped"]


def ranked(page, model: str) -> list[str]:
    return page.locator(f'.card[data-model="{model}"] .bar-name').all_inner_texts()


def picture(page, name: str) -> None:
    if os.environ.get("HAR_SCREENSHOTS"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


@pytest.mark.parametrize("kind", ["generated", pytest.param("real", marks=pytest.mark.nightly)])
def test_a_clip_goes_in_and_the_ranked_actions_of_two_models_come_out(page, avi, kind):
    if kind == "real":
        if not REAL.is_file():
            pytest.skip("real clips are not beside this checkout")
        avi = REAL
    first, second = shipped()[:2]
    upload(page, avi)
    expect(page.locator(".clip-facts")).to_contain_text(avi.name)
    expect(page.locator(".clip-facts")).to_contain_text("mpeg4")
    run(page, first, second)
    page.wait_for_selector(ANSWERED)

    # What the page says is what the engine says.
    clip = ingest(avi)
    for answer in recognize(clip, [Request(first), Request(second)]):
        assert ranked(page, answer.model) == [name for name, _ in answer.top(5)]

    # The frames it saw, as filmed and as received, are real pictures.
    card = page.locator(f'.card[data-model="{first}"]')
    images = card.locator(".strip.filmed img")
    assert images.count() == cards()[first].input.frames
    assert all(images.nth(i).evaluate("image => image.naturalWidth > 0") for i in range(3))
    card.locator("[data-view=input]").check(force=True)
    expect(card.locator(".strip.filmed")).to_be_hidden()
    expect(card.locator(".strip.input")).to_be_visible()
    # ... and the choice holds for every card.
    expect(page.locator(f'.card[data-model="{second}"] .strip.input')).to_be_visible()

    # The copy plays here, and a press on the timeline goes to that moment and shows its frames.
    page.wait_for_function("document.querySelector('#clip video')?.readyState > 0")
    before = card.locator(".seen-head em").inner_text()
    other = 2 if "window 1 of" in before else 1
    cell = page.locator(f'[data-seek][data-model="{first}"]').nth(other - 1)
    cell.click()
    moment = float(cell.get_attribute("data-seek"))
    page.wait_for_function(
        f"Math.abs(document.querySelector('#clip video').currentTime - {moment}) < 0.05"
    )
    expect(card.locator(".seen-head em")).to_contain_text(f"window {other} of")

    # Files to take away say the same.
    with page.expect_download() as download:
        page.click("#json")
    told = json.loads(Path(download.value.path()).read_text())
    assert {one["model"] for one in told["predictions"]} == {first, second}
    with page.expect_download() as download:
        page.click("#csv")
    assert first in Path(download.value.path()).read_text()
    page.click("#annotate")
    page.wait_for_function("document.querySelector('#annotated video')?.readyState > 0")


@pytest.mark.nightly
def test_the_page_as_readme_shows_it(page):
    page.click('[data-example="several_actions.mp4"]')
    page.wait_for_selector(".clip-facts")
    run(page, *TWO_TINY)
    page.wait_for_selector(ANSWERED)
    expect(page.locator(".verdict h2")).not_to_be_empty()
    assert page.locator(".lane-track [data-seek]").count() >= 10
    picture(page, "recognise")
    page.click("[data-toggle-theme]")
    expect(page.locator("body")).to_have_class(re.compile("dark"))
    picture(page, "recognise-dark")


@pytest.mark.nightly
def test_a_link_brings_back_the_clip_the_models_and_the_settings(page, browser, avi, server):
    only = shipped()[1]
    upload(page, avi)
    page.wait_for_selector(".clip-facts")
    page.click("#settings button")
    page.locator("#settings").get_by_label("5", exact=True).check()
    run(page, only)
    page.wait_for_selector(ANSWERED)
    before = ranked(page, only)
    page.evaluate("navigator.clipboard.writeText = async text => { window.copied = text; }")
    page.click("#share")
    page.wait_for_function("window.copied")
    link = page.evaluate("window.copied")
    assert f"models={only}" in link and "windows=5" in link

    other = browser.new_page(viewport=DESK)
    other.goto(link)
    other.wait_for_selector(ANSWERED, timeout=90_000)
    assert ranked(other, only) == before
    assert other.locator(".card").count() == 1
    other.close()

    gone = browser.new_page()
    gone.goto(f"{server}/?clip={'0' * 64}&models={only}")
    expect(gone.locator("#clip-notice .notice")).to_contain_text("no longer on this server")
    gone.close()


@pytest.mark.nightly
def test_bad_input_gets_a_sentence_and_the_page_goes_on(page, avi, tmp_path):
    page.click("#run")
    expect(page.locator("#notice .notice")).to_contain_text("There is no clip yet")

    text = tmp_path / "notes.mp4"
    text.write_text("this is not a film")
    upload(page, text)
    expect(page.locator("#clip-notice .notice")).to_contain_text("notes.mp4")

    upload(page, avi)
    page.wait_for_selector(".clip-facts")
    expect(page.locator("#clip-notice .notice")).to_have_count(0)
    run(page)
    expect(page.locator("#notice .notice")).to_contain_text("No model is ticked")

    # A model whose weights cannot be fetched says so, and the other one answers all the same.
    run(page, shipped()[0], "r3d_18")
    page.wait_for_selector(ANSWERED)
    expect(page.locator(".card.refused")).to_contain_text("are not here and cannot be fetched")
    assert len(ranked(page, shipped()[0])) == 5


def test_stop_ends_the_waiting(page):
    page.click('[data-example="several_actions.mp4"]')
    expect(page.locator(".clip-facts")).to_contain_text("Several actions")
    page.click("#settings button")
    page.locator("#settings").get_by_label("100", exact=True).check()
    run(page, *shipped()[:6])
    page.wait_for_selector(".card.pending")
    page.click("#stop")
    expect(page.locator(".verdict")).to_contain_text("topped")
    expect(page.locator(".card.pending")).to_have_count(0)
    expect(page.locator("#stop")).to_be_hidden()

    # The work has ended too, so the next question is answered.
    page.locator("#settings").get_by_label("5", exact=True).check()
    run(page, shipped()[0])
    page.wait_for_selector(".card[data-model]")


@pytest.mark.nightly
def test_answers_stay_with_their_clip(page):
    page.click('[data-example="several_actions.mp4"]')
    expect(page.locator(".clip-facts")).to_contain_text("Several actions")
    page.click("#settings button")
    page.locator("#settings").get_by_label("5", exact=True).check()
    run(page, shipped()[0])
    page.wait_for_selector(ANSWERED)
    about = page.locator(".elsewhere-only")
    expect(about).to_be_hidden()

    # With another clip on the page the answers say whose they are, and nothing mixes the two.
    page.click('[data-example="walking.mp4"]')
    expect(about).to_contain_text("These answers are about Several actions in a row")
    expect(about).to_be_visible()
    page.wait_for_function("document.querySelector('#clip video')?.readyState > 0")
    page.locator("[data-seek]").nth(3).click()
    expect(page.locator(".seen-head em")).to_contain_text("window 4 of 5")
    assert page.evaluate("document.querySelector('#clip video').currentTime") == 0
    page.evaluate("navigator.clipboard.writeText = async text => { window.copied = text; }")
    page.click("#share")
    page.wait_for_function("window.copied")
    assert "example=several_actions.mp4" in page.evaluate("window.copied")
    page.click("#annotate")
    page.wait_for_function("document.querySelector('#annotated video')?.readyState > 0")
    assert page.evaluate("document.querySelector('#annotated video').duration") > 15

    page.click('[data-example="several_actions.mp4"]')
    expect(about).to_be_hidden()


@pytest.mark.nightly
def test_a_link_with_nonsense_says_so_and_asks_nothing(page, server):
    page.goto(
        f"{server}/?example=walking.mp4&models=no_such&frames=999999&stride=-1&windows=²&crops=7"
    )
    warning = page.locator("#clip-notice .notice")
    for part in ("no_such", "frames=999999", "stride=-1", "windows=²", "crops=7"):
        expect(warning).to_contain_text(part)
    expect(page.locator(".clip-facts")).to_contain_text("Walking")
    expect(page.locator("#run")).to_have_text("Recognise with 2 models")
    expect(page.locator(".toast-body")).to_have_count(0)
    expect(page.locator(".results")).to_have_count(0)


@pytest.mark.nightly
def test_own_weights_answer_for_the_model_they_are_for(page, tmp_path):
    name = shipped()[1]
    own = tmp_path / "my run.safetensors"
    own.write_bytes((CHECKPOINTS / f"{name}.safetensors").read_bytes())
    page.click('[data-example="walking.mp4"]')
    page.wait_for_selector(".clip-facts")
    page.click("#settings button")
    page.set_input_files("#settings input[type=file]", str(own))
    expect(page.locator("#settings")).to_contain_text("my run")
    tick(page)
    page.get_by_label("Your own weights for").click()
    page.get_by_role("option", name=cards()[name].title, exact=True).click()
    expect(page.locator("#run")).to_have_text("Recognise with 1 model")  # it ticks the model
    page.click("#run")
    expect(page.locator(".card .trust")).to_contain_text("your own weights, accuracy unknown")


def test_a_file_over_the_limit_is_refused_before_it_travels(page, avi):
    page.evaluate("document.querySelector('#too-big').dataset.megabytes = 0.001")
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    upload(page, avi)
    expect(page.locator("#too-big")).to_contain_text("jumping jacks.avi has 1 MB and the limit is")
    assert not [url for url in sent if "upload" in url]


def test_what_the_server_refuses_to_take_it_says_in_the_same_place(page, avi):
    full = "The disk of this server is almost full, so it takes no uploads: try again later."
    page.route("**/upload?*", lambda route: route.fulfill(status=507, body=full))
    upload(page, avi)
    expect(page.locator("#too-big")).to_have_text(full)
    page.unroute("**/upload?*")
    upload(page, avi)
    expect(page.locator("#too-big")).to_be_hidden()
    page.wait_for_selector(".clip-facts")


@pytest.mark.nightly
def test_the_webcam_is_not_mirrored(launch_browser, server, tmp_path):
    """What stands on the left of the camera's picture stands there for the models too."""
    scene = np.zeros((25, 240, 320, 3), np.uint8)
    scene[:, :, :160] = 220
    camera = write(tmp_path / "camera.mjpeg", scene, codec="mjpeg", pixels="yuvj420p")
    chromium = launch_browser(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
    )
    page = chromium.new_context(permissions=["camera", "microphone"]).new_page()
    page.set_default_timeout(60_000)
    page.goto(server)
    page.click('#clip button[aria-label="Capture from camera"]')
    page.click("#clip button:has-text('Click to Access Webcam')")
    page.click('#clip button[aria-label="start recording"]')
    page.wait_for_timeout(1500)
    page.click("#clip button:has-text('Stop')")
    expect(page.locator(".clip-facts")).to_contain_text("your recording")
    clip = cached_clip(page.locator(".clip-facts").get_attribute("data-clip"))
    frame = read_frames(clip, np.array([clip.frames // 2]))[0]
    left, right = np.split(frame.mean(axis=(0, 2)), 2)
    assert left.mean() > 180 and right.mean() < 60
    chromium.close()


def test_a_model_is_found_by_words_of_its_name_or_idea(page):
    seen = page.locator("#models .pick:visible")
    ready = seen.count()
    assert 0 < ready < len(cards())  # the rest is folded away
    search = page.get_by_placeholder("Find among")
    search.fill("384 swin-l")
    expect(seen).to_have_count(1)
    assert seen.locator("input").get_attribute("value") == "swin3d_l_384"
    search.fill("no such thing")
    expect(page.locator(".picker-none")).to_be_visible()
    search.fill("")
    expect(seen).to_have_count(ready)


@pytest.mark.nightly
def test_the_shipped_weights_are_checked_and_measured_again(page):
    page.set_viewport_size(PHONE)
    panel = page.locator("#health")
    expect(panel.locator("[data-health]")).to_have_count(0)  # nothing is looked up before
    panel.locator("button").first.focus()
    page.keyboard.press("Enter")
    expect(panel.locator("[data-health]")).to_have_count(len(shipped()), timeout=60_000)
    expect(panel.get_by_text("hash ok")).to_have_count(len(shipped()))
    panel.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_text("as the manifest says").first).to_be_visible()

    only = min((cards()[name] for name in shipped()), key=lambda card: card.gmacs or math.inf)
    page.get_by_label("Whose accuracy").click()
    page.get_by_role("option", name=only.title, exact=True).click()
    panel.get_by_label("2", exact=True).check()
    panel.get_by_text("Measure again on rendered clips").click()
    expect(panel.locator(".tally")).to_contain_text("of 2 right", timeout=60_000)
    expect(panel.locator(".tally")).to_contain_text("manifest says")
    expect(panel.locator(".measuring")).to_have_count(0, timeout=60_000)
    assert cut_off(page) == []

    # A second press goes on with other clips; Stop keeps what is found until then.
    panel.get_by_label("10", exact=True).check()
    panel.get_by_text("Measure again on rendered clips").click()
    expect(panel.locator(".tally")).to_contain_text(
        re.compile(r"of ([3-9]|1\d) right"), timeout=60_000
    )
    page.click("#measure-stop")
    expect(panel.locator(".measuring")).to_have_count(0, timeout=60_000)
    expect(page.locator("#measure-stop")).to_be_hidden()
    expect(page.locator("#measure")).to_be_enabled()


def test_it_fits_a_phone_and_works_by_keyboard(page):
    page.set_viewport_size(PHONE)
    assert cut_off(page) == []
    page.locator('[data-example="waving_both_hands.mp4"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".clip-facts")
    box = page.locator(f'#models input[value="{shipped()[0]}"]')
    box.focus()
    was = box.is_checked()
    page.keyboard.press("Space")
    assert box.is_checked() != was
    if was:
        page.keyboard.press("Space")
    page.locator("#run").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(ANSWERED)
    assert cut_off(page) == []
    # A lane of the timeline is one stop; arrows move along it.
    page.locator(".lane-track [data-seek]").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.window") == "1"
    picture(page, "phone")
