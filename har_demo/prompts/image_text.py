"""Image-text models: an image encoder and a text encoder give vectors, close together for what belongs together.

Every model has the interface of open_clip's models, whoever made it:

    model.encode_image(pixels [N, 3, h, w]) → [N, D]    model.encode_text(tokens [N, L]) → [N, D]
    model.logit_scale: logarithm of what similarities are multiplied by before a softmax
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.prompts.kinetics import ActionNames
from har_demo.prompts.prepare import Preparation
from har_demo.threads import in_one_thread
from har_demo.weights import Provenance

AT_ONCE = 64  # sentences that are read together


@dataclass(frozen=True)
class Reading:
    """The part of one sentence that a text encoder reads.

    Attributes:
        tokens: pieces of words the sentence has, the marks of its beginning and end counted.
        limit: how many the encoder reads.
        read: the sentence as far as it is read; differs from what was written in letters' case at most
            unless it was cut.
        unknown: pieces that the encoder's vocabulary does not have.
    """

    tokens: int
    limit: int
    read: str
    unknown: int = 0

    @property
    def cut(self) -> bool:
        """True when the sentence goes on beyond the part that is read."""
        return self.tokens > self.limit


@dataclass(frozen=True)
class ImageTextModel:
    """A loaded image-text model.

    Attributes:
        name: 'embedded', or open_clip's model and tag: 'ViT-B-32/laion2b_s34b_b79k'.
        title: for people.
        network: with open_clip's interface.
        tokenize: sentences → int64 [N, L], cut where they are too long.
        reading: what is read of one sentence.
        preparation: what pixels must be.
        provenance: which files answer.
        device: where the model is.
        english: whether it was trained on English alone.
        ahead: seconds to a second frame that the image encoder also wants of every moment, to see motion;
            0 when it wants none. Where it does, the model also has encode_pair(pixels, pixels ahead)
            → [N, F], and over_time([T, F]) → [T, D], which sees a frame among its neighbours.
        learned: whether there are learned prompts and a temporal transformer. Then the model also has
            encode_video([T, F]) → [D], encode_prompted(tokens) → [N, D], and learned_scale.
        actions: names of Kinetics' actions in its space of sentences, where I3D shall recognise beside it.
        notes: sentences that the reader of its answers must know, such as whose place it takes.
    """

    name: str
    title: str
    network: nn.Module = field(repr=False)
    tokenize: Callable[[Sequence[str]], Tensor] = field(repr=False)
    reading: Callable[[str], Reading] = field(repr=False)
    preparation: Preparation
    provenance: tuple[Provenance, ...]
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    english: bool = True
    ahead: float = 0.0
    learned: bool = False
    actions: ActionNames | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def learned_scale(self) -> float:
        """The same of what `video` and `prompted` give."""
        return float(self.network.learned_scale.exp())

    @property
    def scale(self) -> float:
        """Factor on similarities before a softmax; its inverse is the temperature."""
        return float(self.network.logit_scale.detach().exp())

    @in_one_thread
    @torch.inference_mode()
    def texts(self, sentences: Sequence[str]) -> Tensor:
        """float32 [N, D], each of length 1."""
        return self._read(sentences, self.network.encode_text)

    @in_one_thread
    @torch.inference_mode()
    def prompted(self, sentences: Sequence[str]) -> Tensor:
        """float32 [N, D], each of length 1, of sentences between learned vectors."""
        return self._read(sentences, self.network.encode_prompted)

    def _read(self, sentences: Sequence[str], encode: Callable[[Tensor], Tensor]) -> Tensor:
        parts = [sentences[i : i + AT_ONCE] for i in range(0, len(sentences), AT_ONCE)]
        found = [encode(self.tokenize(part).to(self.device)) for part in parts]
        return F.normalize(torch.cat(found).float(), dim=-1)

    @in_one_thread
    @torch.inference_mode()
    def look(self, pixels: Tensor, ahead: Tensor | None = None) -> Tensor:
        """float32 [N, F] of pixels float [N, 3, h, w]: what `over_time` wants of some of the frames."""
        if ahead is None:
            return self.network.encode_image(pixels).float()
        return self.network.encode_pair(pixels, ahead).float()

    @in_one_thread
    @torch.inference_mode()
    def over_time(self, looks: Tensor) -> Tensor:
        """float32 [T, D], each of length 1, of all frames [T, F] of a clip in their order."""
        if self.ahead:
            looks = self.network.over_time(looks)
        return F.normalize(looks, dim=-1)

    @in_one_thread
    @torch.inference_mode()
    def video(self, looks: Tensor) -> Tensor | None:
        """float32 [D] of length 1 of all frames [T, F] together; None where nothing was learned for it."""
        return F.normalize(self.network.encode_video(looks), dim=-1) if self.learned else None
