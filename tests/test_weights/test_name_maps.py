"""Public files fill the networks written here: every name used, every parameter filled, same outputs."""

import pytest
import torch
from torch import nn
from torchvision.models.video import r2plus1d_18

from har_demo.models.registry import card, cards
from har_demo.weights.name_maps import MAPS
from tests.test_weights.public_keys import assert_fills


def _fresh(network: nn.Module, seed: int) -> nn.Module:
    """With normalisation statistics too, so that a swapped pair would show."""
    torch.manual_seed(seed)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm3d):
            nn.init.normal_(norm.running_mean, std=0.1)
            nn.init.uniform_(norm.running_var, 0.5, 1.5)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, std=0.1)
    return network.eval()


class MMActionC3D(nn.Module):
    """The public C3D written as its file names it, with its forward pass as its repository states it."""

    CHANNELS = {  # noqa: RUF012
        "1a": (3, 64), "2a": (64, 128), "3a": (128, 256), "3b": (256, 256),
        "4a": (256, 512), "4b": (512, 512), "5a": (512, 512), "5b": (512, 512),
    }  # fmt: skip

    def __init__(self, classes: int):
        super().__init__()
        self.backbone, self.cls_head = nn.Module(), nn.Module()
        for name, (inputs, outputs) in self.CHANNELS.items():
            convolution = nn.Module()
            convolution.conv = nn.Conv3d(inputs, outputs, 3, padding=1)
            setattr(self.backbone, f"conv{name}", convolution)
        self.backbone.fc6 = nn.Linear(8192, 4096)
        self.backbone.fc7 = nn.Linear(4096, 4096)
        self.cls_head.fc_cls = nn.Linear(4096, classes)

    def forward(self, x):
        pools = {"1a": (1, 2, 2), "2a": 2, "3b": 2, "4b": 2}
        for name in self.CHANNELS:
            x = getattr(self.backbone, f"conv{name}").conv(x).relu()
            if name in pools:
                x = nn.functional.max_pool3d(x, pools[name])
        x = nn.functional.max_pool3d(x, 2, padding=(0, 1, 1)).flatten(1)
        return self.cls_head.fc_cls(self.backbone.fc7(self.backbone.fc6(x).relu()).relu())


PUBLIC = {"r2plus1d_18": lambda: r2plus1d_18(weights=None), "c3d": lambda: MMActionC3D(101)}


def test_every_map_belongs_to_a_card():
    assert set(MAPS) <= set(cards())


@pytest.mark.parametrize("name", MAPS)
def test_our_own_names_pass_unchanged(name):
    with torch.device("meta"):
        own = card(name).build(len(card(name).classes)).state_dict()
    parameters = {key for key, tensor in own.items() if tensor.is_floating_point()}
    assert parameters <= set(MAPS[name](own))


def test_the_public_names_as_listed():
    """Lists of names made by running the public code, not by us."""
    assert_fills("torchvision__r2plus1d_18", "r2plus1d_18")
    assert_fills("open_mmlab__c3d_mmaction2", "c3d", classes=101)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_is_used_and_every_parameter_filled(name):
    with torch.device("meta"):
        theirs, ours = PUBLIC[name](), card(name).build(len(card(name).classes))
    mapped = MAPS[name](theirs.state_dict())
    assert len(mapped) == len(theirs.state_dict())  # no two became one
    own = ours.state_dict()
    assert mapped.keys() == own.keys()
    assert {k: v.shape for k, v in mapped.items()} == {k: v.shape for k, v in own.items()}


@pytest.mark.parametrize(("name", "size"), [("r2plus1d_18", 32), ("c3d", 112)])
def test_same_outputs_with_mapped_weights(name, size):
    theirs = _fresh(PUBLIC[name](), seed=3)
    ours = card(name).build(len(card(name).classes)).eval()
    ours.load_state_dict(MAPS[name](theirs.state_dict()))
    x = torch.randn(1, 3, 16, size, size, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        expected, got = theirs(x), ours(x)
    assert expected.std() > 1e-3
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


def test_unknown_names_stay_as_they_are():
    assert list(MAPS["r2plus1d_18"]({"head.weight": torch.zeros(1)})) == ["head.weight"]
