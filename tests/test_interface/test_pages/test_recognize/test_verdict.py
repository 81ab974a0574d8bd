"""The headline of the Recognise page: which models it is about, and what it says of the others."""

from pathlib import Path

import numpy as np
import pytest

from har_demo.clips.clip import Clip, SourceFacts
from har_demo.interface.pages.recognize.verdict import verdict
from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.label_sets import KINETICS400
from har_demo.models.registry import card
from tests.predictions import prediction_of

CLIP = Clip(
    Path("none.mp4"),
    25.0,
    100,
    320,
    240,
    "ab" * 32,
    SourceFacts("wave.mp4", "mov,mp4", "h264", 640, 480, 25.0, 4.0, 1000),
)


def tiny(action: str, share: float):
    scores = np.full(39, (1 - share) / 38, np.float32)
    scores[EVERYDAY.index(action)] = share
    return prediction_of("mfnet_pnl_lab", EVERYDAY, LABEL_SET, scores)


def i3d(action: str, share: float):
    scores = np.full(400, (1 - share) / 399, np.float32)
    scores[KINETICS400.index(action)] = share
    return prediction_of("i3d", KINETICS400, "Kinetics-400", scores)


@pytest.mark.parametrize(
    ("kinetics", "everyday", "headline", "rest"),
    [
        (
            ("playing guitar", 0.9),
            ("turning around", 0.8),
            "I3D (RGB) says playing guitar",
            "says turning around, but this is probably none of its 39 actions",
        ),
        (
            ("playing guitar", 0.9),
            ("turning around", 0.2),
            "I3D (RGB) says playing guitar",
            "is not sure and this is probably none of its 39 actions",
        ),
        (
            ("push up", 0.9),
            ("push-up", 0.8),
            "I3D (RGB) says push up",
            "says push-up",
        ),
        (
            ("tai chi", 0.2),
            ("waving both hands", 0.9),
            f"{card('mfnet_pnl_lab').title} says waving both hands",
            "I3D (RGB) is not sure",
        ),
        (
            ("tai chi", 0.2),
            ("waving both hands", 0.3),
            "I3D (RGB) is not sure; its best guess is tai chi",
            "is not sure: it knows 39 actions",
        ),
    ],
)
def test_kinetics_speaks_first_where_it_is_sure(kinetics, everyday, headline, rest):
    first, second = verdict(CLIP, [i3d(*kinetics), tiny(*everyday)], 2, 0, False)
    assert first == headline
    assert rest in second
    # The order of the cards changes nothing.
    assert verdict(CLIP, [tiny(*everyday), i3d(*kinetics)], 2, 0, False)[0] == first


def test_tiny_models_alone_speak_for_themselves():
    first, second = verdict(CLIP, [tiny("walking", 0.9)], 1, 0, False)
    assert first.endswith("says walking") and "none of" not in second
    first, second = verdict(CLIP, [tiny("walking", 0.2)], 1, 0, False)
    assert first.endswith("is not sure; its best guess is walking")
    assert "they know 39 actions; this may be none of them" in second
