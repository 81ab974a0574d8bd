"""A press on Recognise, without a browser."""

import re

import pytest

from har_demo.clips.ingest import ingest
from har_demo.interface.pages.recognize.callbacks import run_models
from har_demo.recognize import inputs
from har_demo.recognize import recognize as engine
from tests.media import figure_clip
from tests.test_interface.pressed import pressed

MODELS = ["single_frame_lab", "temporal_stream_lab"]


@pytest.fixture
def reads(monkeypatch) -> list[int]:
    """How many frames each pass over the clip read."""
    counts, read = [], engine.read_frames

    def counted(clip, indices):
        counts.append(len(indices))
        return read(clip, indices)

    for module in (engine, inputs):
        monkeypatch.setattr(module, "read_frames", counted)
    return counts


def test_answers_and_strips_take_one_pass_over_the_clip(tmp_path, reads):
    clip = ingest(figure_clip(tmp_path / "wave.mp4", "wave_both_hands"))
    updates = pressed(run_models, clip, None, MODELS, 0, 0, 2, 1, "", None)
    assert len(reads) == 1
    for model in MODELS:
        assert f'data-seen="{model}"' in updates[-1]["panel"]
    assert len(re.findall("What it saw", updates[-1]["panel"])) == len(MODELS)
    assert updates[-1]["panel"].count("data:image/jpeg") > 2 * len(MODELS)
    # What a page keeps between presses are the answers, not the pictures that are drawn already.
    assert all(answer.seen is None for answer in updates[-1]["answered"].answers)


def test_a_model_whose_protocol_nobody_published_says_so(tmp_path):
    clip = ingest(figure_clip(tmp_path / "wave.mp4", "wave_both_hands"))
    (update,) = pressed(run_models, clip, None, ["c3d_lab"], 0, 0, 0, 1, "", None, True)
    assert "How the accuracy of C3D (tiny) was measured is not published" in update["notice"]
