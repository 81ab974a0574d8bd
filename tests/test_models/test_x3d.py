"""X3D: thin, expanded by factors, every frame kept to the end."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from har_demo.models.x3d import (
    X3D,
    Block,
    SqueezeExcite,
    multiple_of_eight,
    x3d_l,
    x3d_m,
    x3d_xl,
)
from har_demo.profiling.cost import gmacs, parameters
from tests.test_models.public_keys import read


def _meta(build):
    with torch.device("meta"):
        return build(400).eval()


def _layers(network):
    return [network.layer1, network.layer2, network.layer3, network.layer4]


@pytest.mark.parametrize(
    ("build", "blocks", "channels"),
    [
        (x3d_m, [3, 5, 11, 7], [24, 48, 96, 192]),
        (x3d_l, [5, 10, 25, 15], [24, 48, 96, 192]),
        (x3d_xl, [5, 10, 25, 15], [35, 70, 139, 278]),
    ],
)
def test_the_factors_give_the_papers_depths_and_widths(build, blocks, channels):
    layers = _layers(_meta(build))
    assert [len(layer) for layer in layers] == blocks
    assert [layer[-1].narrow.out_channels for layer in layers] == channels


def test_every_second_block_weighs_its_channels_beginning_with_the_first():
    for layer in _layers(_meta(x3d_m)):
        weighs = [isinstance(block.weigh, SqueezeExcite) for block in layer]
        assert weighs == [index % 2 == 0 for index in range(len(layer))]


def test_all_convolutions_that_look_around_are_depthwise_but_the_very_first():
    found = [
        name
        for name, layer in _meta(x3d_m).named_modules()
        if isinstance(layer, nn.Conv3d) and max(layer.kernel_size) > 1 and layer.groups == 1
    ]
    assert found == ["stem_space"]


def test_rounding_never_loses_over_a_tenth():
    assert [multiple_of_eight(c) for c in (1, 12, 13, 27, 432 / 16)] == [8, 16, 16, 32, 32]
    assert all(multiple_of_eight(c / 4) >= 0.9 * c / 4 for c in range(32, 4000))


def test_time_is_never_halved():
    network = X3D(3, width=0.5, depth=1.0).eval()
    shapes = []
    network.conv5.register_forward_pre_hook(lambda _, x: shapes.append(x[0].shape[2:]))
    with torch.no_grad():
        network(torch.zeros(1, 3, 5, 64, 96))
    assert shapes == [(5, 2, 3)]


def test_no_layer_but_the_head_costs_more_for_a_longer_clip():
    """XS, S and M are one network: cost grows with the frames and the area, parameters do not."""
    network = _meta(x3d_m)
    short, long = (gmacs(network, (1, 3, frames, 160, 160)) for frames in (4, 8))
    head = (432 * 2048 + 2048 * 400) / 1e9
    excite = sum(
        parameters(module.squeeze)
        + parameters(module.excite)
        - sum(module.squeeze.weight.shape[:2])
        for module in network.modules()
        if isinstance(module, SqueezeExcite)
    )
    assert long - short == pytest.approx(short - head - excite / 1e9, rel=1e-6)


def test_a_channel_is_weighed_by_the_mean_of_the_whole_clip():
    torch.manual_seed(0)
    weigh = SqueezeExcite(16)
    x = torch.rand(2, 16, 3, 4, 4)
    shuffled = x.flatten(2)[:, :, torch.randperm(48)].view_as(x)
    with torch.no_grad():
        share, same = weigh(x) / x, weigh(shuffled) / shuffled
    assert (share > 0).all() and (share < 1).all()
    torch.testing.assert_close(share, share[..., :1, :1, :1].expand_as(share))
    torch.testing.assert_close(share, same)


def test_the_first_shortcut_has_a_norm_only_where_asked_for():
    plain, normed = (X3D(3, norm_every_shortcut=every) for every in (False, True))
    assert parameters(normed) - parameters(plain) == 48
    assert isinstance(plain.layer1[0].shortcut[1], nn.Identity)
    assert isinstance(plain.layer2[0].shortcut[1], nn.BatchNorm3d)


def test_a_block_computes_what_the_paper_says():
    """Step by step from its own parameters, in the order of the paper."""
    torch.manual_seed(0)
    block = Block(8, 16, stride=2, excite=True).eval()
    for norm in (m for m in block.modules() if isinstance(m, nn.BatchNorm3d)):
        norm.running_mean.normal_(std=0.1)
        norm.running_var.uniform_(0.5, 1.5)
        nn.init.uniform_(norm.weight, 0.5, 1.5)
    x = torch.randn(2, 8, 3, 6, 6)
    with torch.no_grad():
        y = block.widen_norm(F.conv3d(x, block.widen.weight)).clamp(min=0)
        y = F.conv3d(y, block.depthwise.weight, stride=(1, 2, 2), padding=1, groups=36)
        y = block.weigh(block.depthwise_norm(y))
        y = F.conv3d(y * y.sigmoid(), block.narrow.weight)
        kept = F.conv3d(x[..., ::2, ::2], block.shortcut[0].weight)
        expected = (block.narrow_norm(y) + block.shortcut[1](kept)).clamp(min=0)
        torch.testing.assert_close(block(x), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", ["s", "m"])
def test_mmactions_network_is_another_by_one_batch_norm(size):
    """The 48 parameters by which they differ, as the top of x3d.py says."""
    theirs = read(f"open_mmlab__x3d_{size}_mmaction2")
    ours = read(f"pytorchvideo_hub_pytorchvideo__x3d_{size}")
    norm = "backbone.layer1.0.downsample.bn."

    def count(state):
        return sum(
            tensor.numel()
            for name, tensor in state.items()
            if name.endswith((".weight", ".bias")) and not name.startswith(norm)
        )

    assert theirs[f"{norm}weight"].numel() + theirs[f"{norm}bias"].numel() == 48
    assert count(theirs) == count(ours)
