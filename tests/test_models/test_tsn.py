"""TSN is torchvision's ResNet-50 on every segment, averaged; it cannot know their order."""

import torch
from torch import nn
from torchvision.models import resnet50

from har_demo.models.tsn import tsn_r50, tsn_tiny


def test_scores_are_the_mean_of_torchvisions_for_each_segment():
    torch.manual_seed(0)
    theirs = resnet50(num_classes=7).eval()
    for norm in theirs.modules():
        if isinstance(norm, nn.BatchNorm2d):  # fresh statistics would hide a swapped pair
            norm.running_mean.normal_(std=0.1)
            norm.running_var.uniform_(0.5, 1.5)
    ours = tsn_r50(7).eval()
    ours.load_state_dict(
        {
            name if name.startswith("fc.") else f"features.{name}": tensor
            for name, tensor in theirs.state_dict().items()
        }
    )
    clip = torch.randn(2, 3, 3, 64, 64)
    with torch.no_grad():
        expected = torch.stack([theirs(clip[:, :, t]) for t in range(3)]).mean(dim=0)
        got = ours(clip)
    assert expected.std() > 1e-3
    torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)


def test_a_clip_and_its_reverse_score_the_same():
    torch.manual_seed(0)
    network = tsn_tiny(5).eval()
    clip = torch.randn(2, 3, 8, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(network(clip), network(clip.flip(2)), atol=1e-5, rtol=1e-5)
        other = torch.cat([clip[:, :, :4], clip[:, :, :4]], dim=2)
        assert (network(clip) - network(other)).abs().max() > 1e-3


def test_copies_of_one_frame_score_as_the_frame():
    torch.manual_seed(0)
    network = tsn_tiny(5).eval()
    frame = torch.randn(1, 3, 1, 32, 32)
    with torch.no_grad():
        copies = network(frame.expand(-1, -1, 8, -1, -1))
        torch.testing.assert_close(copies, network(frame), atol=1e-5, rtol=1e-5)
