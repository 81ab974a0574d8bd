"""mmaction2's TSN file fills ours."""

from tests.test_weights.public_keys import assert_fills


def test_mmaction2():
    assert_fills("open_mmlab__tsn_r50", "tsn_r50")
