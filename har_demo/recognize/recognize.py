"""A clip and some models give Predictions: one pass over the frames for all of them."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.transforms import crop_boxes, transform
from har_demo.errors import ChoiceError, InternalError, UserError, WeightsError
from har_demo.flow.field import TITLES
from har_demo.flow.views import as_input, fields
from har_demo.recognize.forward import (
    TooLittleMemory,
    batch_size,
    gather,
    gather_flow,
    in_batches,
    out_of_memory,
    probabilities,
)
from har_demo.recognize.networks import network
from har_demo.recognize.plan import Plan, chunks, plan
from har_demo.recognize.prediction import Prediction, Provenance, Question, Refusal, Times

FRAME_BUDGET = 256 * 2**20
TRANSFORMED_AT_ONCE = 32
UNKNOWN_GMACS = 50.0

Progress = Callable[[float, str], None]
Reader = Callable[[Clip, np.ndarray], np.ndarray]
"""(clip, int64 [N] ascending and different) → uint8 [N, H, W, 3], RGB."""

log = logging.getLogger(__name__)


@dataclass
class _Run:
    """How far one model has come; `work` is in multiply-adds of one view, 10⁹."""

    plan: Plan
    work: float
    batch: int
    network: nn.Module | None = None
    provenance: Provenance | None = None
    scores: np.ndarray | None = None
    done: int = 0
    transform: float = 0.0
    flow: float = 0.0
    forward: float = 0.0
    refused: bool = False


def recognize(
    clip: Clip,
    questions: Sequence[Question],
    on_progress: Progress | None = None,
    device: str | torch.device | None = None,
    read: Reader | None = None,
) -> Iterator[Prediction | Refusal]:
    """Ask several models about one clip; every frame any of them needs is decoded once.

    Answers come in the order of the questions, each as soon as it and those before it are there; a
    long clip is read in pieces, so that memory does not grow with its length, and most answers then
    come with the last piece.
    A model that fails gives a Refusal and the others go on. Several threads may call this at once.

    Args:
        clip: from har_demo.clips.ingest.
        questions: one per answer wanted; the same model may be asked twice in two ways.
        on_progress: called with the share of the work that is done (0..1) and a short sentence.
        device: where the networks run; a CUDA GPU if there is one.
        read: gives the clip's frames at some indices, for clips that are no files.

    Raises:
        ChoiceError: at once, before anything is read, when a question cannot be asked.
        ClipError: while iterating, when the clip's copy cannot be read any more.

    Example:
        >>> for answer in recognize(ingest("clip.mp4"), [Question("r3d_18")]):
        ...     print(answer.model, answer.top(1))
        r3d_18 [('juggling balls', 0.93)]
    """
    if not questions:
        raise ChoiceError("No model is chosen: choose at least one.")
    plans = [plan(clip, question) for question in questions]
    return answers(clip, plans, on_progress, device, read)


def answers(
    clip: Clip,
    plans: Sequence[Plan],
    on_progress: Progress | None = None,
    device: str | torch.device | None = None,
    read: Reader | None = None,
) -> Iterator[Prediction | Refusal]:
    """The same for plans that somebody changed, such as to show the frames in another order.

    Plans of one model that follow each other and look at the same frames share their preparation.
    """
    on_progress = on_progress or (lambda fraction, sentence: None)
    read = read or read_frames
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    runs = [_Run(one, _work(one), batch_size(_work(one), device)) for one in plans]
    total = sum(run.work * run.plan.views for run in runs)
    decode = 0.0
    ready: dict[int, Prediction | Refusal] = {}  # by number of the question, until it is its turn
    turn = 0

    def say(sentence: str) -> None:
        done = sum(run.work * (run.plan.views if run.refused else run.done) for run in runs)
        on_progress(done / total, sentence)

    for chunk in chunks(plans, most_frames(clip, plans)):
        if all(run.refused for run in runs):
            return
        say(f"Reading {len(chunk.frames)} frames")
        started = time.perf_counter()
        frames = read(clip, chunk.frames)
        decode += _milliseconds(started, device)
        prepared: dict[tuple, torch.Tensor] = {}
        flows: dict[tuple, torch.Tensor] = {}

        for number, (run, windows) in enumerate(zip(runs, chunk.windows, strict=True)):
            if run.refused or not len(windows):
                continue
            try:
                if run.network is None:
                    _load(run, device, say)
                _answer(run, windows, chunk.frames, frames, prepared, flows, device, say)
            except (UserError, InternalError) as error:
                run.refused, run.network = True, None
                card, ours = run.plan.card, isinstance(error, InternalError)
                if ours:
                    log.error("%s failed", card.name, exc_info=error)
                ready[number] = Refusal(card.name, card.title, str(error), ours)
            else:
                if run.done == run.plan.views:
                    ready[number] = _prediction(clip, run, decode, device)
            while turn in ready:
                yield ready.pop(turn)
                turn += 1
        del frames, prepared, flows  # before the next chunk is read
    say("Done")


def most_frames(clip: Clip, plans: Sequence[Plan]) -> int:
    """How many frames a chunk may hold: decoded and transformed they stay under `FRAME_BUDGET`."""
    decoded = clip.width * clip.height * 3
    # Transformed frames are kept for the next model alone, flow for all models of the chunk.
    flowing = [one.frame_bytes for one in plans if "flow" in one.card.input.modality]
    transformed = max(one.frame_bytes for one in plans) + sum(flowing)
    # While frames are read they exist twice (the reader's and ours); later beside the transformed.
    return max(1, FRAME_BUDGET // (decoded + max(decoded, transformed)))


def _work(one: Plan) -> float:
    """GMACs of one view at the number of frames asked for."""
    return (one.card.gmacs or UNKNOWN_GMACS) * one.frames / one.card.input.frames


def _load(run: _Run, device: torch.device, say: Callable[[str], None]) -> None:
    """Get the model's network, from memory if somebody asked for it before."""
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
        raise _no_room(run.plan) from error


