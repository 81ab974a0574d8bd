"""Gamma brings every clip to one brightness; more of it beside equalisation, in test_training."""

import torch

from har_demo.models.light import BRIGHTNESS, gamma


def test_gamma_aims_at_a_brightness():
    lit = gamma(torch.full((1, 3, 2, 4, 4), 0.1))
    torch.testing.assert_close(lit, torch.full_like(lit, BRIGHTNESS))
