"""The pictures a model was given: its frames as filmed, and the tensor after preparation."""

from dataclasses import dataclass

import numpy as np
import torch

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.transforms import differences, transform
from har_demo.flow.views import as_input, fields
from har_demo.models.card import ModelInput
from har_demo.recognize.plan import with_frames


@dataclass(frozen=True)
class SeenFrames:
    """One window of a clip, twice.

    Attributes:
        filmed: uint8 [frames, H, W, 3], the clip's own frames in the order they were sampled.
        received: uint8 [T, h, w, 3], what the network got for the first crop, undone from
            normalisation; for differences, mid-grey means 'nothing changed'. Fields of optical flow
            follow the frames, if there are any: redder is to the right, greener is downwards, and
            mid-grey stands still.
    """

    filmed: np.ndarray
    received: np.ndarray


def frames_seen(clip: Clip, spec: ModelInput, indices: np.ndarray, crops: int = 1) -> SeenFrames:
    """Look again at the window `indices` (int64 [frames]) of a clip with a model's eyes."""
    distinct, place = np.unique(indices, return_inverse=True)
    decoded = read_frames(clip, distinct)
    received = []
    if spec.modality != "flow":
        shown = _pictures_of(spec, len(indices))
        received.append(_pictures(decoded[place[shown]], spec, crops))
    if "flow" in spec.modality:
        received.append(_flow(decoded, place, distinct, spec, crops))
    return SeenFrames(decoded[place], np.concatenate(received))


def _pictures_of(spec: ModelInput, read: int) -> list[int]:
    """Which of so many frames are given as RGB, or as differences."""
    frames = (read - 1) * spec.frames // spec.flow_frames if spec.modality == "rgb+flow" else read
    frames -= spec.modality == "difference"
    return list(with_frames(spec, frames).pictures)


def _pictures(frames: np.ndarray, spec: ModelInput, crops: int) -> np.ndarray:
    tensor = transform(frames, spec, crops=crops)[0]
    if spec.modality == "difference":
        # Two normalised frames differ by at most a few standard deviations; ±1 fills the range.
        tensor = differences(tensor) * 0.5 + 0.5
    else:
        mean, std = (tensor.new_tensor(v).view(3, 1, 1) for v in (spec.mean, spec.std))
        tensor = tensor * std + mean
    return _picture(tensor)


def _flow(
    decoded: np.ndarray, place: np.ndarray, distinct: np.ndarray, spec: ModelInput, crops: int
) -> np.ndarray:
    pairs = np.stack([place[:-1], place[1:]], axis=1)
    apart = np.diff(distinct[pairs], axis=1)[:, 0]
    found = fields(decoded, pairs, apart.mean() / np.maximum(apart, 1), spec, crops)[0]
    rgb = torch.cat([as_input(found, spec.flow_limit), torch.zeros_like(found[:, :1])], dim=1)
    return _picture(rgb * 0.5 + 0.5)


def _picture(tensor: torch.Tensor) -> np.ndarray:
    """float [T, 3, h, w] from 0 to 1 as uint8 [T, h, w, 3]."""
    return (tensor.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
