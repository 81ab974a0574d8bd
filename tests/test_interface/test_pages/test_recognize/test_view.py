"""What the panel says of predictions, checked on predictions made by hand."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from har_demo.clips.clip import Clip, SourceFacts
from har_demo.interface.pages.recognize.view import results, seen, ticks
from har_demo.models.registry import card
from har_demo.recognize.agreement import agreement
from har_demo.recognize.prediction import ModelError, Prediction, SeenWindow
from tests.predictions import prediction_of

CLASSES = card("c3d_lab").classes


def clip_named(name: str = "wave.mp4", frames: int = 100) -> Clip:
    source = SourceFacts(name, "mov,mp4", "h264", 640, 480, 25.0, frames / 25, 1000)
    return Clip(Path("none.mp4"), 25.0, frames, 320, 240, "ab" * 32, source)


def prediction(model: str, scores, classes=CLASSES, label_set="Everyday 13", last=84) -> Prediction:
    return prediction_of(model, classes, label_set, scores, last)


def scores_for(*tops: int) -> np.ndarray:
    """Windows whose likeliest classes are `tops`, with 0.7, the rest shared evenly."""
    scores = np.full((len(tops), len(CLASSES)), 0.3 / (len(CLASSES) - 1), np.float32)
    scores[range(len(tops)), tops] = 0.7
    return scores


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_a_stopped_panel_waits_for_nothing_and_keeps_what_was_answered():
    a = prediction("c3d_lab", scores_for(2))
    page = results(clip_named(), {}, [(a, "")], ["R(2+1)D"], stopped=True)
    assert 'aria-busy="false"' in page and "pending" not in page
    assert f"{a.title} says {CLASSES[2]}" in text(page)
    assert "stopped before 1 more model answered" in text(page)
    nothing = results(clip_named(), {}, [], ["C3D", "R(2+1)D"], stopped=True)
    assert 'aria-busy="false"' in nothing and "No model had answered yet" in text(nothing)


def test_the_headline_counts_the_votes():
    a, b = prediction("c3d_lab", scores_for(2)), prediction("r2plus1d_lab", scores_for(2))
    other = prediction("r2plus1d_lab", scores_for(5))
    say = lambda *answers: text(results(clip_named(), {}, [(p, "") for p in answers]))  # noqa: E731
    assert f"{a.title} says {CLASSES[2]}" in say(a)
    assert f"Both models say {CLASSES[2]}" in say(a, b)
    assert f"All 3 models say {CLASSES[2]}" in say(a, b, a)
    assert "Every model says something else" in say(a, other)
    assert f"2 of 3 models say {CLASSES[2]}" in say(a, b, other)


def test_the_headline_does_not_claim_what_the_models_do_not():
    flat = np.full((1, len(CLASSES)), 1 / len(CLASSES), np.float32)
    flat[0, 3] += 0.01
    unsure = prediction("c3d_lab", flat)
    assert f"is not sure; its best guess is {CLASSES[3]}" in text(
        results(clip_named(), {}, [(unsure, "")])
    )
    page = text(results(clip_named(), {}, [(unsure, ""), (unsure, "")]))
    assert f"they know {len(CLASSES)} actions; this may be none of them" in page
    assert f"Both models are unsure; their best guess is {CLASSES[3]}" in page


def test_a_clip_of_several_actions_is_told_in_their_order():
    three = prediction("c3d_lab", scores_for(4, 4, 1, 1, 7, 7))
    page = text(results(clip_named(), {}, [(three, "")]))
    assert f"More than one action: {CLASSES[4]}, {CLASSES[1]} and {CLASSES[7]}" in page


def test_a_card_shows_the_ranked_top_five_with_time_and_origin():
    scores = np.array([[0.5, 0.2, 0.15, 0.1, 0.05] + [0.0] * (len(CLASSES) - 5)])
    page = results(clip_named(), {}, [(prediction("c3d_lab", scores), "")])
    names = re.findall(r'bar-name">([^<]+)<', page)
    values = re.findall(r'bar-value">([^<]+)<', page)
    assert names == list(CLASSES[:5])
    assert [v.replace("&lt;", "<") for v in values] == ["50 %", "20 %", "15 %", "10 %", "5.0 %"]
    assert "12 ms reading, 3 ms preparing, 1.9 s network" in text(page)
    assert "your own weights, accuracy unknown" in text(page)


def test_a_refusal_keeps_its_sentence_and_the_others_their_cards():
    refusal = ModelError("r3d_18", "R3D-18", "weights of R3D-18 (127 MB) are not here")
    page = text(
        results(clip_named(), {}, [(refusal, ""), (prediction("c3d_lab", scores_for(1)), "")])
    )
    assert "Weights of R3D-18 (127 MB) are not here" in page
    assert f"says {CLASSES[1]}" in page
    assert "1 model could not answer" in page


def test_the_timeline_shows_where_each_window_looked_and_seeks_there():
    page = results(clip_named(), {}, [(prediction("c3d_lab", scores_for(0, 0, 3, 3)), "")])
    lanes = page.split('class="lane-name"')[1:3]
    assert CLASSES[0] in lanes[0] and CLASSES[3] in lanes[1]  # in the order they happen
    cells = re.findall(r'data-seek="([\d.]+)".*?left:([\d.]+)%;width:([\d.]+)%', lanes[0])
    assert [float(seek) for seek, *_ in cells] == pytest.approx([0, 28 / 25, 56 / 25, 84 / 25])
    # 16 frames of 100, with gaps between: nobody looked there
    assert [float(left) for _, left, _ in cells] == pytest.approx([0, 28, 56, 84])
    assert [float(width) for *_, width in cells] == pytest.approx([16] * 4)


def test_overlapping_windows_share_the_time_between_them():
    page = results(
        clip_named(frames=34), {}, [(prediction("c3d_lab", scores_for(0, 0, 0), last=18), "")]
    )
    cells = re.findall(r"left:([\d.]+)%;width:([\d.]+)%", page.split('class="lane-name"')[1])
    spans = [(float(left), float(left) + float(width)) for left, width in cells]
    for (_, end), (start, _) in itertools.pairwise(spans):
        assert end == pytest.approx(start, abs=0.01)


def test_one_window_needs_no_timeline():
    assert "data-seek" not in results(
        clip_named(), {}, [(prediction("c3d_lab", scores_for(0)), "")]
    )


def test_names_from_strangers_are_escaped():
    page = results(clip_named("<img src=x onerror=alert(1)>.mp4"), {"clip": '"><b>'}, [], ["<i>"])
    assert "<img" not in page and "<b>" not in page and "<i>" not in page


def test_agreement_is_the_shared_probability_and_needs_the_same_classes():
    a, b = prediction("c3d_lab", scores_for(2)), prediction("r2plus1d_lab", scores_for(5))
    foreign = prediction("r3d_18", [[1.0]], classes=("waving",), label_set="Kinetics-400")
    matrix = agreement([a, b, foreign])
    rest = 0.3 / (len(CLASSES) - 1)
    assert matrix[0, 0] == pytest.approx(1)
    assert matrix[0, 1] == matrix[1, 0] == pytest.approx(0.3 + rest, abs=1e-6)
    assert np.isnan(matrix[0, 2]) and matrix[2, 2] == pytest.approx(1)
    page = text(results(clip_named(), {}, [(p, "") for p in (a, b, foreign)]))
    assert "taught different lists of actions" in page


def test_the_strip_shows_the_surest_window_of_the_overall_answer():
    scores = scores_for(0, 4, 4)
    scores[2, 4] = 0.9
    assert prediction("c3d_lab", scores).best_window == 2


@pytest.mark.parametrize("duration", [0.04, 0.6, 3.0, 12.0, 59.0, 600.0])
def test_the_axis_has_a_handful_of_round_ticks(duration):
    found = ticks(duration)
    assert 1 <= len(found) <= 5
    assert all(0 <= float(tick["left"]) < 100 for tick in found)


@pytest.mark.parametrize(
    ("model", "pictures", "said"),
    [
        ("single_frame_lab", 1, "2 different frames; the network receives 1 difference between"),
        ("c2d_lab", 16, "the network receives 16 differences between frames of 112 × 112"),
        ("two_stream_vgg16_spatial", 1, "the network receives 1 RGB frame of 224 × 224 pixels."),
    ],
)
def test_what_a_network_receives_is_counted_in_words(model, pictures, said):
    blank = np.zeros((2, 8, 8, 3), np.uint8)
    read = np.arange(card(model).input.frames_read)[None] * 3
    shown = SeenWindow(0, read[0, :2], blank[: read.size], blank[:1], pictures)
    assert said in text(str(seen(clip_named(), card(model), read, 1, shown)))
