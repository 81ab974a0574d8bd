"""The frames that every chosen model will look at, decided before anything is read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

import numpy as np

from har_demo.clips import sampling
from har_demo.clips.clip import Clip
from har_demo.clips.sampling import Sampling
from har_demo.errors import ChoiceError
from har_demo.flow.field import TITLES
from har_demo.flow.views import METHOD
from har_demo.models import registry
from har_demo.models.card import ModelCard, ModelInput, ViewDefaults
from har_demo.recognize.prediction import Request

MOST_FRAMES = 256
MOST_WINDOWS = 1000
LEAST_STRIDE, MOST_STRIDE = 0.001, 10_000
DEFAULT_WINDOWS = 10


@dataclass(frozen=True)
class Plan:
    """One request with nothing left open.

    Attributes:
        card: the model's card.
        frames: T, what the network is given per window.
        stride: distance between those, in frames of the clip; on average, where they are spread.
        crops: 1 or 3.
        weights: path of the user's own parameters, or None.
        indices: int64 [windows, R], the frames read; a model of frame differences or of flow reads
            one more than it is given.
        note: what the reader must know of the sampling, or ''.
        flow: what computes the flow, a key of har_demo.flow.field.TITLES, or '' where none is wanted.
        moments: int64 [windows, R], the frames that `indices` are shown in the place of; None when
            every frame keeps its own. Frames in another order still follow at the same distance.
    """

    card: ModelCard
    frames: int
    stride: float
    crops: int
    weights: str | None
    indices: np.ndarray
    note: str
    flow: str
    moments: np.ndarray | None = None

    @property
    def views(self) -> int:
        """Number of forward passes: every crop of every window."""
        return len(self.indices) * self.crops

    @property
    def spec(self) -> ModelInput:
        """The card's input at the number of frames asked for."""
        return with_frames(self.card.input, self.frames)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one transformed frame and of the field of flow that begins with it."""
        height, width = self.card.input.crop
        channels = {"flow": 2, "rgb+flow": 5}.get(self.card.input.modality, 3)
        return self.crops * channels * height * width * 4


@dataclass(frozen=True)
class Chunk:
    """Windows that are answered together, and the frames they need.

    Attributes:
        frames: int64 [N], ascending and different: what is read from the clip, once.
        windows: for every plan, in the plans' order, the windows of it that belong here.
    """

    frames: np.ndarray
    windows: tuple[np.ndarray, ...]


def plan(clip: Clip, request: Request) -> Plan:
    """Fill in what a request leaves open from the model's card and the clip.

    Raises:
        ChoiceError: the model does not exist or cannot be asked this way.
    """
    card = registry.card(request.model)
    spec = card.input
    if "flow" in spec.modality and clip.frames < 2:
        raise ChoiceError(
            f"{card.title} looks at optical flow, and this clip is a single picture: "
            "choose a model that looks at frames."
        )
    if request.flow and "flow" not in spec.modality:
        raise ChoiceError(f"{card.title} looks at frames: choose no optical flow for it.")
    if request.flow and request.flow not in TITLES:
        raise ChoiceError(
            f"No optical flow is called '{request.flow}': choose {', '.join(TITLES)}."
        )

    usual = card.views or ViewDefaults(spec.frames, spec.fps, 0)
    frames = usual.frames
    if request.frames is not None:
        frames = _whole(request.frames, "frames per window", MOST_FRAMES)
    if frames != spec.frames and not spec.any_frames:
        raise ChoiceError(
            f"{card.title} takes exactly {spec.frames} frames per window, not {frames}: "
            "leave its number of frames as it is."
        )

    spread = spec.sampling == "segments" and request.stride is None
    stride = clip.fps / usual.fps if request.stride is None else _stride(request.stride)
    if spread:
        stride = clip.frames / frames
    if request.crops not in (1, 3):
        raise ChoiceError(
            f"Crops must be 1 (centre) or 3 (start, centre, end), not {request.crops!r}."
        )

    read = with_frames(spec, frames).frames_read
    if request.windows is None and spread:
        windows = 1  # it covers the clip by itself
    elif request.windows is None:
        windows = usual.windows or DEFAULT_WINDOWS
        if clip.fresh is None:
            windows = min(windows, sampling.covering(clip.frames, read, stride))
    else:
        windows = _whole(request.windows, "windows", MOST_WINDOWS)

    segments = Sampling("segments", read, windows=windows)
    if clip.fresh is None:
        indices = (
            sampling.indices(clip.frames, segments)
            if spread
            else sampling.windows(clip.frames, read, stride, windows)
        )
    elif spread:
        indices = sampling.spread_fresh(np.array(clip.fresh), segments)
    else:
        indices = sampling.lively_windows(
            np.array(clip.fresh), clip.frames, read, stride, windows, request.windows is not None
        )
    return Plan(
        card=card,
        frames=frames,
        stride=stride,
        crops=int(request.crops),
        weights=request.weights or None,
        indices=indices,
        note=repeats(clip, indices, stride),
        flow=(request.flow or METHOD) if "flow" in spec.modality else "",
    )


def with_frames(spec: ModelInput, frames: int) -> ModelInput:
    """The same input with another number of frames; fields of flow keep in step."""
    return replace(spec, frames=frames, flow_frames=spec.flow_frames * frames // spec.frames)


def chunks(plans: Sequence[Plan], most_frames: int) -> list[Chunk]:
    """Split the windows of all plans, in the order of time, so that no chunk reads too much.

    Windows of different models that look at the same moment fall into the same chunk, so their
    frames are decoded once. A single window larger than `most_frames` makes a chunk of its own.

    Args:
        plans: the resolved requests.
        most_frames: how many different frames a chunk may hold.
    """
    in_time = sorted(
        (int(window.min()), which, number)
        for which, one in enumerate(plans)
        for number, window in enumerate(one.indices)
    )
    result: list[Chunk] = []
    needed: set[int] = set()
    members: list[list[int]] = [[] for _ in plans]

    def close() -> None:
        windows = tuple(np.array(sorted(numbers), dtype=np.int64) for numbers in members)
        result.append(Chunk(np.array(sorted(needed), dtype=np.int64), windows))

    for _, which, number in in_time:
        window = set(plans[which].indices[number].tolist())
        if needed and len(needed | window) > most_frames:
            close()
            needed, members = set(), [[] for _ in plans]
        needed |= window
        members[which].append(number)
    close()
    return result


def _whole(value: object, what: str, most: int) -> int:
    """A whole number from 1 to `most`; forms and JSON may send 16.0 for 16."""
    if _is_number(value) and 1 <= value <= most and value == int(value):
        return int(value)
    raise ChoiceError(f"The number of {what} must be a whole number from 1 to {most}, not {value}.")


def _stride(value: object) -> float:
    """A number of frames; a stride next to nothing would ask for endlessly many windows."""
    if _is_number(value) and LEAST_STRIDE <= value <= MOST_STRIDE:
        return float(value)
    raise ChoiceError(
        f"The stride must be a number of frames from {LEAST_STRIDE} to {MOST_STRIDE}, not {value}."
    )


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def repeats(clip: Clip, indices: np.ndarray, stride: float) -> str:
    """Say so when a window holds the same frame more than once, or the film's rate varies."""
    count = indices.shape[1]
    if clip.fresh is not None:
        shown = np.searchsorted(np.array(clip.fresh), indices, "right")
        own = [len(np.unique(window)) for window in shown]
        if clip.source.variable_rate or min(own) < count:
            what = "a variable rate" if clip.source.variable_rate else "gaps"
            return (
                f"The film has {what}: a frame is held until the next one comes, so a window "
                f"of {count} shows {min(own)} to {max(own)} different frames."
            )
    repeats = count - min(len(np.unique(window)) for window in indices)
    if not repeats:
        return ""
    verb = "is a repeat" if repeats == 1 else "are repeats"
    if stride < 1:
        return (
            f"At a stride of {stride:.2g} frames a window takes some frames of the clip, "
            f"which has {clip.fps:.3g} a second, more than once: "
            f"{repeats} of the {count} {verb}."
        )
    has = "1 frame" if clip.frames == 1 else f"{clip.frames} frames"
    return f"The clip has only {has}, so {repeats} of the {count} {verb} of the last."
