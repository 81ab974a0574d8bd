"""Train the embedded image-text model: class vectors out of words alone, then a network that sees motion.

    python -m har_demo.research prompts-train FEATURES --out checkpoints

FEATURES is a folder of the features of rendered and real clips (`prompts-features`). Rendered clips of the
splits val and test, and real ones of the people and places held out in split a, are never trained on.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from har_demo.models.label_sets import KINETICS400, UCF101
from har_demo.prompts import embedded, pictures, sentences
from har_demo.recognize.prepared import HELD_OUT
from har_demo.research.people.captions import captions
from har_demo.research.people.motion import ACTIONS
from har_demo.research.training.prompts import features
from har_demo.research.training.prompts.features import Features, RenderedClip
from har_demo.tables.datasets import TRAINING_DATA
from har_demo.weights.state import sha256

NAMES = ("{}", "a photo of a {}", "a person with a {}")
CENTRED_ON = "a video of a person {}"

EPOCHS = 20
BATCH = 64
RATE = 1e-3
DECAY = 0.05
DROPOUT = 0.3
SCALE = 20.0  # of cosines in the loss, before it is calibrated
QUIET = 0.1  # weight of the loss that keeps motion from saying more than it must
STRENGTH = 1.0  # of motion, once it is learned
REAL = 0.4  # share of real clips in a batch

TESTED_WORDINGS = (3, 5)  # which of an action's captions are never learned from
SHIRTS = ("", "red", "blue", "")
PLACES = ("", "indoors", "outdoors")


def _source(name: str, use: str) -> dict[str, str]:
    (citation,) = (one["citation"] for one in TRAINING_DATA if one["name"] == name)
    return {"name": name, "citation": citation, "use": use}


FACTS = {
    "what": "joins EfficientNet-Lite0 (ImageNet) and all-MiniLM-L6-v2 to a recogniser of free text",
    "licence": "Apache-2.0; real clips that were learned from are for research",
    "data": [
        {
            "name": "WordNet",
            "citation": "Fellbaum (ed.), WordNet, MIT Press 1998",
            "use": "names and definitions of ImageNet's 1,000 classes, through timm; no picture",
        },
        _source(
            "Rendered people",
            "clips of 39 actions with captions, from any view and from good ones",
        ),
        _source("Weizmann", "clips of the people who are not held out"),
        _source("ARID", "clips of the places that are not held out"),
        _source("Workout", "clips of the places that are not held out"),
    ],
    "command": "python -m har_demo.research prompts-train FEATURES --out checkpoints",
}


@torch.no_grad()
def image_free(text: nn.Module) -> embedded.Joint:
    """The joint before anything is trained: vectors of ImageNet's classes, and both means.

    A class is the mean of three: its first name in several sentences, all its names, and its WordNet
    definition.
    """
    names, descriptions = pictures.names(), pictures.descriptions()
    vectors = [
        [[one.format(some[0]) for one in NAMES] for some in names],
        [[one.format(name) for name in some for one in NAMES[:2]] for some in names],
        [[f"{some[0]}: {what}"] for some, what in zip(names, descriptions, strict=True)],
    ]
    classes = sum(embedded.class_vectors(part, text) for part in vectors)
    classes = F.normalize(classes, dim=-1)
    actions = [CENTRED_ON.format(name) for name in (*KINETICS400, *UCF101)]
    joint = embedded.Joint(DROPOUT)
    joint.classes.copy_(classes - classes.mean(dim=0))
    joint.centre.copy_(_read(actions, text).mean(dim=0))
    return joint


@dataclass(frozen=True)
class Clips:
    """Clips to learn from or to be tested on.

    Attributes:
        features: float [N, T, 2560]; there: bool [N, T], which moments exist.
        looks: float [N, T, 384], what each picture shows in words. Of CLIP's encoders, both are [N, T, D].
        labels: int64 [N], index in ACTIONS.
        real: bool [N].
    """

    features: Tensor
    there: Tensor
    looks: Tensor
    labels: Tensor
    real: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: Tensor) -> "Clips":
        return Clips(*(value[rows] for value in vars(self).values()))


@torch.no_grad()
def clips(found: Features, joint: embedded.Joint, classifier: nn.Module) -> Clips:
    """Features with what every picture shows."""
    looks = joint.looks(classifier(found.features[..., : pictures.FEATURES]))
    return replace(plain_clips(found), looks=looks)


def plain_clips(found: Features) -> Clips:
    """Features that are themselves what every picture shows, as those of CLIP are."""
    there = torch.arange(found.features.shape[1]) < found.count[:, None]
    labels = torch.tensor([ACTIONS.index(one.action) for one in found.shown])
    real = torch.tensor([not one.rendered for one in found.shown])
    return Clips(found.features, there, found.features, labels, real)


def trained_on(one: RenderedClip) -> bool:
    """Return True for clips that may be learned from."""
    if one.rendered:
        return one.split == "train"
    return one.split not in HELD_OUT["a"]


TESTED: dict[str, Callable[[RenderedClip], bool]] = {
    "rendered, a good view": lambda one: one.calm and one.split == "test",
    "rendered, any view and light": lambda one: (
        one.rendered and not one.calm and one.split == "test"
    ),
    "real, people and places held out": lambda one: one.split in HELD_OUT["a"],
}
"""Which clips the figures are of."""


def sentences_of(action: str, held_out: bool, seeds: Sequence[int] = range(6)) -> list[str]:
    """Captions of an action in the wordings that are kept for testing, or in all others."""
    found = []
    for seed in seeds:
        shirt, place = SHIRTS[seed % len(SHIRTS)], PLACES[seed % len(PLACES)]
        told = captions(action, seed, shirt, place)
        found += [text for i, text in enumerate(told) if (i in TESTED_WORDINGS) == held_out]
    return list(dict.fromkeys(found))


def similarity(model: embedded.Joint, some: Clips, texts: Tensor) -> Tensor:
    """float [N, P]: the mean over a clip's moments of their cosines with texts [P, 384]."""
    return _similarity(some, model.strength * model.motion(some.features), texts)


