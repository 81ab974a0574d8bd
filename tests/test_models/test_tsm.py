"""TSM shifts an eighth of the channels each way, inside the residual branch, for nothing."""

import re

import pytest
import torch
from torch import nn
from torchvision.models.resnet import Bottleneck

from har_demo.models.resnet2d import Block
from har_demo.models.tsm import (
    KEY_MAP,
    ShiftedConv,
    ThenNonLocal,
    shift,
    tsm_nl_r50,
    tsm_r50,
    tsm_tiny,
)
from har_demo.models.tsn import tsn_r50, tsn_tiny
from har_demo.profiling.cost import gmacs, parameters
from tests.networks import on_meta
from tests.test_models import public_keys


def test_each_frame_gets_an_eighth_of_the_next_and_an_eighth_of_the_last():
    x = torch.randn(2, 4, 16, 3, 3)
    y = shift(x)
    for t in range(4):
        after = x[:, t + 1, :2] if t < 3 else torch.zeros(2, 2, 3, 3)
        before = x[:, t - 1, 2:4] if t > 0 else torch.zeros(2, 2, 3, 3)
        assert torch.equal(y[:, t, :2], after)
        assert torch.equal(y[:, t, 2:4], before)
        assert torch.equal(y[:, t, 4:], x[:, t, 4:])


def test_clips_of_a_batch_do_not_mix():
    torch.manual_seed(0)
    network = tsm_tiny(5).eval()
    clips = torch.randn(2, 3, 8, 32, 32)
    with torch.no_grad():
        alone = network(clips[1:])
        torch.testing.assert_close(network(clips)[1:], alone, atol=1e-5, rtol=1e-5)


def test_the_shortcut_is_not_shifted():
    """With nothing in the branch, a block gives back what it was given."""
    block = Block(16, 16).eval()
    block.conv1 = ShiftedConv(block.conv1, frames=4)
    nn.init.zeros_(block.norm2.weight)
    x = torch.rand(8, 16, 5, 5)
    with torch.no_grad():
        assert torch.equal(block(x), x)


@pytest.mark.parametrize(
    ("with_shift", "without", "blocks"), [(tsm_r50, tsn_r50, 16), (tsm_tiny, tsn_tiny, 4)]
)
def test_every_block_shifts_and_it_costs_nothing(with_shift, without, blocks):
    with torch.device("meta"):
        tsm, tsn = with_shift(9), without(9)
    assert sum(isinstance(m, ShiftedConv) for m in tsm.modules()) == blocks
    assert parameters(tsm) == parameters(tsn)
    shape = (1, 3, 8, 112, 112)
    assert gmacs(tsm, shape) == gmacs(tsn, shape)


def test_non_local_blocks_stand_behind_every_other_block_and_see_all_frames_of_a_clip():
    with torch.device("meta"):
        network = tsm_nl_r50(5)
    found = [name for name, m in network.named_modules() if isinstance(m, ThenNonLocal)]
    places = ("layer2.0", "layer2.2", "layer3.0", "layer3.2", "layer3.4")
    assert found == [f"features.{place}" for place in places]
    torch.manual_seed(0)
    block = ThenNonLocal(Bottleneck(16, 4), 4, "embedded_gaussian").eval()
    nn.init.ones_(block.non_local.norm.weight)
    frames = torch.rand(8, 16, 6, 6)  # two clips
    with torch.no_grad():
        by_clip = block.block(frames).unflatten(0, (2, 4)).transpose(1, 2)
        wanted = torch.cat([block.non_local(clip[None]) for clip in by_clip])
        torch.testing.assert_close(block(frames), wanted.transpose(1, 2).flatten(0, 1))
        other = frames.clone()
        other[3] += 1
        changed = (block(other) - block(frames)).abs().amax(dim=(1, 2, 3)) > 1e-6
    assert changed.tolist() == [True] * 4 + [False] * 4


def test_it_can_tell_a_clip_from_its_reverse():
    torch.manual_seed(0)
    network = tsm_tiny(5).eval()
    clip = torch.randn(1, 3, 8, 32, 32)
    with torch.no_grad():
        assert (network(clip) - network(clip.flip(2))).abs().max() > 1e-3


def test_a_score_depends_on_neighbours_up_to_four_blocks_away():
    """Every block reaches one frame further; stems and shortcuts reach none."""
    torch.manual_seed(0)
    network = tsm_tiny(5).eval()
    clip = torch.randn(1, 3, 8, 32, 32, requires_grad=True)
    maps = []
    network.features[0].layer4.register_forward_hook(lambda _, x, y: maps.append(y))
    network(clip)
    (slope,) = torch.autograd.grad(maps[0][0].sum(), clip)  # the first frame's map
    assert slope.abs().sum(dim=(0, 1, 3, 4)).nonzero().flatten().tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("frames", [4, 16])
def test_another_number_of_frames_is_refused(frames):
    with pytest.raises(ValueError, match="8 frames"):
        tsm_tiny(5)(torch.zeros(1, 3, frames, 32, 32))


def test_mmaction2s_file_has_the_shift_around_the_first_convolution():
    theirs = {
        re.sub(r"(layer\d\.\d+\.conv1\.conv)\.", r"\1.net.", name): tensor
        for name, tensor in public_keys.read("open_mmlab__tsn_r50").items()
    }
    assert "backbone.layer3.5.conv1.conv.net.weight" in theirs
    mapped = KEY_MAP(theirs)
    assert len(mapped) == len(theirs)
    own = on_meta("tsm_r50").state_dict()
    assert {k: v.shape for k, v in mapped.items()} == {k: v.shape for k, v in own.items()}
