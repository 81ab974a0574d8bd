"""Every public CSN fills ours."""

import pytest

from tests.test_weights.public_keys import assert_fills


@pytest.mark.parametrize(
    ("file", "model"),
    [
        ("facebookresearch__ir_csn_101", "ir_csn_101"),
        ("facebookresearch__ip_csn_101", "ip_csn_101"),
        ("open_mmlab__ir_csn_152_mmaction2", "ir_csn_152"),
        ("open_mmlab__ip_csn_152_mmaction2", "ip_csn_152"),
        ("pytorchvideo_hub_pytorchvideo__csn_r101", "ir_csn_101"),
    ],
)
def test_every_name_is_used_and_every_parameter_filled(file, model):
    assert_fills(file, model)
