"""Checks of a model's public weights once they are here: the file, its fit, and an answer.

    har-demo weights --verify slow_r50 --weights-from mmaction2

What cannot be checked is said: most publishers state no hash, and none what their network answers about a
clip that comes along.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from har_demo import assets
from har_demo.clips.ingest import ingest
from har_demo.errors import WeightsError
from har_demo.models import registry
from har_demo.models.card import Source
from har_demo.recognize.prediction import ModelError, Prediction, Request
from har_demo.recognize.recognize import recognize
from har_demo.weights import availability, hub, load, official, package_index
from har_demo.weights.sources import named, of_request
from har_demo.weights.state import megabytes, sha256

EXAMPLE = assets.EXAMPLES / "walking.mp4"
FLAT = 2.0
"""Times an even share that the likeliest class has at least, if the network looks at all."""


@dataclass(frozen=True)
class SourceCheck:
    """One thing that was looked at, with a sentence.

    Attributes:
        question: what was asked.
        result: 'ok', 'wrong', or 'open' for what could not be checked.
        sentence: what was found.
    """

    question: Literal["file", "hash", "parameters", "official file", "answer", "reference"]
    result: Literal["ok", "wrong", "open"]
    sentence: str


def verify(model: str, source: str = "") -> list[SourceCheck]:
    """Check the weights of a model that are here, without fetching any but to compare with.

    Weights that a package brought are compared with their publisher's file, if its address answers.

    Args:
        model: name of a card.
        source: name of one of its public sources; '' for the one that would answer now.

    Raises:
        ChoiceError: there is no such model or source.
    """
    card = registry.card(model)
    if source:
        named(card, source)
    card = of_request(card, name=source)
    found = availability(card)
    if not found.here:
        return [SourceCheck("file", "wrong", f"{found.sentence} Fetch it with --fetch {model}.")]
    checks: list[SourceCheck] = []
    converted = card.package and package_index.path(card.package)
    if found.state == "cached" and not converted:
        checks = [check for part in _files(card.weights[0]) for check in _file(part)]
    try:
        _, provenance = load(card)
    except WeightsError as problem:
        return [*checks, SourceCheck("parameters", "wrong", str(problem))]
    fit = f"All {card.parameters or 0:,} parameters of {card.title} are in {provenance.file}."
    checks.append(SourceCheck("parameters", "ok", fit))
    if converted and found.state == "cached":
        outcome = official.compare(card)
        checks.append(SourceCheck("official file", outcome.result, outcome.sentence))
    (answer,) = recognize(ingest(EXAMPLE), [Request(model, source=source)])
    return [*checks, _answer(answer), _reference()]


def _files(source: Source) -> list[Source]:
    return [part for _, part in source.parts] or [source]


def _file(source: Source) -> list[SourceCheck]:
    path = hub.path(source)
    size, digest = path.stat().st_size, sha256(path)
    checks = [SourceCheck("file", "ok", f"{path.name}, {megabytes(size)}.")]
    if not source.sha256:
        words = f"Its publisher states no hash; its sha256 is {digest}."
        return [*checks, SourceCheck("hash", "open", words)]
    stated = source.sha256[:8] if len(source.sha256) < 64 else source.sha256
    if digest.startswith(source.sha256):
        words = f"Its sha256 begins with {stated[:8]}, as its publisher states."
        return [*checks, SourceCheck("hash", "ok", words)]
    words = f"Its sha256 begins with {digest[:8]}, not with the {stated[:8]} of its name"
    if source.certain:
        return [*checks, SourceCheck("hash", "wrong", f"{words}: it is another file.")]
    return [
        *checks,
        SourceCheck(
            "hash", "open", f"{words}, which its publisher's names do not always agree with."
        ),
    ]


def _answer(answer: Prediction | ModelError) -> SourceCheck:
    if not isinstance(answer, Prediction):
        return SourceCheck("answer", "wrong", answer.message)
    scores = answer.overall
    ((best, share),) = answer.top(1)
    words = f"About {EXAMPLE.name} it says {best} ({share:.1%})."
    if not np.isfinite(scores).all() or share < FLAT / len(scores):
        return SourceCheck(
            "answer", "wrong", f"{words} That is next to nothing: its parameters are not trained."
        )
    return SourceCheck("answer", "ok", words)


def _reference() -> SourceCheck:
    return SourceCheck(
        "reference",
        "open",
        "Not compared with the publisher's own pipeline: nobody states what it answers about this clip.",
    )
