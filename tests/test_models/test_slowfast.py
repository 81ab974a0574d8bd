"""SlowFast: two rates, one-way laterals, and a Slow pathway that is the Slow network."""

import pytest
import torch
from torch import nn

from har_demo.models.attention import attention_maps
from har_demo.models.resnet3d import SLOW, BottleneckNet, slow_r50
from har_demo.models.slowfast import (
    SlowFast,
    slow_frames,
    slowfast_r50_8x8,
    slowfast_r101_16x8,
    with_non_local,
)
from har_demo.profiling.cost import gmacs, parameters
from tests.test_models.public_keys import read

BLOCKS = (1, 2, 1, 1)


def fresh(network: nn.Module) -> nn.Module:
    """With normalisation statistics too, so that a swapped pair would show."""
    torch.manual_seed(0)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm3d):
            nn.init.normal_(norm.running_mean, std=0.1)
            nn.init.uniform_(norm.running_var, 0.5, 1.5)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, std=0.1)
    return network.eval()


def closed(network: SlowFast) -> SlowFast:
    """With laterals that hand over nothing."""
    for name, tensor in network.state_dict().items():
        if name.startswith("lateral") and not name.endswith("running_var"):
            tensor.zero_()
    return network


@pytest.mark.parametrize("frames", range(4, 132, 4))
def test_the_slow_pathway_sees_the_frames_that_the_public_weights_were_trained_on(frames):
    trained_on = torch.linspace(0, frames - 1, frames // 4).long()
    assert slow_frames(frames) == trained_on.tolist()


@pytest.mark.parametrize("frames", [1, 3, 8, 13])
def test_any_number_of_frames(frames):
    network = SlowFast(3, BLOCKS, width=8).eval()
    with torch.no_grad():
        assert network(torch.rand(1, 3, frames, 32, 48)).isfinite().all()


def test_without_laterals_the_slow_pathway_is_the_slow_network_on_its_frames():
    ours = closed(fresh(SlowFast(5, BLOCKS, width=16)))
    theirs = BottleneckNet(5, SLOW, BLOCKS, pool2=1, width=16).eval()
    state = theirs.state_dict()
    for name, tensor in ours.slow.state_dict().items():
        name = name.replace("stem.0.", "stem.")
        # A stage's first convolutions have inputs for the lateral, behind the stage's own.
        state[name].copy_(tensor if tensor.dim() < 2 else tensor[:, : state[name].shape[1]])
    nn.init.normal_(ours.fc.weight)
    with torch.no_grad():
        ours.fc.weight[:, 512:] = 0  # the Fast pathway's features
        state["fc.weight"].copy_(ours.fc.weight[:, :512])
        state["fc.bias"].copy_(ours.fc.bias)
        x = torch.randn(2, 3, 16, 32, 32)
        expected = theirs(x[:, :, [0, 5, 10, 15]])
        assert expected.std() > 1e-2
        torch.testing.assert_close(ours(x), expected, atol=1e-4, rtol=1e-4)


def _features(network, x):
    """Of res5 of either pathway."""
    found = {}
    for name in ("slow", "fast"):
        stage = getattr(network, name).res5
        stage.register_forward_hook(lambda _, x, y, name=name: found.__setitem__(name, y))
    with torch.no_grad():
        network(x)
    return found["slow"], found["fast"]


def test_fast_is_handed_to_slow_and_never_the_other_way():
    network = fresh(SlowFast(5, BLOCKS, width=8))
    x = torch.randn(1, 3, 8, 32, 32)
    slow, fast = _features(network, x)
    with torch.no_grad():
        network.slow.stem[0][0].weight.mul_(-1)
        other_slow, same_fast = _features(network, x)
        assert not torch.equal(slow, other_slow)
        assert torch.equal(fast, same_fast)
        network.slow.stem[0][0].weight.mul_(-1)
        network.fast.stem[0][0].weight.mul_(-1)
        moved_slow, moved_fast = _features(network, x)
    assert not torch.equal(slow, moved_slow)
    assert not torch.equal(fast, moved_fast)


def test_a_frame_between_reaches_slow_only_through_the_laterals():
    network = fresh(SlowFast(5, BLOCKS, width=8))
    x = torch.randn(1, 3, 16, 32, 32)
    assert 7 not in slow_frames(16)
    other = x.clone()
    other[:, :, 7] += 1
    assert not torch.equal(_features(network, x)[0], _features(network, other)[0])
    closed(network)
    assert torch.equal(_features(network, x)[0], _features(network, other)[0])
    assert not torch.equal(_features(network, x)[1], _features(network, other)[1])


def test_the_fast_pathway_keeps_every_frame_with_an_eighth_of_the_channels():
    slow, fast = _features(SlowFast(5, BLOCKS, width=16).eval(), torch.zeros(1, 3, 8, 32, 64))
    assert slow.shape == (1, 512, 2, 1, 2)
    assert fast.shape == (1, 64, 8, 1, 2)


def test_fast_and_its_laterals_cost_a_sixth_though_they_see_four_times_the_frames():
    with torch.device("meta"):
        both, slow = slowfast_r50_8x8(400), slow_r50(400)
    share = 1 - gmacs(slow, (1, 3, 8, 224, 224)) / gmacs(both, (1, 3, 32, 224, 224))
    assert share == pytest.approx(1 / 6, abs=0.01)
    assert parameters(both.fast) < parameters(both.slow) / 50


def test_where_each_pathway_looks_along_time():
    with torch.device("meta"):
        network = slowfast_r101_16x8(5)

    def extents(pathway):
        stages = (pathway.res2, pathway.res3, pathway.res4, pathway.res5)
        return [[block.conv1[0].kernel_size[0] for block in stage] for stage in stages]

    assert extents(network.slow) == [[1] * 3, [1] * 4, [3] * 6 + [1] * 17, [3] * 3]
    assert extents(network.fast) == [[3] * 3, [3] * 4, [3] * 6 + [1] * 17, [3] * 3]
    assert network.slow.stem[0][0].kernel_size == (1, 7, 7)
    assert network.fast.stem[0][0].kernel_size == (5, 7, 7)


def test_a_fresh_non_local_block_changes_nothing_and_says_where_it_looks():
    plain = fresh(SlowFast(3, BLOCKS, width=8))
    x = torch.randn(1, 3, 8, 64, 64)
    with torch.no_grad():
        before = plain(x)
        network = with_non_local(plain, res3=(1,), res4=()).eval()
        assert torch.equal(network(x), before)
    (name, (found,)), *others = attention_maps(network, x, at=torch.tensor([[0.5, 0, 0]])).items()
    assert (name, others) == ("slow.res3.1.non_local", [])
    assert found.query_grid == (2, 8, 8)
    assert found.key_grid == (2, 4, 4)
    assert found.weights.shape == (1, 1, 1, 32)


def test_mmactions_network_is_another_as_its_laterals_are_not_normalised():
    """The 928 parameters by which they differ, as the top of slowfast.py says."""

    def parameters(file):
        found = read(file).items()
        return {name: t.numel() for name, t in found if name.endswith((".weight", ".bias"))}

    theirs = parameters("open_mmlab__slowfast_r50_mmaction2")
    ours = parameters("pytorchvideo_hub_pytorchvideo__slowfast_r50")
    norms = {name: size for name, size in ours.items() if ".multipathway_fusion.norm." in name}
    assert sum(norms.values()) == 928
    assert sum(ours.values()) - sum(theirs.values()) == 928
    assert not [name for name in theirs if "lateral" in name and ".bn." in name]
