"""Scores of a trained network on a data set in memory, in the windows that recognition takes by default.

Frames are prepared by recognition's own code (`transform`, `network_inputs`). Two things are not: the
frames were squeezed to small squares when the data set was made, so that the card's resizing is not done
again; and optical flow, which takes far longer than a network, was computed once for all trainings
(har_demo.research.training.recognition.motion) and is only read here.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from har_demo.clips import sampling
from har_demo.clips.transforms import transform
from har_demo.models.card import ModelInput
from har_demo.research.training.recognition.data import VideoDataset
from har_demo.research.training.recognition.motion import fields_at, resized
from har_demo.research.training.recognition.train import Inputs, as_inputs

WINDOWS = 10  # per clip at most, as recognition does by default
AT_ONCE = 48  # windows, as many as a training's batch, for which the GPU's fastest way is known


def windows(
    footage: VideoDataset, spec: ModelInput, backwards: bool = False
) -> tuple[Tensor, Tensor]:
    """Windows spread through each clip, as recognition takes them by default.

    Returns:
        int64 [W, frames read], places in `footage.frames`, and int64 [W], of which clip each is.
    """
    found, clip_of = [], []
    for clip, (first, count, fps) in enumerate(
        zip(footage.first.tolist(), footage.count.tolist(), footage.fps.tolist(), strict=True)
    ):
        if spec.sampling == "segments":
            within = sampling.segments(count, spec.frames_read)[None]
        else:
            stride = fps / spec.fps
            number = min(WINDOWS, sampling.covering(count, spec.frames_read, stride))
            within = sampling.windows(count, spec.frames_read, stride, number)
        found.append(first + (count - 1 - within if backwards else within))
        clip_of += [clip] * len(within)
    device = footage.frames.device
    positions = torch.from_numpy(np.concatenate(found)).to(device)
    return positions, torch.tensor(clip_of, device=device)


def views(footage: VideoDataset, spec: ModelInput, positions: Tensor, clips: Tensor) -> Inputs:
    """Prepare the inputs of some windows, given the clips that they are of."""
    pictures = fields = None
    if spec.pictures:
        frames = footage.frames[positions[:, list(spec.pictures)]]
        square = replace(spec, resize=spec.crop)
        prepared = transform(frames.flatten(0, 1).movedim(1, -1), square, device=frames.device)[0]
        pictures = prepared.unflatten(0, frames.shape[:2])
    if "flow" in spec.modality:
        fields = resized(fields_at(footage, clips, positions, spec.fps), spec.crop)
    return as_inputs(pictures, fields, spec)


@torch.inference_mode()
def probabilities(
    network: nn.Module, spec: ModelInput, footage: VideoDataset, backwards: bool = False
) -> np.ndarray:
    """Mean probabilities over windows spread through each clip, float32 [clips, classes].

    Args:
        network: in evaluation mode, on the footage's device.
        spec: its input.
        backwards: play every clip from its end.
    """
    device = footage.frames.device
    positions, clip_of = windows(footage, spec, backwards)
    missing = -len(positions) % AT_ONCE  # every batch is full
    positions = torch.cat([positions, positions[-1:].expand(missing, -1)])
    asked = torch.cat([clip_of, clip_of[-1:].expand(missing)])
    answers = []
    for some, clips in zip(positions.split(AT_ONCE), asked.split(AT_ONCE), strict=True):
        inputs = views(footage, spec, some, clips)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            answers.append(network(*inputs).float().softmax(-1))
    answers = torch.cat(answers)[: len(clip_of)]
    total = answers.new_zeros(len(footage.count), answers.shape[1]).index_add(0, clip_of, answers)
    return (total / clip_of.bincount()[:, None]).cpu().numpy()
