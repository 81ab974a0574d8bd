"""Kinetics' 400 actions for free text: what I3D recognises in a clip, and what of it a sentence means.

    clip ──I3D, windows──▶ probabilities of 400 actions, softened ──────────▶ [W, 400] ┐
                                                                             ├─ product [W, P]
    sentence [384] ──cosines with the names of the actions, softmax──▶ share of each [P, 400] ┘

The product is the probability that the action recognised is one that the sentence means. An action's name is
the mean vector of its name and of the wordings in kinetics_wordings.txt. ConSE (Norouzi et al., ICLR 2014)
goes the other way, from the likeliest actions to a mean vector; with the same names it finds less
(docs/measured.md, "Free text with Kinetics' actions").
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from har_demo import assets
from har_demo.clips.clip import Clip
from har_demo.errors import WeightsError
from har_demo.models import registry
from har_demo.models.label_sets import KINETICS400
from har_demo.recognize.inputs import Reader
from har_demo.recognize.open_set import KINETICS_MODEL
from har_demo.recognize.prediction import Prediction, Request
from har_demo.recognize.recognize import recognize
from har_demo.weights import availability, shipped

FILE = "prompts/kinetics.safetensors"
WORDINGS = Path(__file__).parent / "kinetics_wordings.txt"
WINDOWS = 2
SETTINGS = ("sharpness", "width", "strength", "temperature", "none")


@dataclass(frozen=True)
class ActionNames:
    """The names of the 400 actions as vectors, and how they are read; all chosen on validation clips.

    Attributes:
        vectors: float [400, D] of length 1, in the space of sentences.
        sharpness: exponent on I3D's probabilities before they are compared; below 1 softens them.
        width: cosines are divided by it before the softmax; the smaller, the fewer actions a sentence means.
        strength: weight of the product in its mean with the cosines of what pictures show, whose weight is 1.
        temperature: similarities with both are divided by it before a softmax.
        none: the similarity that stands for 'none of these': of clips whose action is not among the prompts
            most stay below it.
    """

    vectors: Tensor = field(repr=False)
    sharpness: float
    width: float
    strength: float
    temperature: float
    none: float

    def meant(self, sentences: Tensor) -> Tensor:
        """Share of each action in each sentence: float [P, D] of length 1 → [P, 400], rows add up to 1."""
        return (sentences @ self.vectors.to(sentences).T / self.width).softmax(dim=-1)

    def softened(self, probabilities: Tensor) -> Tensor:
        """float [..., 400] → the same, nearer to each other, adding up to 1."""
        raised = probabilities.clamp(min=1e-12).pow(self.sharpness)
        return raised / raised.sum(dim=-1, keepdim=True)


def wordings() -> dict[str, tuple[str, ...]]:
    """Each action's name with other wordings of it, its own name first."""
    lines = WORDINGS.read_text(encoding="utf-8").splitlines()
    named = dict(line.split(": ", 1) for line in lines)
    return {name: (name, *named[name].split("; ")) for name in KINETICS400}


@cache
def load() -> ActionNames:
    """The names shipped in checkpoints/.

    Raises:
        WeightsError: the file is missing or another one.
    """
    file = assets.verified(shipped.folder() / FILE, "The file of Kinetics' action names")
    try:
        stored = load_file(file)
        names = ActionNames(
            stored["names"].float(),
            *(float(stored[key]) for key in SETTINGS),
        )
    except (OSError, SafetensorError, KeyError) as error:
        raise WeightsError(
            f"The file of Kinetics' action names ({FILE}) is missing or damaged: "
            "fetch checkpoints/ again."
        ) from error
    return names


def here() -> bool:
    """Return True when I3D's weights are on this machine. Looks at file names only."""
    return availability(registry.card(KINETICS_MODEL)).here


@dataclass(frozen=True)
class RecognisedActions:
    """What I3D recognises at some moments of a clip.

    Attributes:
        probabilities: float32 [T, 400] of the window that is nearest to each moment.
        prediction: the answer they come from.
    """

    probabilities: Tensor = field(repr=False)
    prediction: Prediction


def recognise_actions(
    clip: Clip,
    moments: np.ndarray,
    windows: int = WINDOWS,
    on_progress: Callable[[float], None] = lambda done: None,
    read: Reader | None = None,
    device: torch.device | str | None = None,
) -> RecognisedActions:
    """Ask I3D about some windows of a clip, as the Recognise page does.

    Args:
        clip: from har_demo.clips.ingest.
        moments: int64 [T], frames of the clip.
        windows: how many, spread over the clip.
        on_progress, read, device: as for `recognize`.

    Raises:
        WeightsError: its weights are not here and cannot be fetched.
        InternalError: it failed.
        ClipError: the clip cannot be read any more.
    """
    (answer,) = recognize(
        clip,
        [Request(KINETICS_MODEL, windows=windows)],
        lambda done, sentence: on_progress(done),
        device,
        read,
    )
    if not isinstance(answer, Prediction):
        raise answer.as_error()
    centres = answer.frames.mean(axis=1)
    nearest = np.abs(np.asarray(moments)[:, None] - centres).argmin(axis=1)
    return RecognisedActions(torch.from_numpy(answer.scores[nearest]), answer)
