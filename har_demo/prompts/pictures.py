"""EfficientNet-Lite0 with its ImageNet weights: what a single picture looks like.

    pixels [N, 3, 224, 224] ──▶ grid [N, 1280, 7, 7] ──mean──▶ features [N, 1280] ──▶ logits [N, 1000]

Lite models are Google's, for phones: EfficientNet without squeeze-and-excitation and with ReLU6 (Tan &
Le, ICML 2019, and the lite folder of its code). timm has the architecture; the weights were converted
from Google's.
"""

from importlib.resources import files

import torch
from torch import nn

from har_demo.models.card import ModelInput

from . import packaged

FEATURES = 1280
GRID = 7  # the side of the grid at SIDE pixels: one cell for 32 × 32
SIDE = 224
CLASSES = 1000

INPUT = ModelInput(
    frames=1,
    fps=8,
    resize=SIDE,
    crop=(SIDE, SIDE),
    mean=(127 / 255, 127 / 255, 127 / 255),
    std=(128 / 255, 128 / 255, 128 / 255),
    antialias=True,
)


def build() -> nn.Module:
    """The network with fresh parameters; timm's `forward_features` gives the grid."""
    import timm  # takes two seconds, and the page needs it only when somebody asks

    return timm.create_model("tf_efficientnet_lite0", pretrained=False)


def load() -> nn.Module:
    """The network with its weights, in evaluation mode.

    Raises:
        WeightsError: the package that has them is missing or damaged.
    """
    network = build()
    stored = torch.load(packaged.path(packaged.IMAGES), map_location="cpu", weights_only=True)
    # The file names its layers otherwise, but lists them in the same order.
    names = network.state_dict().keys()
    network.load_state_dict(dict(zip(names, stored.values(), strict=True)))
    return network.eval().requires_grad_(False)


def names() -> list[list[str]]:
    """For each of the 1,000 classes in order, its WordNet synonyms: [['tench', 'Tinca tinca'], ...]."""
    lemmas = _by_synset("lemma")
    return [lemmas[synset].split(", ") for synset in _lines("imagenet_synsets.txt")]


def descriptions() -> list[str]:
    """For each of the 1,000 classes in order, WordNet's definition."""
    definitions = _by_synset("definition")
    return [definitions[synset] for synset in _lines("imagenet_synsets.txt")]


def _by_synset(what: str) -> dict[str, str]:
    return dict(line.split("\t") for line in _lines(f"imagenet_synset_to_{what}.txt"))


def _lines(name: str) -> list[str]:
    return (files("timm.data") / "_info" / name).read_text(encoding="utf-8").splitlines()
