"""A tiny clip and tiny networks, so that the engine itself is what is tested."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from torch import nn

from har_demo.clips.clip import Clip, SourceFacts
from har_demo.clips.writer import write_video
from har_demo.errors import ChoiceError, WeightsError
from har_demo.models import registry
from har_demo.models.card import ModelCard, ModelInput
from har_demo.recognize import networks
from har_demo.weights import Provenance
from tests.media import numbered_frames

CLASSES = ("clap", "jump", "sit", "walk")


class Tiny(nn.Module):
    """One convolution in space and time, so that the order of the frames matters."""

    def __init__(self, classes: int, seed: int = 0, channels: int = 3):
        super().__init__()
        torch.manual_seed(seed)
        self.stem = nn.Conv3d(channels, 8, 3, stride=(1, 4, 4), padding=1)
        self.head = nn.Linear(8, classes)
        with torch.no_grad():
            self.head.weight.mul_(4)  # far from uniform answers

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.stem(x).relu().amax(dim=(2, 3, 4)))


class TinyTwoStream(nn.Module):
    """One for frames and one for flow."""

    def __init__(self, classes: int, seed: int = 0):
        super().__init__()
        self.spatial = Tiny(classes, seed)
        self.temporal = Tiny(classes, seed, channels=2)

    def forward(self, rgb: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
        return self.spatial(rgb) + self.temporal(flow)


def tiny_card(name: str, **changes) -> ModelCard:
    spec = ModelInput(
        frames=changes.pop("frames", 4),
        fps=changes.pop("fps", 12.5),
        resize=36,
        crop=(32, 32),
        mean=(0.4, 0.4, 0.4),
        std=(0.2, 0.2, 0.2),
        any_frames=changes.pop("any_frames", True),
        modality=changes.pop("modality", "rgb"),
        sampling=changes.pop("sampling", "dense"),
        flow_frames=changes.pop("flow_frames", 0),
        flow_limit=changes.pop("flow_limit", 2.0),
        flow_method="DIS",
    )
    card = ModelCard(
        name=name,
        title=name.title(),
        family="Test",
        year=2000,
        paper="none",
        paper_url="",
        idea="",
        size="tiny",
        input=spec,
        label_set="tests",
        classes=CLASSES,
        build=Tiny,
        gmacs=0.5,
    )
    return replace(card, **changes)


@dataclass
class Zoo:
    """The models of a test, standing in for the registry and the weights of the real ones."""

    cards: dict[str, ModelCard] = field(default_factory=dict)
    networks: dict[str, nn.Module | Exception] = field(default_factory=dict)
    loads: list[str] = field(default_factory=list)

    def add(self, name: str, network: nn.Module | Exception | None = None, **changes) -> ModelCard:
        self.cards[name] = tiny_card(name, **changes)
        self.networks[name] = network or Tiny(len(CLASSES), seed=len(self.cards))
        return self.cards[name]

    def add_flow(self, name: str, **changes) -> ModelCard:
        """A model of four fields of flow."""
        network = Tiny(len(CLASSES), len(self.cards), channels=2)
        return self.add(name, network, modality="flow", flow_frames=4, **changes)

    def add_two_stream(self, name: str, frames: int = 2, fields: int = 6) -> ModelCard:
        network = TinyTwoStream(len(CLASSES), len(self.cards))
        changes = {"modality": "rgb+flow", "frames": frames, "flow_frames": fields}
        return self.add(name, network, **changes)

    def card(self, name: str) -> ModelCard:
        if name not in self.cards:
            raise ChoiceError(f"there is no model named '{name}'.")
        return self.cards[name]

    def load(self, card, user_file=None, on_progress=None):
        self.loads.append(card.name)
        network = self.networks[card.name]
        if isinstance(network, Exception):
            raise network
        if on_progress:
            on_progress(1.0)
        return network, Provenance("shipped", f"{card.name}.safetensors", "ab" * 32)


@pytest.fixture
def zoo(monkeypatch) -> Zoo:
    """Two models, 'first' and 'second', and one without weights, 'bare'."""
    zoo = Zoo()
    zoo.add("first")
    zoo.add("second", fps=25.0)
    zoo.add("bare", WeightsError("weights of Bare (3 MB) are not here and cannot be fetched."))
    monkeypatch.setattr(registry, "card", zoo.card)
    monkeypatch.setattr(networks.weights, "load", zoo.load)
    networks.forget()
    yield zoo
    networks.forget()


def make_clip(path: Path, count: int, fps: float = 25.0, size=(192, 144)) -> Clip:
    write_video(path, numbered_frames(count, size), fps)
    source = SourceFacts(
        f"{path.stem}.mov", "mov,mp4", "h264", *size, fps, count / fps, path.stat().st_size
    )
    return Clip(path, fps, count, *size, "cd" * 32, source)


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Clip:
    """120 numbered frames, 25 a second."""
    return make_clip(tmp_path_factory.mktemp("clip") / "numbered.mp4", 120)


@pytest.fixture(scope="session")
def picture_clip(tmp_path_factory) -> Clip:
    """A single frame."""
    return make_clip(tmp_path_factory.mktemp("clip") / "picture.mp4", 1)


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory) -> Clip:
    """Three frames."""
    return make_clip(tmp_path_factory.mktemp("clip") / "short.mp4", 3)
