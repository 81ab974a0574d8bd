"""The recogniser that needs no network: ImageNet's classes say in words what is in a picture.

No image-text pair was used for what a frame looks like. The image encoder gives probabilities of 1,000
classes; each class has a vector in the space of sentences, made of its names and its description, and a
frame is the mean of its likeliest classes' vectors (ConSE, Norouzi et al., ICLR 2014):

    pixels ──EfficientNet-Lite0──▶ 1,000 probabilities ──top 20──▶ mean of class vectors [N, 384]
    words  ──────MiniLM──────────────────────────────────▶ sentence [N, 384] − mean sentence

What moves is learned from clips with captions: a picture's features and those of what changes within
AHEAD seconds go through a small network over neighbouring moments, and what it says is added.

All sentences resemble each other more than they differ, and so do all class vectors; both sides are
therefore centred on a fixed mean: of the 1,000 classes, and of the names of Kinetics-400 and UCF101.
"""

import math
from collections.abc import Sequence

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from har_demo import assets
from har_demo.errors import WeightsError
from har_demo.prompts import kinetics, learned, packaged, pictures, sentences
from har_demo.prompts.image_text import ImageTextModel, Reading
from har_demo.prompts.prepare import Preparation
from har_demo.weights import Provenance, shipped
from har_demo.weights.state import sha256

NAME = "embedded"
TITLE = "Embedded: EfficientNet-Lite0 and MiniLM"
FILE = "prompts/embedded.safetensors"
LIKELIEST = 20
AHEAD = 0.125  # seconds from a picture to the one it is compared with
FAINTEST = 0.02  # of full range: differences below it are noise, and are not made larger

PREPARATION = Preparation(
    size=(pictures.SIDE, pictures.SIDE),
    mean=pictures.INPUT.mean,
    std=pictures.INPUT.std,
    interpolation="bilinear",
)


class Motion(nn.Module):
    """Motion at each moment as word vectors: features [B, T, 2560] of neighbouring moments → [B, T, 384].

    Two convolutions over time see two moments to either side.
    """

    def __init__(self, width: int = 256, dropout: float = 0.0):
        super().__init__()
        self.scale = nn.LayerNorm(2 * pictures.FEATURES, elementwise_affine=False)
        self.narrow = nn.Linear(2 * pictures.FEATURES, width)
        self.mix = nn.ModuleList(nn.Conv1d(width, width, 3, padding=1) for _ in range(2))
        self.say = nn.Linear(width, sentences.WIDTH)
        self.drop = nn.Dropout(dropout)

    def forward(self, features: Tensor) -> Tensor:
        x = self.narrow(self.drop(self.scale(features))).relu()
        for mix in self.mix:
            x = x + mix(self.drop(x).movedim(-1, -2)).movedim(-1, -2).relu()
        return self.say(self.drop(x))


class Joint(nn.Module):
    """The layers that join the two encoders, and all that is shipped for them.

    Attributes:
        motion: what was learned from clips.
        strength: float [], how loud motion speaks beside what pictures show. Below 1, as actions that
            were not learned from would else drown in those that were.
        classes: float [1000, 384], a centred vector for each class of ImageNet.
        centre: float [384], the mean sentence.
        logit_scale: float [], the logarithm of the scale.
    """

    def __init__(self, dropout: float = 0.0):
        super().__init__()
        self.register_buffer("classes", torch.zeros(pictures.CLASSES, sentences.WIDTH))
        self.register_buffer("centre", torch.zeros(sentences.WIDTH))
        self.register_buffer("strength", torch.tensor(1.0))
        self.motion = Motion(dropout=dropout)
        nn.init.zeros_(self.motion.say.weight)  # untrained, it says nothing
        nn.init.zeros_(self.motion.say.bias)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(20.0)))

    def looks(self, logits: Tensor) -> Tensor:
        """Logits [..., 1000] → [..., 384]: the mean vector of the likeliest classes."""
        share, which = logits.softmax(dim=-1).topk(LIKELIEST, dim=-1)
        share = share / share.sum(dim=-1, keepdim=True)
        found = (share.unsqueeze(-1) * self.classes[which]).sum(dim=-2)
        return nn.functional.normalize(found, dim=-1)


