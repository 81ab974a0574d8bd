"""CSN: formulas that hold for real layers, two ways to separate channels, the authors' networks."""

import pytest
import torch
from torch import nn
from torchvision.models.video.resnet import Bottleneck as TorchvisionBottleneck
from torchvision.models.video.resnet import VideoResNet

from har_demo.models.csn import (
    CSN,
    VMZ_IP_KEY_MAP,
    VMZ_IR_KEY_MAP,
    Bottleneck,
    channel_interactions,
    grouped_macs,
    grouped_parameters,
    ip_csn_101,
    ip_csn_152,
    ir_csn_101,
    ir_csn_152,
)
from har_demo.profiling.cost import gmacs, parameters


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_the_formulas_are_what_real_layers_cost(groups, k):
    layer = nn.Conv3d(8, 16, k, padding=k // 2, groups=groups, bias=False)
    assert parameters(layer) == grouped_parameters(8, 16, k, groups)
    counted = gmacs(layer, (1, 8, 4, 6, 7)) * 1e9
    assert counted == grouped_macs(8, 16, k, groups, positions=(4, 6, 7))


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
def test_interactions_are_the_pairs_of_channels_that_meet_in_an_output(groups):
    """An output's gradient says which input channels it reads."""
    layer = nn.Conv3d(8, 4 * groups, 1, groups=groups)
    meeting = 0
    for output in range(4 * groups):
        x = torch.ones(1, 8, 1, 1, 1, requires_grad=True)
        layer(x)[0, output].sum().backward()
        read = int((x.grad != 0).sum())
        meeting += read * (read - 1) // 2
    assert meeting == channel_interactions(8, 4 * groups, groups)


def test_separation_keeps_every_interaction_for_a_fraction_of_the_cost():
    width = 128
    full = nn.Conv3d(width, width, 3, padding=1, bias=False)
    apart = nn.Sequential(
        nn.Conv3d(width, width, 1, bias=False),
        nn.Conv3d(width, width, 3, padding=1, groups=width, bias=False),
    )
    # 27·C² against C² + 27·C
    assert parameters(full) / parameters(apart) == pytest.approx(27 * width / (width + 27))
    view = (1, width, 4, 14, 14)
    assert gmacs(full, view) / gmacs(apart, view) == pytest.approx(27 * width / (width + 27))
    kept = channel_interactions(width, width) + channel_interactions(width, width, groups=width)
    assert kept == channel_interactions(width, width)


def test_the_depthwise_filters_mix_no_channels():
    block = Bottleneck(16, 8, preserve=True)
    x = torch.randn(1, 8, 3, 5, 5)
    other = x.clone()
    other[:, 2] += 1
    changed = (block.depthwise(x) != block.depthwise(other)).any(dim=(0, 2, 3, 4))
    assert changed.tolist() == [channel == 2 for channel in range(8)]


def test_preserving_interactions_costs_one_pointwise_convolution_a_block():
    with torch.device("meta"):
        more = parameters(ip_csn_101(400)) - parameters(ir_csn_101(400))
    widths = [64] * 3 + [128] * 4 + [256] * 23 + [512] * 3
    assert more == sum(w * w + 2 * w for w in widths)  # with its batch norm


@pytest.mark.parametrize(
    ("build", "tested_at_256"), [(ir_csn_152, 96.7), (ip_csn_152, 108.8)], ids=["ir", "ip"]
)
def test_the_larger_figures_in_print_are_those_of_larger_views(build, tested_at_256):
    with torch.device("meta"):
        network = build(400)
    assert gmacs(network, (1, 3, 32, 256, 256)) == pytest.approx(tested_at_256, abs=0.06)


class _Depthwise(nn.Conv3d):
    def __init__(self, inputs, outputs, middle, stride=1):
        super().__init__(inputs, outputs, 3, stride, padding=1, groups=inputs, bias=False)

    @staticmethod
    def get_downsample_stride(stride):
        return stride, stride, stride


class _Preserving(nn.Sequential):
    def __init__(self, inputs, outputs, middle, stride=1):
        pointwise = nn.Conv3d(inputs, outputs, 1, bias=False)
        super().__init__(
            pointwise, nn.BatchNorm3d(outputs), _Depthwise(outputs, outputs, None, stride)
        )

    get_downsample_stride = _Depthwise.get_downsample_stride


def _stem():
    return nn.Sequential(
        nn.Conv3d(3, 64, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False),
        nn.BatchNorm3d(64),
        nn.ReLU(),
        nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
    )


@pytest.mark.parametrize(
    ("preserve", "conv"), [(False, _Depthwise), (True, _Preserving)], ids=["ir", "ip"]
)
def test_same_outputs_as_torchvisions_residual_network_with_such_convolutions(preserve, conv):
    """Which is how the authors' PyTorch code builds it; the map is the one for their names."""
    torch.manual_seed(0)
    theirs = VideoResNet(TorchvisionBottleneck, [conv] * 4, [1, 2, 1, 1], _stem, num_classes=5)
    for norm in theirs.modules():
        if isinstance(norm, nn.BatchNorm3d):  # fresh statistics would hide a swapped pair
            norm.eps = 1e-3
            norm.running_mean.normal_(std=0.1)
            norm.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
    nn.init.normal_(theirs.fc.weight)
    ours = CSN(5, preserve, blocks=(1, 2, 1, 1))
    names = VMZ_IP_KEY_MAP if preserve else VMZ_IR_KEY_MAP
    ours.load_state_dict(names(theirs.state_dict()))
    x = torch.randn(2, 3, 9, 40, 40)  # an odd number of frames tells which layers halve it
    with torch.no_grad():
        expected, got = theirs.eval()(x), ours.eval()(x)
    assert expected.std() > 1e-2
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


def test_each_builder_has_the_epsilon_its_weights_were_trained_with():
    with torch.device("meta"):
        networks = [build(2) for build in (ir_csn_101, ip_csn_101, ir_csn_152, ip_csn_152)]
    found = [
        {m.eps for m in network.modules() if isinstance(m, nn.BatchNorm3d)} for network in networks
    ]
    assert found == [{1e-5}, {1e-3}, {1e-3}, {1e-3}]


@pytest.mark.parametrize(("frames", "side"), [(1, 112), (5, 64)])
def test_any_number_of_frames_and_any_size(frames, side):
    network = CSN(3, preserve=True, blocks=(1, 1, 1, 1), width=8).eval()
    with torch.no_grad():
        logits = network(torch.rand(1, 3, frames, side, side))
    assert logits.shape == (1, 3)
    assert logits.isfinite().all()
