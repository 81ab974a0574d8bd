"""Karpathy's ways to connect an image network to time: who sees which frames, and who can tell their order."""

import pytest
import torch
from torch import nn

from har_demo.models.fusion2d import (
    SingleFrame,
    SlowFusion,
    along_time,
    dense,
    early_fusion_tiny,
    first_layer,
    late_fusion_tiny,
    multiresolution_tiny,
    second_layer,
    single_frame_tiny,
    slow_fusion,
    slow_fusion_tiny,
    tower,
)

FRAMES = {early_fusion_tiny: 10, late_fusion_tiny: 2, slow_fusion_tiny: 10, single_frame_tiny: 4}


def scores(build, clip):
    torch.manual_seed(0)
    with torch.no_grad():
        return build(5).eval()(clip)


def clip(frames, side=32, batch=2):
    return torch.randn(batch, 3, frames, side, side, generator=torch.Generator().manual_seed(1))


def test_convolutions_end_in_the_papers_7_by_7_by_256():
    with torch.device("meta"):
        frame = torch.empty(1, 3, 170, 170)
        assert first_layer(3)(frame).shape == (1, 96, 27, 27)
        assert second_layer(96)(first_layer(3)(frame)).shape == (1, 256, 14, 14)
        assert tower(3)(frame).shape == (1, 256, 7, 7)
        # half the side and no last pool
        assert tower(3, last_pool=False)(torch.empty(1, 3, 89, 89)).shape == (1, 256, 7, 7)


def test_normalisation_is_alexnets():
    """Division by (2 + 1e-4 · the sum over 5 neighbouring channels of squares) to the power of 3/4."""
    normalise = first_layer(3)[2]
    x = 100 * torch.rand(1, 9, 1, 1)
    neighbours = x[0, 2:7, 0, 0]
    expected = x[0, 4, 0, 0] / (2 + 1e-4 * neighbours.square().sum()) ** 0.75
    torch.testing.assert_close(normalise(x)[0, 4, 0, 0], expected)


def test_stacking_neighbours_is_a_convolution_in_space_and_time():
    torch.manual_seed(0)
    flat = nn.Conv2d(4 * 3, 7, 5, stride=3)
    full = nn.Conv3d(3, 7, (4, 5, 5), stride=(2, 3, 3))
    with torch.no_grad():
        full.weight.copy_(flat.weight.unflatten(1, (3, 4)))
        full.bias.copy_(flat.bias)
        x = clip(10)
        got = along_time(flat, x, extent=4, stride=2)
        torch.testing.assert_close(got, full(x), atol=1e-5, rtol=1e-5)
    assert got.shape[2] == 4


def test_slow_fusion_sees_4_then_2_then_1_moment():
    seen = []
    with torch.device("meta"):
        network = slow_fusion(101)
        for part in (network.first, network.second, network.third):
            part.register_forward_hook(lambda _, x, y: seen.append((x[0].shape[:2], y.shape[:2])))
        network(torch.empty(1, 3, 10, 170, 170))
    assert seen == [((4, 12), (4, 96)), ((2, 192), (2, 256)), ((1, 512), (1, 256))]


def test_slow_fusions_receptive_field_in_time():
    """A response of the first layer sees 4 frames, of the second 6, of the third all 10."""
    torch.manual_seed(0)
    network = SlowFusion(
        nn.Conv2d(12, 6, 3), nn.Conv2d(12, 6, 3), nn.Conv2d(12, 6, 3), nn.Flatten()
    )
    x = clip(10, side=12, batch=1).requires_grad_()

    def frames_behind(y):
        (slope,) = torch.autograd.grad(y.sum(), x, retain_graph=True)
        return slope.abs().sum(dim=(0, 1, 3, 4)).nonzero().flatten().tolist()

    first = along_time(network.first, x, 4, 2)
    second = along_time(network.second, first, 2, 2)
    third = along_time(network.third, second, 2, 2)
    assert [frames_behind(first[:, :, t]) for t in range(4)] == [
        [0, 1, 2, 3],
        [2, 3, 4, 5],
        [4, 5, 6, 7],
        [6, 7, 8, 9],
    ]
    assert [frames_behind(second[:, :, t]) for t in range(2)] == [[*range(6)], [*range(4, 10)]]
    assert frames_behind(third[:, :, 0]) == [*range(10)]
    assert third.shape[2] == 1


