"""Measure models on labelled clips, asked the way the page asks them.

    targets (model, weights, clips) ──recognize──▶ outcomes, clip by clip ──measure──▶ figures

    har-demo evaluate --model r2plus1d_lab --data people --out figures.csv

The figures of a shipped file are those of the whole program: a row of the tables can be checked by
anybody who has the clips, and the one on rendered people by everybody.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from har_demo.device import device as best_device
from har_demo.errors import ClipError, InternalError, UserError
from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.models.card import ModelCard
from har_demo.recognize import kept_answers
from har_demo.recognize.ahead import (
    TOO_LONG,
    Prepared,
    ahead,
    opens_anywhere,
    reversed_reader,
    worker_count,
)
from har_demo.recognize.eval_set import EvalClip, EvalSet
from har_demo.recognize.forward import (
    TooLittleMemory,
    batch_size,
    exact_probabilities,
    in_batches,
    mean_over_crops,
    probabilities,
)
from har_demo.recognize.inputs import WindowInputs
from har_demo.recognize.kept_answers import KeptAnswer
from har_demo.recognize.metrics import (
    accuracies,
    calibration_error,
    order_accuracy,
    reversed_accuracy,
)
from har_demo.recognize.networks import network
from har_demo.recognize.plan import published_protocol
from har_demo.recognize.prediction import ModelError, Prediction, Request, calibrated
from har_demo.recognize.recognize import check_scores, no_room, recognize
from har_demo.weights import Provenance
from har_demo.weights.sources import of_request

log = logging.getLogger(__name__)


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
        return self.card.name, self.provenance.sha256, self.eval_set.key + self.views(), clip.name

    def views(self) -> str:
        """What the request says of its views, in words; '' for the page's own."""
        return _views(self.request) if self.request else ""


def _views(request: Request) -> str:
    """What a request says of its views, in words; '' for the page's own."""
    plain = Request(request.model, weights=request.weights, source=request.source)
    own = asdict(plain)
    said = {name: value for name, value in asdict(request).items() if value != own[name]}
    return f" {said}" if said else ""


ClipTargets = list[tuple[EvalTarget, EvalClip]]
"""One clip with every model that is asked about it, and what it shows among that model's classes."""

Waiting = list[tuple[EvalTarget, EvalClip, Prepared]]
"""Prepared clips of one model that wait for a full batch."""


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
    device: torch.device | str | None = None,
    sharded: bool = False,
) -> list[Outcome]:
    """Ask every model about its clips; a clip that several are asked about is read, or rendered, once.

    Other clips are decoded and prepared meanwhile (har_demo.recognize.ahead); windows of several clips go
    through a network together.

    Args:
        targets: the models, each once.
        part: keeps the answers as they come, and those of an earlier call, which are not asked again.
        backwards: ask a second time with every clip played from its end.
        on_progress: called with how many clips are done, of how many.
        device: where the networks run; a CUDA GPU by default, if there is one.
        sharded: whether the clips are a part of a list, none of which may be answered.

    Raises:
        ClipError: a model could not answer about any clip of a whole list.
        ChoiceError: `part` is another file.
    """
    device = torch.device(device or best_device())
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
    left = {
        name: [(target, clip) for target, clip in pairs if target.key(clip) not in answers]
        for name, pairs in by_clip.items()
    }
    left = {name: pairs for name, pairs in left.items() if pairs}
    open_answers = {name: len(pairs) for name, pairs in left.items()}
    done = len(by_clip) - len(left)

    def keep(target: EvalTarget, clip: EvalClip, result: KeptAnswer | str) -> None:
        nonlocal done
        if isinstance(result, str):
            problems[target.key(clip)] = f"{clip.name}: {result}"
        else:
            answers[target.key(clip)] = result
            if part:
                kept_answers.append(part, target.key(clip), result)
        open_answers[clip.name] -= 1
        if not open_answers[clip.name]:
            done += 1
            on_progress(done, len(by_clip))

    def score(waiting: Waiting) -> None:
        for (target, clip, _), result in zip(waiting, scored(waiting, device), strict=True):
            keep(target, clip, result)
        waiting.clear()

    on_progress(done, len(by_clip))
    waiting: dict[str, Waiting] = {}
    asked = [
        (pairs[0][1].open, [request_of(target) for target, _ in pairs]) for pairs in left.values()
    ]
    processes = all(opens_anywhere(pairs[0][1]) for pairs in left.values())
    clips = ahead(asked, backwards, worker_count(len(asked)), processes) if asked else ()
    for pairs, prepared in zip(left.values(), clips, strict=True):
        long = [pair for pair, one in zip(pairs, prepared, strict=True) if one is TOO_LONG]
        for (target, clip), result in zip(
            long, ask_in_pieces(backwards, long, device), strict=True
        ):
            keep(target, clip, result)
        for (target, clip), one in zip(pairs, prepared, strict=True):
            if isinstance(one, str):
                keep(target, clip, one)
            elif one is not TOO_LONG:
                own = waiting.setdefault(target.card.name, [])
                own.append((target, clip, one))
                views = sum(len(some.forwards) for _, _, some in own)
                if views >= batch_size(one.gmacs, device):
                    score(own)
        del prepared  # before the next clip arrives
    for own in waiting.values():
        score(own)
    return [outcome_of(target, answers, problems, backwards, sharded) for target in targets]


