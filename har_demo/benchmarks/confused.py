"""Real examples of a confusion: test clips of an action are rendered until the model mistakes some.

    action ──▶ the first rendered test clips of it ──▶ the shipped model's answers ──▶ films of those wanted

The very frames that the model answers about are what is shown, as small as it sees them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from har_demo.clips import cache
from har_demo.clips.clip import Clip
from har_demo.clips.writer import write_video
from har_demo.errors import ChoiceError, WeightsError
from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.recognize.prediction import Question, Refusal
from har_demo.recognize.recognize import Reader, recognize
from har_demo.training.material import people
from har_demo.weights import shipped

MOST = 12
"""Clips of an action that are tried; each takes a second or two."""

ENOUGH = 3


@dataclass(frozen=True)
class Example:
    """A rendered clip and what a model answered about it.

    Attributes:
        seed: of the scene; `people` of har_demo.training.material renders it again.
        answered: the likeliest class.
        share: its probability.
        film: H.264 mp4 in the cache's folder, which keeps it for a day.
    """

    seed: str
    answered: str
    share: float
    film: Path


@dataclass(frozen=True)
class Search:
    """How far a search has come.

    Attributes:
        model: who is asked.
        true, wanted: what the clips show, and the answer that is looked for.
        answers: class → how many of the clips tried so far were answered so, most frequent first.
        examples: those answered as wanted; at the end, when there is none, the first two that were tried.
        done: whether it is over.
    """

    model: str
    true: str
    wanted: str
    answers: dict[str, int]
    examples: tuple[Example, ...]
    done: bool

    @property
    def tried(self) -> int:
        return sum(self.answers.values())

    @property
    def found(self) -> int:
        return self.answers.get(self.wanted, 0)


def look_for(
    model: str, true: str, wanted: str, most: int = MOST, enough: int = ENOUGH
) -> Iterator[Search]:
    """Ask a shipped model about rendered clips of one action until enough are answered as another.

    Yields after every clip; what was asked about before comes at once.

    Raises:
        ChoiceError: there is no such model or class.
        WeightsError: the model is not shipped, so that nobody here can ask it.
    """
    card = registry.card(model)
    for name in (true, wanted):
        if name not in card.classes:
            raise ChoiceError(f"{card.title} knows no class '{str(name)[:40]}'.")
    entry = shipped.entry(model)
    if entry is None:
        raise WeightsError(
            f"{card.title} was measured, but its weights are not shipped: choose a model that is "
            "ready here to see its mistakes."
        )
    answers: dict[str, int] = {}
    hits, first = [], []
    for number in range(most):
        answered, share, seed = _answer(model, entry["sha256"], true, number)
        answers[answered] = answers.get(answered, 0) + 1
        if answered == wanted:
            hits.append(Example(seed, answered, share, _film(true, number)))
        if len(first) < 2:
            first.append((number, seed, answered, share))
        ranked = dict(sorted(answers.items(), key=lambda one: -one[1]))
        done = len(hits) == enough or number + 1 == most
        if done and not hits:
            hits = [Example(s, a, p, _film(true, n)) for n, s, a, p in first]
        yield Search(model, true, wanted, ranked, tuple(hits), done)
        if done:
            return


@lru_cache(4096)
def _answer(model: str, sha256: str, true: str, number: int) -> tuple[str, float, str]:
    """The likeliest class, its probability and the scene's seed; other weights answer anew."""
    clip, read, seed = _scene(true, number)
    said = next(iter(recognize(clip, [Question(model)], read=read)))
    if isinstance(said, Refusal):
        raise said.as_error()
    name, share = said.top(1)[0]
    return name, share, seed


@lru_cache(24)  # each holds the frames rendered so far, four megabytes at most
def _scene(true: str, number: int) -> tuple[Clip, Reader, str]:
    one = people((true,), number + 1).clips[number]
    return *one.look(), one.name


def _film(true: str, number: int) -> Path:
    clip, read, seed = _scene(true, number)
    film = cache.folder() / f"rendered-{seed}.mp4"
    if not film.exists():
        part = film.with_suffix(".part.mp4")
        write_video(part, read(clip, np.arange(clip.frames)), clip.fps)
        part.replace(film)
    return film


def ready() -> list[str]:
    """Models whose weights are shipped and whose classes can be rendered."""
    known = registry.cards()
    return [
        one["model"]
        for one in shipped.entries()
        if one["model"] in known and known[one["model"]].classes == EVERYDAY
    ]
