"""all-MiniLM-L6-v2: a sentence becomes 384 numbers, and sentences that mean the same come close.

    words ──WordPiece──▶ tokens [N, L] ──6 layers of BERT──▶ [N, L, 384] ──mean over tokens──▶ unit [N, 384]

MiniLM (Wang et al., NeurIPS 2020) of six layers, trained on a billion pairs of sentences by
sentence-transformers. English only, letters in lower case.
"""

from collections.abc import Sequence
from functools import cache

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from . import packaged

WIDTH = 384
CONTEXT = 256  # tokens the model was trained with; its positions go to 512
POSITIONS = 512
VOCABULARY = 30_522
PAD, UNKNOWN = 0, 100
LAYERS, HEADS = 6, 12


class MiniLM(nn.Module):
    """Tokens int64 [N, L], 0 where a sentence is shorter → float [N, 384] of length 1."""

    def __init__(self):
        super().__init__()
        self.word = nn.Embedding(VOCABULARY, WIDTH)
        self.position = nn.Embedding(POSITIONS, WIDTH)
        self.kind = nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 4 * WIDTH, 0.0, "gelu", layer_norm_eps=1e-12, batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.read(self.word(tokens), tokens == PAD)

    def read(self, words: Tensor, empty: Tensor) -> Tensor:
        """The same from vectors of words, float [N, L, 384]; `empty` is bool [N, L].

        Prompts that are learned have vectors and no tokens.
        """
        x = words + self.position.weight[: words.shape[1]] + self.kind.weight[0]
        x = self.layers(self.norm(x), src_key_padding_mask=empty)
        there = (~empty).unsqueeze(-1).to(x.dtype)
        return F.normalize((x * there).sum(dim=1) / there.sum(dim=1), dim=-1)


def load() -> MiniLM:
    """The network with its weights, in evaluation mode.

    Raises:
        WeightsError: the package that has them is missing or damaged.
    """
    stored = load_file(packaged.path(packaged.SENTENCES))
    network = MiniLM()
    network.load_state_dict(_renamed(stored))
    return network.eval().requires_grad_(False)


def _renamed(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """BERT's names to ours; query, key and value become one matrix."""
    heads = {
        "embeddings.word_embeddings.weight": "word.weight",
        "embeddings.position_embeddings.weight": "position.weight",
        "embeddings.token_type_embeddings.weight": "kind.weight",
        "embeddings.LayerNorm.weight": "norm.weight",
        "embeddings.LayerNorm.bias": "norm.bias",
    }
    named = {ours: stored[theirs] for theirs, ours in heads.items()}
    parts = {
        "attention.output.dense": "self_attn.out_proj",
        "attention.output.LayerNorm": "norm1",
        "intermediate.dense": "linear1",
        "output.dense": "linear2",
        "output.LayerNorm": "norm2",
    }
    for number in range(LAYERS):
        theirs, ours = f"encoder.layer.{number}", f"layers.layers.{number}"
        for kind in ("weight", "bias"):
            joined = [
                stored[f"{theirs}.attention.self.{one}.{kind}"] for one in ("query", "key", "value")
            ]
            named[f"{ours}.self_attn.in_proj_{kind}"] = torch.cat(joined)
            for their, our in parts.items():
                named[f"{ours}.{our}.{kind}"] = stored[f"{theirs}.{their}.{kind}"]
    return named


@cache
def tokenizer() -> Tokenizer:
    """The WordPiece tokenizer that comes with the weights, without a limit of length."""
    packaged.path(packaged.SENTENCES)  # says what is missing
    made = Tokenizer.from_file(
        str(packaged.folder(packaged.SENTENCES) / "model" / "tokenizer.json")
    )
    made.no_truncation()
    made.no_padding()
    return made


def tokenize(texts: Sequence[str]) -> Tensor:
    """int64 [N, L], L at most CONTEXT: what is longer is cut, its last token kept.

    >>> tokenize(["waving goodbye"]).tolist()
    [[101, 12015, 9119, 102]]
    """
    rows = []
    for one in tokenizer().encode_batch(list(texts)):
        rows.append(one.ids if len(one.ids) <= CONTEXT else [*one.ids[: CONTEXT - 1], one.ids[-1]])
    length = max(map(len, rows))
    return torch.tensor([row + [PAD] * (length - len(row)) for row in rows])
