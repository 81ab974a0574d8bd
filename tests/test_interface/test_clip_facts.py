"""Page, command and JSON say the same of what was done to a file, from one function."""

from dataclasses import replace
from html import unescape
from pathlib import Path

from har_demo.cli.answers import _answers_text
from har_demo.clips.changes import changes
from har_demo.clips.clip import Clip, SourceFacts
from har_demo.interface.clip_input import shown
from har_demo.recognize.export import clip_json

SOURCE = SourceFacts(
    "a.mp4", "mov", "h264", 1920, 1080, 30.0, 4.0, 1000, rotation=90, variable_rate=True, hdr="HLG"
)
CLIP = Clip(Path("copy.mp4"), 30.0, 120, 340, 604, "ab" * 32, SOURCE, fresh=(0, 60))


def test_all_three_list_the_changes():
    said = changes(CLIP)
    assert len(said) == 4
    page, command = unescape(shown(CLIP)["facts"]), _answers_text(CLIP, [])
    assert "What was done to your file" in page and "variable rate" in page
    assert all(f"<li>{one}</li>" in page and f"  {one}" in command for one in said)
    assert clip_json(CLIP)["changes"] == said


def test_a_file_that_was_only_copied_has_no_list():
    plain = replace(SOURCE, width=340, height=604, rotation=0, variable_rate=False, hdr="")
    assert "What was done" not in shown(replace(CLIP, source=plain))["facts"]
