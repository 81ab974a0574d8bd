"""Learn prompts and a temporal transformer around the embedded image and text encoders, and ship them.

    python -m har_demo.research prompts-learn FEATURES --out checkpoints

FEATURES is a folder of features (`prompts-features`); the clips learned from and tested on are those of
har_demo.research.training.prompts.train. Class names alone are learned from in the paper; here each takes turns with its captions,
so that people may ask in words of their own.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from har_demo.labels import DATASETS
from har_demo.prompts import learned, pictures, sentences
from har_demo.prompts.learned import LearnedPrompts
from har_demo.research.people.motion import ACTIONS
from har_demo.research.training.prompts import features, train
from har_demo.research.training.prompts.features import RenderedClip
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


def learn(
    model: LearnedPrompts,
    some: Clips,
    text: sentences.MiniLM,
    centre: Tensor,
    wordings: Sequence[Sequence[str]],
    steps: int = STEPS,
    seed: int = 0,
) -> None:
    """Teach `model` which of ACTIONS clips show; the encoders do not change.

    Args:
        model: learns in all its parts.
        some: clips.
        text, centre: the text encoder and its mean sentence.
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
            read = model.texts(text, sentences.tokenize(drawn)) - centre
            texts = read.detach().requires_grad_()
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
            read.backward(texts.grad / READ_EVERY)
            prompter.step()
    model.eval()


@torch.no_grad()
def similarity(model: LearnedPrompts, some: Clips, texts: Tensor) -> Tensor:
    """float [N, P]: cosines of clips with texts [P, 384]."""
    return model.videos(some.features, some.looks) @ F.normalize(texts, dim=-1).T


def whole(some: Clips) -> Clips:
    """Those with all their moments: the transformer knows no gaps."""
    return some[some.there.all(dim=1)]


FACTS = {
    "what": "learned prompts and a temporal transformer around EfficientNet-Lite0 and all-MiniLM-L6-v2, "
    "after Ju et al., Prompting Visual-Language Models for Efficient Video Understanding, ECCV 2022",
    "licence": train.FACTS["licence"],
    "data": train.FACTS["data"][1:],
    "command": "python -m har_demo.research prompts-learn FEATURES --out checkpoints",
}


def ship(folder: Path, out: Path, steps: int = STEPS, seed: int = 0) -> tuple[Path, dict]:
    """Learn from a folder of features and write the weights; return their file and what is known of them."""
    text, image = sentences.load(), pictures.load()
    joint = image_free(text)
    found = features.read_folder(folder)

    def part(wanted: Callable[[RenderedClip], bool]) -> Clips:
        return whole(clips(found.only(wanted), joint, image.classifier))

    some = part(trained_on)
    wordings = [
        [name, *train.sentences_of(action, held_out=False)]
        for name, action in zip(NAMES, ACTIONS, strict=True)
    ]
    model = LearnedPrompts(DROPOUT)
    learn(model, some, text, joint.centre, wordings, steps, seed)

    unseen = [train.sentences_of(action, held_out=True) for action in ACTIONS]
    with torch.no_grad():
        named, *said = (
            model.texts(text, sentences.tokenize(wording)) - joint.centre
            for wording in (NAMES, *train.in_turn(unseen))
        )
    validation = part(lambda one: one.split == "val")
    scale = best_scale(similarity(model, validation, said[0]), validation.labels)
    model.logit_scale.fill_(math.log(scale))
    accuracy = []
    for name, wanted in train.TESTED.items():
        tested = part(wanted)
        row = {"clips_of": name, "clips": len(tested)}
        row |= train.percent([similarity(model, tested, texts) for texts in said], tested.labels)
        by_name = train.percent([similarity(model, tested, named)], tested.labels)
        accuracy.append(row | {f"{key}_by_name": value for key, value in by_name.items()})
    facts = FACTS | {
        "learned_from": {"clips": len(some), "real": int(some.real.sum())},
        "accuracy": accuracy,
        "protocol": "top1 and top5 as in embedded.json; 'by_name' with the class names alone",
        "scale": round(scale, 2),
        "seed": seed,
    }
    return train.write(model, learned.FILE, out, facts), facts
