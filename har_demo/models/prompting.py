"""Learned prompts for a frozen image encoder and a frozen text encoder (Ju et al., ECCV 2022).

The lecture's last system. Both encoders stay as they are; two small things are learned around them:

    [begin | 16 vectors | class name | 16 vectors | end] ──text encoder──▶ text [P, W]
    T frames ──image encoder──▶ [T, W] + place in time ──transformer──▶ mean over frames [W]

and the class whose text is nearest to the video wins, cosines divided by 0.07. What a sentence such as
"a video of a person ..." says around a class name is thus found by training, and vectors that are no
word's can say it. With CLIP's width of 512 there are 3,200,000 numbers to learn in one layer.

There is no card for it: a card's network takes frames and nothing else, and knows its classes by number;
this one takes what two other networks made, and knows its classes by name. It is shipped around the
embedded encoders (har_demo.prompts.learned), and `python -m har_demo.research prompts-learn --model` trains
it around CLIP's.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TEMPERATURE = 0.07
PLACES = 77  # rows of the table that the vectors are taken from, as CLIP has places in a sentence
AROUND = 16


class QuickGELU(nn.Module):
    """x · σ(1.702 x), which stands for GELU in CLIP."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


class PromptVectors(nn.Module):
    """Vectors to stand before and after any class name; the same for all classes.

    The table has a row for each place in CLIP's sentences, of which its first and last are used here. The
    authors' code (ju-chen/Efficient-Prompt) takes the rows of the places where the vectors come to stand:
    1 to 16 before the name, and behind it 18 to 33 where that is one word, 20 to 35 where it is three.
    There is a row for each place in both, and so are the parameters counted; files of theirs would need
    their rows.

    Args:
        width: of the text encoder's word vectors, W.
        around: how many vectors stand on each side.
    """

    def __init__(self, width: int = 512, around: int = AROUND):
        super().__init__()
        self.around = around
        self.table = nn.Embedding(PLACES, width)
        nn.init.normal_(self.table.weight, std=0.01)

    def forward(self, words: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
        """Sentences of word vectors with the learned ones inside.

        Args:
            words: float [P, L, W]: vector of the sentence's begin, of its words, of its end, then
                anything up to L.
            count: int64 [P], how many of the L mean something, begin and end counted.

        Returns:
            float [P, L + 2 · around, W], zero after the end; int64 [P], how many mean something now.
        """
        before, after = self.table.weight[: self.around], self.table.weight[-self.around :]
        sentences = []
        for row, length in zip(words, count.tolist(), strict=True):
            sentence = torch.cat(
                [row[:1], before, row[1 : length - 1], after, row[length - 1 : length]]
            )
            sentences.append(F.pad(sentence, (0, 0, 0, words.shape[1] - length)))
        return torch.stack(sentences), count + 2 * self.around


class TemporalTransformer(nn.Module):
    """Frames' vectors float [B, T, W] → videos' vectors float [B, W].

    Args:
        width: W, which the heads divide.
        frames: the largest T; a shorter video uses the first places.
        layers, heads: of the transformer, layer norms first.
    """

    def __init__(self, width: int = 512, frames: int = 16, layers: int = 1, heads: int = 8):
        super().__init__()
        self.place = nn.Embedding(frames, width)
        nn.init.normal_(self.place.weight, std=0.01)
        one = nn.TransformerEncoderLayer(
            width, heads, 4 * width, 0.0, QuickGELU(), batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(one, layers, enable_nested_tensor=False)

    def forward(self, frames: Tensor) -> Tensor:
        return self.layers(frames + self.place.weight[: frames.shape[1]]).mean(dim=1)


class Prompting(nn.Module):
    """All that is learned: 3.20 M parameters in one layer, 6.35 M in two, at the paper's width.

    Args:
        words: width of the text encoder's word vectors.
        width: of the space that both encoders end in.
        frames, layers, heads: of the temporal transformer.
        around: learned vectors on each side of a class name.
    """

    def __init__(
        self,
        words: int = 512,
        width: int = 512,
        frames: int = 16,
        layers: int = 1,
        heads: int = 8,
        around: int = AROUND,
    ):
        super().__init__()
        self.prompts = PromptVectors(words, around)
        self.temporal = TemporalTransformer(width, frames, layers, heads)

    def forward(self, frames: Tensor, texts: Tensor) -> Tensor:
        """Logits [B, P] of videos, frames' vectors [B, T, W], for texts [P, W] of the prompted names.

        Texts come from the text encoder, given what `prompts` makes of the names' word vectors.
        """
        videos = F.normalize(self.temporal(frames), dim=-1)
        return videos @ F.normalize(texts, dim=-1).T / TEMPERATURE
