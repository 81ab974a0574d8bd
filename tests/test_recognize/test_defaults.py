"""The models that answer when nobody chose any."""

import pytest

from har_demo.models.registry import card
from har_demo.recognize import defaults
from har_demo.weights import Availability


@pytest.mark.parametrize(
    ("state", "first"),
    [
        ("cached", "i3d"),
        ("shipped", "i3d"),
        ("download", "slow_fusion_lab"),
        ("missing", "slow_fusion_lab"),
    ],
)
def test_i3d_is_a_default_where_its_weights_are_here(monkeypatch, state, first):
    monkeypatch.setattr(defaults, "availability", lambda card: Availability(state, 1, ""))
    models = defaults.default_models()
    assert models == (first, "mfnet_pnl_lab")
    assert card(models[0]).family != card(models[1]).family
