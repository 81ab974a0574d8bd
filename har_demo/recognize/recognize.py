"""A clip and some models give Predictions: one pass over the frames for all of them."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.transforms import crop_boxes
from har_demo.device import device as best_device
from har_demo.errors import ChoiceError, InternalError, UserError, WeightsError
from har_demo.flow.field import TITLES
from har_demo.models.card import ModelCard
from har_demo.recognize.forward import (
    TooLittleMemory,
    batch_size,
    exact_probabilities,
    in_batches,
    mean_over_crops,
    out_of_memory,
    probabilities,
)
from har_demo.recognize.inputs import DecodedFrames, Reader, SharedPreparations, prepare
from har_demo.recognize.networks import network
from har_demo.recognize.plan import Plan, chunks, plan
from har_demo.recognize.prediction import ModelError, Prediction, Request, SeenWindow, Times
from har_demo.recognize.seen import keep_candidates
from har_demo.weights import Provenance

FRAME_BUDGET = 256 * 2**20

Progress = Callable[[float, str], None]

log = logging.getLogger(__name__)


@dataclass
class _Run:
    """The progress of one model; `work` is in multiply-adds of one view, 10⁹."""

    plan: Plan
    work: float
    batch: int
    network: nn.Module | None = None
    provenance: Provenance | None = None
    scores: np.ndarray | None = None
    seen: dict[int, SeenWindow] | None = None  # by window, where pictures are asked for
    done: int = 0
    transform: float = 0.0
    flow: float = 0.0
    forward: float = 0.0
    refused: bool = False


def recognize(
    clip: Clip,
    requests: Sequence[Request],
    on_progress: Progress | None = None,
    device: str | torch.device | None = None,
    read: Reader | None = None,
    seen: bool = False,
) -> Iterator[Prediction | ModelError]:
    """Run several models on one clip; every frame that any of them needs is decoded once.

    Predictions come in the order of the requests, each as soon as it and those before it are there; a
    long clip is read in pieces, so that memory does not grow with its length, and most answers then
    come with the last piece.
    A model that fails gives a ModelError and the others go on. Several threads may call this at once.

    Args:
        clip: from har_demo.clips.ingest.
        requests: one per prediction; the same model may be asked twice in two ways.
        on_progress: called with the share of the work that is done (0..1) and a short sentence.
        device: where the networks run; a CUDA GPU by default, if there is one.
        read: gives the clip's frames at some indices, for clips that are no files.
        seen: whether each prediction shall bring the pictures of its best window.

    Raises:
        ChoiceError: at once, before anything is read, when a request cannot be met.
        ClipError: while iterating, when the clip's copy cannot be read any more.

    Example:
        >>> for answer in recognize(ingest("clip.mp4"), [Request("r3d_18")]):
        ...     print(answer.model, answer.top(1))
        r3d_18 [('juggling balls', 0.93)]
    """
    if not requests:
        raise ChoiceError("No model is chosen: choose at least one.")
    plans = [plan(clip, request) for request in requests]
    return answers(clip, plans, on_progress, device, read, seen)


def answers(
    clip: Clip,
    plans: Sequence[Plan],
    on_progress: Progress | None = None,
    device: str | torch.device | None = None,
    read: Reader | None = None,
    seen: bool = False,
) -> Iterator[Prediction | ModelError]:
    """The same for plans that somebody changed, such as to show the frames in another order.

    Plans of one model that follow each other and look at the same frames share their preparation.
    """
    on_progress = on_progress or (lambda fraction, sentence: None)
    read = read or read_frames
    device = torch.device(device or best_device())
    runs = [_Run(one, one.view_gmacs, batch_size(one.view_gmacs, device)) for one in plans]
    for run in runs:
        run.seen = {} if seen else None
    total = sum(run.work * run.plan.views for run in runs)
    decode = 0.0
    ready: dict[int, Prediction | ModelError] = {}  # by number of the request, until it is its turn
    turn = 0

    def say(sentence: str) -> None:
        done = sum(run.work * (run.plan.views if run.refused else run.done) for run in runs)
        on_progress(done / total, sentence)

    for chunk in chunks(plans, most_frames(clip, plans)):
        if all(run.refused for run in runs):
            return
        say(f"Reading {len(chunk.frames)} frames")
        started = time.perf_counter()
        decoded = DecodedFrames(chunk.frames, read(clip, chunk.frames))
        decode += _milliseconds(started, device)
        shared = SharedPreparations()

        for number, (run, windows) in enumerate(zip(runs, chunk.windows, strict=True)):
            if run.refused or not len(windows):
                continue
            try:
                if run.network is None:
                    _load(run, device, say)
                _answer(run, windows, decoded, shared, device, say)
            except (UserError, InternalError) as error:
                run.refused, run.network, run.seen = True, None, None
                card, ours = run.plan.card, isinstance(error, InternalError)
                if ours:
                    log.error("%s failed", card.name, exc_info=error)
                ready[number] = ModelError(card.name, card.title, str(error), ours)
            else:
                if run.done == run.plan.views:
                    ready[number] = _prediction(clip, run, decode, device)
            while turn in ready:
                yield ready.pop(turn)
                turn += 1
        del decoded, shared  # before the next chunk is read
    say("Done")


def most_frames(clip: Clip, plans: Sequence[Plan]) -> int:
    """Return how many frames a chunk may hold: decoded and transformed they stay under `FRAME_BUDGET`."""
    decoded = clip.width * clip.height * 3
    # Transformed frames are kept for the next model alone, flow for all models of the chunk.
    flowing = [one.frame_bytes for one in plans if "flow" in one.card.input.modality]
    transformed = max(one.frame_bytes for one in plans) + sum(flowing)
    # While frames are read they exist twice (the reader's and ours); later beside the transformed.
    return max(1, FRAME_BUDGET // (decoded + max(decoded, transformed)))


def _load(run: _Run, device: torch.device, say: Callable[[str], None]) -> None:
    """Get the model's network, from memory if it was used before."""
    title = run.plan.card.title
    say(f"{title}: loading weights")
    try:
        run.network, run.provenance = network(
            run.plan.card,
            run.plan.weights,
            device,
            lambda fraction: say(f"{title}: loading weights, {fraction:.0%}"),
        )
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise no_room(run.plan.card) from error


