"""A prediction is as sure as validation clips say that its weights may be."""

from dataclasses import replace

import numpy as np
import pytest

from har_demo import weights
from har_demo.models.registry import card
from har_demo.weights import shipped
from tests.predictions import prediction_of

SCORES = np.array([0.6, 0.3, 0.1], np.float32)


def test_a_temperature_softens_scores_and_keeps_their_order():
    plain = prediction_of("c3d_lab", ("x", "y", "z"), "three", SCORES)
    warm = replace(plain, provenance=replace(plain.provenance, temperature=2.0))
    roots = np.sqrt(SCORES)
    assert warm.overall == pytest.approx(roots / roots.sum())
    assert warm.windows[0] == pytest.approx(warm.overall)
    assert warm.top(3) == [
        (name, pytest.approx(float(share))) for name, share in zip("xyz", warm.overall, strict=True)
    ]
    assert plain.overall == pytest.approx(SCORES) and (warm.scores == plain.scores).all()


def test_shipped_weights_bring_the_temperature_of_the_manifest():
    name = "slow_fusion_lab"
    found = weights.load(card(name))[1].temperature
    assert found == shipped.entry(name)["temperature"] > 1
