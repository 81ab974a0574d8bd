"""The one way from decoded frames to what a network takes; nothing else here prepares frames.

    DecodedFrames ──pictures──▶ [crops, N, 3, h, w] ─┐
                  ──flow──────▶ [crops, P, 2, h, w] ─┴─▶ WindowInputs.views ──▶ network

Windows overlap, so each frame is resized, cropped and normalised once, and flow is computed once for
each step between two frames; `views` lays them out window by window only when a batch asks for it.
Models that follow each other and want the same preparation share it through `SharedPreparations`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.transforms import differences, standardised, transform
from har_demo.flow.views import as_input, step_fields
from har_demo.models.card import ModelInput
from har_demo.recognize.plan import Plan

TRANSFORMED_AT_ONCE = 32

Reader = Callable[[Clip, np.ndarray], np.ndarray]
"""(clip, int64 [N] ascending and different) → uint8 [N, H, W, 3], RGB."""


@dataclass(frozen=True)
class DecodedFrames:
    """Some frames of a clip.

    Attributes:
        numbers: int64 [N], ascending and different, which frames of the clip they are.
        pixels: uint8 [N, H, W, 3], RGB.
    """

    numbers: np.ndarray
    pixels: np.ndarray

    def at(self, numbers: np.ndarray) -> np.ndarray:
        """The pixels of some of the frames, by their numbers in the clip."""
        return self.pixels[np.searchsorted(self.numbers, numbers)]


@dataclass
class SharedPreparations:
    """Tensors that several models may use, for as long as the same frames are in memory.

    Attributes:
        pictures: the transformed frames of the model before, by the preparation they had.
        flow: the optical flow of all models before, which is dear.
    """

    pictures: dict[tuple, Tensor] = field(default_factory=dict)
    flow: dict[tuple, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class WindowInputs:
    """Prepared frames and flow of W windows, as a network takes them.

    Attributes:
        spec: the network's input, at the number of frames asked for.
        windows, crops: W, and 1, 3 or 10; the network runs once for each crop of each window.
        pictures: float32 [crops, N, 3, h, w], normalised frames; None for networks of flow alone.
        shown: int64 [W, T], positions along N; T + 1 of them for frame differences.
        flow: float32 [crops, P, 2, h, w], −1 to 1; None for networks of frames alone.
        steps: int64 [W, T], positions along P.
        flow_ms: milliseconds that the flow took.
    """

    spec: ModelInput
    windows: int
    crops: int
    pictures: Tensor | None
    shown: np.ndarray | None
    flow: Tensor | None
    steps: np.ndarray | None
    flow_ms: float

    def __len__(self) -> int:
        """The number of views: every crop of every window."""
        return self.windows * self.crops

    def views(self, start: int, end: int) -> tuple[Tensor, ...]:
        """Some views as the network's forward takes them; view v is crop v % crops of window v // crops.

        Returns:
            As `network_inputs`, with end - start views.
        """
        window, crop = np.divmod(np.arange(start, end), self.crops)

        def taken(x: Tensor | None, places: np.ndarray | None) -> Tensor | None:
            if x is None or places is None:
                return None
            crops, positions = torch.as_tensor(crop[:, None]), torch.as_tensor(places[window])
            return x[crops.to(x.device), positions.to(x.device)]

        return network_inputs(
            taken(self.pictures, self.shown), taken(self.flow, self.steps), self.spec
        )


def network_inputs(
    pictures: Tensor | None, flow: Tensor | None, spec: ModelInput
) -> tuple[Tensor, ...]:
    """Prepared frames and flow of some views as a network takes them, in training and recognition alike.

    Args:
        pictures: float [V, T, 3, h, w], normalised; T + 1 frames for differences; None for flow alone.
        flow: float [V, T, 2, h, w], −1 to 1, or None.
        spec: the network's input.

    Returns:
        float [V, 3, T, h, w] of frames or their differences, float [V, 2, T, h, w] of flow, or both in
        this order.
    """
    inputs = []
    if pictures is not None:
        x = differences(pictures) if spec.modality == "difference" else pictures
        x = x.transpose(1, 2)
        inputs.append(standardised(x) if spec.standardise else x)
    if flow is not None:
        inputs.append(flow.transpose(1, 2))
    return tuple(inputs)


def read_window(
    clip: Clip, plan: Plan, window: int, read: Reader | None = None
) -> tuple[DecodedFrames, WindowInputs]:
    """Decode and prepare a single window of a plan, on the CPU."""
    numbers = np.unique(plan.indices[window])
    decoded = DecodedFrames(numbers, (read or read_frames)(clip, numbers))
    return decoded, prepare(plan, np.array([window]), decoded)


def prepare(
    plan: Plan,
    windows: np.ndarray,
    decoded: DecodedFrames,
    shared: SharedPreparations | None = None,
    device: torch.device | str = "cpu",
    on_flow: Callable[[int, int], None] = lambda done, total: None,
) -> WindowInputs:
    """Prepare some windows of a model.

    Args:
        plan: the model's plan.
        windows: int64 [W], which of the plan's windows.
        decoded: at least the frames of these windows.
        shared: what other models prepared of the same decoded frames; receives what is prepared now.
        device: where the tensors shall be.
        on_flow: called with the number of fields of flow that are done, of how many.

    Raises:
        ChoiceError, WeightsError: the method of optical flow is not at hand.
    """
    shared = shared or SharedPreparations()
    indices, spec = plan.indices[windows], plan.spec
    pictures = shown = flow = steps = None
    flow_ms = 0.0
    if spec.pictures:
        places = indices[:, list(spec.pictures)]
        pictures, shown = _pictures(plan, places, decoded, shared, device)
    if "flow" in spec.modality:
        started = time.perf_counter()
        moments = indices if plan.moments is None else plan.moments[windows]
        flow, steps = _flow(plan, indices, moments, decoded, shared, device, on_flow)
        flow_ms = (time.perf_counter() - started) * 1000
    return WindowInputs(spec, len(windows), plan.crops, pictures, shown, flow, steps, flow_ms)


def _pictures(
    plan: Plan,
    indices: np.ndarray,
    decoded: DecodedFrames,
    shared: SharedPreparations,
    device: torch.device | str,
) -> tuple[Tensor, np.ndarray]:
    """Each frame of `indices` (int64 [W, T]) transformed once, and where each of `indices` is."""
    needed, where = np.unique(indices, return_inverse=True)
    spec = plan.card.input
    same: tuple = (spec.resize, spec.crop, spec.mean, spec.std, spec.antialias, spec.geometry)
    same += (plan.crops, needed.tobytes())
    if same not in shared.pictures:
        shared.pictures.clear()
        positions = np.searchsorted(decoded.numbers, needed)
        x = torch.empty(plan.crops, len(positions), 3, *spec.crop, device=device)
        # In slices, because resizing goes through float copies of the whole picture.
        for start in range(0, len(positions), TRANSFORMED_AT_ONCE):
            part = positions[start : start + TRANSFORMED_AT_ONCE]
            x[:, start : start + len(part)] = transform(
                decoded.pixels[part], spec, plan.crops, device
            )
        shared.pictures[same] = x
    return shared.pictures[same], where.reshape(indices.shape)


def _flow(
    plan: Plan,
    indices: np.ndarray,
    moments: np.ndarray,
    decoded: DecodedFrames,
    shared: SharedPreparations,
    device: torch.device | str,
    on_flow: Callable[[int, int], None],
) -> tuple[Tensor, np.ndarray]:
    """The flow of each step in windows (int64 [W, T + 1]) computed once, and where each step is.

    How far apart two frames are is told by `moments`, the frames in whose place they are shown.
    """
    steps = np.stack([indices[:, :-1], indices[:, 1:], np.diff(moments)], axis=-1)
    needed, where = np.unique(steps.reshape(-1, 3), axis=0, return_inverse=True)
    spec = plan.card.input
    same: tuple = (spec.resize, spec.crop, spec.antialias, spec.geometry, spec.flow_limit)
    same += (plan.stride, plan.crops, needed.tobytes(), plan.flow)
    if same not in shared.flow:
        pixels = step_fields(
            decoded.pixels,
            decoded.numbers,
            needed,
            plan.stride,
            spec,
            plan.crops,
            lambda done: on_flow(done, len(needed)),
            plan.flow,
        )
        shared.flow[same] = as_input(pixels, spec.flow_limit).to(device)
    return shared.flow[same], where.reshape(steps.shape[:2])
