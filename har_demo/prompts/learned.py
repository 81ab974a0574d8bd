"""Learned prompts for the embedded model: what Ju et al. learn around two frozen encoders, at their width.

    [begin | 4 vectors | prompt | 4 vectors | end] ──MiniLM──▶ sentence [P, 384]
    T moments' features ──line──▶ + what pictures show ──transformer over time──▶ video [384]

CLIP's image encoder ends in the space of sentences. Ours ends in ImageNet's classes, which say next to
nothing of how people move; its features do. A line from them into the space of sentences, learned with
the rest, therefore stands before the transformer.
"""

import math

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo import assets
from har_demo.errors import WeightsError
from har_demo.models.prompting import TEMPERATURE, Prompting
from har_demo.prompts import pictures, sentences
from har_demo.weights import shipped

FILE = "prompts/learned.safetensors"
MOMENTS = 8  # that the transformer has places for
AROUND = 4  # vectors on each side of a name, where the paper has 16: a processor takes a third of the time


class LearnedPrompts(nn.Module):
    """All that is learned; the encoders themselves stay as they are.

    Attributes:
        entry: the line from features into the space of sentences. At first it says nothing.
        prompting: Ju et al.'s vectors around names, and their transformer.
        logit_scale: float [], the logarithm of what cosines are multiplied by.
    """

    def __init__(self, dropout: float = 0.0):
        super().__init__()
        self.scale = nn.LayerNorm(2 * pictures.FEATURES, elementwise_affine=False)
        self.drop = nn.Dropout(dropout)
        self.entry = nn.Linear(2 * pictures.FEATURES, sentences.WIDTH)
        nn.init.zeros_(self.entry.weight)
        nn.init.zeros_(self.entry.bias)
        self.prompting = Prompting(sentences.WIDTH, sentences.WIDTH, MOMENTS, around=AROUND)
        self.register_buffer("logit_scale", torch.tensor(math.log(1 / TEMPERATURE)))

    def videos(self, features: Tensor, looks: Tensor) -> Tensor:
        """Features [B, T, 2560] and what pictures show [B, T, 384] → [B, 384], each of length 1.

        Of more than MOMENTS moments, so many at a time go through the transformer.
        """
        moments = F.normalize(looks, dim=-1) + self.entry(self.drop(self.scale(features)))
        parts = moments.tensor_split(math.ceil(moments.shape[1] / MOMENTS), dim=1)
        found = sum(F.normalize(self.prompting.temporal(part), dim=-1) for part in parts)
        return F.normalize(found, dim=-1)

    def texts(self, text: sentences.MiniLM, tokens: Tensor) -> Tensor:
        """[P, 384]: sentences, tokens int64 [P, L], with the vectors inside as MiniLM reads them."""
        count = (tokens != sentences.PAD).sum(dim=1)
        found, count = self.prompting.prompts(text.word(tokens), count)
        empty = torch.arange(found.shape[1], device=tokens.device) >= count[:, None]
        return text.read(found, empty)


def load() -> LearnedPrompts:
    """Load the learned prompts shipped in checkpoints/.

    Raises:
        WeightsError: the file is missing or another one.
    """
    learned = LearnedPrompts()
    file = assets.verified(shipped.folder() / FILE, "The file of learned prompts")
    try:
        stored = load_file(file)
        learned.load_state_dict({name: value.float() for name, value in stored.items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise WeightsError(
            f"The file of learned prompts ({FILE}) is missing or damaged: fetch checkpoints/ again."
        ) from error
    return learned