def _answer(
    run: _Run,
    windows: np.ndarray,
    numbers: np.ndarray,
    frames: np.ndarray,
    prepared: dict[tuple, torch.Tensor],
    flows: dict[tuple, torch.Tensor],
    device: torch.device,
    say: Callable[[str], None],
) -> None:
    """Score some windows of one model.

    Args:
        run: receives the scores, times and the batch size that worked.
        windows: int64 [W], which of the plan's windows.
        numbers: int64 [N], ascending, which frames of the clip `frames` holds.
        frames: uint8 [N, H, W, 3].
        prepared: the transformed frames of the model before, which this one may want too.
        flows: the optical flow of all models before.
        device: where the network is.
        say: called with a sentence after every batch.

    Raises:
        UserError: the model cannot do it, with the sentence that says why.
        InternalError: it fails on its own kind of input.
    """
    one, card, spec = run.plan, run.plan.card, run.plan.spec
    indices, before = one.indices[windows], run.done

    def done(views: int) -> None:
        run.done = before + views
        say(f"{card.title}: {run.done // one.crops} of {len(one.indices)} windows")

    try:
        parts: list[Callable[[int, int], torch.Tensor]] = []  # views start to end of each input
        if spec.pictures:
            shown = indices[:, list(spec.pictures)]
            started = time.perf_counter()
            x, where = _pictures(one, shown, numbers, frames, prepared, device)
            run.transform += _milliseconds(started, device)
            parts.append(partial(gather, x, where, spec=spec))
        if "flow" in spec.modality:
            started = time.perf_counter()
            moments = indices if one.moments is None else one.moments[windows]
            y, pairs = _flow(one, indices, moments, numbers, frames, flows, device, say)
            run.flow += _milliseconds(started, device)
            parts.append(partial(gather_flow, y, pairs))

        def forward(start: int, end: int) -> torch.Tensor:
            return probabilities(run.network, *(part(start=start, end=end) for part in parts))

        started = time.perf_counter()
        scores, run.batch = in_batches(forward, len(windows) * one.crops, run.batch, done)
        run.forward += _milliseconds(started, device)
    except TooLittleMemory as error:
        raise _no_room(one) from error
    except (RuntimeError, ValueError, IndexError, MemoryError) as error:
        if out_of_memory(error):
            raise _no_room(one) from error
        # Networks meet sizes here that they were not made for; the server goes on.
        if one.frames == card.input.frames:
            raise InternalError(f"{card.name} failed on its own kind of input.") from error
        log.warning("%s failed", card.name, exc_info=True)
        raise ChoiceError(
            f"{card.title} cannot take {one.frames} frames per window: try its own "
            f"{card.input.frames}."
        ) from error

    if scores.shape[1] != len(card.classes):
        raise WeightsError(
            f"{card.title} gives {scores.shape[1]} scores for {len(card.classes)} classes: "
            "its weights belong to another set of classes."
        )
    if not scores.isfinite().all():
        raise WeightsError(
            f"{card.title} gave scores that are not numbers: its weights are damaged, use others."
        )
    if run.scores is None:
        run.scores = np.zeros((len(one.indices), len(card.classes)), dtype=np.float32)
    run.scores[windows] = scores.unflatten(0, (len(windows), one.crops)).mean(dim=1).numpy()


