"""The image network that the tiny sizes of all 2D systems share."""

import pytest
import torch

from har_demo.models.resnet2d import Block, ResNet2D, frame_by_frame
from har_demo.profiling.cost import gmacs, parameters


def test_size_and_cost_are_as_documented():
    with torch.device("meta"):
        network = ResNet2D()
        assert network(torch.empty(8, 3, 112, 112)).shape == (8, network.channels, 7, 7)
    assert parameters(network) == 1_230_240
    assert gmacs(network, (1, 3, 112, 112)) == pytest.approx(0.2074, abs=1e-4)


def test_stacked_frames_widen_the_first_convolution_alone():
    with torch.device("meta"):
        one, ten = ResNet2D(3), ResNet2D(30)
    assert parameters(ten) - parameters(one) == 27 * 49 * 32


def test_a_block_adds_to_its_input():
    """With the last norm at zero nothing is added, and what is left is the input."""
    block = Block(8, 8).eval()
    torch.nn.init.zeros_(block.norm2.weight)
    x = torch.rand(2, 8, 5, 5)
    with torch.no_grad():
        assert torch.equal(block(x), x)
        assert not torch.equal(Block(8, 8).eval()(x), x)


def test_every_frame_is_seen_by_itself_and_in_its_place():
    torch.manual_seed(0)
    network = ResNet2D().eval()
    clip = torch.randn(2, 3, 4, 32, 48)
    with torch.no_grad():
        maps = frame_by_frame(network, clip)
        assert maps.shape == (2, 4, 256, 2, 3)
        alone = network(clip[1, :, 2].unsqueeze(0))[0]
    torch.testing.assert_close(maps[1, 2], alone, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(maps[1, 1], alone, atol=1e-3)


def test_clips_with_their_channels_last_too():
    torch.manual_seed(0)
    network = ResNet2D().eval()
    clip = torch.randn(2, 3, 4, 32, 32)
    with torch.no_grad():
        expected = frame_by_frame(network, clip)
        got = frame_by_frame(network, clip.to(memory_format=torch.channels_last_3d))
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)
