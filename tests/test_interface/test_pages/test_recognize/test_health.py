"""The panel says in words what is wrong, and how far a few clips can be trusted."""

import json
import shutil
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from har_demo.clips.clip import Clip, SourceFacts
from har_demo.clips.rendered import FPS, FRAMES, SIDE
from har_demo.interface.pages.recognize import health
from har_demo.interface.pages.recognize.health import (
    EVERY,
    Tally,
    measure_again,
    show_health,
    stopped,
)
from har_demo.models.registry import cards
from har_demo.weights import shipped
from tests.test_interface.pressed import pressed

CHECKPOINTS = Path(__file__).parents[4] / "checkpoints"
ENTRIES = shipped.entries(CHECKPOINTS)


@pytest.fixture
def copy(tmp_path, monkeypatch) -> Path:
    """checkpoints/ with two of the shipped models, to be damaged."""
    for entry in ENTRIES[:2]:
        shutil.copy(CHECKPOINTS / entry["file"], tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"checkpoints": ENTRIES[:2]}))
    monkeypatch.setenv("HAR_CHECKPOINTS", str(tmp_path))
    return tmp_path


@pytest.fixture
def grey_scenes(monkeypatch):
    """Scenes are grey pictures, which need no renderer."""

    def open_scene(scene):
        facts = SourceFacts(scene.action, "none", "none", SIDE, SIDE, FPS, FRAMES / FPS, 0)
        clip = Clip(Path(), FPS, FRAMES, SIDE, SIDE, "", facts)
        return clip, lambda clip, indices: np.full((len(indices), SIDE, SIDE, 3), 128, np.uint8)

    monkeypatch.setattr(health, "renderer", lambda: nullcontext(open_scene))


def shown(updates: list[dict]) -> dict:
    """Return what stands on the page after all updates."""
    page = {}
    for update in updates:
        page |= update
    return page


def tallies(so_far: dict) -> str:
    return pressed(stopped, so_far)[0]["found"]


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


def test_measuring_goes_on_with_the_next_clips_and_adds_up(copy, grey_scenes):
    model = ENTRIES[0]["model"]
    updates = pressed(measure_again, model, 2, {})
    assert len(updates) == 4  # before the first clip, after each, and at the end
    assert "1 of 2 clips" in updates[1]["found"] and "<progress" in updates[1]["found"]
    page = shown(updates)
    first = page["so_far"]
    assert first[model].asked == 2 and "of 2 right" in page["found"]
    assert "<progress" not in page["found"] and page["problems"] == ""
    page = shown(pressed(measure_again, model, 2, first))
    assert page["so_far"][model].asked == 4 and page["so_far"][model].right >= first[model].right
    assert "of 4 right" in page["found"] and "manifest says" in page["found"]
    assert page["measure"]["interactive"] and not page["stop"]["visible"]
    assert tallies(page["so_far"]) == page["found"]


def test_every_model_is_measured_and_a_damaged_one_says_so(copy, grey_scenes):
    (copy / ENTRIES[1]["file"]).write_bytes(b"nothing")
    page = shown(pressed(measure_again, EVERY, 1, {}))
    assert page["so_far"].keys() == {ENTRIES[0]["model"]}
    assert "the file is damaged" in page["problems"] and "of 1 right" in page["found"]


def test_what_breaks_becomes_a_sentence_and_the_button_comes_back(copy, monkeypatch):
    def broken(*_):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(health, "evaluate", broken)
    page = shown(pressed(measure_again, ENTRIES[0]["model"], 1, {}))
    assert "Something broke on our side" in page["problems"] and "luck" not in page["problems"]
    assert page["measure"]["interactive"]


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
    html = tallies({ENTRIES[0]["model"]: Tally(right, asked)})
    assert words in html and f"{right} of {asked} right" in html and "manifest says 50 %" in html


def test_without_a_figure_there_is_nothing_to_compare_with(copy):
    listed = json.loads((copy / "manifest.json").read_text())
    listed["checkpoints"][0]["accuracy"] = []
    (copy / "manifest.json").write_text(json.dumps(listed))
    html = tallies({ENTRIES[0]["model"]: Tally(1, 2)})
    assert "no figure to compare with" in html and "manifest says" not in html