def _similarity(some: Clips, motion: Tensor, texts: Tensor) -> Tensor:
    found = F.normalize(some.looks + motion, dim=-1) @ F.normalize(texts, dim=-1).T
    there = some.there[..., None].to(found.dtype)
    return (found * there).sum(dim=1) / there.sum(dim=1)


def learn(
    model: embedded.Joint,
    some: Clips,
    bank: Sequence[Tensor],
    epochs: int = EPOCHS,
    seed: int = 0,
) -> None:
    """Teach `model.motion` which captions go with which clips; nothing else changes.

    Args:
        model: whose motion learns.
        some: clips.
        bank: for each of ACTIONS, centred vectors of its captions [C, 384]; empty where an action has no
            clips.
        epochs: times every clip is seen, about.
        seed: of the order and of the captions.
    """
    chance = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    known = [label for label, texts in enumerate(bank) if len(texts)]
    column = torch.full((len(bank),), -1)
    column[known] = torch.arange(len(known))
    weights = evenly(some)
    steps = epochs * math.ceil(len(some) / BATCH)
    optimiser = torch.optim.AdamW(model.motion.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    model.motion.train()
    for _ in range(steps):
        rows = torch.multinomial(weights, BATCH, replacement=True, generator=chance)
        batch = cut(some[rows], chance)
        texts = torch.stack([_one(bank[label], chance) for label in known])
        motion = model.motion(batch.features)
        near = _similarity(batch, motion, texts)
        loss = F.cross_entropy(SCALE * near, column[batch.labels], label_smoothing=0.05)
        loss = loss + QUIET * motion.square().sum(dim=-1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    model.motion.eval()


def best_scale(similarities: Tensor, labels: Tensor) -> float:
    """Return the scale of similarities [N, P] under which the labels int64 [N] are likeliest.

    The probabilities of softmax(scale · similarities) are then calibrated.
    """
    scales = torch.logspace(0.5, 2.2, 60)
    losses = [float(F.cross_entropy(scale * similarities, labels)) for scale in scales]
    return float(scales[losses.index(min(losses))])


def evenly(some: Clips) -> Tensor:
    """Return the share of each clip in the draws: real and rendered ones by REAL, within both every action alike."""
    weights = torch.zeros(len(some))
    for real, share in ((True, REAL), (False, 1 - REAL)):
        for label in some.labels.unique():
            these = (some.real == real) & (some.labels == label)
            if these.any():
                classes = some.labels[some.real == real].unique()
                weights[these] = share / len(classes) / these.sum()
    return weights / weights.sum()


def cut(batch: Clips, chance: torch.Generator) -> Clips:
    """Now and then every other moment, or only some of them: clips are asked about at any rate."""
    if torch.rand((), generator=chance) < 0.3:
        start = int(torch.randint(2, (), generator=chance))
        features, there, looks = (
            value[:, start::2] for value in (batch.features, batch.there, batch.looks)
        )
        if there.any(dim=1).all():
            return Clips(features, there, looks, batch.labels, batch.real)
    return batch


def _one(texts: Tensor, chance: torch.Generator) -> Tensor:
    return texts[int(torch.randint(len(texts), (), generator=chance))]


@torch.no_grad()
def bank(text: nn.Module, centre: Tensor, held_out: bool) -> list[Tensor]:
    """For each of ACTIONS, centred vectors of its captions [C, 384]."""
    return [_read(sentences_of(action, held_out), text) - centre for action in ACTIONS]


def _read(texts: Sequence[str], text: nn.Module) -> Tensor:
    parts = [texts[i : i + 64] for i in range(0, len(texts), 64)]
    return torch.cat([text(sentences.tokenize(part)) for part in parts])


def test(model: embedded.Joint, some: Clips, tested: Sequence[Tensor]) -> dict[str, float]:
    """Accuracy in percent among all actions, each named by one unseen caption, over all wordings."""
    with torch.no_grad():
        near = [similarity(model, some, torch.stack(texts)) for texts in in_turn(tested)]
    return {"clips": len(some), **percent(near, some.labels)}


def in_turn(wordings: Sequence[Sequence]) -> list[tuple]:
    """One wording of every action at a time; who has fewer begins again."""
    most = max(map(len, wordings))
    return [tuple(some[i % len(some)] for some in wordings) for i in range(most)]


def percent(near: Sequence[Tensor], labels: Tensor) -> dict[str, float]:
    """Return top-1 and top-5 in percent, means over similarities [N, P]."""
    right = torch.stack([one.topk(5, dim=1).indices == labels[:, None] for one in near])
    top1, top5 = right[..., 0].float().mean(), right.any(dim=-1).float().mean()
    return {"top1": round(100 * float(top1), 1), "top5": round(100 * float(top5), 1)}


def write(model: nn.Module, name: str, folder: Path, facts: dict) -> Path:
    """Write what is shipped, in half precision, and beside it what is to be known of it."""
    state = {key: value.half().contiguous() for key, value in model.state_dict().items()}
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, file)
    file.chmod(0o644)
    facts = {"file": file.name, "sha256": sha256(file), "bytes": file.stat().st_size} | facts
    file.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return file


def train(folder: Path, out: Path, epochs: int = EPOCHS, seed: int = 0) -> tuple[Path, dict]:
    """Learn from a folder of features and write the weights; return their file and what is known of them."""
    text, image = sentences.load(), pictures.load()
    model = image_free(text)
    found = features.read_folder(folder)

    def part(wanted: Callable[[RenderedClip], bool]) -> Clips:
        return clips(found.only(wanted), model, image.classifier)

    learned, validation = part(trained_on), part(lambda one: one.split == "val")
    tested = {name: part(wanted) for name, wanted in TESTED.items()}
    unseen = bank(text, model.centre, held_out=True)
    before = {name: test(model, some, unseen) for name, some in tested.items()}
    learn(model, learned, bank(text, model.centre, False), epochs, seed)
    model.strength.fill_(STRENGTH)
    texts = torch.stack([texts[0] for texts in unseen])
    with torch.no_grad():
        scale = best_scale(similarity(model, validation, texts), validation.labels)
    model.logit_scale.data.fill_(math.log(scale))
    facts = FACTS | {
        "learned_from": {"clips": len(learned), "real": int(learned.real.sum())},
        "accuracy": [
            {"clips_of": name, **test(model, some, unseen)}
            | {"top1_before": before[name]["top1"], "top5_before": before[name]["top5"]}
            for name, some in tested.items()
        ],
        "protocol": "one caption for each of 39 actions in a wording that was never learned from, the mean "
        "over those wordings; 'before' is without anything learned from clips",
        "scale": round(scale, 2),
        "seed": seed,
    }
    return write(model, embedded.FILE, out, facts), facts
