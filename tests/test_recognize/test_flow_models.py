"""Tiny models of flow look at two seconds, and answer when given a file of weights."""

import pytest
import torch
from safetensors.torch import save_file

from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.recognize.plan import plan
from har_demo.recognize.prediction import Request
from har_demo.recognize.recognize import recognize


def test_models_of_flow_are_planned_two_seconds(clip):
    for name in ("temporal_stream_lab", "two_stream_lab", "mars_flow_lab", "i3d_two_stream_lab"):
        (window,) = plan(clip, Request(name, windows=1)).indices
        assert (window[-1] - window[0]) / clip.fps == pytest.approx(2, abs=0.1), name


@pytest.mark.parametrize("name", ["temporal_stream_lab", "two_stream_lab"])
def test_a_model_of_flow_answers_with_weights_of_the_user(name, clip, tmp_path):
    card = registry.card(name)
    torch.manual_seed(0)
    save_file(card.build(len(EVERYDAY)).state_dict(), tmp_path / "weights.safetensors")
    request = Request(name, windows=1, weights=str(tmp_path / "weights.safetensors"))
    (answer,) = recognize(clip, [request])
    assert answer.classes == EVERYDAY and answer.scores.shape == (1, len(EVERYDAY))
    assert answer.provenance.source == "user"
    assert answer.flow == "DIS" and answer.note == ""
