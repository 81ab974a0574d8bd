"""Where in a frame a sentence's actions are: the cells of I3D's last grid, each classified by itself.

    window around a frame ──trunk──▶ [1024, T', 7, 7] ──logits, mean over time──▶ 400 probabilities a cell, softened
    sentence ──▶ share of each action that it means ────────────────────────────▶ product [7, 7]

I3D's last layer is linear and only a mean follows it, so a cell can be classified before the mean as well as after:
the mean of the cells' logits is I3D's own answer.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.clips import sampling
from har_demo.clips.clip import Clip
from har_demo.prompts.kinetics import ActionNames
from har_demo.recognize.inputs import Reader, read_window
from har_demo.recognize.networks import network
from har_demo.recognize.open_set import KINETICS_MODEL
from har_demo.recognize.plan import Plan, plan
from har_demo.recognize.prediction import Request
from har_demo.threads import in_one_thread

FPS = 25.0  # twice what the answer reads: a shorter window says better when
SHIFTS = 4  # windows begin at multiples of a quarter of their length, so that near frames share one


def action_cells(
    clip: Clip,
    frames: np.ndarray,
    names: ActionNames,
    sentence: Tensor,
    read: Reader | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Return how probably each cell shows an action that the sentence means.

    Args:
        clip: from har_demo.clips.ingest.
        frames: int64 [T], frames of the clip.
        names: of Kinetics' actions.
        sentence: float [D] of length 1.
        read, device: as for `recognize`.

    Returns:
        float [T, rows, columns], 0 to 1, on the CPU.

    Raises:
        WeightsError: I3D's weights are not here and cannot be fetched.
        ClipError: the clip cannot be read any more.
    """
    windows, window_of = windows_around(clip, frames)
    i3d, _ = network(windows.card, None, torch.device(device))
    meant = names.meant(sentence[None].cpu())[0]
    found = []
    for window in range(len(windows.indices)):
        _, inputs = read_window(clip, windows, window, read)
        (pixels,) = inputs.views(0, 1)
        found.append(names.softened(cell_logits(i3d, pixels.to(device)).softmax(dim=-1)) @ meant)
    return torch.stack(found)[window_of]


def windows_around(clip: Clip, frames: np.ndarray) -> tuple[Plan, np.ndarray]:
    """Return a plan of windows that hold the frames near their middle, and the window int64 [T] of each."""
    one = plan(clip, Request(KINETICS_MODEL, windows=1, stride=max(1.0, clip.fps / FPS)))
    span = sampling.span(one.frames, one.stride)
    step = max(1, span // SHIFTS)
    starts = (np.asarray(frames) - span // 2) // step * step
    starts = starts.clip(0, max(clip.frames - span, 0))
    different, window_of = np.unique(starts, return_inverse=True)
    indices = [sampling.dense(clip.frames, one.frames, one.stride, int(at)) for at in different]
    return replace(one, indices=np.stack(indices)), window_of


@in_one_thread
@torch.inference_mode()
def cell_logits(i3d: nn.Module, pixels: Tensor) -> Tensor:
    """Classify every cell of I3D's last grid: float [1, 3, T, h, w] → float32 [rows, columns, 400], on the CPU.

    Over time they are averaged as in the network: its first and last moments, which see much padding, count half.
    """
    grid = i3d.trunk(pixels.contiguous(memory_format=torch.channels_last_3d))
    grid = F.avg_pool3d(grid, (2, 1, 1), stride=1)
    return i3d.logits(grid)[0].float().mean(dim=1).movedim(0, -1).cpu()
