"""Improved dense trajectories, fitted with scikit-learn and not trained step by step.

    footage ──windows──▶ grey clips ──every core──▶ trajectories, kept ──▶ PCA, mixtures, SVMs

It learns from the clips that all lab models learn from: every real one of the training side, and of the
rendered ones so many of each class. Each is seen as filmed, in the windows that recognition takes.

Finding trajectories is nearly all the work. Those of a window are kept in a file named after its pixels,
about 0.6 MB, so that a run that was cut, and a second seed, find them there.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from har_demo.errors import ChoiceError
from har_demo.labels import EVERYDAY
from har_demo.models.card import ModelCard, ModelInput
from har_demo.models.trajectories import ImprovedTrajectories, fit, trajectories
from har_demo.research.training.recognition.data import VideoDataset
from har_demo.research.training.recognition.motion import quietly
from har_demo.research.training.recognition.protocol import Protocol
from har_demo.research.training.recognition.score import AT_ONCE, views, windows
from har_demo.research.training.recognition.train import Run

FITTED = ("idt_lab",)
"""The lab models that this is for."""

Find = Callable[[Sequence[np.ndarray]], list[np.ndarray]]
"""Grey clips, uint8 [T, H, W] → the trajectories of each, float32 [N, 426]."""


def fitted(
    card: ModelCard,
    run: Run,
    rendered: VideoDataset,
    real: VideoDataset,
    protocol: Protocol,
    folder: Path,
) -> ImprovedTrajectories:
    """Fit the model of this card; the same for a seed, up to how sums over many cores are rounded.

    Args:
        card: what to build.
        run: with which seed.
        rendered, real: labelled clips; the seed draws protocol.fitted_clips of each class of the first.
        folder: trajectories are kept in a folder of it.

    Returns:
        The model on the clips' device, which finds trajectories on all cores and keeps them.

    Raises:
        ChoiceError: the run shows something else than frames.
        ValueError: there are too few trajectories.
    """
    if run.input != "rgb":
        raise ChoiceError(
            f"{run.model} follows points through frames: its input is rgb, not {run.input}."
        )
    network = card.build(len(EVERYDAY)).eval()
    known = folder / f"trajectories-{network.scales}"
    known.mkdir(parents=True, exist_ok=True)
    network.find = on_all_cores(partial(found, known, network.scales))
    sources = (some_of_each_class(rendered, protocol.fitted_clips, run.seed), real)
    labels = [
        label
        for source in sources
        for label in source.labels[windows(source, card.input)[1]].tolist()
    ]
    fit(network, lambda: described(network, card.input, sources), labels, seed=run.seed)
    return network.to(rendered.frames.device)


def some_of_each_class(footage: VideoDataset, most: int, seed: int) -> VideoDataset:
    """At most so many clips of each class, drawn by the seed; the frames stay where they are."""
    random, labels = np.random.default_rng(seed), footage.labels.cpu().numpy()
    chosen = [random.permutation(np.flatnonzero(labels == one))[:most] for one in np.unique(labels)]
    rows = torch.from_numpy(np.sort(np.concatenate(chosen))).to(footage.labels.device)
    per_clip = ("first", "count", "fps", "labels", "weights")
    return replace(footage, **{name: getattr(footage, name)[rows] for name in per_clip})


def described(
    network: ImprovedTrajectories, spec: ModelInput, sources: Sequence[VideoDataset]
) -> Iterator[np.ndarray]:
    """The trajectories of every window of all footage, one after the other."""
    for source in sources:
        batches = (part.split(AT_ONCE) for part in windows(source, spec))
        for positions, clips in zip(*batches, strict=True):
            (batch,) = views(source, spec, positions, clips)
            yield from network.find(network.greys(batch))


def found(folder: Path, scales: int, clip: np.ndarray) -> np.ndarray:
    """The trajectories of a clip, from the folder or put there."""
    file = folder / f"{hashlib.sha256(clip.tobytes()).hexdigest()}.npy"
    if not file.exists():
        part = file.with_suffix(f".{os.getpid()}")
        with open(part, "wb") as opened:
            np.save(opened, trajectories(clip, scales))
        part.replace(file)
    return np.load(file)


def on_all_cores(find: Callable[[np.ndarray], np.ndarray]) -> Find:
    """Return the same for many clips side by side; its processes end when nobody holds it any more."""
    cores = len(os.sched_getaffinity(0))
    pool = ProcessPoolExecutor(cores, get_context("spawn"), quietly) if cores > 1 else None

    def find_all(clips: Sequence[np.ndarray]) -> list[np.ndarray]:
        return list((pool.map if pool else map)(find, clips))

    return find_all