def _answer(
    run: _Run,
    windows: np.ndarray,
    decoded: DecodedFrames,
    shared: SharedPreparations,
    device: torch.device,
    say: Callable[[str], None],
) -> None:
    """Score some windows of one model.

    Args:
        run: receives the scores, times and the batch size that worked.
        windows: int64 [W], which of the plan's windows.
        decoded: the frames of these windows and of others.
        shared: what the models before prepared of them.
        device: where the network is.
        say: called with a sentence after every batch.

    Raises:
        UserError: the model cannot do it, with the sentence that says why.
        InternalError: it fails on its own kind of input.
    """
    one, card, before = run.plan, run.plan.card, run.done

    def on_flow(done: int, total: int) -> None:
        say(f"{card.title}: optical flow, {done} of {total} fields")

    def on_views(views: int) -> None:
        run.done = before + views
        say(f"{card.title}: {run.done // one.crops} of {len(one.indices)} windows")

    try:
        started = time.perf_counter()
        inputs = prepare(one, windows, decoded, shared, device, on_flow)
        run.transform += _milliseconds(started, device)
        run.flow += inputs.flow_ms

        def forward(start: int, end: int) -> torch.Tensor:
            assert run.network is not None
            score = exact_probabilities if one.float32 else probabilities
            return score(run.network, *inputs.views(start, end))

        started = time.perf_counter()
        scores, run.batch = in_batches(forward, len(inputs), run.batch, on_views)
        run.forward += _milliseconds(started, device)
    except TooLittleMemory as error:
        raise no_room(card) from error
    except (RuntimeError, ValueError, IndexError, MemoryError) as error:
        if out_of_memory(error):
            raise no_room(card) from error
        # Networks meet sizes here that they were not made for; the server goes on.
        if one.frames == card.input.frames:
            raise InternalError(f"{card.name} failed on its own kind of input.") from error
        log.warning("%s failed", card.name, exc_info=True)
        raise ChoiceError(
            f"{card.title} cannot take {one.frames} frames per window: try its own "
            f"{card.input.frames}."
        ) from error

    check_scores(scores, card)
    if run.scores is None:
        run.scores = np.zeros((len(one.indices), len(card.classes)), dtype=np.float32)
    by_window = scores.unflatten(0, (len(windows), one.crops))
    run.scores[windows] = mean_over_crops(by_window, one.mean_of).numpy()
    if run.seen is not None:
        last = run.done == one.views
        run.seen = keep_candidates(run.seen, one, run.scores, windows, decoded, inputs, last)


def check_scores(scores: torch.Tensor, card: ModelCard) -> None:
    """Raise a WeightsError unless scores, [views, classes], are numbers, one for each class of the card."""
    if scores.shape[1] != len(card.classes):
        raise WeightsError(
            f"{card.title} gives {scores.shape[1]} scores for {len(card.classes)} classes: "
            "its weights belong to another set of classes."
        )
    if not scores.isfinite().all():
        raise WeightsError(
            f"{card.title} gave scores that are not numbers: its weights are damaged, use others."
        )


def _prediction(clip: Clip, run: _Run, decode: float, device: torch.device) -> Prediction:
    card = run.plan.card
    assert run.scores is not None and run.provenance is not None  # `_load` and `_answer` set them
    answer = Prediction(
        model=card.name,
        title=card.title,
        label_set=card.label_set,
        classes=card.classes,
        scores=run.scores,
        frames=run.plan.indices,
        crops=crop_boxes(card.input, clip.width, clip.height, run.plan.crops),
        fps=clip.fps,
        times=Times(decode, run.transform, run.forward, run.flow),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        provenance=run.provenance,
        note=" ".join(filter(None, [run.plan.note, _flow_note(run.plan)])),
        flow=TITLES[run.plan.flow] if run.plan.flow else "",
        stride=run.plan.stride,
    )
    return replace(answer, seen=(run.seen or {}).get(answer.best_window))


def _flow_note(one: Plan) -> str:
    """Say which flow the weights expect, if they are given another."""
    expected = one.card.input.flow_method
    if not one.flow or expected == TITLES[one.flow]:
        return ""
    return (
        f"{one.card.title} is meant for the optical flow of {expected} and was given that of "
        f"{TITLES[one.flow]}: accuracies measured or published for it do not hold here."
    )


def no_room(card: ModelCard) -> ChoiceError:
    """Return the error that a network does not fit into memory."""
    other = "choose fewer frames per window or a smaller model"
    if not card.input.any_frames:
        other = "choose a smaller model"
    return ChoiceError(f"{card.title} needs more memory than is free: {other}.")


def _milliseconds(started: float, device: torch.device) -> float:
    """Since `started`, once the GPU has done what it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - started) * 1000
