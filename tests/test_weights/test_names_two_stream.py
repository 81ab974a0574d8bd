"""The names of two-stream-pytorch's files."""

import pytest

from tests.test_weights.public_keys import assert_fills


@pytest.mark.parametrize(
    ("file", "model"),
    [
        ("bryanyzhu__two_stream_vgg_16_spatial", "two_stream_vgg16_spatial"),
        ("bryanyzhu__two_stream_vgg_16_temporal_l_10_20_ch", "two_stream_vgg16_temporal"),
    ],
)
def test_every_name_is_used_and_every_parameter_filled(file, model):
    assert_fills(file, model, classes=101)
