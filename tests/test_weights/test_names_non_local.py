"""Public files of non-local networks fill ours."""

import pytest

from tests.test_weights.public_keys import assert_fills


@pytest.mark.parametrize(
    ("file", "model"),
    [
        ("facebookresearch__c2d_nl_r50", "c2d_nl_r50"),
        ("facebookresearch__i3d_nl_r50", "i3d_nl_r50"),
        ("facebookresearch__i3d_nl_r101", "i3d_nl_r101"),
        ("facebookresearch__slow_nl_r50", "slow_nl_r50"),
        ("open_mmlab__i3d_r50_nl_embedded_gaussian", "i3d_nl_r50_32"),
        ("open_mmlab__i3d_r50_nl_dot", "i3d_nl_r50_32_dot"),
        ("open_mmlab__i3d_r50_nl_gaussian", "i3d_nl_r50_32_gaussian"),
    ],
)
def test_every_name_is_used_and_every_parameter_filled(file, model):
    assert_fills(file, model)
