"""Three publishers' names for S3D, one of which lists every tensor twice."""

import pytest
import torch

from har_demo.weights.name_maps.s3d import MAPS
from tests.test_weights.public_keys import assert_fills, read


def test_torchvision_fills_s3d():
    assert_fills("torchvision__s3d", "s3d")


@pytest.mark.parametrize("name", ["s3d", "s3d_g"])
def test_tengdahan_fills_the_network_from_the_first_of_each_pair(name):
    public = read(f"tengdahan__{name}")
    twice = [key for key in public if key.startswith("b.block")]
    assert 2 * len(twice) + 2 == len(public)  # and the last layer's two
    assert_fills(f"tengdahan__{name}", name, dropped=twice)


def test_space_comes_before_time():
    """Both norms of a split convolution have one shape, which would not tell them apart."""
    for theirs, ours in {
        "features.3.0.1.bias": "trunk.conv_2c.space.norm.bias",
        "features.3.1.1.bias": "trunk.conv_2c.time.norm.bias",
        "features.8.branch2.1.1.1.bias": "trunk.mixed_4b.branch2.1.time.norm.bias",
        "b.Conv_2c.bn2.bias": "trunk.conv_2c.time.norm.bias",
        "b.Mixed_4b.branch2.1.bn1.bias": "trunk.mixed_4b.branch2.1.space.norm.bias",
    }.items():
        assert list(MAPS["s3d"]({theirs: torch.zeros(1)})) == [ours]
