"""Learn prompts and a temporal transformer around frozen image and text encoders, and write them.

    python -m har_demo.research prompts-learn FEATURES --out checkpoints     around the embedded ones, shipped
    python -m har_demo.research prompts-learn FEATURES --out OUT --model ViT-B-32/laion2b_s34b_b79k

FEATURES is a folder of features (`prompts-features`) by the same model; the clips learned from and tested on are those of
har_demo.research.training.prompts.train. Class names alone are learned from in the paper; here each takes turns with its captions,
so that people may ask in words of their own.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from har_demo.errors import ChoiceError
from har_demo.labels import DATASETS
from har_demo.prompts import catalogue, clip_prompts, embedded, learned, online, pictures, sentences
from har_demo.prompts.clip_prompts import ClipPrompts
from har_demo.prompts.learned import LearnedPrompts
from har_demo.research.people.motion import ACTIONS
from har_demo.research.training.prompts import features, train
from har_demo.research.training.prompts.features import Features, RenderedClip
from har_demo.research.training.prompts.train import (
    Clips,
    best_scale,
    clips,
    image_free,
    trained_on,
)

NAMES = tuple(DATASETS["people"][action] for action in ACTIONS)
STEPS = 600
BATCH = 32
RATE = 1e-3
DECAY = 0.1
DROPOUT = 0.4
READ_EVERY = (
    10  # steps for one of the prompts: the text encoder takes as long as twenty steps of the rest
)

Read = Callable[[Sequence[str]], Tensor]
"""Sentences → [P, D], by the frozen text encoder and with the learned vectors inside."""


@dataclass(frozen=True)
class Learner:
    """What is learned, around which encoders.

    Attributes:
        model: learns in all its parts.
        read: sentences with its vectors inside.
        clips: features of clips as `model` takes them.
        width: of the features of one moment.
        file: to be written, within the folder of weights.
        encoders, licence: for the note beside the file.
    """

    model: LearnedPrompts | ClipPrompts
    read: Read
    clips: Callable[[Features], Clips]
    width: int
    file: str
    encoders: str
    licence: str


def embedded_learner() -> Learner:
    """Prompts around the embedded encoders."""
    text, image = sentences.load(), pictures.load()
    joint, model = image_free(text), LearnedPrompts(DROPOUT)
    return Learner(
        model=model,
        read=lambda said: model.texts(text, sentences.tokenize(said)) - joint.centre,
        clips=lambda found: clips(found, joint, image.classifier),
        width=2 * pictures.FEATURES,
        file=learned.FILE,
        encoders="EfficientNet-Lite0 and all-MiniLM-L6-v2",
        licence=train.FACTS["licence"],
    )


def clip_learner(name: str) -> Learner:
    """Prompts around the encoders of one of open_clip's CLIP models.

    Raises:
        ChoiceError: there is none of that name, or its text encoder is not of CLIP's kind.
        WeightsError: its weights are not here and cannot be fetched.
    """
    asked = catalogue.load(name, "cpu")
    text, model = clip_prompts.text_encoder(asked), clip_prompts.around(asked)
    short = name.rstrip("/").rsplit("/", 1)[-1] if name.startswith(online.LOCAL) else name
    return Learner(
        model=model,
        read=lambda said: model.texts(text, asked.tokenize(said)),
        clips=train.plain_clips,
        width=model.prompting.temporal.place.embedding_dim,
        file=f"prompts/{clip_prompts.file_name(name)}",
        encoders=short,
        licence="that of the encoders' weights; real clips that were learned from are for research",
    )


def learn(
    model: LearnedPrompts | ClipPrompts,
    some: Clips,
    read: Read,
    wordings: Sequence[Sequence[str]],
    steps: int = STEPS,
    seed: int = 0,
) -> None:
    """Teach `model` which of ACTIONS clips show; the encoders do not change.

    Args:
        model: learns in all its parts.
        some: clips.
        read: sentences with its vectors inside.
        wordings: for each of ACTIONS, sentences that name it; one of them is drawn whenever they are read.
        steps: batches.
        seed: of the order and of the wordings.
    """
    chance = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    weights = train.evenly(some)
    vectors = list(model.prompting.prompts.parameters())
    others = [p for name, p in model.named_parameters() if not name.startswith("prompting.prompts")]
    optimiser = torch.optim.AdamW(others, RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    prompter = torch.optim.AdamW(vectors, RATE, weight_decay=0.0)
    model.train()
    for step in range(steps):
        if step % READ_EVERY == 0:
            drawn = [one[int(torch.randint(len(one), (), generator=chance))] for one in wordings]
            found = read(drawn)
            texts = found.detach().requires_grad_()
        rows = torch.multinomial(weights, BATCH, replacement=True, generator=chance)
        batch = train.cut(some[rows], chance)
        videos = model.videos(batch.features, batch.looks)
        logits = videos @ F.normalize(texts, dim=-1).T * model.logit_scale.exp()
        loss = F.cross_entropy(logits, batch.labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % READ_EVERY == READ_EVERY - 1:
            prompter.zero_grad()
            found.backward(texts.grad / READ_EVERY)
            prompter.step()
    model.eval()


@torch.no_grad()
def similarity(model: LearnedPrompts | ClipPrompts, some: Clips, texts: Tensor) -> Tensor:
    """float [N, P]: cosines of clips with texts [P, D]."""
    return model.videos(some.features, some.looks) @ F.normalize(texts, dim=-1).T


def whole(some: Clips) -> Clips:
    """Those with all their moments: the transformer knows no gaps."""
    return some[some.there.all(dim=1)]


FACTS = {
    "what": "learned prompts and a temporal transformer around {}, "
    "after Ju et al., Prompting Visual-Language Models for Efficient Video Understanding, ECCV 2022",
    "data": train.FACTS["data"][1:],
    "command": "python -m har_demo.research prompts-learn FEATURES --out checkpoints",
}


def _check_width(found: Features, width: int, model: str) -> None:
    """ChoiceError when features are not of the width that a model's image encoder gives."""
    if found.features.shape[-1] != width:
        raise ChoiceError(
            f"These features are not by the image encoder of {model[:60]}: compute them with "
            f"`prompts-features --model {model[:60]}`."
        )