def _pictures(
    one: Plan,
    shown: np.ndarray,
    numbers: np.ndarray,
    frames: np.ndarray,
    prepared: dict[tuple, torch.Tensor],
    device: torch.device,
) -> tuple[torch.Tensor, np.ndarray]:
    """Each frame of `shown` (int64 [W, T]) transformed once, and where it is: as `gather` takes them."""
    needed, where = np.unique(shown, return_inverse=True)
    spec = one.card.input
    same = (spec.resize, spec.crop, spec.mean, spec.std, spec.antialias, one.crops)
    same += (needed.tobytes(),)
    if same not in prepared:
        prepared.clear()
        positions = np.searchsorted(numbers, needed)
        prepared[same] = _transformed(frames, positions, one, device)
    return prepared[same], where.reshape(shown.shape)


def _flow(
    one: Plan,
    indices: np.ndarray,
    moments: np.ndarray,
    numbers: np.ndarray,
    frames: np.ndarray,
    flows: dict[tuple, torch.Tensor],
    device: torch.device,
    say: Callable[[str], None],
) -> tuple[torch.Tensor, np.ndarray]:
    """The fields between neighbours in windows (int64 [W, T + 1]), and where each is: as `gather_flow`.

    A stride of 3.75 takes frames 3 or 4 apart; their flow is brought to 3.75, so that an even motion
    stays even. How far apart two frames are is told by `moments`, the places they are shown in.
    """
    steps = np.stack([indices[:, :-1], indices[:, 1:], np.diff(moments)], axis=-1)
    needed, where = np.unique(steps.reshape(-1, 3), axis=0, return_inverse=True)
    spec = one.card.input
    same = (spec.resize, spec.crop, spec.antialias, spec.flow_limit, one.stride, one.crops)
    same += (needed.tobytes(), one.flow)
    if same not in flows:
        pairs = np.searchsorted(numbers, needed[:, :2])
        apart = np.maximum(needed[:, 2], 1)

        def done(count: int) -> None:
            say(f"{one.card.title}: optical flow, {count} of {len(pairs)} fields")

        found = fields(frames, pairs, one.stride / apart, spec, one.crops, done, one.flow)
        flows[same] = as_input(found, spec.flow_limit).to(device)
    return flows[same], where.reshape(steps.shape[:2])


def _transformed(
    frames: np.ndarray, positions: np.ndarray, one: Plan, device: torch.device
) -> torch.Tensor:
    """float32 [crops, N, 3, h, w] of the frames at `positions`, each transformed once.

    In slices, because resizing goes through float copies of the whole picture.
    """
    height, width = one.card.input.crop
    x = torch.empty(one.crops, len(positions), 3, height, width, device=device)
    for start in range(0, len(positions), TRANSFORMED_AT_ONCE):
        some = positions[start : start + TRANSFORMED_AT_ONCE]
        x[:, start : start + len(some)] = transform(frames[some], one.card.input, one.crops, device)
    return x


def _prediction(clip: Clip, run: _Run, decode: float, device: torch.device) -> Prediction:
    card = run.plan.card
    return Prediction(
        model=card.name,
        title=card.title,
        label_set=card.label_set,
        classes=card.classes,
        scores=run.scores,
        frames=run.plan.indices,
        crops=crop_boxes(card.input, clip.width, clip.height, run.plan.crops),
        fps=clip.fps,
        times=Times(decode, run.transform + run.flow, run.forward, run.flow),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        provenance=run.provenance,
        note=" ".join(filter(None, [run.plan.note, _flow_note(run.plan)])),
        flow=TITLES[run.plan.flow] if run.plan.flow else "",
        stride=run.plan.stride,
    )


def _flow_note(one: Plan) -> str:
    """Which flow the weights expect, if they are given another."""
    expected = one.card.input.flow_method
    if not one.flow or expected == TITLES[one.flow]:
        return ""
    return (
        f"{one.card.title} is meant for the optical flow of {expected} and was given that of "
        f"{TITLES[one.flow]}: what was measured of it or published does not hold here."
    )


def _no_room(one: Plan) -> ChoiceError:
    other = "choose fewer frames per window or a smaller model"
    if not one.card.input.any_frames:
        other = "choose a smaller model"
    return ChoiceError(f"{one.card.title} needs more memory than is free: {other}.")


def _milliseconds(started: float, device: torch.device) -> float:
    """Since `started`, once the GPU has done what it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - started) * 1000
