"""The authors' MFNet fills ours, and what each of their names means is what it does here."""

import torch
from torch.nn import functional as F

from har_demo.models.mfnet import mfnet
from har_demo.weights.name_maps import MAPS
from tests.test_weights import public_keys


def test_the_public_names_as_listed():
    public_keys.assert_fills("cypw__mfnet", "mfnet")


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
    ours.load_state_dict(MAPS["mfnet"](public))
    x = torch.randn(1, 3, 16, 64, 64)
    with torch.no_grad():
        expected, got = _by_public_names(public, x), ours(x)
    assert expected.std() > 1e-2
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)
