"""Measure models on labelled clips, asked the way the page asks them.

    targets (model, weights, clips) ──recognize──▶ outcomes, clip by clip ──measure──▶ figures

    har-demo evaluate --model r2plus1d_lab --data people --out figures.csv

The figures of a shipped file are those of the whole program: a row of the tables can be checked by
anybody who has the clips, and the one on rendered people by everybody.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from har_demo.clips.clip import Clip
from har_demo.errors import ClipError, UserError
from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.models.card import ModelCard
from har_demo.recognize import kept_answers
from har_demo.recognize.eval_set import EvalClip, EvalSet
from har_demo.recognize.inputs import Reader
from har_demo.recognize.kept_answers import KeptAnswer
from har_demo.recognize.metrics import (
    accuracies,
    calibration_error,
    order_accuracy,
    reversed_accuracy,
)
from har_demo.recognize.networks import network
from har_demo.recognize.plan import published_protocol
from har_demo.recognize.prediction import ModelError, Prediction, Request
from har_demo.recognize.recognize import recognize
from har_demo.weights import Provenance
from har_demo.weights.sources import of_request

MOST_WORKERS = 8
"""Clips asked about at once: each may take a few hundred megabytes."""


@dataclass(frozen=True)
class EvalTarget:
    """A model to be measured, with which parameters, on which clips.

    Attributes:
        card, weights, provenance: the model, the user's own file or None, and whose parameters answer.
        eval_set: the clips.
        request: how it is asked about each; None for the page's own way.
    """

    card: ModelCard
    weights: str | None
    provenance: Provenance
    eval_set: EvalSet
    request: Request | None = None

    def key(self, clip: EvalClip) -> kept_answers.Key:
        """The key that an answer is kept under: with another file or other views the model answers anew."""
        views = _views(self.request) if self.request else ""
        return self.card.name, self.provenance.sha256, self.eval_set.key + views, clip.name


def _views(request: Request) -> str:
    """What a request says of its views, in words; '' for the page's own."""
    plain = Request(request.model, weights=request.weights, source=request.source)
    own = asdict(plain)
    said = {name: value for name, value in asdict(request).items() if value != own[name]}
    return f" {said}" if said else ""


ClipTargets = list[tuple[EvalTarget, EvalClip]]
"""One clip with every model that is asked about it, and what it shows among that model's classes."""


@dataclass(frozen=True)
class Outcome:
    """The answers of one model.

    Attributes:
        target: the model and its clips.
        clips: those that were answered, C of them, in the set's order.
        forwards: float32 [C, classes], probabilities.
        backwards: the same for the clips played from their ends, or None.
        problems: a sentence for each clip that was not answered.
    """

    target: EvalTarget
    clips: tuple[EvalClip, ...]
    forwards: np.ndarray
    backwards: np.ndarray | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """The figures of a model on one data set.

    Attributes:
        dataset: its name.
        groups: the people or places, as far as they are known.
        right: bool [C], whether the class came first, for each clip in order.
        figures: metric (a key of har_demo.recognize.metrics.accuracies, 'ece', 'order' or
            'reversed_top1') → (percent, on how many clips).
    """

    dataset: str
    groups: tuple[str, ...]
    right: np.ndarray
    figures: dict[str, tuple[float, int]]


def eval_target(
    model: str,
    find_clips: Callable[[Sequence[str]], EvalSet],
    weights: str | None = None,
    on_progress: Callable[[float], None] | None = None,
    request: Request | None = None,
) -> EvalTarget:
    """Find a model, its weights and its clips, before anything is asked.

    Args:
        model: name of a card.
        find_clips: gives the clips of a model's classes (see har_demo.recognize.eval_set).
        weights: a file in place of the shipped or public one.
        on_progress: called with the share of a download that has arrived.
        request: how the model is asked about each clip; the page's own way by default.

    Raises:
        ChoiceError: there is no such model, or no clip for it.
        WeightsError: its weights are not here and cannot be fetched, or do not fit.
    """
    request = request or Request(model, weights=weights)
    card = of_request(registry.card(model), weights, request.source)
    if request.published:
        published_protocol(card)
    eval_set = find_clips(card.classes)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    _, provenance = network(card, weights, device, on_progress)
    return EvalTarget(card, weights, provenance, eval_set, request)