class Embedded(nn.Module):
    """Both encoders, their joint and what was learned around them, with open_clip's interface."""

    def __init__(
        self,
        image: nn.Module,
        text: nn.Module,
        joint: Joint,
        prompting: learned.LearnedPrompts | None = None,
    ):
        super().__init__()
        self.image, self.text, self.joint, self.prompting = image, text, joint, prompting

    @property
    def logit_scale(self) -> Tensor:
        return self.joint.logit_scale

    def encode_image(self, pixels: Tensor) -> Tensor:
        return self.joint.looks(self.image(pixels))

    def encode_pair(self, pixels: Tensor, ahead: Tensor) -> Tensor:
        """Return features of frames and of the change until the frames ahead: [N, 2560] in their order."""
        change = ahead - pixels
        strength = change.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=FAINTEST)
        return torch.cat([self._features(pixels), self._features(change / strength)], dim=1)

    def over_time(self, features: Tensor) -> Tensor:
        """Each of the moments [T, 2560] in words, its neighbours considered: [T, 384]."""
        return self._looks(features) + self.joint.strength * self.joint.motion(features[None])[0]

    def encode_video(self, features: Tensor) -> Tensor:
        """All moments [T, 2560] together in words, as the temporal transformer has it: [384]."""
        return self.prompting.videos(features[None], self._looks(features)[None])[0]

    def encode_prompted(self, tokens: Tensor) -> Tensor:
        """Sentences between the learned vectors: [N, 384]."""
        return self.prompting.texts(self.text, tokens) - self.joint.centre

    @property
    def learned_scale(self) -> Tensor:
        return self.prompting.logit_scale

    def _looks(self, features: Tensor) -> Tensor:
        return self.joint.looks(self.image.classifier(features[:, : pictures.FEATURES]))

    def _features(self, pixels: Tensor) -> Tensor:
        return self.image.forward_features(pixels).mean(dim=(2, 3))

    def encode_text(self, tokens: Tensor) -> Tensor:
        return self.text(tokens) - self.joint.centre


def load(device: torch.device | str = "cpu") -> ImageTextModel:
    """The embedded model, from two packages and two files in checkpoints/.

    Raises:
        WeightsError: one of the four is missing or not what it should be.
    """
    model = Embedded(pictures.load(), sentences.load(), load_joint(), learned.load())
    model.eval().requires_grad_(False).to(device)
    packages = [
        Provenance(
            "packaged",
            one.file.rsplit("/", 1)[-1],
            one.sha256,
            f"from the package {one.distribution}, {one.licence}",
        )
        for one in (packaged.IMAGES, packaged.SENTENCES)
    ]
    here = [
        Provenance("shipped", (file := shipped.folder() / one).name, sha256(file), note)
        for one, note in (
            (FILE, "what joins the two, trained here"),
            (learned.FILE, "learned prompts and their transformer, trained here"),
        )
    ]
    return ImageTextModel(
        name=NAME,
        title=TITLE,
        network=model,
        tokenize=sentences.tokenize,
        reading=reading,
        preparation=PREPARATION,
        provenance=(*packages, *here),
        device=torch.device(device),
        ahead=AHEAD,
        learned=True,
        actions=kinetics.load(),
    )


def load_joint() -> Joint:
    """Load the layers shipped in checkpoints/.

    Raises:
        WeightsError: the file is missing or another one.
    """
    joint = Joint()
    file = assets.verified(shipped.folder() / FILE, "The file that joins pictures and words")
    try:
        stored = load_file(file)
        joint.load_state_dict({name: value.float() for name, value in stored.items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise WeightsError(
            f"The file that joins pictures and words ({FILE}) is missing or damaged: "
            "fetch checkpoints/ again."
        ) from error
    return joint


def reading(text: str) -> Reading:
    """Return the part of a sentence that MiniLM reads."""
    found = sentences.tokenizer().encode(text)
    kept = text
    if len(found.ids) > sentences.CONTEXT:
        kept = text[: found.offsets[sentences.CONTEXT - 2][1]]
    unknown = found.ids.count(sentences.UNKNOWN)
    return Reading(len(found.ids), sentences.CONTEXT, kept, unknown)


def class_vectors(texts: "Sequence[Sequence[str]]", text: nn.Module) -> Tensor:
    """float [len(texts), 384]: the mean of each class's sentences, each mean of length 1."""
    flat = [one for some in texts for one in some]
    found = torch.cat([text(sentences.tokenize(flat[i : i + 64])) for i in range(0, len(flat), 64)])
    means = torch.stack([part.mean(dim=0) for part in found.split([len(some) for some in texts])])
    return nn.functional.normalize(means, dim=-1)
