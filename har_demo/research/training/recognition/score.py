"""What a trained network answers, and how good the answers are.

`probabilities` asks about footage in memory, the same windows that recognition takes by default; the
rest are plain counts over its answers, used for recognition's answers as well (har_demo.research.training.recognition.evaluate).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.clips import sampling
from har_demo.models.card import ModelInput
from har_demo.research.training.recognition.augment import BACKWARDS, ORDERED
from har_demo.research.training.recognition.data import VideoDataset
from har_demo.research.training.recognition.motion import fields_at, resized
from har_demo.research.training.recognition.train import Inputs, as_inputs

WINDOWS = 10  # per clip at most, as recognition does by default
AT_ONCE = 48  # windows, as many as a training's batch, for which the GPU's fastest way is known
BINS = 15  # of confidence


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
    """What a network takes of some windows and the clips that they are of."""
    small = fields = None
    if spec.pictures:
        frames = footage.frames[positions[:, list(spec.pictures)]].float()
        small = F.interpolate(
            frames.flatten(0, 1), spec.crop, mode="bilinear", antialias=spec.antialias
        ).round_()
        small = small.div_(255).unflatten(0, frames.shape[:2])
    if "flow" in spec.modality:
        fields = resized(fields_at(footage, clips, positions, spec.fps), spec.crop)
    return as_inputs(small, fields, spec)


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


def confusion(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """int64 [classes, classes]: clips of the row's class that were answered as the column's."""
    counts = np.zeros((scores.shape[1], scores.shape[1]), dtype=np.int64)
    np.add.at(counts, (labels, scores.argmax(1)), 1)
    return counts


def accuracies(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Percent right, counted in several ways.

    Returns:
        top1, top5; class_mean: of the classes that occur, each counting the same; top1_among: when
        only the classes that occur could have been answered.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    counts = confusion(scores, labels)
    occurs = np.unique(labels)
    among = occurs[scores[:, occurs].argmax(1)]
    return {
        "top1": 100 * float((order[:, 0] == labels).mean()),
        "top5": 100 * float((order[:, :5] == labels[:, None]).any(1).mean()),
        "class_mean": 100 * float((counts.diagonal() / counts.sum(1).clip(min=1))[occurs].mean()),
        "top1_among": 100 * float((among == labels).mean()),
    }


def calibration_error(scores: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error in percent: how far confidence is from accuracy, in bins of confidence."""
    confidence, right = scores.max(1), scores.argmax(1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(confidence[bins == b].sum() - right[bins == b].sum()) for b in range(BINS)]
    return 100 * float(sum(gaps)) / len(labels)


def order_accuracy(scores: np.ndarray, labels: np.ndarray) -> tuple[float, int]:
    """Percent of clips given the right one of a pair that differs in the order of time alone, and of how many.

    Sitting down is standing up played backwards: whoever ignores order gets half of them right.
    """
    other = np.array(ORDERED)[labels]
    rows = np.flatnonzero(other >= 0)
    return _percent(scores[rows, labels[rows]] > scores[rows, other[rows]])


def reversed_accuracy(backwards: np.ndarray, labels: np.ndarray) -> tuple[float, int]:
    """Top-1 on clips played backwards, of those that then show a class with a name, and how many they are.

    Args:
        backwards: scores of the clips played backwards.
        labels: of the clips as they were filmed.
    """
    becomes = np.array(BACKWARDS)[labels]
    rows = becomes >= 0
    return _percent(backwards[rows].argmax(1) == becomes[rows])


def _percent(right: Sequence[bool]) -> tuple[float, int]:
    return (100 * float(np.mean(right)) if len(right) else float("nan")), len(right)
