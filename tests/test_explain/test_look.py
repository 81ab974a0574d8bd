"""A look is recognition's own forward pass, with what its blocks received kept beside."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from har_demo.errors import ChoiceError, WeightsError
from har_demo.explain import look as looks
from har_demo.explain.attention import attended, blocks
from har_demo.explain.look import look
from har_demo.models.attention import block_inputs
from har_demo.models.non_local import NonLocal
from har_demo.models.video_swin import WindowAttention
from har_demo.recognize.prediction import Request
from har_demo.recognize.recognize import recognize


def _recognised(clip, model):
    (answer,) = recognize(clip, [Request(model)])
    return answer


@pytest.mark.parametrize("model", ["mfnet_pnl_lab", "c3d_lab"])  # frames, differences
def test_scores_are_those_of_recognition(waving, model):
    answer = _recognised(waving, model)
    for number, window in enumerate(answer.frames):
        middle = (window[0] + window[-1] + 1) / 2 / waving.fps
        one = look(waving, model, second=float(middle))
        assert one.scores == pytest.approx(answer.windows[number], abs=1e-4)
        assert set(one.frames) <= set(window)
        assert len(one.frames) == one.inputs[0].shape[2] == len(one.pictures)


@pytest.mark.parametrize("model", ["temporal_stream_lab", "two_stream_lab"])
def test_flow_is_prepared_as_recognition_prepares_it(waving, untrained, model):
    answer = _recognised(waving, model)
    middle = (answer.frames[0][0] + answer.frames[0][-1] + 1) / 2 / waving.fps
    one = look(waving, model, second=float(middle))
    assert one.scores == pytest.approx(answer.windows[0], abs=1e-4)


def test_the_middle_is_looked_at_unless_told_otherwise(waving):
    first, middle, last = (look(waving, "tsm_lab", second) for second in (0.0, None, 2.0))
    assert first.frames[0] == 0
    assert first.frames[0] <= middle.frames[0] <= last.frames[0]


def test_what_blocks_received_is_kept_in_order(waving):
    one = look(waving, "mfnet_pnl_lab")
    assert list(one.received) == ["conv4.5"]
    seen = []
    hook = one.network().conv4[5].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.no_grad():
        one.network()(*one.inputs)
    hook.remove()
    assert torch.equal(one.received["conv4.5"], seen[0])
    assert look(waving, "c3d_lab").received == {}


def test_a_model_without_weights_says_which(waving):
    with pytest.raises(WeightsError, match="MFNet-PNL"):
        look(waving, "mfnet_pnl_x5")


@pytest.mark.parametrize(
    ("model", "second", "sentence"),
    [
        ("no_such", None, "There is no model named 'no_such'"),
        ("idt", None, "is no network"),
        ("mfnet_pnl_lab", 99.0, "choose a moment from 0 to"),
        ("mfnet_pnl_lab", -1.0, "choose a moment from 0 to"),
    ],
)
def test_what_cannot_be_looked_at_gets_a_sentence(waving, model, second, sentence):
    with pytest.raises(ChoiceError, match=sentence):
        look(waving, model, second)


def test_progress_ends_at_the_end(waving):
    told = []
    look(waving, "mfnet_pnl_lab", on_progress=lambda done, sentence: told.append(done))
    assert told == sorted(told) and told[-1] == 1.0


class _Watch(TorchDispatchMode):
    """Remembers the operations that ran and the largest tensor that any of them made."""

    def __init__(self):
        super().__init__()
        self.names, self.largest = [], 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        self.names.append(str(function))
        for one in result if isinstance(result, tuple | list) else (result,):
            if isinstance(one, torch.Tensor):
                self.largest = max(self.largest, one.numel())
        return result


@pytest.mark.parametrize(
    ("block", "x"),
    [
        (NonLocal(8), torch.randn(1, 8, 16, 16, 16)),
        (WindowAttention(8, 2, (8, 7, 7), shifted=True), torch.randn(1, 16, 28, 28, 8)),
    ],
    ids=["non-local", "windows"],
)
def test_one_position_costs_one_row_and_a_plain_forward_stays_fused(made, block, x):
    network = torch.nn.Sequential(block.eval())
    with torch.no_grad(), _Watch() as plain:
        block_inputs(network, x)
    assert any("scaled_dot_product" in name for name in plain.names)
    assert not any("softmax" in name for name in plain.names)

    class Head(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.block = block

        def forward(self, x):
            return self.block(x).flatten(1)[:, :39]

    one = made(Head(), x)
    positions = x.numel() // 8
    with _Watch() as asked:
        attended(one, blocks(one)[0], (0.5, 0.5, 0.5))
    assert asked.largest < positions**2 / 20
    assert asked.largest <= 8 * 4 * x.numel()


def test_a_full_memory_is_said(waving, monkeypatch):
    def full(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(looks, "block_inputs", full)
    with pytest.raises(ChoiceError, match="needs more memory than is free"):
        look(waving, "mfnet_pnl_lab")


def test_the_pictures_are_what_the_box_holds(waving):
    one = look(waving, "c3d_lab")
    left, top, right, bottom = one.box
    assert one.pictures.shape[1:3] == (bottom - top, right - left)
    assert one.pictures.dtype == np.uint8
    assert np.allclose(one.seconds, one.frames / waving.fps)
