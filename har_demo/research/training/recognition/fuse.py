"""Two streams that were trained apart, fused as Simonyan and Zisserman (NIPS 2014) fuse theirs.

    python -m har_demo.research fuse --work WORK --splits a,b --seeds 0,1

    spatial stream  ──▶ scores ─┬─▶ their mean          two_stream_lab.average
    temporal stream ──▶ scores ─┴─▶ linear SVM          two_stream_lab.svm

The SVM is fitted on what both streams answer about clips they were trained on, the paper's way as far as
it tells: it learns to trust the stream that has learned these by heart more than is good. WORK is the
folder of har_demo.research.training.recognition.run, where both streams are finished; two rows more are then finished there.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from har_demo.models.registry import card
from har_demo.models.two_stream import fit_svm, stacked_scores
from har_demo.research.training.recognition.data import VideoDataset
from har_demo.research.training.recognition.protocol import Protocol
from har_demo.research.training.recognition.report import figures, row_of
from har_demo.research.training.recognition.score import probabilities
from har_demo.research.training.recognition.train import Run, placed, trained
from har_demo.research.training.recognition.work_folder import flow_rate, rendered_file, with_flow
from har_demo.tables.measured import AVERAGE, COLUMNS, START, SVM
from har_demo.tables.rows import write_rows

STREAMS = (("spatial_stream_lab", "rgb"), ("temporal_stream_lab", "flow"))
FITTED_ON = 1000  # rendered clips at most, beside all real ones of the training side

Scores = tuple[np.ndarray, np.ndarray]
"""Probabilities of both streams for the same clips, float [clips, classes] each."""


def average(scores: Scores) -> np.ndarray:
    """The mean of both."""
    return (scores[0] + scores[1]) / 2


def by_svm(known: Scores, labels: np.ndarray, asked: Sequence[Scores]) -> list[np.ndarray]:
    """Fit a linear SVM on known clips and return its scores of others, float [clips, classes].

    The margins are put through a softmax, so that they can be shown; they are no probabilities. A class
    that no known clip has gets 0.
    """
    svm = fit_svm(*known, labels)
    answers = []
    for scores in asked:
        margins = svm.decision_function(stacked_scores(*scores))
        if margins.ndim == 1:  # of two classes scikit-learn gives one margin
            margins = np.stack([-margins, margins], axis=1)
        shares = np.exp(margins - margins.max(axis=1, keepdims=True))
        answer = np.zeros_like(scores[0])
        answer[:, svm.classes_] = shares / shares.sum(axis=1, keepdims=True)
        answers.append(answer)
    return answers


def fuse(work: Path, split: str, seed: int, protocol: Protocol, device: torch.device) -> None:
    """Measure both fusions of the two streams of a seed and a split, as two finished runs.

    Raises:
        WeightsError: a stream is not trained.
    """
    runs = [Run(model, modality, seed, split) for model, modality in STREAMS]
    networks = [placed(trained(run, "finetune", work / "states"), device) for run in runs]

    def ask(file: Path, backwards: bool = False, most: int | None = None) -> Scores:
        answers = []
        for run, network in zip(runs, networks, strict=True):
            footage = with_flow(_first(VideoDataset.read(file), most), file, flow_rate(run))
            spec = replace(card(run.model).input, modality=run.input)
            answers.append(probabilities(network, spec, footage.to(device), backwards))
        return answers[0], answers[1]

    def labels_of(file: Path, most: int | None = None) -> np.ndarray:
        return VideoDataset.read(file).labels[:most].numpy()

    drawn, real = rendered_file(work, protocol, "train"), work / f"real-{split}-train.pt"
    known = [ask(drawn, most=FITTED_ON), ask(real)]
    learned = (
        np.concatenate([one[0] for one in known]),
        np.concatenate([one[1] for one in known]),
    )
    labels = np.concatenate([labels_of(drawn, FITTED_ON), labels_of(real)])

    tests = {
        file.stem.split("-")[2]: file
        for file in sorted(work.glob(f"real-{split}-*.pt"))
        if file != real
    } | {"rendered": rendered_file(work, protocol, "test")}
    asked = {name: (ask(file), ask(file, backwards=True)) for name, file in tests.items()}
    rows: dict[str, list[dict]] = {AVERAGE: [], SVM: []}
    for name, both in asked.items():
        truth = labels_of(tests[name])
        answers = {AVERAGE: map(average, both), SVM: by_svm(learned, labels, both)}
        for model, (ahead, back) in answers.items():
            run = Run(model, "rgb+flow", seed, split)
            for figure in figures(ahead, back, truth):
                if model != SVM or figure[0] != "ece":  # a margin is no confidence
                    rows[model].append(row_of(run, START, name, *figure))
    for model, found in rows.items():
        folder = work / "done" / Run(model, "rgb+flow", seed, split).name
        folder.mkdir(exist_ok=True)
        write_rows(folder / "metrics.csv", COLUMNS, found)


def _first(footage: VideoDataset, clips: int | None) -> VideoDataset:
    """At most so many clips of it."""
    if clips is None or clips >= len(footage.count):
        return footage
    per_clip = ("first", "count", "fps", "labels", "weights")
    fewer = {name: getattr(footage, name)[:clips] for name in per_clip}
    return replace(footage, frames=footage.frames[: footage.first[clips]], **fewer)
