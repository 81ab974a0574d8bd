"""The lab-size models of flow answer through the whole of recognition, given a file of weights."""

import pytest
import torch
from safetensors.torch import save_file

from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.recognize.prediction import Request
from har_demo.recognize.recognize import recognize

NAMES = ("temporal_stream_lab", "two_stream_lab", "mars_flow_lab", "i3d_two_stream_lab")


@pytest.mark.parametrize("name", NAMES)
def test_a_lab_model_of_flow_answers(name, clip, tmp_path):
    card = registry.card(name)
    torch.manual_seed(0)
    save_file(card.build(len(EVERYDAY)).state_dict(), tmp_path / "weights.safetensors")
    question = Request(name, windows=1, weights=str(tmp_path / "weights.safetensors"))
    (answer,) = recognize(clip, [question])
    assert answer.classes == EVERYDAY and answer.scores.shape == (1, len(EVERYDAY))
    assert answer.provenance.source == "user"
    assert answer.flow == "DIS" and answer.note == ""
    seconds = (answer.frames[0, -1] - answer.frames[0, 0]) / clip.fps
    assert seconds == pytest.approx(2, abs=0.1)
