"""What was done to a file is said in plain words, each thing in a sentence of its own."""

import re
from dataclasses import replace
from pathlib import Path

from har_demo.clips.changes import changes
from har_demo.clips.clip import Clip, SourceFacts

SOURCE = SourceFacts("a.mp4", "mov", "h264", 320, 240, 25.0, 4.0, 1000)
CLIP = Clip(Path("copy.mp4"), 25.0, 100, 320, 240, "", SOURCE)


def test_a_file_that_was_only_copied_has_no_changes():
    assert changes(CLIP) == []


def test_every_change_is_a_sentence():
    for facts, sentence in (
        ({"fps": 50.0}, "Rate: 50 frames a second became 25."),
        (
            {"variable_rate": True},
            "Rate: the variable rate became 25 frames a second; a frame is held",
        ),
        ({"rotation": 90}, "Turn: turned upright by 90° clockwise, as the camera noted."),
        ({"mirrored": True}, "Turn: mirrored left to right, as the camera noted."),
        ({"mirrored": True, "rotation": 180}, "Turn: mirrored top to bottom, as the camera noted."),
        (
            {"mirrored": True, "rotation": 270},
            "Turn: turned upright by 270° clockwise and mirrored left to right, as the camera noted.",
        ),
        ({"hdr": "PQ"}, "Brightness and colours: HDR (PQ) became ordinary video (tone mapping"),
        ({"interlaced": True}, "Fields: interlaced pictures"),
        ({"width": 1920, "height": 1440}, "Size: 1920 × 1440 pixels became 320 × 240."),
        (
            {"pixel_aspect": 2.0},
            "Size: the picture, whose pixels were not square, became 320 × 240.",
        ),
        ({"reshaped": True}, "Shape: it changes on the way"),
        ({"leaps": 1}, "Time: the clock leapt once, and the gaps were closed."),
        ({"leaps": 3}, "Time: the clock leapt 3 times"),
        ({"delay": 1.5}, "Time: the picture begins 1.5 s after the sound"),
        ({"truncated": True}, "Damage: the file is damaged or was cut off"),
    ):
        (said,) = changes(replace(CLIP, source=replace(SOURCE, **facts)))
        assert said.startswith(sentence)
        assert re.fullmatch(r"[A-Z][^\n]+\.", said)
    every = replace(SOURCE, fps=50.0, rotation=90, hdr="HLG", interlaced=True, truncated=True)
    order = [said.split(":")[0] for said in changes(replace(CLIP, source=every))]
    assert order == ["Rate", "Turn", "Brightness and colours", "Fields", "Damage"]
