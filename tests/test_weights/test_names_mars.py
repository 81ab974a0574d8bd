"""The authors' names for MARS and its flow network."""

from tests.test_weights.public_keys import assert_fills


def test_the_authors_names():
    assert_fills("craston__mars", "mars")
    assert_fills("craston__mars", "mars_64")
    assert_fills("craston__mars_flow", "mars_flow")
