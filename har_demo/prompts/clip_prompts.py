"""Learned prompts around the encoders of one of open_clip's CLIP models, as the paper has them (Ju et al., ECCV 2022).

    [begin | 16 vectors | name | 16 vectors | end] ──CLIP's text encoder──▶ text [P, D]
    T frames ──CLIP's image encoder──▶ [T, D] ──transformer over time──▶ video [D]

Both encoders stay as they are. Unlike around the embedded encoders (har_demo.prompts.learned), no line stands
before the transformer, as CLIP's image encoder ends in the space of sentences.

`python -m har_demo.research prompts-learn FEATURES --out FOLDER --model MODEL` writes them. Where the folder is
the cache or checkpoints/, the model is loaded with them, and answers with the pooling 'transformer' too.
"""

import math
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo import storage
from har_demo.errors import ChoiceError, WeightsError
from har_demo.models.prompting import AROUND, TEMPERATURE, Prompting
from har_demo.prompts import online
from har_demo.prompts.image_text import ImageTextModel
from har_demo.weights import Provenance, shipped
from har_demo.weights.state import sha256

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
    if isinstance(network, PromptedClip):  # something was learned around it before
        network = network.clip
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
    """Load what was learned around a model and written to a file.

    Raises:
        ChoiceError: as `text_encoder`.
        WeightsError: the file is damaged, or was learned around another model.
    """
    learned = around(model)
    try:
        stored = load_file(file)
        learned.load_state_dict({name: value.float() for name, value in stored.items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise WeightsError(
            f"The learned prompts in {file.name} are damaged or not for {model.name[:60]}: learn them "
            "again (`prompts-learn`), or remove the file."
        ) from error
    return learned.eval().requires_grad_(False)


class PromptedClip(nn.Module):
    """One of open_clip's networks with learned prompts: what the embedded model's network does, too."""

    def __init__(self, clip: nn.Module, text: nn.Module, prompting: ClipPrompts):
        super().__init__()
        self.clip, self.prompting = clip, prompting
        self.text = text

    @property
    def visual(self) -> nn.Module:
        return self.clip.visual

    @property
    def logit_scale(self) -> Tensor:
        return self.clip.logit_scale

    @property
    def learned_scale(self) -> Tensor:
        return self.prompting.logit_scale

    def encode_image(self, pixels: Tensor) -> Tensor:
        return self.clip.encode_image(pixels)

    def encode_text(self, tokens: Tensor) -> Tensor:
        return self.clip.encode_text(tokens)

    def encode_video(self, looks: Tensor) -> Tensor:
        """All moments [T, D] together: [D]."""
        return self.prompting.videos(looks[None], looks[None])[0]

    def encode_prompted(self, tokens: Tensor) -> Tensor:
        """Sentences between the learned vectors: [N, D]."""
        return self.prompting.texts(self.text, tokens)


def file_name(model: str) -> str:
    """Return the name of the file of what is learned around a model.

    >>> file_name("ViT-B-32/laion2b_s34b_b79k")
    'learned-ViT-B-32-laion2b_s34b_b79k.safetensors'
    """
    local = model.startswith(online.LOCAL)
    short = model.rstrip("/").rsplit("/", 1)[-1] if local else model
    return f"learned-{short.replace('/', '-')}.safetensors"


def here(model: str) -> Path | None:
    """Return the file of what was learned around a model, in the cache or in checkpoints/, or None."""
    places = (
        folder / "prompts" / file_name(model) for folder in (storage.root(), shipped.folder())
    )
    return next((place for place in places if place.is_file()), None)


def with_learned(model: ImageTextModel, file: Path) -> ImageTextModel:
    """Return a model with what was learned around it, as it answers to 'transformer'.

    Raises:
        ChoiceError, WeightsError: as `load`.
    """
    prompting = load(file, model).to(model.device)
    network = PromptedClip(model.network, text_encoder(model), prompting)
    found = Provenance("user", file.name, sha256(file), "learned prompts and their transformer")
    return replace(
        model, network=network.eval(), learned=True, provenance=(*model.provenance, found)
    )