@pytest.mark.parametrize("build", [early_fusion_tiny, late_fusion_tiny, slow_fusion_tiny])
def test_fusion_can_tell_a_clip_from_its_reverse(build):
    x = clip(FRAMES[build])
    assert (scores(build, x) - scores(build, x.flip(2))).abs().max() > 1e-3


@pytest.mark.parametrize("build", [single_frame_tiny, multiresolution_tiny])
def test_averaging_frames_cannot(build):
    x = clip(4)
    torch.testing.assert_close(scores(build, x), scores(build, x.flip(2)), atol=1e-5, rtol=1e-5)
    assert (scores(build, x) - scores(build, clip(4).roll(1, 0))).abs().max() > 1e-3


def test_copies_of_one_frame_score_as_the_frame():
    x = clip(1)
    torch.testing.assert_close(
        scores(single_frame_tiny, x.expand(-1, -1, 6, -1, -1)),
        scores(single_frame_tiny, x),
        atol=1e-5,
        rtol=1e-5,
    )


def test_the_same_frame_twice_reads_the_same_in_both_towers_of_late_fusion():
    """The towers share their filters: their two maps are equal, so swapping frames changes nothing."""
    still = clip(1).expand(-1, -1, 2, -1, -1)
    maps = []
    torch.manual_seed(0)
    network = late_fusion_tiny(5).eval()
    network.head.register_forward_pre_hook(lambda _, x: maps.append(x[0]))
    with torch.no_grad():
        network(still)
    torch.testing.assert_close(maps[0][:, :256], maps[0][:, 256:])


def test_late_fusion_sees_the_first_frame_and_the_last():
    x = clip(9)
    ends = x[:, :, [0, 8]]
    torch.testing.assert_close(scores(late_fusion_tiny, x), scores(late_fusion_tiny, ends))
    assert (scores(late_fusion_tiny, x) - scores(late_fusion_tiny, x[:, :, 1:])).abs().max() > 1e-3


@pytest.mark.parametrize("build", [early_fusion_tiny, slow_fusion_tiny])
@pytest.mark.parametrize("frames", [1, 12])
def test_another_number_of_frames_is_refused(build, frames):
    with pytest.raises((RuntimeError, ValueError)):
        scores(build, clip(frames))


def test_the_fovea_sees_the_centre_and_the_context_everything():
    x = clip(1, side=64)
    margin = x.clone()
    margin[..., :16] = 0
    inputs = {}
    network = multiresolution_tiny(5).eval()
    for name in ("fovea", "context"):
        stream = getattr(network, name)
        stream.register_forward_pre_hook(lambda _, v, name=name: inputs.update({name: v[0]}))

    def seen(frames):
        with torch.no_grad():
            network(frames)
        return inputs["fovea"], inputs["context"]

    fovea, context = seen(x)
    torch.testing.assert_close(fovea, x[:, :, 0, 16:48, 16:48])
    torch.testing.assert_close(
        context[:, :, 3, 5], x[:, :, 0, 6:8, 10:12].mean(dim=(2, 3)), atol=1e-6, rtol=1e-6
    )
    other_fovea, other_context = seen(margin)
    assert torch.equal(fovea, other_fovea)
    assert not torch.equal(context, other_context)


def test_single_frame_is_the_mean_of_each_frames_scores():
    torch.manual_seed(0)
    network = SingleFrame(tower(3), dense(256, 4)).eval()
    x = clip(2, side=170, batch=1)
    with torch.no_grad():
        each = [network(x[:, :, t : t + 1]) for t in range(2)]
        torch.testing.assert_close(network(x), (each[0] + each[1]) / 2)
