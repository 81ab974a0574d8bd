"""Real examples of a confusion: test clips of an action are rendered until the model mistakes some.

    action ──▶ the first rendered test clips of it ──▶ the shipped model's answers ──▶ videos of the confused ones

The very frames that the model answers about are what is shown, as small as it sees them. The least work comes
first: one frame of a clip, then the frames of a view and the answer, and all frames only for a video.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from har_demo.clips import cache
from har_demo.clips.rendered import Open, RenderedScene, renderer, scenes
from har_demo.clips.writer import write_video
from har_demo.errors import ChoiceError, WeightsError
from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.recognize.prediction import ModelError, Request
from har_demo.recognize.recognize import recognize
from har_demo.weights import shipped

MOST = 12
"""Clips of an action that are tried; each takes a second or two."""

ENOUGH = 3


@dataclass(frozen=True)
class ConfusedClip:
    """A rendered clip and what a model answered about it.

    Attributes:
        seed: of the scene, of which har_demo.clips.rendered gives the frames again.
        answered: the likeliest class.
        share: its probability.
        film: H.264 mp4 in the cache's folder, which keeps it for a day.
    """

    seed: str
    answered: str
    share: float
    film: Path


@dataclass(frozen=True)
class PendingClip:
    """A rendered clip whose answer or video is still to come.

    Attributes:
        seed: of the scene.
        frame: uint8 [SIDE, SIDE, 3], RGB, its first.
        answered, share: the likeliest class and its probability; '' and 0 until the model has answered.
    """

    seed: str
    frame: np.ndarray
    answered: str = ""
    share: float = 0.0


@dataclass(frozen=True)
class Search:
    """The state of a search.

    Attributes:
        model: who is asked.
        true, wanted: what the clips show, and the answer that is looked for.
        answers: class → how many of the clips tried so far were answered so, most frequent first.
        examples: those answered as wanted; at the end, when there is none, the first two that were tried.
        done: whether it is over.
        pending: the clip that is worked on, or None.
    """

    model: str
    true: str
    wanted: str
    answers: dict[str, int]
    examples: tuple[ConfusedClip, ...]
    done: bool
    pending: PendingClip | None = None

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

    Yields whenever there is more to see: a clip's first frame, its answer, its video. What was asked about
    before comes at once.

    Raises:
        ChoiceError: there is no such model or class.
        WeightsError: the model is not shipped, so that nobody here can ask it.
    """
    card = registry.card(model)
    for name in (true, wanted):
        if name not in card.classes:
            raise ChoiceError(f"{card.title} knows no class '{str(name)[:40]}'.")
    tried = scenes((true,), most)
    if not tried:
        raise ChoiceError(f"Nobody can be rendered {true!r}: choose another class.")
    entry = shipped.entry(model)
    if entry is None:
        raise WeightsError(
            f"{card.title} was measured, but its weights are not shipped: choose a model that is "
            "ready here to see its mistakes."
        )
    answers: dict[str, int] = {}
    shown: list[ConfusedClip] = []
    first: list[tuple[RenderedScene, str, float]] = []

    def state(pending: PendingClip | None = None, done: bool = False) -> Search:
        ranked = dict(sorted(answers.items(), key=lambda pair: -pair[1]))
        return Search(model, true, wanted, ranked, tuple(shown), done, pending)

    with renderer() as open_scene:

        def pending(scene: RenderedScene, answered: str = "", share: float = 0.0) -> PendingClip:
            clip, read = open_scene(scene, _frames(scene))
            return PendingClip(str(scene.seed), read(clip, np.array([0]))[0], answered, share)

        for scene in tried:
            known = (model, entry["sha256"], scene) in _ANSWERS
            if not known:
                yield state(pending(scene))
            answered, share = _answer(model, entry["sha256"], scene, open_scene)
            answers[answered] = answers.get(answered, 0) + 1
            first = [*first, (scene, answered, share)][:2]
            yield state(None if known else pending(scene, answered, share))
            if answered == wanted:
                shown.append(_confused(scene, answered, share, open_scene))
                if len(shown) == enough:
                    break
                yield state()
        if not shown:
            for seen in first:
                if not _film(seen[0]).exists():
                    yield state(pending(*seen))
                shown.append(_confused(*seen, open_scene))
        yield state(done=True)


_ANSWERS: dict[tuple[str, str, RenderedScene], tuple[str, float]] = {}
"""Model, hash of its weights and scene → the likeliest class and its probability."""


def _answer(model: str, sha256: str, scene: RenderedScene, open_scene: Open) -> tuple[str, float]:
    key = (model, sha256, scene)
    if key not in _ANSWERS:
        clip, read = open_scene(scene, _frames(scene))
        prediction = next(iter(recognize(clip, [Request(model)], read=read)))
        if isinstance(prediction, ModelError):
            raise prediction.as_error()
        _ANSWERS[key] = prediction.top(1)[0]
    return _ANSWERS[key]


@lru_cache(24)  # four megabytes each at most; the next model is asked about the same frames
def _frames(scene: RenderedScene) -> dict[int, np.ndarray]:
    """Return the frames of a scene rendered so far, by number."""
    return {}


def _confused(scene: RenderedScene, answered: str, share: float, open_scene: Open) -> ConfusedClip:
    film = _film(scene)
    if not film.exists():
        clip, read = open_scene(scene, _frames(scene))
        part = film.with_suffix(".part.mp4")
        write_video(part, read(clip, np.arange(clip.frames)), clip.fps)
        part.replace(film)
    return ConfusedClip(str(scene.seed), answered, share, film)


def _film(scene: RenderedScene) -> Path:
    return cache.folder() / f"rendered-{scene.seed}.mp4"


def ready() -> list[str]:
    """Models whose weights are shipped and whose classes can be rendered."""
    known = registry.cards()
    return [
        one["model"]
        for one in shipped.entries()
        if one["model"] in known and known[one["model"]].classes == EVERYDAY
    ]
