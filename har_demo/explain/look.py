"""The forward pass of one window: run once, with all that explanations of it need kept.

Attention and class activation maps start from here and decode nothing again. The input is prepared as recognition prepares it, so the scores are the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from har_demo.clips.clip import Clip
from har_demo.clips.transforms import crop_boxes
from har_demo.device import device
from har_demo.errors import ChoiceError, UserError, WeightsError
from har_demo.models.attention import block_inputs
from har_demo.models.card import ModelCard
from har_demo.recognize.forward import out_of_memory
from har_demo.recognize.inputs import DecodedFrames, Reader, read_window
from har_demo.recognize.networks import network
from har_demo.recognize.plan import Plan, plan
from har_demo.recognize.prediction import Request
from har_demo.threads import in_one_thread
from har_demo.weights import Provenance

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class ForwardTrace:
    """The inputs and scores of one window, and the inputs of the blocks with attention.

    Attributes:
        clip, card: the clip and the model.
        frames: int64 [T], the clip's frames that the T steps of the input stand for; a difference
            stands for the later of its two frames, a field of flow for the earlier.
        box: left, top, right, bottom in pixels of the clip: what the model sees of a frame.
        pictures: uint8 [T, h, w, 3], these frames, cut to the box.
        inputs: what the network's forward takes, each [1, C, T', H, W], on the CPU.
        scores: float32 [classes], probabilities.
        received: inputs of the blocks that attend, by name, first to last, on the CPU.
        weights: path of the user's own parameters, or None.
        provenance: where the parameters came from.
        note: what the reader must know of the sampling, or ''.
        remembered: what was worked out of all positions of a block, so that it is done once.
    """

    clip: Clip
    card: ModelCard
    frames: np.ndarray
    box: tuple[int, int, int, int]
    pictures: np.ndarray = field(repr=False)
    inputs: tuple[Tensor, ...] = field(repr=False)
    scores: np.ndarray = field(repr=False)
    received: dict[str, Tensor] = field(repr=False)
    weights: str | None
    provenance: Provenance
    note: str
    remembered: dict = field(default_factory=dict, repr=False)

    @property
    def seconds(self) -> np.ndarray:
        """float64 [T]: the moments of the frames."""
        return self.frames / self.clip.fps

    def top(self, k: int = 5) -> list[tuple[str, float]]:
        """The k likeliest classes with their probabilities."""
        order = np.argsort(-self.scores, kind="stable")[:k]
        return [(self.card.classes[i], float(self.scores[i])) for i in order]

    def network(self) -> nn.Module:
        """The model's network, in evaluation mode, from memory where it still is."""
        return network(self.card, self.weights, device())[0]


def look(
    clip: Clip,
    model: str,
    second: float | None = None,
    weights: str | None = None,
    on_progress: Progress | None = None,
    read: Reader | None = None,
) -> ForwardTrace:
    """Run a model on one window of a clip and keep what explanations need.

    Args:
        clip: from har_demo.clips.ingest.
        model: name of a card.
        second: of the windows that recognition would take, the one whose middle is nearest to this
            moment; None for the middle of the clip.
        weights: path of the user's own parameters.
        on_progress: called with the share that is done and a short sentence.
        read: gives the clip's frames at some indices, for clips that are no files.

    Raises:
        ChoiceError: there is no such model, it is no network, or the window is too large for memory.
        WeightsError: its weights are missing, with the sentence that says which.
        ClipError: the clip's copy cannot be read any more.

    Example:
        >>> found = look(ingest("clip.mp4"), "mfnet_pnl_lab")
        >>> found.top(1), list(found.received)
        ([('walking', 0.93)], ['conv4.5'])
    """
    say = on_progress or (lambda done, sentence: None)
    one = plan(clip, Request(model, weights=weights))
    if one.card.gmacs is None:
        raise ChoiceError(
            f"{one.card.title} is no network, so there is nothing inside to show: choose another."
        )
    number = _nearest(one.indices, clip, second)
    window = one.indices[number]
    say(0.0, f"{one.card.title}: loading weights")
    where = device()
    try:
        module, provenance = network(one.card, one.weights, where)
        say(0.3, f"Reading {len(window)} frames")
        decoded, prepared = read_window(clip, one, number, read)
        inputs = tuple(
            x.contiguous(memory_format=torch.channels_last_3d) for x in prepared.views(0, 1)
        )
        say(0.6, f"{one.card.title}: one forward pass")
        logits, received = in_one_thread(block_inputs)(module, *(x.to(where) for x in inputs))
    except UserError:
        raise
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise ChoiceError(
            f"{one.card.title} needs more memory than is free: choose a smaller model."
        ) from error
    shown, pictures = _shown(clip, one, window, decoded)
    scores = (logits.float() / provenance.temperature).softmax(dim=-1)[0].cpu()
    if len(scores) != len(one.card.classes) or not scores.isfinite().all():
        raise WeightsError(
            f"The weights of {one.card.title} do not fit or are damaged: use others."
        )
    say(1.0, "Done")
    return ForwardTrace(
        clip=clip,
        card=one.card,
        frames=shown,
        box=tuple(int(side) for side in crop_boxes(one.card.input, clip.width, clip.height)[0]),
        pictures=pictures,
        inputs=inputs,
        scores=scores.numpy(),
        received={name: x.cpu() for name, x in received.items()},
        weights=one.weights,
        provenance=provenance,
        note=one.note,
    )


def _nearest(windows: np.ndarray, clip: Clip, second: float | None) -> int:
    """Number of the window (int64 [W, T]) whose middle is nearest to a moment."""
    if second is None:
        second = clip.duration / 2
    if not 0 <= second <= clip.duration:
        raise ChoiceError(
            f"The clip lasts {clip.duration:.1f} s: choose a moment from 0 to {clip.duration:.1f}."
        )
    middle = (windows[:, 0] + windows[:, -1] + 1) / 2 / clip.fps
    return int(np.abs(middle - second).argmin())


def _shown(
    clip: Clip, one: Plan, window: np.ndarray, decoded: DecodedFrames
) -> tuple[np.ndarray, np.ndarray]:
    """The frames that stand for the input's steps (int64 [T]), and their pixels inside the box."""
    spec = one.spec
    steps = {"difference": slice(1, None), "flow": slice(0, -1)}.get(spec.modality)
    shown = window[steps] if steps else window[list(spec.pictures)]
    left, top, right, bottom = crop_boxes(one.card.input, clip.width, clip.height)[0]
    return shown, decoded.at(shown)[:, top:bottom, left:right]
