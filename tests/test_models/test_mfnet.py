"""MFNet: fibres that are apart, a multiplexer that joins them, and the authors' costs."""

import pytest
import torch
from torch.nn import functional as F

from har_demo.models.mfnet import KEY_MAP, MFNet, MultiFibreUnit, mfnet
from har_demo.models.registry import card
from har_demo.profiling.cost import parameters
from tests.test_models import public_keys


def test_parameters_are_those_of_the_authors_code():
    with torch.device("meta"):
        assert parameters(mfnet(400)) == 7_996_368
        assert parameters(mfnet(200)) == 7_842_568
    (lecture,) = (cost for cost in card("mfnet").published if cost.status == "printed")
    assert round(7_842_568 / 1e6, 2) * 1e6 == lecture.parameters


def _shapes(network, *layers, view):
    """Output shapes [C, T, H, W] of some layers, on the meta device."""
    found = {}
    for layer in layers:
        getattr(network, layer).register_forward_hook(
            lambda _, __, y, layer=layer: found.__setitem__(layer, tuple(y.shape[1:]))
        )
    network.eval()(torch.empty(view, device="meta"))
    return found


def test_shapes_of_the_table():
    with torch.device("meta"):
        network = mfnet(400)
    stages = ("conv1", "conv2", "conv3", "conv4", "conv5")
    assert _shapes(network, *stages, view=(1, 3, 16, 224, 224)) == {
        "conv1": (16, 16, 112, 112),
        "conv2": (96, 8, 56, 56),
        "conv3": (192, 8, 28, 28),
        "conv4": (384, 8, 14, 14),
        "conv5": (768, 8, 7, 7),  # the authors pool by 8×7×7: the mean over all of it
    }
    assert [len(getattr(network, stage)) for stage in stages[1:]] == [3, 4, 6, 3]


def _touched(function, channels):
    """Which output channels change when only the first channel of the input does."""
    torch.manual_seed(0)
    x = torch.randn(1, channels, 2, 5, 5)
    changed = x.clone()
    changed[:, 0] += 1
    with torch.no_grad():
        return (function(x) != function(changed)).flatten(2).any(2)[0]


def test_fibres_are_apart_and_the_multiplexer_joins_them():
    torch.manual_seed(0)
    unit = MultiFibreUnit(32, 32, fibres=4).eval()

    def alone(x):
        return unit.conv2(unit.conv1(x))

    assert _touched(alone, 32).tolist() == [True] * 8 + [False] * 24
    assert _touched(unit, 32).all()


def test_slicing_leaves_one_connection_in_sixteen():
    with torch.device("meta"):
        sliced = MultiFibreUnit(96, 96, fibres=16)
        whole = MultiFibreUnit(96, 96, fibres=1)
    for name in ("conv1", "conv2"):
        few, many = getattr(sliced, name).conv, getattr(whole, name).conv
        assert parameters(many) == 16 * parameters(few)


def test_shortcut_leaves_before_the_multiplexer():
    """With nothing coming out of the convolutions, the unit hands on its own input."""
    torch.manual_seed(0)
    unit = MultiFibreUnit(8, 8, fibres=2).eval()
    torch.nn.init.zeros_(unit.conv2.conv.weight)
    x = torch.randn(1, 8, 2, 4, 4)
    with torch.no_grad():
        assert not torch.equal(unit.multiplexer(x), x)
        torch.testing.assert_close(unit(x), x)


@pytest.mark.parametrize(("frames", "side"), [(1, 64), (8, 96), (20, 80)])
def test_any_number_of_frames_and_any_size(frames, side):
    torch.manual_seed(0)
    network = MFNet(3, fibres=2).eval()
    with torch.no_grad():
        logits = network(torch.rand(2, 3, frames, side, side))
    assert logits.shape == (2, 3)
    assert logits.isfinite().all()


def test_input_is_scaled_as_the_authors_do():
    view = card("mfnet").input
    for channel, mean in enumerate((124, 117, 104)):
        for value in (0, 90, 255):
            ours = (value / 255 - view.mean[channel]) / view.std[channel]
            assert ours == pytest.approx((value - mean) * 0.0167)


def _by_public_names(state, x):
    """The authors' network, computed from a state dict under their names."""

    def norm_relu(x, name):
        statistics = (state[f"{name}.{key}"] for key in ("running_mean", "running_var"))
        scale, shift = state[f"{name}.weight"], state[f"{name}.bias"]
        return F.relu(F.batch_norm(x, *statistics, scale, shift))

    def layer(x, name, stride=1):
        weight = state[f"{name}.conv.weight"]
        padding = [size // 2 for size in weight.shape[2:]]
        groups = x.shape[1] // weight.shape[1]
        x = norm_relu(x, f"{name}.bn")
        return F.conv3d(x, weight, stride=stride, padding=padding, groups=groups)

    x = F.conv3d(x, state["conv1.conv.weight"], stride=(1, 2, 2), padding=(1, 2, 2))
    x = F.max_pool3d(norm_relu(x, "conv1.bn"), (1, 3, 3), (1, 2, 2), (0, 1, 1))
    for stage, units in {2: 3, 3: 4, 4: 6, 5: 3}.items():
        for unit in range(1, units + 1):
            name = f"conv{stage}.B0{unit}"
            stride = 1 if unit > 1 else (2, 1, 1) if stage == 2 else (1, 2, 2)
            mixed = x + layer(layer(x, f"{name}.conv_i1"), f"{name}.conv_i2")
            y = layer(layer(mixed, f"{name}.conv_m1", stride), f"{name}.conv_m2")
            x = y + (x if unit > 1 else layer(x, f"{name}.conv_w1", stride))
    pooled = norm_relu(x, "tail.bn").mean((2, 3, 4))
    return F.linear(pooled, state["classifier.weight"], state["classifier.bias"])


def test_same_outputs_from_the_public_names():
    torch.manual_seed(0)
    public = {}
    for name, tensor in public_keys.read("cypw__mfnet").items():
        spread = 0.5 if name.endswith("running_var") or tensor.dim() == 1 else 0.0
        public[name] = 1 + spread * (torch.rand(tensor.shape) - 0.5)
        if tensor.dim() > 1:
            fan = tensor[0].numel()
            public[name] = torch.randn(tensor.shape) * (2 / fan) ** 0.5
    ours = mfnet(400).eval()
    ours.load_state_dict(KEY_MAP(public))
    x = torch.randn(1, 3, 16, 64, 64)
    with torch.no_grad():
        expected, got = _by_public_names(public, x), ours(x)
    assert expected.std() > 1e-2
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)
