"""Inflated, an image network answers still videos as it answered images."""

import pytest
import torch
from torch import nn

from har_demo.models.efficientnet3d import InflatedLite0, fill


@pytest.fixture(scope="module")
def image_network():
    timm = pytest.importorskip("timm")  # seconds, so not where every worker collects tests
    torch.manual_seed(0)
    network = timm.create_model("tf_efficientnet_lite0", num_classes=0).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # unlike each other, so that a swap shows
            nn.init.uniform_(module.weight, 0.8, 1.6)
            nn.init.normal_(module.bias, std=0.3)
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.double()  # in single precision sixteen blocks of random norms add up to 0.0005


@pytest.mark.parametrize("size", [(64, 64), (48, 63)])  # where padding is even and where it is not
def test_a_still_video_has_the_images_features_at_every_moment(image_network, size):
    network = InflatedLite0(7).double().eval()
    fill(network.trunk, image_network.state_dict())
    image = torch.randn(2, 3, *size, dtype=torch.double)
    with torch.no_grad():
        expected = image_network.forward_features(image)
        seen = network.trunk(image[:, :, None].expand(-1, -1, 5, -1, -1))
    assert expected.std() > 0.1
    for moment in seen.unbind(2):
        torch.testing.assert_close(moment, expected)


def test_not_stretched_it_averages_what_it_sees_in_frames(image_network):
    network = InflatedLite0(7, time=1).double().eval()
    fill(network.trunk, image_network.state_dict())
    frames = torch.randn(4, 3, 48, 48, dtype=torch.double)
    with torch.no_grad():
        expected = network.fc(image_network.forward_features(frames).mean((0, 2, 3)))
        seen = network(frames.transpose(0, 1)[None])
    torch.testing.assert_close(seen[0], expected)


def test_order_matters_to_it(image_network):
    torch.manual_seed(0)
    network = InflatedLite0(7).eval()
    fill(network.trunk, image_network.state_dict())
    # Copies along time are the same backwards; filters that have learned are not.
    for unit in network.trunk.modules():
        if isinstance(unit, nn.Conv3d) and unit.kernel_size[0] == 3:
            nn.init.normal_(unit.weight, std=0.3)
    video = torch.randn(1, 3, 4, 32, 32)
    with torch.no_grad():
        assert not torch.allclose(network(video), network(video.flip(2)), atol=1e-3)


def test_it_has_the_image_networks_parameters_and_two_more_looks_along_time(image_network):
    network = InflatedLite0(39)
    around = [m for m in network.modules() if isinstance(m, nn.Conv3d) and m.kernel_size[0] == 3]
    assert len(around) == 16
    more = sum(conv.weight.numel() for conv in around) * 2 // 3
    of_images = sum(p.numel() for p in image_network.parameters())
    counted = sum(p.numel() for p in network.trunk.parameters())
    assert counted == of_images + more == 3_371_008 + more


def test_another_networks_parameters_are_refused(image_network):
    trunk, state = InflatedLite0(2).trunk, image_network.state_dict()
    with pytest.raises(ValueError, match=r"norm\.bias"):
        fill(trunk, state | {"bn1.bias": torch.zeros(33)})
    with pytest.raises(ValueError, match=r"argument 2 is shorter"):
        fill(trunk, dict(list(state.items())[:-1]))