def request_of(target: EvalTarget) -> Request:
    """Return how a model is asked about each clip."""
    return target.request or Request(target.card.name, weights=target.weights)


def scored(waiting: Waiting, device: torch.device) -> list[KeptAnswer | str]:
    """Return the answer about each clip, or a sentence; all are of one model, and go through it together."""
    if not waiting:
        return []
    target = waiting[0][0]
    prepared = [one for _, _, one in waiting]
    try:
        module, provenance = network(target.card, target.weights, device)
        forth = _means(module, target.card, prepared, [one.forwards for one in prepared], device)
        turned = [one.backwards for one in prepared if one.backwards]
        back = _means(module, target.card, prepared, turned, device) if turned else None
    except (UserError, InternalError) as problem:
        if isinstance(problem, InternalError):
            log.error("%s failed", target.card.name, exc_info=problem)
        return [str(problem)] * len(waiting)

    def kept(scores: np.ndarray) -> np.ndarray:
        return kept_answers.rounded(calibrated(scores, provenance.temperature))

    return [
        KeptAnswer(kept(scores), None if back is None else kept(back[number]))
        for number, scores in enumerate(forth)
    ]


def _means(
    module: nn.Module,
    card: ModelCard,
    prepared: Sequence[Prepared],
    inputs: Sequence[WindowInputs],
    device: torch.device,
) -> list[np.ndarray]:
    """Return the mean probabilities of each clip over crops and windows, float32 [classes]."""
    ends = np.cumsum([len(one) for one in inputs])
    starts = ends - [len(one) for one in inputs]
    of = exact_probabilities if prepared[0].float32 else probabilities

    def forward(start: int, end: int) -> torch.Tensor:
        parts = [
            one.views(max(start - first, 0), min(end, last) - first)
            for one, first, last in zip(inputs, starts.tolist(), ends.tolist(), strict=True)
            if first < end and last > start
        ]
        return of(module, *(torch.cat(same).to(device) for same in zip(*parts, strict=True)))

    batch = batch_size(prepared[0].gmacs, device)
    try:
        scores, _ = in_batches(forward, int(ends[-1]), batch, lambda done: None)
    except TooLittleMemory as error:
        raise no_room(card) from error
    except (RuntimeError, ValueError, IndexError) as error:
        raise InternalError(f"{card.name} failed on its own kind of input.") from error
    check_scores(scores, card)
    means = []
    for one, some, first, last in zip(prepared, inputs, starts, ends, strict=True):
        by_window = scores[first:last].unflatten(0, (some.windows, some.crops))
        means.append(mean_over_crops(by_window, one.mean_of).numpy().mean(axis=0))
    return means


def ask_in_pieces(
    backwards: bool, pairs: ClipTargets, device: torch.device
) -> list[KeptAnswer | str]:
    """Each model's answer about a long clip, read piece by piece, or the sentence that says why there is none."""
    if not pairs:
        return []
    requests = [request_of(target) for target, _ in pairs]
    try:
        clip, read = pairs[0][1].open()
        forth = list(recognize(clip, requests, device=device, read=read))
        back: Sequence[Prediction | ModelError | None] = [None] * len(requests)
        if backwards:
            back = list(recognize(clip, requests, device=device, read=reversed_reader(read)))
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


def outcome_of(
    target: EvalTarget,
    answers: dict,
    problems: dict,
    backwards: bool = False,
    sharded: bool = False,
) -> Outcome:
    """Collect the answers of one model, and the sentences about the clips that it did not answer."""
    every = target.eval_set.clips
    clips = tuple(clip for clip in every if target.key(clip) in answers)
    why = tuple(problems[key] for key in map(target.key, every) if key in problems)
    if not clips and not sharded:
        raise ClipError(f"{target.card.title} answered about no clip; the first, {why[0]}")
    results = [answers[target.key(clip)] for clip in clips]
    none = np.zeros((0, len(target.card.classes)), np.float32)
    forth = np.stack([result.forwards for result in results]) if clips else none
    back = np.stack([result.backwards for result in results]) if backwards and clips else None
    return Outcome(target, clips, forth, back, why)


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
