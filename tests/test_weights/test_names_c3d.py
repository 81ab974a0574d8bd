"""Lists of public C3D files, made by running the public code."""

from tests.test_weights.public_keys import assert_fills


def test_both_publishers_names_fill_both_cards():
    for card in ("c3d", "c3d_sports1m"):
        assert_fills("open_mmlab__c3d_mmaction2", card, classes=101)
        assert_fills("davidea__c3d", card, classes=487)
