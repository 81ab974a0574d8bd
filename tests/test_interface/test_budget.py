"""Questions that would take too long are refused before anything is computed, ordinary ones are not."""

import csv
from pathlib import Path

import pytest

from har_demo.assets import RESULTS
from har_demo.clips.clip import Clip, SourceFacts
from har_demo.errors import ChoiceError
from har_demo.explain.edits import EDITS, several
from har_demo.explain.samplings import FRAMES, KINDS, MOST_RUNS, STRIDES, ways
from har_demo.interface import budget
from har_demo.interface.links import CROPS, WINDOWS
from har_demo.interface.pages.motion.callbacks import sampled, tried
from har_demo.interface.pages.prompts.callbacks import question
from har_demo.interface.pages.recognize import api
from har_demo.interface.service import requests
from har_demo.models import registry
from har_demo.prompts import CLASS_LISTS, ENSEMBLE, PLAIN
from har_demo.prompts.words import LONGEST_TEMPLATE, MOST_TEMPLATES, check_templates
from har_demo.recognize import two_streams
from har_demo.recognize.defaults import TWO_TINY
from har_demo.recognize.prediction import Request
from har_demo.weights import shipped

TINY = sorted({entry["model"] for entry in shipped.entries()} & registry.cards().keys())


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    """The allowance that is set by default, on a machine of two cores without a GPU."""
    monkeypatch.delenv("HAR_BUDGET_SECONDS", raising=False)
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)


@pytest.fixture
def clip():
    """Ten seconds that are never read."""
    facts = SourceFacts("a.mp4", "mp4", "h264", 640, 480, 25.0, 10.0, 1000)
    return Clip(Path("never-read.mp4"), 25.0, 250, 452, 340, "0" * 64, facts)


@pytest.fixture
def no_model(monkeypatch):
    """Whoever gets as far as a model fails the test."""

    def reached(*given, **named):
        raise AssertionError("a question over the allowance reached its model")

    for name in (
        "har_demo.interface.pages.motion.callbacks.edited_grids",
        "har_demo.interface.pages.motion.callbacks.excerpt",
        "har_demo.interface.pages.prompts.callbacks.encode",
        "har_demo.interface.pages.recognize.api.recognized",
    ):
        monkeypatch.setattr(name, reached)


def test_every_choice_of_the_pages_passes_for_the_tiny_models_and_i3d(clip):
    longest = {"frames": None, "stride": None, "windows": max(WINDOWS), "crops": max(CROPS)}
    budget.check_models(clip, requests(TINY, longest))
    budget.check_models(clip, [Request("i3d", windows=max(WINDOWS), crops=max(CROPS), weights="x")])
    budget.check_models(clip, two_streams.requests_of("i3d", "tv-l1"))
    budget.check_edits(clip, TINY, len(several(EDITS)))
    budget.check_samplings(TINY, ways(KINDS, FRAMES, (*STRIDES, 2.0, 8.0)))
    for names in CLASS_LISTS.values():
        budget.check_prompts("embedded", names, ENSEMBLE, 16)
    budget.check_search("embedded", 50, 8)


def test_the_estimate_of_the_tiny_models_is_near_what_was_measured(clip):
    with open(RESULTS / "measured" / "tiny_times.csv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["machine"].startswith("Intel")]
    measured = sum(float(row["milliseconds"]) for row in rows) / 1000
    assert {row["threads"] for row in rows} == {"2"}
    gmacs = sum(registry.card(row["model"]).gmacs for row in rows)
    assert measured * 0.7 < gmacs / budget.rate() < measured * 1.5


def test_a_thousand_windows_of_every_model_are_refused(clip, no_model):
    all_of_it = {"frames": None, "stride": None, "windows": 1000, "crops": 3}
    with pytest.raises(ChoiceError, match=r"hours on this machine.*30 minutes.*fewer or smaller"):
        api._answers(None, clip, TINY, all_of_it)


def test_a_model_named_often_is_asked_once(clip):
    settings = {"frames": None, "stride": None, "windows": None, "crops": 1}
    assert requests(["c3d_lab", "r3d_lab"] * 1000, settings) == [
        Request("c3d_lab"),
        Request("r3d_lab"),
    ]


def test_a_model_without_weights_takes_no_time(clip, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    missing = [name for name in registry.cards() if name not in TINY]
    budget.check_models(clip, [Request(name, windows=1000, crops=3) for name in missing])
    with pytest.raises(ChoiceError, match="windows"):
        budget.check_models(clip, [Request("i3d", windows=1000, crops=3, weights="mine.pt")])


@pytest.mark.parametrize(
    ("seconds", "passes"), [("1", False), ("100000", True), ("0", True), ("", True)]
)
def test_the_allowance_is_set_by_a_variable(clip, monkeypatch, seconds, passes):
    monkeypatch.setenv("HAR_BUDGET_SECONDS", seconds)
    asked = [Request(name, windows=30, crops=3) for name in TWO_TINY]
    if passes:
        budget.check_models(clip, asked)
    else:
        with pytest.raises(ChoiceError, match="one question may take 1 seconds"):
            budget.check_models(clip, asked)


def test_edits_samplings_and_prompts_over_the_allowance_never_reach_a_model(
    clip, no_model, monkeypatch
):
    monkeypatch.setenv("HAR_BUDGET_SECONDS", "0.5")
    with pytest.raises(ChoiceError, match="fewer edits"):
        tried(None, clip, TINY, list(EDITS), 0)
    with pytest.raises(ChoiceError, match="fewer kinds, frames or strides"):
        sampled(None, clip, TINY[:3], KINDS, FRAMES, STRIDES, 0)
    with pytest.raises(ChoiceError, match="fewer or shorter prompts"):
        many = [f"a person doing {number}" for number in range(500)]
        question(None, clip, many, "embedded", list(PLAIN), True, "mean", None)


def test_samplings_are_counted_before_they_are_built():
    """Lists of a thousand each once became a thousand million samplings before any was dropped."""
    repeated = ways(["dense", "segments"] * 500, [8, 8.0] * 500, [1.0] * 1000)
    assert [(way.kind, way.frames, way.stride) for way in repeated] == [
        ("dense", 8, 1.0),
        ("segments", 8, None),
    ]
    strides = [1 + number / 1000 for number in range(100_000)]
    with pytest.raises(ChoiceError, match=rf"6400000 passes and the limit is {MOST_RUNS}"):
        ways(["dense"], range(1, 65), strides)
    for stride in (0, -1, float("nan"), "2"):
        with pytest.raises(ChoiceError, match="stride"):
            ways(["dense"], [8], [stride])


def test_templates_have_a_longest_and_a_most():
    with pytest.raises(ChoiceError, match=f"1000002 letters: give at most {LONGEST_TEMPLATE}"):
        check_templates(["a" * 1_000_000 + "{}"])
    with pytest.raises(ChoiceError, match=f"101 templates: give at most {MOST_TEMPLATES}"):
        check_templates([f"{number} {{}}" for number in range(101)])
    assert check_templates(["{}"] * 5000) == ("{}",)
