"""Learned prompts around the encoders of one of open_clip's CLIP models, as the paper has them (Ju et al., ECCV 2022).

    [begin | 16 vectors | name | 16 vectors | end] ──CLIP's text encoder──▶ text [P, D]
    T frames ──CLIP's image encoder──▶ [T, D] ──transformer over time──▶ video [D]

Both encoders stay as they are. Unlike around the embedded encoders (har_demo.prompts.learned), no line stands
before the transformer, as CLIP's image encoder ends in the space of sentences.
"""

import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.errors import ChoiceError
from har_demo.models.prompting import AROUND, TEMPERATURE, Prompting
from har_demo.prompts.image_text import ImageTextModel

FRAMES = 16  # that the transformer has places for
LEAST_NAME = 8  # tokens that must be left for a name, its marks of begin and end counted


class ClipPrompts(nn.Module):
    """All that is learned: at CLIP's width of 512, 3.2 million numbers.

    Args:
        words: width of the text encoder's word vectors.
        width: of the space that both encoders end in.
    """

    def __init__(self, words: int = 512, width: int = 512):
        super().__init__()
        self.prompting = Prompting(words, width, FRAMES)
        self.register_buffer("logit_scale", torch.tensor(math.log(1 / TEMPERATURE)))

    def videos(self, features: Tensor, looks: Tensor) -> Tensor:
        """Vectors of frames, looks [B, T, D], → [B, D], each of length 1; features are not used.

        Of more than FRAMES moments, so many at a time go through the transformer.
        """
        moments = F.normalize(looks, dim=-1)
        parts = moments.tensor_split(math.ceil(moments.shape[1] / FRAMES), dim=1)
        found = sum(F.normalize(self.prompting.temporal(part), dim=-1) for part in parts)
        return F.normalize(found, dim=-1)

    def texts(self, text: nn.Module, tokens: Tensor) -> Tensor:
        """[P, D]: sentences, tokens int64 [P, L] of CLIP's tokenizer, with the vectors inside.

        Args:
            text: from `text_encoder`.
            tokens: what is too long for the vectors to go in is cut.
        """
        room = len(text.positional_embedding) - 2 * AROUND
        end = tokens.argmax(dim=1)  # its mark has the highest number of all
        cut = tokens[:, : min(room, int(end.max()) + 1)].clone()
        long = end >= cut.shape[1]
        cut[long, -1] = tokens[long, end[long]]
        found, count = self.prompting.prompts(
            text.token_embedding(cut), end.clamp(max=cut.shape[1] - 1) + 1
        )
        length = found.shape[1]
        read = text.transformer(
            found + text.positional_embedding[:length],
            attn_mask=text.attn_mask[:length, :length],
        )
        last = text.ln_final(read)[torch.arange(len(read)), count - 1]
        if isinstance(text.text_projection, nn.Linear):
            return text.text_projection(last)
        return last @ text.text_projection


def around(model: ImageTextModel) -> ClipPrompts:
    """Untrained prompts that fit around a model.

    Raises:
        ChoiceError: its text encoder is not of CLIP's kind, or reads too few tokens.
    """
    text = text_encoder(model)
    width = len(model.texts(["a name"])[0])
    return ClipPrompts(text.token_embedding.embedding_dim, width)


def text_encoder(model: ImageTextModel) -> nn.Module:
    """The part of one of open_clip's models that reads sentences.

    Raises:
        ChoiceError: it is not of CLIP's kind, or reads too few tokens.
    """
    network = model.network
    text = getattr(network, "text", network)
    pooled = getattr(text, "pool_type", getattr(network, "text_pool_type", None))
    causal = getattr(text, "attn_mask", None) is not None
    if pooled != "argmax" or not causal or getattr(text, "cls_emb", None) is not None:
        raise ChoiceError(
            f"The text encoder of {model.name[:60]} is not of CLIP's kind: choose a model such as "
            "'ViT-B-32/laion2b_s34b_b79k'."
        )
    tokens = len(text.positional_embedding)
    if tokens < 2 * AROUND + LEAST_NAME:
        raise ChoiceError(
            f"The text encoder of {model.name[:60]} reads {tokens} tokens, too few for {AROUND} learned "
            "vectors on each side of a name: choose a model such as 'ViT-B-32/laion2b_s34b_b79k'."
        )
    return text


def load(file: Path, model: ImageTextModel) -> ClipPrompts:
    """Load what was learned around a model and written to a file."""
    learned = around(model)
    learned.load_state_dict({name: value.float() for name, value in load_file(file).items()})
    return learned.eval()
