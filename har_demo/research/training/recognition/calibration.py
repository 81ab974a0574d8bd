"""Calibrate the shipped tiny models on validation clips: how sure may each of them be?

    python -m har_demo.research calibration-predict DATA OUT    what every tiny model says of every clip
    python -m har_demo.research calibrate OUT                   write temperatures and results/measured/calibration.csv

DATA holds more_clips.tsv (path, dataset, class, label39) and the clips it names: people and places that no
shipped model was trained or tested on. Beside them stand rendered people, with seeds that neither training nor
a test uses. A clip that somebody drops may be as hard as the ones or as easy as the others, so both halves
weigh the same.

A temperature divides the logarithms of a clip's probabilities (Guo et al., On Calibration of Modern Neural
Networks, ICML 2017): the order of the actions, and with it every accuracy, stays as it is.
"""

import csv
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import ingest
from har_demo.clips.rendered import TEST_SEED, renderer, scenes
from har_demo.labels import EVERYDAY
from har_demo.recognize.inputs import Reader
from har_demo.recognize.open_set import UNSURE
from har_demo.recognize.prediction import Prediction, Request, calibrated
from har_demo.recognize.recognize import recognize
from har_demo.tables.rows import write_rows
from har_demo.weights import shipped

UNCLEAR = ("no_interaction", "CuttingInKitchen")
"""Classes whose clips may or may not show an everyday action."""
RENDERED = 78
"""Rendered clips: two of each action."""
SEED = 2 * TEST_SEED
"""Seed of the first of them; the test's begin at TEST_SEED and are far fewer."""
SURE = 0.5
"""Probability from which on the Recognise page says what a model says."""


@dataclass(frozen=True)
class Answers:
    """What M models say of N validation clips.

    Attributes:
        models: the M names.
        probabilities: float32 [N, M, classes], mean over the windows, as the networks give them.
        labels: int64 [N], the everyday action that a clip shows, -1 where it shows none of them.
        datasets: the N data sets that the clips come from; 'rendered' is one.
    """

    models: tuple[str, ...]
    probabilities: np.ndarray
    labels: np.ndarray
    datasets: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """float64 [N], sum 1: of the clips with an action, half for rendered people and half for the others."""
        inside, rendered = self.labels >= 0, self.datasets == "rendered"
        return sum(half / half.sum() / 2 for half in (inside & rendered, inside & ~rendered))


def predict(data: Path, out: Path) -> int:
    """Ask every shipped tiny model about every validation clip; return how many clips there are."""
    models = [entry["model"] for entry in shipped.entries()]
    requests = [Request(model) for model in models]
    probabilities, labels, datasets = [], [], []
    for clip, read, label, dataset in itertools.chain(_real(data), _rendered()):
        answers = list(recognize(clip, requests, read=read))
        refused = next((a for a in answers if not isinstance(a, Prediction)), None)
        if refused:
            raise refused.as_error()
        probabilities.append(np.stack([answer.scores.mean(axis=0) for answer in answers]))
        labels.append(label)
        datasets.append(dataset)
    np.savez_compressed(
        out.with_suffix(".npz"),
        models=np.array(models),
        probabilities=np.stack(probabilities),
        labels=np.array(labels),
        datasets=np.array(datasets),
    )
    return len(labels)


def _real(data: Path) -> Iterator[tuple[Clip, Reader | None, int, str]]:
    with (data / "more_clips.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["class"] not in UNCLEAR:
                name = row["label39"] or row["class"].replace("_", " ")
                label = EVERYDAY.index(name) if name in EVERYDAY else -1
                yield ingest(data / row["path"]), None, label, row["dataset"]


def _rendered() -> Iterator[tuple[Clip, Reader | None, int, str]]:
    with renderer() as open_scene:
        for scene in scenes(EVERYDAY, RENDERED, SEED):
            clip, read = open_scene(scene)
            yield clip, read, EVERYDAY.index(scene.action), "rendered"


def read(file: Path) -> Answers:
    """Read what `predict` wrote."""
    with np.load(file.with_suffix(".npz")) as stored:
        return Answers(
            tuple(map(str, stored["models"])),
            stored["probabilities"],
            stored["labels"],
            stored["datasets"],
        )


def temperature(probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """Return the temperature under which the labels are likeliest.

    Args:
        probabilities: float [N, classes].
        labels: int64 [N], -1 where a clip counts for nothing.
        weights: float [N], how much each clip counts.
    """

    def loss(logarithm: float) -> float:
        return mean_loss(calibrated(probabilities, float(np.exp(logarithm))), labels, weights)

    return float(np.exp(minimize_scalar(loss, bounds=np.log((0.1, 20)), method="bounded").x))


def mean_loss(probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted mean of -log p of the labels; clips whose label is -1 have a weight of 0."""
    own = probabilities[np.arange(len(labels)), labels]
    return float(-(weights * np.log(np.maximum(own, 1e-12))).sum())


def rows(answers: Answers) -> list[dict]:
    """Return a row for each model: its temperature, and how its answers are before and after.

    Loss and the gap between mean confidence and accuracy are of the clips that show an everyday action. Then
    come, of the clips of real places, the shares of answers that are sure: of those that show an everyday
    action, and of those that show none. Last, how many calibrated answers are so unsure that a model is doubted:
    of the right ones, and of the clips that show none of its actions.
    """
    table = []
    real = answers.datasets != "rendered"
    for number, model in enumerate(answers.models):
        before = answers.probabilities[:, number]
        found = temperature(before, answers.labels, answers.weights)
        after = calibrated(before, found)
        right = before.argmax(1) == answers.labels
        row = {"model": model, "clips": int((answers.labels >= 0).sum())}
        row["temperature"] = round(found, 3)
        row["top1"] = round(100 * float((answers.weights * right).sum()), 1)
        for name, shares in (("before", before), ("after", after)):
            row[f"loss_{name}"] = round(mean_loss(shares, answers.labels, answers.weights), 3)
            confidence = float((answers.weights * shares.max(1)).sum())
            row[f"confidence_{name}"] = round(100 * confidence, 1)
            sure = shares.max(1) >= SURE
            for kind, clips in (
                ("inside", real & (answers.labels >= 0)),
                ("outside", real & (answers.labels < 0)),
            ):
                row[f"sure_{kind}_{name}"] = round(100 * float(sure[clips].mean()), 1)
        unsure = calibrated(before, found).max(1) < UNSURE
        for kind, clips in (("right", right), ("outside", answers.labels < 0)):
            row[f"doubted_{kind}"] = round(100 * float(unsure[clips].mean()), 1)
        table.append(row)
    return table


def write(file: Path, checkpoints: Path, results: Path) -> list[dict]:
    """Write a temperature into every entry of the manifest, and results/measured/calibration.csv."""
    table = rows(read(file))
    path = checkpoints / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    found = {row["model"]: row["temperature"] for row in table}
    for entry in manifest["checkpoints"]:
        entry["temperature"] = found[entry["model"]]
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_rows(results / "calibration.csv", list(table[0]), table)
    return table
