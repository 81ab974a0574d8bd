"""Shipped parameters are half as large as trained ones, and as finite."""

import torch

from har_demo.research.training.recognition.ship import halved


def test_what_half_precision_cannot_hold_stays_as_it_is():
    small, large, count = torch.tensor([0.1, 60_000]), torch.tensor([0.1, 70_000]), torch.tensor(3)
    assert halved(small).dtype == torch.float16
    assert halved(large) is large
    assert halved(count) is count
