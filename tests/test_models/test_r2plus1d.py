"""R(2+1)D-18 is torchvision's network, number for number."""

import pytest
import torch
from torchvision.models.video import R2Plus1D_18_Weights
from torchvision.models.video import r2plus1d_18 as torchvision_r2plus1d_18
from torchvision.models.video.resnet import BasicBlock, Conv2Plus1D, R2Plus1dStem, VideoResNet

from har_demo.models.r2plus1d import (
    CARDS,
    KEY_MAP,
    R2Plus1D,
    SplitBottleneck,
    middle_channels,
    r2plus1d_18,
    r2plus1d_34,
)

PAPER, TINY = CARDS[0], CARDS[3]


def _parameters(network):
    return sum(p.numel() for p in network.parameters())


def _perturb(network):
    for norm in network.modules():
        if isinstance(norm, torch.nn.BatchNorm3d):  # fresh statistics would hide a swapped pair
            norm.running_mean.normal_(std=0.1)
            norm.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)


def test_middle_channels_match_the_parameters_of_a_full_convolution():
    for inputs, outputs in [(64, 64), (64, 128), (128, 256), (24, 48)]:
        middle = middle_channels(inputs, outputs)
        full = 27 * inputs * outputs
        split = 9 * inputs * middle + 3 * middle * outputs
        assert full - (9 * inputs + 3 * outputs) < split <= full


def test_same_outputs_as_torchvision():
    torch.manual_seed(0)
    theirs, ours = torchvision_r2plus1d_18().eval(), r2plus1d_18(400).eval()
    _perturb(theirs)
    ours.load_state_dict(KEY_MAP(theirs.state_dict()))
    x = torch.randn(2, 3, 8, 56, 56)
    with torch.no_grad():
        expected, got = theirs(x), ours(x)
    assert expected.std() > 1e-3
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.nightly
def test_the_network_of_34_layers_is_the_one_its_file_was_converted_to():
    """torchvision's blocks, with M mended where the authors' networks differ, and the authors' ε."""
    torch.manual_seed(0)
    theirs = VideoResNet(BasicBlock, [Conv2Plus1D] * 4, [3, 4, 6, 3], R2Plus1dStem).eval()
    for layer, width in ((theirs.layer2, 128), (theirs.layer3, 256), (theirs.layer4, 512)):
        layer[0].conv2[0] = Conv2Plus1D(width, width, middle_channels(width, width)).eval()
    _perturb(theirs)
    for norm in theirs.modules():
        if isinstance(norm, torch.nn.BatchNorm3d):
            norm.eps = 1e-3
            norm.running_var.mul_(0.02)  # so small that ε matters
            norm.weight.data.mul_(0.1)
    ours = r2plus1d_34(400).eval()
    ours.load_state_dict(KEY_MAP(theirs.state_dict()))
    x = torch.randn(1, 3, 8, 32, 32)
    with torch.no_grad():
        expected, got = theirs(x), ours(x)
    assert expected.std() > 1e-3
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


def test_mmaction2s_network_factorises_stem_and_shortcuts_too():
    """Compared with its own code once, to the last bit; here what sets it apart."""
    network = R2Plus1D(3, width=8, blocks=(1, 1, 1, 1), publisher="mmaction2").eval()
    assert network.stem.space.out_channels == middle_channels(3, 8, d=7)
    assert middle_channels(3, 64, d=7) == 83 and middle_channels(64, 128, d=1) == 54
    first, norm = network.layer2[0].shortcut
    assert (first.space.kernel_size, first.time.stride) == ((1, 1, 1), (2, 1, 1))
    assert (norm.eps, first.norm.eps) == (1e-3, 1e-5)
    assert (network.stem.norm1.eps, network.stem.norm2.eps) == (1e-5, 1e-3)
    assert (network.layer1[0].conv1.norm.eps, network.layer1[0].norm1.eps) == (1e-5, 1e-3)
    sizes = []
    network.layer1.register_forward_pre_hook(lambda _, given: sizes.append(given[0].shape[2:]))
    with torch.no_grad():
        network(torch.rand(1, 3, 4, 64, 64))
    assert sizes == [(4, 16, 16)]  # halved by the stem, and by a max-pool


def test_the_bottleneck_splits_time_from_space_in_that_order():
    block = SplitBottleneck(8, 4, (2, 2)).eval()
    seen = []
    for name in ("conv1", "time", "space", "conv3"):
        part = getattr(block, name)
        part.register_forward_hook(lambda _, x, y, name=name: seen.append((name, *y.shape[1:])))
    with torch.no_grad():
        assert block(torch.randn(1, 8, 4, 6, 6)).shape == (1, 16, 2, 3, 3)
    assert seen == [
        ("conv1", 4, 4, 6, 6),
        ("time", 4, 2, 6, 6),
        ("space", 4, 2, 3, 3),
        ("conv3", 16, 2, 3, 3),
    ]
    assert _parameters(block.time[0]) + _parameters(block.space[0]) == 12 * 4 * 4


def test_paper_card_follows_torchvisions_weights():
    weights = R2Plus1D_18_Weights.KINETICS400_V1
    assert PAPER.classes == tuple(weights.meta["categories"])
    assert PAPER.weights[0].url == weights.url
    assert PAPER.weights[0].sha256 == "91a641e6"
    assert PAPER.input.resize == (128, 171)
    assert PAPER.input.crop == (112, 112)
    assert PAPER.accuracy[0].top1 == pytest.approx(67.463)


@pytest.mark.parametrize("frames, side", [(1, 112), (4, 64), (20, 96)])
def test_any_number_of_frames_and_any_size(frames, side):
    network = R2Plus1D(3, width=8).eval()
    with torch.no_grad():
        logits = network(torch.rand(1, 3, frames, side, side))
    assert logits.shape == (1, 3)
    assert logits.isfinite().all()
