"""A new system is a new file and nothing else: every page, list and loader finds it by its card."""

import sys

import pytest
import torch
from safetensors.torch import save_file

from har_demo import models
from har_demo.clips.ingest import ingest
from har_demo.explain.attention import blocks
from har_demo.explain.look import look
from har_demo.interface import formatting
from har_demo.interface.pages.attention import view as attention_view
from har_demo.interface.picker import picker
from har_demo.models import registry
from har_demo.recognize.catalogue import catalogue
from har_demo.tables import lecture
from tests.media import figure_clip

FILE = '''
"""EchoNet: pooled frames, compared with each other."""

from torch import nn

from har_demo.models.attention import AttentionMap, flat_positions
from har_demo.models.card import ModelCard, ModelInput
from har_demo.models.key_map import key_map


class Echo(nn.Module):
    kind = "echo attention"

    def __init__(self):
        super().__init__()
        self.same = nn.Conv3d(3, 3, 1)

    def forward(self, x):
        return self.same(x)

    def attention(self, x, at=None):
        grid = tuple(x.shape[2:])
        queries = flat_positions(at, grid)
        weights = x.new_ones(1, 1, len(queries), x[0, 0].numel()) / x[0, 0].numel()
        return (AttentionMap(weights, queries, grid, grid),)


class EchoNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.pool, self.echo, self.head = nn.AvgPool3d((1, 8, 8)), Echo(), nn.Linear(3, classes)

    def forward(self, x):
        return self.head(self.echo(self.pool(x)).mean((2, 3, 4)))


CARDS = tuple(
    ModelCard(
        name=name,
        title=title,
        family="Echoes",
        year=2031,
        paper="Nobody, Echoes of Actions",
        paper_url="https://example.org",
        idea="Compares pooled frames with each other.",
        size=size,
        input=ModelInput(4, 8.0, (32, 32), (32, 32), (0.5,) * 3, (0.25,) * 3),
        label_set="Three",
        classes=("walking", "running", "jumping"),
        build=EchoNet,
        parameters=24,
        gmacs=0.001,
        key_map=key_map((r"^backbone[.]", "")),
        attends=True,
        chapter="far",
        tiny_of="echo_net" if size == "tiny" else "",
        hue=77,
    )
    for name, title, size in (("echo_net", "EchoNet", "paper"), ("echo_tiny", "EchoNet (tiny)", "tiny"))
)
'''


@pytest.fixture
def echo_net(tmp_path, monkeypatch):
    """One more file of models; the registry is as before afterwards."""
    (tmp_path / "echo_net.py").write_text(FILE)
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])
    registry.files.cache_clear()
    registry.cards.cache_clear()
    yield
    monkeypatch.undo()
    sys.modules.pop(f"{models.__name__}.echo_net", None)
    registry.files.cache_clear()
    registry.cards.cache_clear()


def test_a_new_file_is_all_that_a_new_system_needs(echo_net, tmp_path):
    card = registry.card("echo_net")
    assert card.title == "EchoNet"
    (row,) = (row for row in catalogue() if row["name"] == "echo_net")
    assert row["weights"]["state"] == "missing"
    assert "EchoNet (tiny)" in picker([])
    (chapter,) = (c for c in lecture.CHAPTERS if c.name == card.chapter)
    assert lecture.System("echo_net", "echo_tiny") in chapter.systems
    assert formatting.hue(card.family) == 77
    assert "EchoNet" in attention_view.missing_models()

    # Its own file of weights, under its publisher's names, answers and shows its attention.
    torch.manual_seed(0)
    tensors = card.build(3).state_dict()
    weights = tmp_path / "public.safetensors"
    save_file({f"backbone.{name}": tensor for name, tensor in tensors.items()}, weights)
    clip = ingest(figure_clip(tmp_path / "wave.mp4", "wave_both_hands"))
    trace = look(clip, "echo_net", weights=str(weights))
    assert trace.scores.shape == (3,) and trace.scores.sum() == pytest.approx(1)
    (block,) = blocks(trace)
    assert (block.name, block.kind) == ("echo", "echo attention")


def test_the_registry_is_as_before():
    assert "echo_net" not in registry.cards()
