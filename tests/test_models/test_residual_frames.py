"""ResFrame-TS: motion sees changes only, appearance one frame only, and scores are averaged."""

import pytest
import torch

from har_demo.models.residual_frames import (
    resframe_ts,
    resframe_ts_tiny,
    residual_frames,
)
from har_demo.models.resnet3d import BasicNet
from har_demo.profiling.cost import gmacs, parameters


@pytest.fixture(scope="module")
def network():
    """With norm statistics that no zero input passes unchanged."""
    torch.manual_seed(0)
    network = resframe_ts_tiny(5).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.normal_(module.bias, std=0.1)
    return network


@pytest.fixture
def clip():
    return torch.randn(2, 3, 6, 48, 48, generator=torch.Generator().manual_seed(1))


def test_a_residual_frame_is_a_frame_minus_the_one_before(clip):
    found = residual_frames(clip)
    assert found.shape == (2, 3, 5, 48, 48)
    for t in range(5):
        torch.testing.assert_close(found[:, :, t], clip[:, :, t + 1] - clip[:, :, t])


def test_the_clip_does_not_wrap_around(clip):
    """The first frame minus the last, which `roll` would give, is in none of the residual frames."""
    jump = clip[:, :, 0] - clip[:, :, -1]
    assert min((residual_frames(clip)[:, :, t] - jump).abs().mean() for t in range(5)) > 0.5


@torch.no_grad()
def test_a_static_clip_gives_the_motion_path_nothing(network, clip):
    static = clip[:, :, :1].expand_as(clip)
    motion, _ = network.paths(static)
    nothing, _ = network.paths(torch.zeros_like(clip))
    torch.testing.assert_close(motion, nothing)
    moving, _ = network.paths(clip)
    assert (moving - nothing).abs().max() > 1e-2


@torch.no_grad()
def test_brightness_cancels_in_the_motion_path_alone(network, clip):
    brighter = clip + 3 * torch.tensor([1.0, 0.5, 0.2]).view(3, 1, 1, 1)
    motion, appearance = network.paths(clip)
    motion_after, appearance_after = network.paths(brighter)
    torch.testing.assert_close(motion_after, motion, atol=1e-4, rtol=1e-4)
    assert (appearance_after - appearance).abs().max() > 1e-2


@torch.no_grad()
def test_appearance_sees_the_middle_frame_alone(network, clip):
    shuffled = clip[:, :, [5, 1, 4, 3, 0, 2]]  # of six, frame 3 stays where it was
    motion, appearance = network.paths(clip)
    motion_after, appearance_after = network.paths(shuffled)
    torch.testing.assert_close(appearance_after, appearance)
    assert (motion_after - motion).abs().max() > 1e-3


@torch.no_grad()
def test_the_scores_of_the_paths_are_averaged(network, clip):
    motion, appearance = network.paths(clip)
    wanted = (motion.softmax(1) + appearance.softmax(1)) / 2
    torch.testing.assert_close(network(clip).softmax(1), wanted)
    torch.testing.assert_close(network(clip).exp(), wanted)


def test_the_paper_size_is_r3d_18_and_a_resnet_50():
    with torch.device("meta"):
        network, r3d = resframe_ts(400), BasicNet(400)
    assert parameters(network.motion) == parameters(r3d) == 33_371_472
    assert parameters(network.appearance) == 24_327_632  # 25.557 M for ImageNet's 1000 classes
    both = gmacs(network, (1, 3, 17, 112, 112))
    alone = gmacs(r3d, (1, 3, 16, 112, 112))
    assert both - alone == pytest.approx(1.077, abs=1e-3)  # appearance costs next to nothing
