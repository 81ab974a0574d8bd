"""Public files of residual networks fill ours."""

import pytest
import torch

from har_demo.models.registry import card
from har_demo.weights.name_maps import MAPS
from har_demo.weights.name_maps.rename import renamed
from har_demo.weights.name_maps.resnet3d import MMACTION
from tests.test_weights.public_keys import assert_fills, read


@pytest.mark.parametrize(
    ("file", "model"),
    [
        ("pytorchvideo_hub_pytorchvideo__c2d_r50", "c2d_r50"),
        ("facebookresearch__c2d_r50", "c2d_r50"),
        ("pytorchvideo_hub_pytorchvideo__i3d_r50", "i3d_r50"),
        ("facebookresearch__i3d_r50", "i3d_r50"),
        ("open_mmlab__i3d_r50", "i3d_r50_32"),
        ("pytorchvideo_hub_pytorchvideo__slow_r50", "slow_r50"),
        ("open_mmlab__slowonly_r50_mmaction2", "slow_r50"),
        ("torchvision__r3d_18", "r3d_18"),
        ("torchvision__mc3_18", "mc3_18"),
    ],
)
def test_every_name_is_used_and_every_parameter_filled(file, model):
    assert_fills(file, model)


def test_mmactions_c2d_is_not_mistaken_for_ours():
    """It has as many parameters, in 2D filters and with another pooling: its names stay unknown."""
    theirs = read("open_mmlab__c2d_r50_mmaction2")
    with torch.device("meta"):
        ours = card("c2d_r50").build(400).state_dict()
    parameters = {name for name, tensor in ours.items() if tensor.is_floating_point()}
    assert parameters <= set(renamed(*MMACTION)(theirs))
    assert not parameters & set(MAPS["c2d_r50"](theirs))
