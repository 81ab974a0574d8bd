"""C3D has the paper's layers, cost and padded pool5."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import vgg16

from har_demo.models.c3d import (
    CARDS,
    MMACTION2_KEY_MAP,
    SPORTS1M,
    UCF101,
    ConvNet3D,
    c3d,
    c3d_3x3,
    c3d_tiny,
)

PAPER, TINY = CARDS[0], CARDS[-1]

LECTURE = {  # its column "MFLOPs"
    "conv1a": 1.04, "conv2a": 11.10, "conv3a": 5.55, "conv3b": 11.10, "conv4a": 2.77,
    "conv4b": 5.55, "conv5a": 0.69, "conv5b": 0.69, "fc6": 0.51, "fc7": 0.45, "fc8": 0.05,
}  # fmt: skip


def _parameters(network):
    return sum(p.numel() for p in network.parameters())


def _gmacs(network, *shape):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(shape, device="meta"))
    return counter.get_total_flops() / 2e9


def test_pool5_is_padded_to_4_by_4():
    with torch.device("meta"):
        network = c3d(487)
    assert network.fc6.in_features == 512 * 1 * 4 * 4


def test_without_the_padding_it_is_another_network():
    """65.3 M parameters and 38.53·10⁹ multiply-adds, as the lecture's own layers come to."""
    with torch.device("meta"):
        network, kinetics = c3d_3x3(487).eval(), c3d_3x3(400)
    assert network.fc6.in_features == 512 * 1 * 3 * 3
    assert _parameters(network) == pytest.approx(65.3e6, rel=1e-3)
    assert _gmacs(network, 1, 3, 16, 112, 112) == pytest.approx(38.53, abs=5e-3)
    assert _parameters(kinetics) == pytest.approx(64.95e6, rel=1e-3)


def test_the_lectures_table_is_off_by_what_the_docstring_says():
    """Its unit is 10⁹, its fc layers are 27 times too large, and so is its total by as much."""
    with torch.device("meta"):
        network = c3d_3x3(487).eval()
    counted = {}
    for name in LECTURE:
        layer = getattr(network, name)
        layer.register_forward_hook(
            lambda layer, _, y, name=name: counted.__setitem__(
                name, layer.weight.numel() * y[0, 0].numel() / 1e9
            )
        )
    network(torch.empty(1, 3, 16, 112, 112, device="meta"))
    wrong = {name: 27 if name.startswith("fc") else 1 for name in counted}
    for name, printed in LECTURE.items():
        assert wrong[name] * counted[name] == pytest.approx(printed, abs=0.006)
    assert sum(LECTURE.values()) == pytest.approx(39.5, abs=0.005)
    assert sum(counted.values()) == pytest.approx(38.53, abs=0.005)


def test_c3d_costs_two_and_a_half_times_as_much_as_vgg_16():
    with torch.device("meta"):
        image = vgg16().eval()
    vgg = _gmacs(image, 1, 3, 224, 224)
    assert vgg == pytest.approx(15.47, abs=0.005)
    assert c3d_gmacs() / vgg == pytest.approx(2.49, abs=0.005)


def c3d_gmacs():
    with torch.device("meta"):
        return _gmacs(c3d(487).eval(), 1, 3, 16, 112, 112)


def test_convnet_3d_normalises_every_layer_but_the_last_and_halves_time_at_once():
    with torch.device("meta"):
        network = ConvNet3D(213).eval()
    norms = [m for m in network.modules() if "BatchNorm" in type(m).__name__]
    assert len(norms) == 8 + 2
    shapes = []
    for name in ("conv1a", "conv2a", "conv5b", "fc6"):
        getattr(network, name).register_forward_pre_hook(
            lambda _, inputs: shapes.append(tuple(inputs[0].shape[1:]))
        )
    network(torch.empty(1, 3, 16, 112, 112, device="meta"))
    assert shapes == [(3, 16, 112, 112), (64, 8, 56, 56), (512, 1, 7, 7), (8192,)]
    assert _parameters(network) == pytest.approx(79e6, abs=0.5e6)  # as the lecture prints it


def test_convnet_3d_costs_half_of_c3d_but_for_its_first_layer():
    with torch.device("meta"):
        ours = _gmacs(ConvNet3D(487).eval(), 1, 3, 16, 112, 112)
    conv1a, fc = 1.0404, 0.0524
    assert ours - conv1a - fc == pytest.approx((c3d_gmacs() - conv1a - fc) / 2, rel=1e-3)


def test_ucf101_names():
    assert len(UCF101) == len(set(UCF101)) == 101
    assert UCF101[0] == "Apply eye makeup"
    assert UCF101[34:36] == ("Hammering", "Hammer throw")
    assert UCF101[100] == "Yo yo"
    assert PAPER.classes == UCF101


def test_sports_1m_names():
    assert len(SPORTS1M) == len(set(SPORTS1M)) == 487
    assert SPORTS1M[0] == "boomerang"
    assert SPORTS1M[100] == "yağlı güreş"
    assert SPORTS1M[486] == "model aircraft"


def test_only_the_tiny_network_has_batch_norm():
    with torch.device("meta"):
        assert not any("BatchNorm" in type(m).__name__ for m in c3d(101).modules())
        assert any("BatchNorm" in type(m).__name__ for m in c3d_tiny(13).modules())


def test_clips_do_not_influence_each_other():
    torch.manual_seed(0)
    network = c3d_tiny(5).eval()
    a, b = torch.rand(2, 1, 3, 16, 112, 112)
    with torch.no_grad():
        together = network(torch.cat([a, b]))
        alone = torch.cat([network(a), network(b)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def _filled(network: nn.Module, seed: int) -> nn.Module:
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


def test_same_outputs_as_mmaction2s_with_mapped_weights():
    theirs = _filled(MMActionC3D(101), seed=3)
    with torch.device("meta"):  # 78 million values that are replaced need not be drawn first
        ours = c3d(101).eval()
    ours.load_state_dict(MMACTION2_KEY_MAP(theirs.state_dict()), assign=True)
    x = torch.randn(1, 3, 16, 112, 112, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        expected, got = theirs(x), ours(x)
    assert expected.std() > 1e-3
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)
