"""Any model measured again on labelled clips, asked the way the page asks it.

    subjects (model, weights, material) ──▶ answers, clip by clip ──▶ figures ──▶ CSV, manifest

    python -m har_demo evaluate --model r2plus1d_lab --data people --out figures.csv

The figures of a shipped file are those of the whole program: a row of the tables can be checked by
anybody who has the clips, and the one on rendered people by everybody.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from har_demo.clips.clip import Clip
from har_demo.errors import ClipError, UserError
from har_demo.labels import EVERYDAY
from har_demo.models import registry
from har_demo.models.card import ModelCard
from har_demo.recognize.inputs import Reader
from har_demo.recognize.networks import network
from har_demo.recognize.prediction import ModelError, Request
from har_demo.recognize.recognize import recognize
from har_demo.research.training.recognition import kept
from har_demo.research.training.recognition.kept import KeptAnswer
from har_demo.research.training.recognition.material import EvalSet, Labelled
from har_demo.research.training.recognition.score import (
    accuracies,
    calibration_error,
    order_accuracy,
    reversed_accuracy,
)
from har_demo.weights.provenance import Provenance

Gather = Callable[[Sequence[str]], EvalSet]
"""A model's classes → the clips of them (see har_demo.research.training.recognition.material)."""

MOST_WORKERS = 8
"""Clips asked about at once: each may take a few hundred megabytes."""


@dataclass(frozen=True)
class EvalTarget:
    """A model to be measured, with which parameters, on what."""

    card: ModelCard
    weights: str | None
    provenance: Provenance
    material: EvalSet

    def key(self, clip: Labelled) -> kept.Key:
        """Under which an answer is kept: another file of weights answers anew."""
        return self.card.name, self.provenance.sha256, self.material.key, clip.name


Asked = list[tuple[EvalTarget, Labelled]]
"""One clip with every model that is asked about it, and what it shows among that model's classes."""


@dataclass(frozen=True)
class Outcome:
    """What a model answered.

    Attributes:
        subject: who was asked.
        clips: those that were answered, C of them, in the material's order.
        forwards: float32 [C, classes], probabilities.
        backwards: the same for the clips played from their ends, or None.
        problems: a sentence for each clip that was not answered.
    """

    subject: EvalTarget
    clips: tuple[Labelled, ...]
    forwards: np.ndarray
    backwards: np.ndarray | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """How often a model was right on one data set.

    Attributes:
        dataset: its name.
        groups: the people or places, as far as they are known.
        right: bool [C], whether the class came first, for each clip in order.
        figures: name → (percent, of how many clips), as har_demo.research.training.recognition.report names them.
    """

    dataset: str
    groups: tuple[str, ...]
    right: np.ndarray
    figures: dict[str, tuple[float, int]]


def subject(
    model: str,
    gather: Gather,
    weights: str | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> EvalTarget:
    """Find a model, its weights and its clips, before anything is asked.

    Args:
        model: name of a card.
        gather: finds the clips of the model's classes.
        weights: a file in place of the shipped or public one.
        on_progress: called with the share of a download that has arrived.

    Raises:
        ChoiceError: there is no such model, or no clip for it.
        WeightsError: its weights are not here and cannot be fetched, or do not fit.
    """
    card = registry.card(model)
    material = gather(card.classes)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    _, provenance = network(card, weights, device, on_progress)
    return EvalTarget(card, weights, provenance, material)


def evaluate(
    subjects: Sequence[EvalTarget],
    part: Path | None = None,
    backwards: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Outcome]:
    """Ask every model about its clips; what several are asked about is read, or rendered, once.

    Args:
        subjects: the models, each once.
        part: keeps the answers as they come, and those of an earlier call, which are not asked again.
        backwards: ask a second time with every clip played from its end.
        on_progress: called with how many clips are done, of how many.

    Raises:
        ClipError: a model could not answer about any clip.
        ChoiceError: `part` is another file.
    """
    answers = kept.read(part) if part else {}
    if part:
        kept.write(part, answers)
    if backwards:
        answers = {key: one for key, one in answers.items() if one.backwards is not None}
    wanted: dict[str, Asked] = {}
    for one in subjects:
        for clip in one.material.clips:
            wanted.setdefault(clip.name, []).append((one, clip))
    problems: dict[kept.Key, str] = {}

    left = [
        [(one, clip) for one, clip in asked if one.key(clip) not in answers]
        for asked in wanted.values()
    ]
    left = [asked for asked in left if asked]
    done = len(wanted) - len(left)

    on_progress(done, len(wanted))
    for asked, said in zip(left, _side_by_side(partial(_said, backwards), left), strict=True):
        for (one, clip), answer in zip(asked, said, strict=True):
            if isinstance(answer, str):
                problems[one.key(clip)] = f"{clip.name}: {answer}"
                continue
            answers[one.key(clip)] = answer
            if part:
                kept.append(part, one.key(clip), answer)
        done += 1
        on_progress(done, len(wanted))
    return [_outcome(one, answers, problems, backwards) for one in subjects]


def _side_by_side(ask: Callable[[Asked], list], left: Sequence[Asked]) -> Iterator[list]:
    """What `ask` gives for each, in order; several at once where a processor has several cores.

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


def _said(backwards: bool, asked: Asked) -> list[KeptAnswer | str]:
    """What each model answers about a clip, or the sentence that says why it does not."""
    questions = [Request(one.card.name, weights=one.weights) for one, _ in asked]
    try:
        opened, read = asked[0][1].look()
        forth = list(recognize(opened, questions, read=read))
        back = [None] * len(questions)
        if backwards:
            back = list(recognize(opened, questions, read=_from_the_end(read)))
    except UserError as problem:
        return [str(problem)] * len(questions)
    said = []
    for one, other in zip(forth, back, strict=True):
        refused = next((a for a in (one, other) if isinstance(a, ModelError)), None)
        if refused:
            said.append(refused.message)
        else:
            turned = kept.rounded(other.overall) if other else None
            said.append(KeptAnswer(kept.rounded(one.overall), turned))
    return said


def _from_the_end(read: Reader) -> Reader:
    def turned(clip: Clip, indices: np.ndarray) -> np.ndarray:
        return read(clip, clip.frames - 1 - indices)

    return turned


def _outcome(one: EvalTarget, answers: dict, problems: dict, backwards: bool) -> Outcome:
    clips = tuple(clip for clip in one.material.clips if one.key(clip) in answers)
    why = tuple(problems[key] for key in map(one.key, one.material.clips) if key in problems)
    if not clips:
        raise ClipError(f"{one.card.title} answered about no clip; the first, {why[0]}")
    said = [answers[one.key(clip)] for clip in clips]
    back = np.stack([answer.backwards for answer in said]) if backwards else None
    return Outcome(one, clips, np.stack([answer.forwards for answer in said]), back, why)


def measure(outcome: Outcome) -> list[Measured]:
    """Count what is right, for each data set among the clips."""
    classes = outcome.subject.card.classes
    everyday = classes == EVERYDAY[: len(classes)]  # only of these is known what order means
    datasets = np.array([clip.dataset for clip in outcome.clips])
    groups = np.array([clip.group for clip in outcome.clips])
    every = np.array([clip.label for clip in outcome.clips])
    measured = []
    for dataset in np.unique(datasets):
        rows = datasets == dataset
        scores, labels = outcome.forwards[rows], every[rows]
        figures = accuracies(scores, labels) | {"ece": calibration_error(scores, labels)}
        figures = {name: (value, len(labels)) for name, value in figures.items()}
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
