"""Public files of R(2+1)D fill ours; test_name_maps.py has that of 18 layers."""

from tests.test_weights.public_keys import assert_fills


def test_every_name_is_used_and_every_parameter_filled():
    assert_fills("pytorchvideo_hub_pytorchvideo__r2plus1d_r50", "r2plus1d_r50")