def ship(
    folder: Path, out: Path, steps: int = STEPS, seed: int = 0, model: str = embedded.NAME
) -> tuple[Path, dict]:
    """Learn from a folder of features and write the weights; return their file and what is known of them.

    Args:
        folder: features by the same model.
        out: the folder of weights.
        steps, seed: as for `learn`.
        model: 'embedded' or one of open_clip's CLIP models.

    Raises:
        ChoiceError: the features are another model's, or prompts cannot be learned around it.
    """
    found = features.read_folder(folder)
    if model == embedded.NAME:  # before its many wordings are read
        _check_width(found, 2 * pictures.FEATURES, model)
    learner = embedded_learner() if model == embedded.NAME else clip_learner(model)
    _check_width(found, learner.width, model)

    def part(wanted: Callable[[RenderedClip], bool]) -> Clips:
        return whole(learner.clips(found.only(wanted)))

    some = part(trained_on)
    wordings = [
        [name, *train.sentences_of(action, held_out=False)]
        for name, action in zip(NAMES, ACTIONS, strict=True)
    ]
    learn(learner.model, some, learner.read, wordings, steps, seed)

    unseen = [train.sentences_of(action, held_out=True) for action in ACTIONS]
    with torch.no_grad():
        named, *said = (learner.read(wording) for wording in (NAMES, *train.in_turn(unseen)))
    validation = part(lambda one: one.split == "val")
    scale = best_scale(similarity(learner.model, validation, said[0]), validation.labels)
    learner.model.logit_scale.fill_(math.log(scale))
    accuracy = []
    for name, wanted in train.TESTED.items():
        tested = part(wanted)
        row = {"clips_of": name, "clips": len(tested)}
        near = [similarity(learner.model, tested, texts) for texts in said]
        row |= train.percent(near, tested.labels)
        by_name = train.percent([similarity(learner.model, tested, named)], tested.labels)
        accuracy.append(row | {f"{key}_by_name": value for key, value in by_name.items()})
    facts = FACTS | {
        "what": FACTS["what"].format(learner.encoders),
        "licence": learner.licence,
        "learned_from": {"clips": len(some), "real": int(some.real.sum())},
        "accuracy": accuracy,
        "protocol": "top1 and top5 as in embedded.json; 'by_name' with the class names alone",
        "scale": round(scale, 2),
        "seed": seed,
    }
    if model != embedded.NAME:
        facts["command"] = f"{FACTS['command']} --model {learner.encoders}"
    return train.write(learner.model, learner.file, out, facts), facts
