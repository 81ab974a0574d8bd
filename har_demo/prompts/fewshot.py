"""Learned prompts against plain names and written templates, with few clips a class (Ju et al., ECCV 2022).

    python -m har_demo.prompts.fewshot FEATURES --out results/measured/prompting_fewshot.csv

FEATURES is a folder of har_demo.prompts.features. The towers are the embedded ones without what was
learned from clips, so that zero shots mean that no clip of an action was ever seen. Tested are rendered people of
the split 'test', and real people and places held out in split a.
"""

import argparse
import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from har_demo.labels import DATASETS
from har_demo.models.prompting import Prompting
from har_demo.people.motion import ACTIONS
from har_demo.prompts import embedded, features, pictures, sentences, words
from har_demo.prompts.features import Shown
from har_demo.prompts.train import Clips, clips, image_free, trained_on
from har_demo.training.data import HELD_OUT

SHOTS = (1, 2, 4, 8, 16)
AROUND = 4  # vectors on each side of a name, where the paper has 16: a processor takes a third of the time
STEPS = 60
BATCH = 64
RATE = 1e-3
COLUMNS = ("method", "shots", "seed", "tested_on", "clips", "top1", "top5", "trained_parameters")


class Learned:
    """What is learned from a few clips, and the frozen towers around it."""

    def __init__(self, text: sentences.MiniLM, names: Sequence[str], frames: int, seed: int):
        torch.manual_seed(seed)
        self.text = text
        self.model = Prompting(sentences.WIDTH, sentences.WIDTH, frames, around=AROUND)
        tokens = sentences.tokenize(names)
        with torch.no_grad():
            self.words = text.word(tokens)
        self.count = (tokens != sentences.PAD).sum(dim=1)

    def texts(self) -> Tensor:
        """float [P, 384]: every class's sentence with the vectors inside, as the text tower reads it."""
        found, count = self.model.prompts(self.words, self.count)
        empty = torch.arange(found.shape[1]) >= count[:, None]
        return self.text.read(found, empty)

    def learn(self, some: Clips, centre: Tensor, steps: int, seed: int) -> None:
        chance = torch.Generator().manual_seed(seed)
        optimiser = torch.optim.AdamW(self.model.parameters(), lr=RATE)
        for _ in range(steps):
            rows = torch.randint(len(some), (min(BATCH, len(some)),), generator=chance)
            logits = self.model(some.looks[rows], self.texts() - centre)
            loss = F.cross_entropy(logits, some.labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


def few(some: Clips, shots: int, seed: int) -> Clips:
    """`shots` clips of every action, as many as there are; real ones and rendered ones mixed."""
    chance = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(some), generator=chance)
    rows = [order[some.labels[order] == label][:shots] for label in range(len(ACTIONS))]
    return some[torch.cat(rows)]


def score(similarity: Tensor, labels: Tensor) -> dict[str, float]:
    """Percent of clips whose action is the first, and among the first five."""
    right = similarity.topk(5, dim=1).indices == labels[:, None]
    top1, top5 = right[:, 0].float().mean(), right.any(dim=1).float().mean()
    return {"top1": round(100 * float(top1), 1), "top5": round(100 * float(top5), 1)}


@torch.no_grad()
def untrained(some: Clips, text: sentences.MiniLM, centre: Tensor, templates) -> Tensor:
    """Similarity float [N, P] to the names in some templates, the mean over time."""
    names = [DATASETS["people"][action] for action in ACTIONS]
    vectors = [
        F.normalize(
            text(sentences.tokenize([words.filled(one, n) for n in names])) - centre, dim=-1
        )
        for one in templates
    ]
    return (F.normalize(some.looks, dim=-1) @ F.normalize(sum(vectors), dim=-1).T).mean(dim=1)


def measure(folder: Path, seeds: int, steps: int = STEPS) -> list[dict]:
    """Rows of COLUMNS."""
    text, image = sentences.load(), pictures.load()
    joint: embedded.Joint = image_free(text)
    found = features.read_folder(folder)

    def part(wanted: Callable[[Shown], bool]) -> Clips:
        some = clips(found.only(wanted), joint, image.classifier)
        return some[some.there.all(dim=1)]  # the transformer knows no clips with fewer moments

    tested = {
        "rendered": part(lambda one: one.rendered and one.split == "test"),
        "real": part(lambda one: one.split in HELD_OUT["a"]),
    }
    source = part(trained_on)
    rows = []

    def put(method: str, shots: int, seed: int, similarity, parameters: int) -> None:
        for name, some in tested.items():
            row = {"method": method, "shots": shots, "seed": seed, "tested_on": name}
            row |= {"clips": len(some), **score(similarity(some), some.labels)}
            rows.append(row | {"trained_parameters": parameters})

    for method, templates in (("class name", words.PLAIN), ("templates", words.ENSEMBLE)):
        put(
            method,
            0,
            0,
            lambda some, templates=templates: untrained(some, text, joint.centre, templates),
            0,
        )
    names = [DATASETS["people"][action] for action in ACTIONS]
    for seed in range(seeds):
        for shots in SHOTS:
            learned = Learned(text, names, features.MOMENTS, seed)
            learned.learn(few(source, shots, seed), joint.centre, steps, seed)
            learned.model.eval()
            with torch.no_grad():
                texts = learned.texts() - joint.centre
                size = sum(p.numel() for p in learned.model.parameters())
                put(
                    "learned prompts",
                    shots,
                    seed,
                    lambda some, model=learned.model, texts=texts: model(some.looks, texts),
                    size,
                )
            print(rows[-2], rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="Few-shot curves of learned prompts.")
    parser.add_argument("features", type=Path, help="folder of har_demo.prompts.features")
    parser.add_argument("--out", type=Path, required=True, help="the .csv file to write")
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    rows = measure(arguments.features, arguments.seeds)
    with arguments.out.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main()
