"""The pictures a model was given: its frames as filmed, and the tensor after preparation."""

from dataclasses import dataclass

import numpy as np

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.transforms import differences, transform
from har_demo.models.card import ModelInput


@dataclass(frozen=True)
class Seen:
    """One window of a clip, twice.

    Attributes:
        filmed: uint8 [frames, H, W, 3], the clip's own frames in the order they were sampled.
        received: uint8 [T, h, w, 3], what the network got for the first crop, undone from
            normalisation; for differences, mid-grey means 'nothing changed'.
    """

    filmed: np.ndarray
    received: np.ndarray


def frames_seen(clip: Clip, spec: ModelInput, indices: np.ndarray, crops: int = 1) -> Seen:
    """Look again at the window `indices` (int64 [frames]) of a clip with a model's eyes."""
    distinct, place = np.unique(indices, return_inverse=True)
    filmed = read_frames(clip, distinct)[place]
    tensor = transform(filmed, spec, crops=crops)[0]
    if spec.modality == "difference":
        # Two normalised frames differ by at most a few standard deviations; ±1 fills the range.
        received = differences(tensor) * 0.5 + 0.5
    else:
        mean, std = (tensor.new_tensor(v).view(3, 1, 1) for v in (spec.mean, spec.std))
        received = tensor * std + mean
    received = (received.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1)
    return Seen(filmed, received.cpu().numpy())
