"""S3D is torchvision's network; S3D-G and the top-heavy one differ from it as the paper says."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import video

from har_demo.models.i3d import I3D, MIXED, outputs_of
from har_demo.models.registry import card
from har_demo.models.s3d import S3D, Gate, Mixed, key_map_s3d, s3d, split
from har_demo.profiling.cost import gmacs, parameters
from tests.test_models.public_keys import assert_fills, read


def _perturbed(network: nn.Module) -> nn.Module:
    """With norms that are not the identity, so that a forgotten or swapped one shows."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
    return network.eval()


def test_same_outputs_as_torchvision():
    torch.manual_seed(0)
    theirs, ours = _perturbed(video.s3d()), s3d(400).eval()
    nn.init.normal_(theirs.classifier[1].weight, std=0.1)
    ours.load_state_dict(key_map_s3d(theirs.state_dict()))
    x = torch.randn(1, 3, 14, 224, 224)
    with torch.no_grad():
        expected, got = theirs(x), ours(x)
    assert expected.std() > 1e-2
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


def test_one_block_more_with_time_costs_what_the_public_network_says():
    with torch.device("meta"):
        network = S3D(400, time_from="4f")
    assert parameters(network) == 7_216_944
    assert gmacs(network, (1, 3, 64, 224, 224)) == pytest.approx(42.117, abs=1e-3)


def test_a_split_convolution_is_two_with_a_norm_and_a_relu_after_each():
    torch.manual_seed(0)
    both = _perturbed(split(2, 3, size=3))
    space, time = both.space, both.time
    assert space.conv.kernel_size == (1, 3, 3) and time.conv.kernel_size == (3, 1, 1)
    x = torch.randn(1, 2, 5, 6, 6)
    with torch.no_grad():
        y = F.relu(space.norm(F.conv3d(x, space.conv.weight, padding=(0, 1, 1))))
        y = F.relu(time.norm(F.conv3d(y, time.conv.weight, padding=(1, 0, 0))))
        torch.testing.assert_close(both(x), y)


def test_splitting_saves_what_the_paper_promises():
    """The same blocks and channels as I3D at two thirds of its parameters and of its cost."""
    with torch.device("meta"):
        cubes, pairs = I3D(400), S3D(400)
    shares = [
        parameters(pairs) / parameters(cubes),
        gmacs(pairs, (1, 3, 64, 224, 224)) / gmacs(cubes, (1, 3, 64, 224, 224)),
    ]
    assert shares == pytest.approx([0.655, 0.647], abs=1e-3)


def test_a_gate_weighs_channels_by_the_mean_of_the_whole_clip():
    torch.manual_seed(0)
    gate = Gate(4)
    x = torch.randn(2, 4, 3, 5, 5)
    with torch.no_grad():
        y = gate(x)
        share = y / x
        # One weight for a channel of a clip, between 0 and 1, whatever the place and moment.
        torch.testing.assert_close(share, share[:, :, :1, :1, :1].expand_as(share))
        assert (share > 0).all() and (share < 1).all()
        means = x.mean(dim=(2, 3, 4))
        expected = torch.sigmoid(means @ gate.fc.weight.T + gate.fc.bias)
        torch.testing.assert_close(share[:, :, 0, 0, 0], expected)


def test_every_branch_of_a_gated_block_has_its_own_gate():
    torch.manual_seed(0)
    channels = (4, 6, 8, 2, 3, 5)
    gated = Mixed(12, channels, time=True, gated=True).eval()
    plain = Mixed(12, channels, time=True, gated=False).eval()
    plain.load_state_dict({k: v for k, v in gated.state_dict().items() if "gates" not in k})
    assert [gate.fc.in_features for gate in gated.gates] == [4, 8, 3, 5]
    x = torch.randn(1, 12, 3, 5, 5)
    with torch.no_grad():
        branches = plain(x).split([4, 8, 3, 5], dim=1)
        expected = [gate(branch) for gate, branch in zip(gated.gates, branches, strict=True)]
        torch.testing.assert_close(gated(x), torch.cat(expected, dim=1))
        assert gated(x).shape == (1, outputs_of(channels), 3, 5, 5)


