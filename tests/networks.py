"""Networks of the registry on the meta device, each built once a run: shapes and names without numbers."""

from torch import nn

from har_demo.models.registry import card
from har_demo.profiling.published_costs import meta_network


def on_meta(name: str, classes: int | None = None) -> nn.Module:
    """Return a card's network in evaluation mode, with its own number of classes or another one.

    Tests share it: what needs hooks that stay or other parameters takes a copy or builds its own.
    """
    return meta_network(card(name), classes or len(card(name).classes))
