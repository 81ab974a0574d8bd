"""Residual networks in 3D: where each looks along time, and torchvision's outputs."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet50, video

from har_demo.models.registry import card
from har_demo.models.resnet3d import (
    C2D,
    I3D,
    SLOW,
    TORCHVISION_KEY_MAP,
    BasicBlock,
    BasicNet,
    BottleneckNet,
    i3d_r50,
)
from har_demo.profiling.cost import gmacs


def fresh(network: nn.Module, seed: int = 0) -> nn.Module:
    """With normalisation statistics too, so that a swapped pair would show."""
    torch.manual_seed(seed)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d | nn.BatchNorm3d):
            nn.init.normal_(norm.running_mean, std=0.1)
            nn.init.uniform_(norm.running_var, 0.5, 1.5)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, std=0.1)
    return network.eval()


def extents(stage: nn.Sequential) -> list[int]:
    return [block.conv1[0].kernel_size[0] for block in stage]


def test_where_each_network_looks_along_time():
    with torch.device("meta"):
        i3d = i3d_r50(400)
        slow = BottleneckNet(400, SLOW, pool2=1)
        c2d = BottleneckNet(400, C2D)
    assert i3d.stem[0].kernel_size == (5, 7, 7)
    stages = [i3d.res2, i3d.res3, i3d.res4, i3d.res5]
    assert [extents(s) for s in stages] == [
        [3, 3, 3],
        [3, 1, 3, 1],
        [3, 1, 3, 1, 3, 1],
        [1, 3, 1],
    ]
    assert {*extents(slow.res2), *extents(slow.res3), *slow.stem[0].kernel_size[:1]} == {1}
    assert {*extents(slow.res4), *extents(slow.res5)} == {3}
    assert all(m.kernel_size[0] == 1 for m in c2d.modules() if isinstance(m, nn.Conv3d))


def test_only_slow_keeps_every_frame():
    x = torch.zeros(1, 3, 8, 32, 32)
    for time, pool2, left in ((C2D, 2, 4), (I3D, 2, 4), (SLOW, 1, 8)):
        network = BottleneckNet(5, time, (1, 1, 1, 1), pool2, width=8).eval()
        shapes = []
        network.res5.register_forward_hook(lambda _, x, y, shapes=shapes: shapes.append(y.shape))
        with torch.no_grad():
            network(x)
        assert shapes == [(1, 256, left, 1, 1)]


def test_a_stem_with_a_stride_brings_32_frames_to_the_cost_of_eight():
    """Behind the stem both see as many positions; the stem itself sees twice as many."""
    with torch.device("meta"):
        eight, many = BottleneckNet(400, I3D), BottleneckNet(400, I3D, stem_stride=2)
    stem = 112 * 112 * 64 * 3 * 5 * 7 * 7 / 1e9
    cost = gmacs(many, (1, 3, 32, 224, 224)) - gmacs(eight, (1, 3, 8, 224, 224))
    assert cost == pytest.approx((16 - 8) * stem)


@torch.no_grad()
def test_c2d_forgets_the_order_of_pairs_of_frames_and_i3d_does_not():
    x = torch.randn(1, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))
    swapped = x[:, :, [2, 3, 0, 1, 6, 7, 4, 5]]
    changed = {}
    for name, time, pool2 in (("C2D", C2D, 2), ("I3D", I3D, 2), ("Slow", SLOW, 1)):
        network = fresh(BottleneckNet(5, time, (1, 1, 1, 1), pool2, width=8))
        change = (network(x) - network(swapped)).abs().max() / network(x).abs().max()
        changed[name] = change.item()
    assert changed["C2D"] < 1e-5
    assert changed["I3D"] > 1e-3 and changed["Slow"] > 1e-3


@torch.no_grad()
def test_c2d_of_a_still_clip_is_resnet_50_of_its_frame():
    """Frame by frame it is the image network, whose weights it can take."""
    image = fresh(resnet50(num_classes=7))
    ours = BottleneckNet(7, C2D).eval()
    tensors = image.state_dict().values()
    # Both register stem, blocks and last layer in the order of the data, shortcuts last in a block.
    own = ours.state_dict()
    ours.load_state_dict(
        {name: t if t.ndim != 4 else t[:, :, None] for name, t in zip(own, tensors, strict=True)}
    )
    frame = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    clip = frame[:, :, None].expand(-1, -1, 2, -1, -1)
    torch.testing.assert_close(ours(clip), image(frame), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_still_clip_is_the_same_to_inflated_kernels():
    """Inflation: the 2D kernel copied along time and divided by its extent (Carreira and Zisserman)."""
    c2d = fresh(BottleneckNet(5, C2D, (1, 1, 1, 1), pool2=1, width=8))
    i3d = BottleneckNet(5, I3D, (1, 1, 1, 1), pool2=1, width=8).eval()
    i3d.load_state_dict(
        {
            name: (flat.expand_as(own) / own.shape[2] if own.ndim == 5 else flat)
            for (name, own), flat in zip(
                i3d.state_dict().items(), c2d.state_dict().values(), strict=True
            )
        }
    )
    frame = torch.randn(1, 3, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    received = {}
    for name, network in (("c2d", c2d), ("i3d", i3d)):
        network.res5.register_forward_hook(lambda _, x, y, name=name: received.__setitem__(name, y))
        network(frame.expand(-1, -1, 25, -1, -1))
    # Zeros at the clip's ends reach 2 frames into the stem and one more per kernel of 3: res2, 3, 4.
    inside = (received[n][:, :, 10:15] for n in ("i3d", "c2d"))
    torch.testing.assert_close(*inside, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(received["i3d"][:, :, 0], received["c2d"][:, :, 0], atol=1e-3)


@pytest.mark.parametrize("name", ["r3d_18", "mc3_18"])
def test_same_outputs_as_torchvision(name):
    theirs = fresh(getattr(video, name)())
    ours = card(name).build(400).eval()
    ours.load_state_dict(TORCHVISION_KEY_MAP(theirs.state_dict()))
    x = torch.randn(1, 3, 8, 56, 56, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        expected, got = theirs(x), ours(x)
    assert expected.std() > 1e-3
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


def test_mc3_keeps_all_frames_and_looks_along_time_in_layer1_only():
    network = BasicNet(5, time=(3, 1, 1, 1), width=8).eval()
    shapes = []
    network.layer4.register_forward_hook(lambda _, x, y: shapes.append(y.shape))
    with torch.no_grad():
        network(torch.zeros(1, 3, 8, 32, 32))
    assert shapes == [(1, 64, 8, 2, 2)]
    looking = [n for n, m in network.named_modules() if getattr(m, "kernel_size", (1,))[0] > 1]
    assert {n.split(".")[0] for n in looking} == {"stem", "layer1"}


@pytest.mark.parametrize("frames, side", [(2, 64), (5, 48), (16, 32)])
def test_any_number_of_frames_and_any_size(frames, side):
    network = BottleneckNet(3, I3D, (1, 1, 1, 1), width=8).eval()
    with torch.no_grad():
        logits = network(torch.rand(1, 3, frames, side, side))
    assert logits.shape == (1, 3) and logits.isfinite().all()


@pytest.mark.parametrize(
    ("time", "stride", "shape"),
    [
        (3, (2, 2, 2), (1, 4, 2, 4, 4)),
        (1, (1, 2, 2), (1, 4, 4, 4, 4)),
        (3, (1, 2, 2), (1, 4, 4, 4, 4)),
        (1, (2, 1, 1), (1, 4, 2, 8, 8)),
    ],
)
def test_a_block_shrinks_time_and_space_as_it_is_told_to(time, stride, shape):
    assert BasicBlock(3, 4, time, stride)(torch.zeros(1, 3, 4, 8, 8)).shape == shape


@pytest.mark.parametrize(("time", "frames"), [(3, 2), (1, 4)])
def test_a_layer_shrinks_time_only_where_it_looks_along_it(time, frames):
    network = BasicNet(3, time=(3, time, 3, 3), blocks=1, width=4)
    assert network.layer2(torch.zeros(1, 4, 4, 8, 8)).shape == (1, 8, frames, 4, 4)