def test_below_its_top_blocks_a_top_heavy_network_sees_no_neighbouring_moments():
    """But for what pools do: 2 frames meet in the stem, and 3 moments in pool_4a."""
    torch.manual_seed(0)
    trunk = S3D(3, width=1 / 8, time_from="5b").eval().trunk
    names = [name for name, _ in trunk.named_children()]
    x = torch.randn(1, 3, 16, 32, 32)
    other = x.clone()
    other[:, :, 6:8] += 1.0  # the frames of moment 3

    def touched(last: str) -> list[int]:
        part = trunk[: names.index(last) + 1]
        with torch.no_grad():
            changed = (part(x) - part(other)).abs().amax(dim=(1, 3, 4))[0]
        return (changed > 1e-6).nonzero().flatten().tolist()

    assert touched("mixed_3c") == [3]
    assert touched("mixed_4f") == [1, 2]  # moments 1 … 3 and 3 … 5
    trunk = S3D(3, width=1 / 8).eval().trunk  # with time everywhere
    assert touched("mixed_3c") == list(range(8))


@pytest.mark.parametrize("time_from", ["3b", "4f", "5b"])
def test_time_begins_where_it_is_told(time_from):
    with torch.device("meta"):
        trunk = S3D(400, time_from=time_from).trunk
    for name in MIXED:
        convolutions = [
            module
            for module in trunk.get_submodule(f"mixed_{name}").modules()
            if isinstance(module, nn.Conv3d) and module.kernel_size[0] > 1
        ]
        assert len(convolutions) == (2 if name >= time_from else 0)
    stem = [m for n, m in trunk.named_modules() if isinstance(m, nn.Conv3d) and n[:4] == "conv"]
    assert any(m.kernel_size[0] > 1 for m in stem) == (time_from == "3b")


@pytest.mark.nightly
def test_shapes_do_not_depend_on_where_time_begins():
    with torch.device("meta"):
        for frames in (14, 15, 16, 64):
            x = torch.empty(1, 3, frames, 64, 64)
            shapes = {S3D(5, width=1 / 8, time_from=t).trunk(x).shape for t in ("3b", "5b")}
            assert len(shapes) == 1


def test_the_paper_card_keeps_torchvisions_weights():
    assert card("s3d").weights[0].url == video.S3D_Weights.KINETICS400_V1.url
    assert card("s3d").accuracy[0].top1 == pytest.approx(68.368)


@pytest.mark.parametrize("name", ["s3d", "s3d_g"])
def test_tengdahan_fills_the_network_from_the_first_of_each_pair(name):
    public = read(f"tengdahan__{name}")
    twice = [key for key in public if key.startswith("b.block")]
    assert 2 * len(twice) + 2 == len(public)  # and the last layer's two
    source = "torchvision" if name == "s3d" else ""
    assert_fills(f"tengdahan__{name}", name, dropped=twice, source=source)


def test_space_comes_before_time():
    """Both norms of a split convolution have one shape, which would not tell them apart."""
    for theirs, ours in {
        "features.3.0.1.bias": "trunk.conv_2c.space.norm.bias",
        "features.3.1.1.bias": "trunk.conv_2c.time.norm.bias",
        "features.8.branch2.1.1.1.bias": "trunk.mixed_4b.branch2.1.time.norm.bias",
        "b.Conv_2c.bn2.bias": "trunk.conv_2c.time.norm.bias",
        "b.Mixed_4b.branch2.1.bn1.bias": "trunk.mixed_4b.branch2.1.space.norm.bias",
    }.items():
        assert list(key_map_s3d({theirs: torch.zeros(1)})) == [ours]
