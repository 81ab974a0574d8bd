"""The panel says in words what is wrong, and how far a few clips can be trusted."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from har_demo.interface.pages.recognize import health
from har_demo.interface.pages.recognize.health import (
    EVERY,
    Tally,
    measure_again,
    show_health,
    stopped,
)
from har_demo.models.registry import cards
from har_demo.recognize import networks
from har_demo.weights import shipped

CHECKPOINTS = Path(__file__).parents[4] / "checkpoints"
ENTRIES = shipped.entries(CHECKPOINTS)


@pytest.fixture
def copy(tmp_path, monkeypatch) -> Path:
    """checkpoints/ with two of the shipped models, to be damaged."""
    for entry in ENTRIES[:2]:
        shutil.copy(CHECKPOINTS / entry["file"], tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"checkpoints": ENTRIES[:2]}))
    monkeypatch.setenv("HAR_CHECKPOINTS", str(tmp_path))
    networks.forget()  # what other tests loaded was not damaged
    return tmp_path


@pytest.fixture
def short_clips(monkeypatch):
    """Six frames are soon rendered."""
    monkeypatch.setattr("har_demo.research.training.recognition.figures.FRAMES", 6)
    monkeypatch.setattr("har_demo.research.training.recognition.staged.FRAMES", 6)


def measured(*given):
    """What a press on the button yields."""
    return measure_again(*given, SimpleNamespace(session_hash="visitor"))


def test_every_shipped_checkpoint_has_a_line(copy):
    html = show_health()
    assert "2 of 2 shipped checkpoints are what the manifest beside them says" in html
    for entry in ENTRIES[:2]:
        assert f'data-health="{entry["model"]}"' in html and cards()[entry["model"]].title in html
    for words in ("file ok", "hash ok", "label set ok", "parameters fit", "accuracy measured"):
        assert html.count(words) == 2
    assert "✗" not in html


def test_what_is_wrong_stands_there_in_words(copy):
    file = copy / ENTRIES[1]["file"]
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    html = show_health()
    assert "1 of 2 shipped checkpoints" in html
    assert html.count("hash wrong") == 1 and "is not the manifest&#39;s" in html
    (copy / "manifest.json").write_text("{")
    assert "cannot be read: fetch checkpoints/ again" in show_health()


def test_measuring_goes_on_with_the_next_clips_and_adds_up(copy, short_clips):
    model = ENTRIES[0]["model"]
    *steps, last = measured(model, 2, {})
    assert len(steps) == 3  # before the first clip, and after each
    assert "1 of 2 clips" in steps[1][0] and "<progress" in steps[1][0]
    assert last[1][model].asked == 2 and "of 2 right" in last[0] and "<progress" not in last[0]
    said, so_far, press, stop = list(measured(model, 2, last[1]))[-1]
    assert so_far[model].asked == 4 and so_far[model].right >= last[1][model].right
    assert "of 4 right" in said and "manifest says" in said
    assert press["interactive"] and not stop["visible"]
    assert stopped(so_far)[0] == said


def test_every_model_is_measured_and_a_damaged_one_says_so(copy, short_clips):
    (copy / ENTRIES[1]["file"]).write_bytes(b"nothing")
    said, so_far, *_ = list(measured(EVERY, 1, {}))[-1]
    assert so_far.keys() == {ENTRIES[0]["model"]}
    assert "are damaged" in said and "of 1 right" in said


def test_what_breaks_becomes_a_sentence_and_the_button_comes_back(copy, monkeypatch):
    def broken(*_):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(health, "evaluate", broken)
    said, _, press, _ = list(measured(ENTRIES[0]["model"], 1, {}))[-1]
    assert "Something broke on our side" in said and "luck" not in said and press["interactive"]


@pytest.mark.parametrize(
    ("right", "asked", "words"),
    [
        (5, 10, "That agrees: after so few clips its accuracy may be anything from 24 to 76 %."),
        (10, 10, "That does not agree: its accuracy should be from 72 to 100 %."),
        (0, 20, "Chance alone does this once in twenty times"),
    ],
)
def test_a_few_clips_say_how_little_they_say(copy, right, asked, words):
    listed = json.loads((copy / "manifest.json").read_text())
    listed["checkpoints"][0]["accuracy"] = [{"dataset": "Rendered people", "top1": 50.0}]
    (copy / "manifest.json").write_text(json.dumps(listed))
    html = stopped({ENTRIES[0]["model"]: Tally(right, asked)})[0]
    assert words in html and f"{right} of {asked} right" in html and "manifest says 50 %" in html


def test_without_a_figure_there_is_nothing_to_compare_with(copy):
    listed = json.loads((copy / "manifest.json").read_text())
    listed["checkpoints"][0]["accuracy"] = []
    (copy / "manifest.json").write_text(json.dumps(listed))
    html = stopped({ENTRIES[0]["model"]: Tally(1, 2)})[0]
    assert "no figure to compare with" in html and "manifest says" not in html
