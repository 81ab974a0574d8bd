"""The frames that every chosen model will look at, decided before anything is read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeGuard

import numpy as np

from har_demo.clips import sampling
from har_demo.clips.clip import Clip
from har_demo.clips.sampling import Sampling
from har_demo.errors import ChoiceError
from har_demo.flow.field import TITLES
from har_demo.flow.views import METHOD
from har_demo.models import registry
from har_demo.models.card import ModelCard, ModelInput, Protocol, ViewDefaults
from har_demo.recognize import placing
from har_demo.recognize.prediction import Request
from har_demo.weights import sources

MOST_FRAMES = 256
MOST_WINDOWS = 1000
LEAST_STRIDE, MOST_STRIDE = 0.001, 10_000
DEFAULT_WINDOWS = 10
SECONDS_A_WINDOW = 10.0
"""A long clip shows more: of models that look at few windows by default, one for so many seconds."""
UNKNOWN_GMACS = 50.0
LEAST_SIDE, MOST_SIDE = 32, 1024
CROPS = (1, 3, 10)


@dataclass(frozen=True)
class Plan:
    """One request with nothing left open.

    Attributes:
        card: the model's card, with the source that answers alone and the input that it is given.
        frames: T, what the network is given per window.
        stride: distance between those, in frames of the clip; on average, where they are spread.
        crops: 1, 3 or 10.
        weights: path of the user's own parameters, or None.
        indices: int64 [windows, R], the frames read; a model of frame differences or of flow reads
            one more than it is given.
        note: what the reader must know of the sampling, or ''.
        flow: what computes the flow, a key of har_demo.flow.field.TITLES, or '' where none is wanted.
        moments: int64 [windows, R], the frames that `indices` are shown in the place of; None when
            every frame keeps its own. Frames in another order still follow at the same distance.
        mean_of: what is averaged over the crops of a window, see Protocol.
        float32: whether a GPU calculates in single precision.
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
    mean_of: Literal["probabilities", "logits"] = "probabilities"
    float32: bool = False

    @property
    def views(self) -> int:
        """Number of forward passes: every crop of every window."""
        return len(self.indices) * self.crops

    @property
    def view_gmacs(self) -> float:
        """Multiply-adds of one view at the requested number of frames, 10⁹."""
        return (self.card.gmacs or UNKNOWN_GMACS) * self.frames / self.card.input.frames

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
    card = sources.of_request(registry.card(request.model), request.weights, request.source)
    protocol = published_protocol(card) if request.published else Protocol(0)
    card = _given(card, request, protocol)
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

    views = None if request.published else card.views
    usual = views or ViewDefaults(protocol.frames or spec.frames, spec.fps, protocol.windows)
    frames = usual.frames
    if request.frames is not None:
        frames = _whole(request.frames, "frames per window", MOST_FRAMES)
    if frames != spec.frames and not spec.any_frames:
        raise ChoiceError(
            f"{card.title} takes exactly {spec.frames} frames per window, not {frames}: "
            "leave its number of frames as it is."
        )

    spread = spec.sampling == "segments" and request.stride is None
    if request.stride is not None:
        stride = _stride(request.stride)
    else:
        stride = clip.fps / views.fps if views else spec.stride(clip.fps)
    if spread:
        stride = clip.frames / frames
    crops = protocol.crops if request.crops is None else request.crops
    if crops not in CROPS:
        raise ChoiceError(
            "Crops must be 1 (centre), 3 (start, centre, end) or 10 (corners and centre, also mirrored), "
            f"not {crops!r}."
        )

    read = with_frames(spec, frames).frames_read
    if request.windows is not None:
        windows = _whole(request.windows, "windows", MOST_WINDOWS)
    elif request.published:
        windows = protocol.windows
    elif spread:
        windows = 1  # it covers the clip by itself
    else:
        windows = DEFAULT_WINDOWS
        if usual.windows:
            windows = min(max(usual.windows, int(clip.duration / SECONDS_A_WINDOW)), windows)
        if clip.fresh is None:
            windows = min(windows, sampling.covering(clip.frames, read, stride))

    kind: Literal["segments", "dense"] = "segments" if spread else "dense"
    way = Sampling(kind, read, stride, windows, protocol.placing)
    if clip.fresh is None:
        indices = placing.indices(clip.frames, way)
    elif spread:
        indices = sampling.spread_fresh(np.array(clip.fresh), way)
    else:
        exactly = request.windows is not None or request.published
        indices = sampling.lively_windows(
            np.array(clip.fresh), clip.frames, read, stride, windows, exactly
        )
    return Plan(
        card=card,
        frames=frames,
        stride=stride,
        crops=int(crops),
        weights=request.weights or None,
        indices=indices,
        note=" ".join(filter(None, [repeats(clip, indices, stride), _enlarged(clip, spec)])),
        flow=(request.flow or METHOD) if "flow" in spec.modality else "",
        mean_of=protocol.mean_of,
        float32=request.float32 or request.published,
    )


def _enlarged(clip: Clip, spec: ModelInput) -> str:
    """Say so when a model of large pictures gets an enlarged copy of a film that has more lines."""
    lines = spec.resize if isinstance(spec.resize, int) else spec.resize[0]
    copy, film = min(clip.width, clip.height), min(clip.source.width, clip.source.height)
    if lines <= copy or film <= copy:
        return ""
    return (
        f"The clip's copy has {copy} of its {film} lines, and was enlarged to the {lines} that the model "
        "takes."
    )


def published_protocol(card: ModelCard) -> Protocol:
    """Return the protocol of the published accuracy of the card's source.

    Raises:
        ChoiceError: there is none that can be run.
    """
    if card.protocol is None:
        raise ChoiceError(
            f"How the accuracy of {card.title} was measured is not published, or cannot be run here: "
            "choose its windows and crops yourself."
        )
    return card.protocol


def _given(card: ModelCard, request: Request, protocol: Protocol) -> ModelCard:
    """The card with the size of picture that is asked for, and what one view of it costs."""
    spec = card.input
    resize, crop = protocol.resize or spec.resize, protocol.crop or spec.crop
    if request.side is not None:
        side = _whole(request.side, "pixels of a side", MOST_SIDE, LEAST_SIDE)
        resize, crop = side, (side, side)
    if (resize, crop) == (spec.resize, spec.crop):
        return card
    if not spec.any_side:
        raise ChoiceError(
            f"{card.title} takes pictures of {spec.crop[1]} × {spec.crop[0]} pixels and no others: "
            "leave their side as it is."
        )
    area = crop[0] * crop[1] / (spec.crop[0] * spec.crop[1])
    gmacs = None if card.gmacs is None else card.gmacs * area
    return replace(card, input=replace(spec, resize=resize, crop=crop), gmacs=gmacs)


def most_lines(requests: Sequence[Request]) -> int:
    """Return how many lines a clip's copy needs at most, so that no model enlarges it.

    Raises:
        ChoiceError: a model does not exist or cannot be asked this way.
    """
    lines = [0]
    for request in requests:
        card = sources.of_request(registry.card(request.model), request.weights, request.source)
        protocol = published_protocol(card) if request.published else Protocol(0)
        spec = _given(card, request, protocol).input
        lines.append(spec.resize if isinstance(spec.resize, int) else spec.resize[0])
    return max(lines)


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


def _whole(value: object, what: str, most: int, least: int = 1) -> int:
    """A whole number from `least` to `most`; forms and JSON may send 16.0 for 16."""
    if _is_number(value) and least <= value <= most and value == int(value):
        return int(value)
    raise ChoiceError(
        f"The number of {what} must be a whole number from {least} to {most}, not {value}."
    )


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
