"""A model that tells three colours apart, and outcomes of an evaluation that never ran."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.models.card import ModelCard, ModelInput
from har_demo.recognize.eval_set import EvalClip, EvalSet
from har_demo.recognize.evaluate import EvalTarget, Outcome
from har_demo.weights import Provenance

CLASSES = ("walking", "jumping jack", "bending down")
COLOURS = {"walking": (220, 30, 30), "jumping jack": (30, 220, 30), "bending down": (30, 30, 220)}


def colours(classes: int) -> nn.Module:
    """A network that can tell red, green and blue."""
    return nn.Sequential(nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(3, classes))


@pytest.fixture
def card(monkeypatch) -> ModelCard:
    """A model for whom walking is red, a jumping jack green and bending blue; nobody shipped it."""
    spec = ModelInput(4, 12.5, (16, 16), (16, 16), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    card = ModelCard(
        "colours_lab", "Colours", "Tests", 2026, "none", "", "", "lab", spec, "Three", CLASSES, colours
    )  # fmt: skip
    monkeypatch.setitem(registry.cards(), card.name, card)
    return card


@pytest.fixture
def weights(tmp_path) -> Path:
    network = colours(3)
    with torch.no_grad():
        network[2].weight.copy_(torch.eye(3))
        network[2].bias.zero_()
    path = tmp_path / "colours.safetensors"
    save_file(network.state_dict(), path)
    return path


def outcome(shown: list[tuple[str, str, str]], answers: list[str], back=None) -> Outcome:
    """(data set, group, class) of every clip and the class that was answered."""
    card = registry.card("c3d_lab")

    def scores(names):
        first = [EVERYDAY.index(name) for name in names]
        table = np.tile(np.linspace(0.05, 0.01, len(EVERYDAY)), (len(first), 1))
        table[np.arange(len(first)), first] = 0.5
        return table

    clips = tuple(
        EvalClip(str(n), dataset, group, EVERYDAY.index(name), None)
        for n, (dataset, group, name) in enumerate(shown)
    )
    one = EvalTarget(card, None, Provenance("shipped", "a", "0f"), EvalSet("m", clips))
    return Outcome(one, clips, scores(answers), scores(back) if back else None, ())
