"""The shapes of a view on its way through a network: fewer places, fewer moments, more channels.

    layers of a card (benchmarks.layers) ──▶ lanes of volumes, one after another, for a picture

Consecutive layers that give out as many moments and places are one volume.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import torch
from torch import Tensor

from har_demo.models.card import ModelCard
from har_demo.models.prompting import Prompting
from har_demo.models.registry import card
from har_demo.profiling.layers import Layer, layers

PATHS = (
    ("slow", "fast"),
    ("spatial", "temporal"),
    ("rgb", "flow"),
    ("motion", "appearance"),
    ("fovea", "context"),
)
"""First words of the names of layers of networks with two paths side by side."""

_LOOKS_FAR = re.compile(r"attention|nonlocal|cgnl|descriptor|correlation|txunit", re.I)
_REMEMBERS = re.compile(r"LSTM|GRU|RNN")


@dataclass(frozen=True)
class Volume:
    """The output of a run of layers.

    Attributes:
        frames: moments of time.
        height, width: places; 1 where space is gone.
        channels: of its widest layer.
        notes: 'looks far' where a layer relates all places to each other, 'remembers' where one reads
            the moments in order.
    """

    frames: int
    height: int
    width: int
    channels: int
    notes: tuple[str, ...] = ()

    @property
    def flat(self) -> bool:
        """True where height and width are gone."""
        return self.height == self.width == 1

    def words(self) -> str:
        """'16 × 56 × 56, 64 channels'."""
        size = (
            f"{self.frames} × {self.height} × {self.width}" if not self.flat else f"{self.frames}"
        )
        return f"{size}, {self.channels} channels"


@dataclass(frozen=True)
class Lane:
    """One path through a network: its name, '' where there is one alone, and its volumes, input first."""

    name: str
    volumes: tuple[Volume, ...]


@lru_cache(256)
def lanes(model: str) -> tuple[Lane, ...]:
    """The paths of a model's network for its own view.

    Raises:
        ChoiceError: there is no such model.

    Example:
        >>> [v.frames for v in lanes("c3d")[0].volumes]
        [16, 16, 16, 8, 4, 2, 1, 1]
    """
    one = card(model)
    if one.gmacs is None:
        return ()
    found = layers(one)
    first = {layer.name.split(".")[0] for layer in found}
    pair = next((pair for pair in PATHS if set(pair) <= first), None)
    if pair is None:
        return (Lane("", _volumes(found, _view(one, 0))),)
    return tuple(
        Lane(
            name,
            _volumes(
                [layer for layer in found if layer.name.split(".")[0] == name], _view(one, number)
            ),
        )
        for number, name in enumerate(pair)
    )


@cache
def prompting_lanes(width: int = 512) -> tuple[Lane, ...]:
    """The two paths of learned prompts at CLIP's width: frames' vectors, and the words of a class's name."""
    network, words = Prompting(width, width), 3  # begin, one word, end
    with torch.no_grad():
        moments = torch.zeros(1, network.temporal.place.num_embeddings, width)
        video = network.temporal(moments)
        empty = torch.zeros(1, words, width)
        sentence, count = network.prompts(empty, torch.tensor([words]))

    def vectors(rows: Tensor, *notes: str) -> Volume:
        return Volume(rows.shape[-2] if rows.dim() > 2 else 1, 1, 1, rows.shape[-1], notes)

    return (
        Lane("frames", (vectors(moments), vectors(moments, "looks far"), vectors(video))),
        Lane("words", (vectors(empty), vectors(sentence[:, :count], "learned"), vectors(video))),
    )


def _view(one: ModelCard, number: int) -> Volume:
    """Return the input: the first tensor, or of two the one of that number."""
    shapes = one.input.shapes()
    _, channels, frames, height, width = shapes[min(number, len(shapes) - 1)]
    return Volume(frames, height, width, channels)


def _volumes(found: Sequence[Layer], view: Volume) -> tuple[Volume, ...]:
    given = [volume for volume in map(_volume, found) if volume]
    # What is smaller than something later was in passing, as the mean that weighs channels.
    settled = [
        volume
        for number, volume in enumerate(given)
        if not any(_size(later) > _size(volume) for later in given[number + 1 :])
    ]
    volumes = [view]
    for volume in settled:
        last = volumes[-1]
        if len(volumes) > 1 and _place(last) == _place(volume):
            notes = tuple(dict.fromkeys(last.notes + volume.notes))
            channels = max(last.channels, volume.channels)
            volumes[-1] = replace(last, channels=channels, notes=notes)
        else:
            volumes.append(volume)
    return tuple(volumes)


def _place(volume: Volume) -> tuple[int, int, int]:
    return volume.frames, volume.height, volume.width


def _size(volume: Volume) -> int:
    return volume.frames * volume.height * volume.width


def _volume(layer: Layer) -> Volume | None:
    """Of one layer; None where its output is no volume of features, as of windows of attention."""
    if layer.kind == "Flatten":
        return None
    notes = tuple(
        note
        for note, pattern in (("looks far", _LOOKS_FAR), ("remembers", _REMEMBERS))
        if pattern.search(layer.kind)
    )
    shape, many = layer.output, layer.together
    last = layer.kind.startswith(("LayerNorm", "Linear")) or "Attention" in layer.kind
    if len(shape) == 4:
        frames, height, width, channels = shape if last else (*shape[1:], shape[0])
    elif len(shape) == 3 and not last:
        frames, (channels, height, width) = many, shape
    elif len(shape) == 2 and many == 1 and notes:
        (frames, channels), height, width = shape, 1, 1
    elif len(shape) == 1:
        frames, height, width, channels = many, 1, 1, shape[0]
    else:
        return None
    return Volume(frames, height, width, channels, notes)
