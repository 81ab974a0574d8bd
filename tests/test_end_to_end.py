"""From a file to ranked actions with the shipped weights, without the page."""

from pathlib import Path

import numpy as np
import pytest

from har_demo.clips.ingest import ingest
from har_demo.errors import ChoiceError
from har_demo.labels import EVERYDAY, class_of
from har_demo.models.registry import card, cards
from har_demo.recognize.prediction import Prediction, Request
from har_demo.recognize.recognize import recognize
from har_demo.research.people.examples import EXAMPLES, FOLDER
from har_demo.weights import availability
from tests.media import acted, write

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "clips"
SHIPPED = [c.name for c in cards().values() if availability(c).state == "shipped"]
# One model for each way that frames become an input.
KINDS = [
    "x3d_lab",  # a block of RGB frames
    "slowfast_lab",  # the same at two rates
    "spatial_stream_lab",  # a single frame
    "c3d_lab",  # differences between frames
    "temporal_stream_lab",  # flow
    "two_stream_lab",  # a frame and flow
    "idt_lab",  # trajectories
    "gru_lab",  # frame by frame
]
KINDS_THEN_ALL = pytest.mark.parametrize(
    "models", [KINDS, pytest.param(SHIPPED, marks=pytest.mark.nightly)], ids=["kinds", "all"]
)


def predict(clip, models, **settings) -> list[Prediction]:
    answers = list(recognize(clip, [Request(name, **settings) for name in models]))
    assert all(isinstance(answer, Prediction) for answer in answers)
    return answers


def test_every_kind_of_input_is_among_the_few():
    assert {card(name).input.modality for name in KINDS} == {
        card(name).input.modality for name in SHIPPED
    }


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("jumping_jack", "jumping jack"),
        ("wave_both_hands", "waving both hands"),
        ("bend", "bending down"),
    ],
)
def test_a_figure_nobody_trained_on_is_recognised(tmp_path, action, expected):
    """By every shipped model: weights or a preprocessing that do not belong to it show here."""
    clip = ingest(write(tmp_path / "figure.mp4", acted(action, 12345, 3.0)))
    wrong = [answer for answer in predict(clip, SHIPPED) if answer.top(1)[0][0] != expected]
    assert len(wrong) <= len(SHIPPED) / 10, [(one.model, one.top(3)) for one in wrong]


@pytest.mark.parametrize(
    "name", ["waving_both_hands", pytest.param("bending_down", marks=pytest.mark.nightly)]
)
def test_an_example_clip_is_recognised_by_one_model_of_each_kind(name):
    answers = predict(ingest(FOLDER / f"{name}.mp4"), KINDS)
    wrong = [answer for answer in answers if answer.top(1)[0][0] != name.replace("_", " ")]
    assert len(wrong) <= 1, [(one.model, one.top(3)) for one in wrong]


@pytest.mark.nightly
def test_the_example_clips_are_recognised():
    """What a visitor tries first: every shipped model is asked about every example with one action.

    Nobody of them was seen in training. The hardest is walking, which a third of the models take for
    galloping sideways.
    """
    right = {}
    for example in EXAMPLES:
        (action, _), *more = example.parts
        if not more:
            expected = EVERYDAY[class_of("people", action)]
            answers = predict(ingest(FOLDER / f"{example.name}.mp4"), SHIPPED)
            right[example.name] = [answer.top(1)[0][0] == expected for answer in answers]
    shares = {name: np.mean(found) for name, found in right.items()}
    assert min(shares.values()) > 0.6, shares
    assert np.mean(list(shares.values())) > 0.85, shares


@pytest.mark.nightly
@pytest.mark.parametrize("fps", [1, 10])
def test_a_clip_of_ten_minutes(tmp_path, fps):
    """As long as is allowed: ten windows by default, and a hundred when asked for."""
    picture = acted("walk", seconds=1.0, fps=10)
    frames = (picture[i % 10] for i in range(600 * fps))
    clip = ingest(write(tmp_path / "long.mp4", frames, fps=fps))
    assert clip.duration == pytest.approx(600)
    (answer,) = predict(clip, ["slow_fusion_lab"])
    assert len(answer.frames) == 10
    (answer,) = predict(clip, ["slow_fusion_lab"], windows=100)
    assert answer.frames[0, 0] == 0 and answer.frames[-1, -1] == clip.frames - 1
    np.testing.assert_allclose(answer.scores.sum(axis=1), 1, atol=1e-4)


@KINDS_THEN_ALL
@pytest.mark.parametrize("frames", [1, 3])
def test_very_short_clips_say_how_little_there_was(tmp_path, frames, models):
    clip = ingest(write(tmp_path / "short.mp4", acted("walk", seconds=1.0)[:frames]))
    of_flow = [name for name in models if "flow" in card(name).input.modality]
    if frames == 1:
        for name in of_flow:
            with pytest.raises(ChoiceError, match="this clip is a single picture"):
                predict(clip, [name], stride=1)
    able = [name for name in models if frames > 1 or name not in of_flow]
    for answer in predict(clip, able, stride=1):
        frames_read = card(answer.model).input.frames_read
        assert answer.distinct_frames == min(frames, frames_read)
        assert (f"only {frames} frame" in answer.note) == (frames < frames_read)


def check_real_clip(file, models):
    for answer in predict(ingest(file), models, windows=2):
        assert len(answer.top(5)) == 5 and np.isfinite(answer.scores).all()
        assert answer.distinct_frames == answer.frames.shape[1]


@pytest.mark.skipif(not REAL.is_dir(), reason="real clips are not beside this checkout")
def test_a_real_clip_goes_through_a_model():
    check_real_clip(REAL / "biking_ucf11.mpg", KINDS[:1])


@pytest.mark.nightly
@pytest.mark.skipif(not REAL.is_dir(), reason="real clips are not beside this checkout")
@pytest.mark.parametrize("file", sorted(REAL.glob("*")), ids=lambda path: path.name)
def test_real_clips_go_through_every_model(file):
    check_real_clip(file, SHIPPED)
