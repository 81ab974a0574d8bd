"""A short clip, and looks of small networks that nobody has trained."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from har_demo.clips.clip import Clip, SourceFacts
from har_demo.clips.ingest import ingest
from har_demo.explain.look import ForwardTrace
from har_demo.models.attention import block_inputs
from har_demo.models.registry import card
from har_demo.weights import Provenance
from tests.media import figure_clip


@pytest.fixture(scope="session")
def wave_file(tmp_path_factory) -> Path:
    """Two seconds of somebody waving, as a file."""
    return figure_clip(tmp_path_factory.mktemp("clips") / "wave.mp4", "wave_both_hands")


@pytest.fixture(scope="session")
def waving(wave_file) -> Clip:
    """The same, ingested."""
    return ingest(wave_file)


@pytest.fixture
def made(monkeypatch):
    """made(network, *inputs) is a network's look at random inputs: nothing is decoded or loaded."""

    def make(network: nn.Module, *inputs: torch.Tensor, frames: int | None = None) -> ForwardTrace:
        network.eval().requires_grad_(False)
        monkeypatch.setattr(ForwardTrace, "network", lambda self: network)
        count = frames or inputs[0].shape[2]
        logits, received = block_inputs(network, *inputs)
        source = SourceFacts("made.mp4", "mp4", "h264", 320, 240, 10.0, count / 10, 1)
        return ForwardTrace(
            clip=Clip(Path("made.mp4"), 10.0, count, 160, 120, "0" * 64, source),
            card=card("mfnet_pnl_lab"),
            frames=np.arange(count),
            box=(20, 0, 140, 120),
            pictures=np.zeros((count, 120, 120, 3), np.uint8),
            inputs=inputs,
            scores=logits.softmax(dim=-1)[0].numpy(),
            received=received,
            weights=None,
            provenance=Provenance("user", "made", "0" * 64, ""),
            note="",
        )

    return make


@pytest.fixture
def untrained(monkeypatch):
    """Models without weights are loaded as they were built, so that their code can be run."""
    from har_demo.recognize import networks

    def load(card, user_file=None, on_progress=None):
        torch.manual_seed(0)
        return card.build(len(card.classes)).eval(), Provenance("user", "fresh", "0" * 64, "")

    monkeypatch.setattr(networks.weights, "load", load)
    networks.forget()
    yield
    networks.forget()
