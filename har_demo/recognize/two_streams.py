"""Two streams, one of appearance and one of motion, run apart and fused with any weight.

    frames ──▶ spatial stream  ──▶ scores ─┐
                                           ├─▶ (1 − weight) · spatial + weight · temporal
    flow   ──▶ temporal stream ──▶ scores ─┘

Simonyan and Zisserman (NIPS 2014) average, which is a weight of a half. A stream of flow knows only the
flow that it was trained with: `other` is its prediction when it is given another.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from har_demo import weights
from har_demo.clips.clip import Clip
from har_demo.errors import ChoiceError
from har_demo.flow.field import TITLES
from har_demo.flow.views import METHOD
from har_demo.models.registry import card
from har_demo.recognize.prediction import ModelError, Prediction, Request
from har_demo.recognize.recognize import recognize
from har_demo.weights import Availability


@dataclass(frozen=True)
class Streams:
    """Two models with the same classes.

    Attributes:
        title: their common name.
        spatial, temporal: names of model cards.
        windows: how many each is given; None covers the clip.
    """

    title: str
    spatial: str
    temporal: str
    windows: int | None = None


STREAMS = {
    "lab": Streams("Two-stream, tiny", "spatial_stream_lab", "temporal_stream_lab"),
    "i3d-lab": Streams("Two-stream I3D, tiny", "i3d_lab", "i3d_flow_lab"),
    "i3d": Streams("Two-stream I3D, Kinetics-400", "i3d", "i3d_flow", windows=1),
}
"""By name; those of the paper have no public weights."""


@dataclass(frozen=True)
class Fusable:
    """The predictions of both streams on a clip.

    Attributes:
        clip: the clip.
        streams: the two models.
        spatial, temporal: their predictions, the latter on the flow it was trained with.
        other: the temporal stream's prediction on another flow, where requested.
    """

    clip: Clip
    streams: Streams
    spatial: Prediction
    temporal: Prediction
    other: Prediction | None = None

    def fused(self, weight: float, other: bool = False) -> np.ndarray:
        """float [classes], probabilities: 0 is the spatial stream alone, 1 the temporal one.

        Raises:
            ChoiceError: the weight is outside.
        """
        if not 0 <= weight <= 1:
            raise ChoiceError(f"The weight of the temporal stream is from 0 to 1, not {weight}.")
        temporal = self.other if other and self.other else self.temporal
        return (1 - weight) * self.spatial.overall + weight * temporal.overall


def trained_with(streams: Streams) -> str:
    """The method whose flow the temporal stream knows, a key of TITLES."""
    expected = card(streams.temporal).input.flow_method
    return next((name for name, title in TITLES.items() if title == expected), METHOD)


def state(streams: Streams) -> Availability:
    """Return the availability of both streams' weights: that of the stream that lacks more."""
    order = ("shipped", "cached", "download", "missing")
    both = [weights.availability(card(name)) for name in (streams.spatial, streams.temporal)]
    return max(both, key=lambda one: order.index(one.state))


def ready() -> list[str]:
    """The names in STREAMS that could answer, after a download if need be."""
    return [name for name, streams in STREAMS.items() if state(streams).state != "missing"]


def ask(
    clip: Clip,
    name: str,
    flow: str | None = None,
    on_progress: Callable[[float, str], None] | None = None,
) -> Fusable:
    """Run both streams, each by itself.

    Args:
        clip: from har_demo.clips.ingest; all of it is looked at, as in recognition.
        name: a key of STREAMS.
        flow: another method to compare with, a key of TITLES.
        on_progress: called with the share that is done and a sentence.

    Raises:
        ChoiceError: there are no such streams, or they cannot look at this clip.
        WeightsError: a stream has no weights or could not answer.

    >>> both = ask(ingest("clip.mp4"), "lab")
    >>> both.fused(0.5).argmax()
    17
    """
    answers = []
    for answer in recognize(clip, requests_of(name, flow), on_progress):
        if isinstance(answer, ModelError):
            raise answer.as_error()
        answers.append(answer)
    return Fusable(clip, STREAMS[name], *answers)


def requests_of(name: str, flow: str | None = None) -> list[Request]:
    """What `ask` asks: the spatial stream, the temporal one, and that again where another flow is given.

    Raises:
        ChoiceError: there are no such streams.
    """
    if name not in STREAMS:
        raise ChoiceError(f"No two streams are called '{name}': choose {', '.join(STREAMS)}.")
    streams = STREAMS[name]
    known = trained_with(streams)
    flows = [known, flow] if flow and flow != known else [known]
    return [
        Request(streams.spatial, windows=streams.windows),
        *(Request(streams.temporal, windows=streams.windows, flow=one) for one in flows),
    ]


def streams_json(both: Fusable, weight: float) -> dict:
    """The answers and their fusion in plain JSON types, the likeliest classes first."""
    fused = both.fused(weight)
    order = np.argsort(-fused, kind="stable")[:10]
    parts = {"spatial": both.spatial, "temporal": both.temporal}
    if both.other:
        parts["temporal_with_other_flow"] = both.other
    return {
        "clip": both.clip.source.name,
        "streams": both.streams.title,
        "weight": weight,
        "models": {part: answer.model for part, answer in parts.items()},
        "flow": {part: answer.flow for part, answer in parts.items() if answer.flow},
        "top": [
            {"class": both.spatial.classes[i], "fused": round(float(fused[i]), 6)}
            | {part: round(float(answer.overall[i]), 6) for part, answer in parts.items()}
            for i in order
        ],
        "notes": [answer.note for answer in parts.values() if answer.note],
    }
