"""CGNL and CGD are the sums they stand for, join the frames of a clip, and cost what they should."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet50

from har_demo.models import compact_global
from har_demo.models.attention import attention_maps
from har_demo.models.compact_global import CGD, CGNL, each_frame, resnet50_of_clips
from har_demo.profiling.cost import gmacs, parameters


def test_parameters_to_the_digit():
    with torch.device("meta"):
        plain = parameters(resnet50(num_classes=1000))
        nl, cgnl, cgd = (
            parameters(build(1000)) - plain
            for build in (
                compact_global.res50_nl,
                compact_global.res50_cgnl,
                compact_global.res50_cgd,
            )
        )
    assert plain + cgnl == 27_197_480
    assert plain + cgd == 25_579_688
    assert plain + nl - 3 * 512 == 27_656_232  # the reference has no biases in θ, φ and g


def test_what_the_blocks_add_at_784_positions_is_what_the_lecture_prints():
    """Its totals rest on a base nobody could count, but the differences between its rows hold."""
    view = (1, 1024, 4, 14, 14)
    nl = compact_global.NonLocal(1024, subsample=True)
    assert gmacs(nl, view) == pytest.approx(19.67 - 17.88, abs=0.02)
    assert gmacs(CGNL(1024), view) == pytest.approx(19.16 - 17.88, abs=0.01)


def _trained(block):
    """With numbers in place of those that start at zero."""
    torch.manual_seed(0)
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.5)
    return block.eval()


def _pairs(block, x):
    """θ, φ and g per group, [groups, channels, positions], and y summed pair by pair."""
    theta, phi, g = (
        conv(x)[0].flatten(1).unflatten(0, (block.groups, -1))
        for conv in (block.theta, block.phi, block.g)
    )
    y = torch.zeros_like(theta)
    for group in range(block.groups):
        weight = torch.einsum("ci,dj->cidj", theta[group], phi[group])
        y[group] = torch.einsum("cidj,dj->ci", weight, g[group])
    return theta, phi, g, y


def test_cgnl_is_the_sum_over_all_pairs_of_a_group():
    block = _trained(CGNL(8, groups=2))
    x = torch.randn(1, 8, 2, 3, 2)
    with torch.no_grad():
        *_, y = _pairs(block, x)
        expected = x + block.norm(block.z(y.reshape(1, 4, 2, 3, 2)))
        torch.testing.assert_close(block(x), expected, atol=1e-4, rtol=1e-4)
        # Another function of the pairs, or other groups, would show.
        assert (block(x) - x).abs().max() > 0.1


def test_cgnls_map_times_g_is_the_mean_of_its_sum_over_a_group():
    block = _trained(CGNL(8, groups=2))
    x = torch.randn(1, 8, 2, 3, 2)
    at = torch.tensor([[0.0, 0.0, 0.0], [0.9, 0.4, 0.6]])
    with torch.no_grad():
        _, _, g, y = _pairs(block, x)
        (found,) = block.attention(x, at)
        (everywhere,) = block.attention(x)
    assert found.weights.shape == (1, 4, 2, 12)
    assert found.query_grid == found.key_grid == (2, 3, 2)
    assert found.queries.tolist() == [0, 6 + 2 + 1]
    assert everywhere.weights.shape == (1, 4, 12, 12)
    per_head = torch.einsum("hqk,hk->hq", found.weights[0], g.flatten(0, 1))
    of_group = per_head.unflatten(0, (2, 2)).sum(1)
    torch.testing.assert_close(of_group, y.mean(1)[:, found.queries], atol=1e-4, rtol=1e-4)


def test_only_the_sign_of_cgnls_sum_reaches_the_output():
    """The group norm divides its size out; see the block."""
    block = _trained(CGNL(16, groups=2))
    x = torch.randn(1, 16, 2, 4, 4)
    with torch.no_grad():
        before = block(x)
        block.g.weight *= 3
        torch.testing.assert_close(block(x), before, atol=1e-3, rtol=1e-3)
        block.g.weight *= -1
        assert (block(x) - before).abs().max() > 0.1


def test_cgd_is_its_formula_with_whole_matrices():
    block = _trained(CGD(5))
    x = torch.randn(2, 5, 3, 4, 4)
    with torch.no_grad():
        for clip, got in zip(x, block(x), strict=True):
            flat = clip.flatten(1)
            mean, most = flat.mean(1, keepdim=True), flat.max(1, keepdim=True).values
            share = mean.softmax(0)
            psi = torch.tanh(share @ mean.T @ block.w_mean + block.b_mean)[:, None]
            phi = torch.tanh(share @ most.T @ block.w_max + block.b_max)[:, None]
            gate = torch.tanh(psi @ phi.T @ block.w + block.b)
            torch.testing.assert_close(got, clip * (1 + gate)[:, None, None, None])


@pytest.mark.parametrize("build", [CGNL, CGD])
def test_frames_of_a_clip_are_joined_and_clips_are_not(build):
    block = _trained(build(16))
    x = torch.randn(2, 16, 3, 4, 4)
    changed = x.clone()
    changed[0, :, 0] *= -3
    with torch.no_grad():
        same = (block(x) == block(changed)).flatten(3).all(3).all(1)
    assert same.tolist() == [[False, False, False], [True, True, True]]


def test_cgnl_starts_as_the_identity():
    x = torch.randn(1, 16, 2, 4, 4)
    assert torch.equal(CGNL(16)(x), x)


def test_the_host_is_torchvisions_resnet_on_every_frame():
    torch.manual_seed(0)
    host = resnet50(num_classes=7).eval()
    clips = resnet50_of_clips(7).eval()
    theirs = host.state_dict().values()
    clips.load_state_dict(dict(zip(clips.state_dict(), theirs, strict=True)))
    x = torch.randn(1, 3, 3, 64, 64)
    with torch.no_grad():
        expected = host(x[0].transpose(0, 1)).mean(0, keepdim=True)  # fc of a mean, or mean of fc
        torch.testing.assert_close(clips(x), expected, atol=1e-4, rtol=1e-4)


def test_descriptors_stand_behind_conv1_of_every_bottleneck():
    with torch.device("meta"):
        network = compact_global.res50_cgd(5)
    found = [name for name, module in network.named_modules() if isinstance(module, CGD)]
    assert len(found) == 16
    assert all(name.endswith(".conv1.1") for name in found)


def test_maps_are_found_in_the_networks():
    torch.manual_seed(0)
    centre = torch.tensor([[0.5, 0.5, 0.5]])
    tiny = attention_maps(
        compact_global.cgnl_tiny(3).eval(), torch.randn(1, 3, 4, 64, 64), at=centre
    )
    assert {name: maps[0].weights.shape for name, maps in tiny.items()} == {
        "0.layer3.1": (1, 64, 1, 4 * 8 * 8)
    }
    nl = attention_maps(compact_global.res50_nl(3).eval(), torch.randn(1, 3, 2, 64, 64), at=centre)
    assert list(nl) == ["layer3.5"]
    torch.testing.assert_close(nl["layer3.5"][0].weights.sum(-1), torch.ones(1, 1, 1))


@pytest.mark.parametrize("frames", [1, 3])
def test_any_number_of_frames(frames):
    torch.manual_seed(0)
    for build in (compact_global.cgnl_tiny, compact_global.cgd_tiny):
        with torch.no_grad():
            assert build(3).eval()(torch.randn(2, 3, frames, 64, 80)).shape == (2, 3)


def test_no_layer_for_images_is_left_bare():
    with torch.device("meta"):
        network = each_frame(resnet50())
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d)
    bare = [
        name
        for name, module in network.named_modules()
        if isinstance(module, kinds) and not name.endswith(".layer")
    ]
    assert not bare
