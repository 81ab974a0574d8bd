"""The names of pytorch-i3d's files, and of the image network that I3D was inflated from."""

import pytest
import torch
from torchvision.models import GoogLeNet

from har_demo.models.i3d import i3d_trunk
from har_demo.weights.name_maps.i3d import GOOGLENET, MAPS
from tests.test_weights.public_keys import assert_fills


@pytest.mark.parametrize("stream", ["rgb", "flow"])
def test_pytorch_i3d_fills_each_stream(stream):
    assert_fills(f"piergiaj__i3d_{stream}", "i3d" if stream == "rgb" else "i3d_flow")


def test_branches_keep_their_order():
    """Shapes alone would not tell the two reductions of mixed_4f's neighbours apart."""
    assert list(MAPS["i3d"]({"Mixed_5b.b2a.conv3d.weight": torch.zeros(1)})) == [
        "trunk.mixed_5b.branch2.0.conv.weight"
    ]
    assert list(MAPS["i3d"]({"Mixed_5b.b3b.bn.bias": torch.zeros(1)})) == [
        "trunk.mixed_5b.branch3.1.norm.bias"
    ]


def test_googlenet_has_every_parameter_of_the_trunk_but_flat():
    with torch.device("meta"):
        theirs = GoogLeNet(init_weights=False).state_dict()
        ours = i3d_trunk().state_dict()
    mapped = GOOGLENET(theirs)
    assert mapped.keys() == ours.keys()
    for name, tensor in mapped.items():
        shape = ours[name].shape
        assert tensor.shape == (shape[:2] + shape[3:] if len(shape) == 5 else shape)
