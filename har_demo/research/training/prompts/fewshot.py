"""Learned prompts against plain names and written templates, with few clips a class (Ju et al., ECCV 2022).

    python -m har_demo.research prompts-fewshot FEATURES --out results/measured/prompting_fewshot.csv

FEATURES is a folder of features (`prompts-features`). The encoders are the embedded ones without anything
learned from clips, so that zero shots mean that no clip of an action was ever seen, and classes are called by
their names alone. Tested are rendered people of the split 'test', and real people and places held out in split a.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from har_demo.prompts import embedded, pictures, sentences, words
from har_demo.prompts.learned import LearnedPrompts
from har_demo.recognize.prepared import HELD_OUT
from har_demo.research.people.motion import ACTIONS
from har_demo.research.training.prompts import features
from har_demo.research.training.prompts.features import RenderedClip
from har_demo.research.training.prompts.learn import DROPOUT, NAMES, learn, similarity, whole
from har_demo.research.training.prompts.train import Clips, clips, image_free, percent, trained_on

SHOTS = (1, 2, 4, 8, 16)
SEEDS = 3
STEPS = 120
COLUMNS = ("method", "shots", "seed", "tested_on", "clips", "top1", "top5", "trained_parameters")


def few(some: Clips, shots: int, seed: int) -> Clips:
    """`shots` clips of every action, as many as there are; real ones and rendered ones mixed."""
    chance = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(some), generator=chance)
    rows = [order[some.labels[order] == label][:shots] for label in range(len(ACTIONS))]
    return some[torch.cat(rows)]


@torch.no_grad()
def untrained(some: Clips, text: sentences.MiniLM, centre: Tensor, templates) -> Tensor:
    """Similarity float [N, P] to the names in some templates, the mean over time."""
    vectors = [
        F.normalize(
            text(sentences.tokenize([words.filled(one, n) for n in NAMES])) - centre, dim=-1
        )
        for one in templates
    ]
    return (F.normalize(some.looks, dim=-1) @ F.normalize(sum(vectors), dim=-1).T).mean(dim=1)


def measure(folder: Path, seeds: int = SEEDS, steps: int = STEPS) -> Iterator[dict]:
    """Rows of COLUMNS, each as soon as it is measured."""
    text, image = sentences.load(), pictures.load()
    joint: embedded.Joint = image_free(text)
    found = features.read_folder(folder)

    def part(wanted: Callable[[RenderedClip], bool]) -> Clips:
        return whole(clips(found.only(wanted), joint, image.classifier))

    tested = {
        "rendered": part(lambda one: one.rendered and one.split == "test"),
        "real": part(lambda one: one.split in HELD_OUT["a"]),
    }
    source = part(trained_on)

    def rows(method: str, shots: int, seed: int, near: Callable[[Clips], Tensor], size: int):
        for name, some in tested.items():
            row = {"method": method, "shots": shots, "seed": seed, "tested_on": name}
            row |= {"clips": len(some), **percent([near(some)], some.labels)}
            yield row | {"trained_parameters": size}

    for method, templates in (("class name", words.PLAIN), ("templates", words.ENSEMBLE)):

        def near(some: Clips, templates=templates) -> Tensor:
            return untrained(some, text, joint.centre, templates)

        yield from rows(method, 0, 0, near, 0)
    for seed in range(seeds):
        for shots in SHOTS:
            torch.manual_seed(seed)
            model = LearnedPrompts(DROPOUT)
            names = [(name,) for name in NAMES]

            def read(said: Sequence[str], model=model) -> Tensor:
                return model.texts(text, sentences.tokenize(said)) - joint.centre

            learn(model, few(source, shots, seed), read, names, steps, seed)
            with torch.no_grad():
                texts = read(NAMES)
            size = sum(p.numel() for p in model.parameters())
            near = partial(similarity, model, texts=texts)
            yield from rows("learned prompts", shots, seed, near, size)


def write(folder: Path, out: Path, seeds: int = SEEDS) -> Iterator[dict]:
    """Write the measured rows to a table; yield each when it is written."""
    with out.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        for row in measure(folder, seeds):
            table.writerow(row)
            file.flush()
            yield row