def evaluate(
    targets: Sequence[EvalTarget],
    part: Path | None = None,
    backwards: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Outcome]:
    """Ask every model about its clips; a clip that several are asked about is read, or rendered, once.

    Args:
        targets: the models, each once.
        part: keeps the answers as they come, and those of an earlier call, which are not asked again.
        backwards: ask a second time with every clip played from its end.
        on_progress: called with how many clips are done, of how many.

    Raises:
        ClipError: a model could not answer about any clip.
        ChoiceError: `part` is another file.
    """
    answers = kept_answers.read(part) if part else {}
    if part:
        kept_answers.write(part, answers)
    if backwards:
        answers = {key: answer for key, answer in answers.items() if answer.backwards is not None}
    by_clip: dict[str, ClipTargets] = {}
    for target in targets:
        for clip in target.eval_set.clips:
            by_clip.setdefault(clip.name, []).append((target, clip))
    problems: dict[kept_answers.Key, str] = {}

    left = [
        [(target, clip) for target, clip in pairs if target.key(clip) not in answers]
        for pairs in by_clip.values()
    ]
    left = [pairs for pairs in left if pairs]
    done = len(by_clip) - len(left)

    on_progress(done, len(by_clip))
    for pairs, results in zip(left, _side_by_side(partial(_ask, backwards), left), strict=True):
        for (target, clip), result in zip(pairs, results, strict=True):
            if isinstance(result, str):
                problems[target.key(clip)] = f"{clip.name}: {result}"
                continue
            answers[target.key(clip)] = result
            if part:
                kept_answers.append(part, target.key(clip), result)
        done += 1
        on_progress(done, len(by_clip))
    return [_outcome(target, answers, problems, backwards) for target in targets]


def _side_by_side(
    ask: Callable[[ClipTargets], list], left: Sequence[ClipTargets]
) -> Iterator[list]:
    """The results of `ask` for each, in order; several at once where a processor has several cores.

    Clips side by side, each on one core, take half as long as one clip on two: the steps of rendering
    and of small networks are too short to be shared.
    """
    workers = min(os.cpu_count() or 1, len(left), MOST_WORKERS)
    if workers < 2 or torch.cuda.is_available():
        yield from map(ask, left)
        return
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield from pool.map(ask, left)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)  # new threads of this process begin with what was set last


def _ask(backwards: bool, pairs: ClipTargets) -> list[KeptAnswer | str]:
    """Each model's answer about a clip, or the sentence that says why there is none."""
    requests = [
        target.request or Request(target.card.name, weights=target.weights) for target, _ in pairs
    ]
    try:
        clip, read = pairs[0][1].open()
        forth = list(recognize(clip, requests, read=read))
        back: Sequence[Prediction | ModelError | None] = [None] * len(requests)
        if backwards:
            back = list(recognize(clip, requests, read=_reversed(read)))
    except UserError as problem:
        return [str(problem)] * len(requests)
    results: list[KeptAnswer | str] = []
    for plain, turned in zip(forth, back, strict=True):
        if isinstance(plain, ModelError):
            results.append(plain.message)
        elif isinstance(turned, ModelError):
            results.append(turned.message)
        else:
            scores = kept_answers.rounded(turned.overall) if turned else None
            results.append(KeptAnswer(kept_answers.rounded(plain.overall), scores))
    return results


def _reversed(read: Reader) -> Reader:
    def turned(clip: Clip, indices: np.ndarray) -> np.ndarray:
        return read(clip, clip.frames - 1 - indices)

    return turned


def _outcome(target: EvalTarget, answers: dict, problems: dict, backwards: bool) -> Outcome:
    every = target.eval_set.clips
    clips = tuple(clip for clip in every if target.key(clip) in answers)
    why = tuple(problems[key] for key in map(target.key, every) if key in problems)
    if not clips:
        raise ClipError(f"{target.card.title} answered about no clip; the first, {why[0]}")
    results = [answers[target.key(clip)] for clip in clips]
    back = np.stack([result.backwards for result in results]) if backwards else None
    return Outcome(target, clips, np.stack([result.forwards for result in results]), back, why)


def measure(outcome: Outcome) -> list[Measured]:
    """Count how often a model is right, for each data set among the clips."""
    classes = outcome.target.card.classes
    everyday = classes == EVERYDAY[: len(classes)]  # only of these is known what order means
    datasets = np.array([clip.dataset for clip in outcome.clips])
    groups = np.array([clip.group for clip in outcome.clips])
    every = np.array([clip.label for clip in outcome.clips])
    measured = []
    for dataset in np.unique(datasets):
        rows = datasets == dataset
        scores, labels = outcome.forwards[rows], every[rows]
        percents = accuracies(scores, labels) | {"ece": calibration_error(scores, labels)}
        figures = {name: (value, len(labels)) for name, value in percents.items()}
        if everyday:
            figures["order"] = order_accuracy(scores, labels)
        if everyday and outcome.backwards is not None:
            figures["reversed_top1"] = reversed_accuracy(outcome.backwards[rows], labels)
        measured.append(
            Measured(
                dataset=str(dataset),
                groups=tuple(str(group) for group in np.unique(groups[rows]) if group),
                right=scores.argmax(1) == labels,
                figures={name: pair for name, pair in figures.items() if pair[1]},
            )
        )
    return measured
