"""Networks of the registry on the meta device, each built once a run: shapes and names without numbers."""

from functools import cache

import torch
from torch import nn

from har_demo.models.registry import card


@cache
def on_meta(name: str, classes: int | None = None) -> nn.Module:
    """Return a card's network in evaluation mode, with its own number of classes or another one.

    Tests share it: what needs hooks or other parameters takes a copy or builds its own.
    """
    with torch.device("meta"):
        return card(name).build(classes or len(card(name).classes)).eval()
