"""Public files of residual networks fill ours."""

import pytest
from public_keys import assert_fills


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
