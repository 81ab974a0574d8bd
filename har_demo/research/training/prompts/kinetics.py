"""Choose how Kinetics' I3D answers free text, on validation clips alone.

    python -m har_demo.research kinetics-features DATA OUT    what I3D and the image encoder see; a GPU helps
    python -m har_demo.research kinetics-text OUT             choose, write the names and three tables

DATA holds clips.tsv and more_clips.tsv (path, dataset, class), the clips they name, and clips/. Free text is
asked about the clips of validation_prompts.csv: their actions are named by Kinetics or near to it, in three
wordings each. Whether a clip shows an everyday action at all (har_demo.recognize.open_set) is asked of all.

OUT.npz gets, of each clip, I3D's probabilities under every sampling of VIEWS, and the embedded model's vectors.
"""

import csv
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from har_demo.clips.ingest import ingest
from har_demo.clips.probe import VIDEOS
from har_demo.labels import DATASETS
from har_demo.models.label_sets import HMDB51, KINETICS400, UCF101
from har_demo.prompts import embedded, kinetics, pictures
from har_demo.prompts.answer import FRAMES, embed_clip, embed_texts
from har_demo.prompts.image_text import ImageTextModel
from har_demo.prompts.kinetics import ActionNames
from har_demo.prompts.words import PLAIN
from har_demo.recognize.open_set import SURE, strongest_other
from har_demo.recognize.prediction import Prediction, Request
from har_demo.recognize.recognize import recognize
from har_demo.tables.statistics import confidence_interval, mcnemar
from har_demo.weights.state import sha256

PROMPTS = Path(__file__).parent / "validation_prompts.csv"
VIEWS = (
    *((16, 12.5, 3), (16, 12.5, 5), (16, 6.25, 3)),
    *((32, 12.5, 1), (32, 12.5, 2), (32, 12.5, 3)),
    *((32, 25.0, 1), (32, 25.0, 2), (32, 25.0, 3)),
    *((64, 25.0, 1), (64, 25.0, 3)),
)
"""Frames of a window, frames per second, windows."""
RECOGNISE_VIEW = (32, 12.5, 1)
TEXT_VIEW = (32, 12.5, kinetics.WINDOWS)

EVERYDAY_NAMES = {
    (dataset, theirs): ours for dataset, names in DATASETS.items() for theirs, ours in names.items()
} | {
    ("gmdcsa24_seg", "walking"): "walking",
    ("gmdcsa24_seg", "standing_still"): "standing still",
    ("clips", "basketball"): "shooting at a hoop",
}
UNCLEAR = ("no_interaction",)
"""People who stand and walk about: whether that is an everyday action is anybody's guess."""

SHARPNESS = (0.2, 0.3, 0.4, 0.5, 0.7)
WIDTH = (0.02, 0.03, 0.04, 0.06, 0.08)
STRENGTH = (2.0, 4.0, 8.0, 16.0, 32.0)
OTHERS = 12  # actions that no clip shows, offered beside those that some do
DRAWS = 6  # different choices of those

FACTS = {
    "what": "vectors of Kinetics' 400 action names by all-MiniLM-L6-v2, and how I3D's probabilities are read",
    "licence": "Apache-2.0; no clip was learned from, clips for research chose five numbers",
    "data": [
        {
            "name": "Kinetics-400",
            "citation": "Kay et al., The Kinetics Human Action Video Dataset, 2017",
            "use": "names of its actions, with wordings written here; no clip",
        },
        {
            "name": "UCF101",
            "citation": "Soomro et al., UCF101, CRCV-TR-12-01, 2012",
            "use": "clips that the settings were chosen on; names of its actions",
        },
        {
            "name": "HMDB51",
            "citation": "Kuehne et al., HMDB, ICCV 2011",
            "use": "names of its actions; no clip",
        },
        {
            "name": "Single clips",
            "citation": "sample videos of public repositories, for research",
            "use": "clips that the settings were chosen on",
        },
    ],
    "command": "python -m har_demo.research kinetics-text FEATURES",
}
"""What the note of the shipped file says whatever the settings are."""


@dataclass(frozen=True)
class ValidationClip:
    """A labelled clip.

    Attributes:
        path: of the file, inside the folder of data.
        dataset, name: its data set and what that calls its action.
        everyday: the everyday action it shows, '' when it shows none of them.
        prompts: its row of validation_prompts.csv, {} where it has none.
    """

    path: str
    dataset: str
    name: str
    everyday: str
    prompts: dict[str, str]


def validation_clips(data: Path) -> list[ValidationClip]:
    """Return every clip that clips.tsv and more_clips.tsv name, and those in clips/."""
    with PROMPTS.open(encoding="utf-8", newline="") as file:
        prompts = {(row["dataset"], row["class"]): row for row in csv.DictReader(file)}
    rows: list[dict[str, str]] = [
        {"path": f"clips/{path.name}", "dataset": "clips", "class": path.stem}
        for path in sorted(data.glob("clips/*"))
        if path.suffix.lower() in VIDEOS
    ]
    for table in ("clips.tsv", "more_clips.tsv"):
        with (data / table).open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file, delimiter="\t")
    return [
        ValidationClip(
            path=row["path"],
            dataset=row["dataset"],
            name=row["class"],
            everyday=row.get("label39") or EVERYDAY_NAMES.get((row["dataset"], row["class"]), ""),
            prompts=prompts.get((row["dataset"], row["class"]), {}),
        )
        for row in rows
        if row["class"] not in UNCLEAR
    ]


def compute(data: Path, out: Path, device: torch.device | str) -> int:
    """Write what I3D and the embedded model see of every validation clip; return how many there are."""
    model = replace(_image_side(device), actions=None)
    rows = []
    clips = validation_clips(data)
    for one in clips:
        clip = ingest(data / one.path)
        requests = [Request("i3d", t, clip.fps / fps, windows) for t, fps, windows in VIEWS]
        answers = list(recognize(clip, requests, device=device))
        refused = next((a for a in answers if not isinstance(a, Prediction)), None)
        if refused:
            raise refused.as_error()
        seen = embed_clip(clip, model)
        rows.append((np.stack([a.overall for a in answers]), seen.moments.cpu().numpy()))
    moments = np.zeros((len(rows), FRAMES, rows[0][1].shape[1]), np.float16)
    for row, (_, vectors) in zip(moments, rows, strict=True):
        row[: len(vectors)] = vectors
    np.savez_compressed(
        out.with_suffix(".npz"),
        probabilities=np.stack([row[0] for row in rows]).astype(np.float32),
        moments=moments,
        count=np.array([len(row[1]) for row in rows]),
        clips=np.array([json.dumps(asdict(one)) for one in clips]),
    )
    return len(clips)


def _image_side(device: torch.device | str) -> ImageTextModel:
    """The embedded model without its text encoder, whose weights are not needed here."""
    network = embedded.Embedded(pictures.load(), torch.nn.Identity(), embedded.load_joint())
    return ImageTextModel(
        name=embedded.NAME,
        title=embedded.TITLE,
        network=network.eval().requires_grad_(False).to(device),
        tokenize=lambda texts: torch.zeros(0),
        reading=embedded.reading,
        preparation=embedded.PREPARATION,
        provenance=(),
        device=torch.device(device),
        ahead=embedded.AHEAD,
    )


@dataclass(frozen=True)
class Seen:
    """What `compute` wrote, of N clips.

    Attributes:
        clips: the N clips.
        views: float [VIEWS, N, 400], I3D's probabilities under each sampling.
        moments: float [N, T, 384], the embedded model's vectors.
        count: int64 [N], how many of the T moments each clip has.
    """

    clips: tuple[ValidationClip, ...]
    views: Tensor
    moments: Tensor
    count: Tensor

    def only(self, wanted: Callable[[ValidationClip], bool]) -> "Seen":
        """The clips for which `wanted` is true."""
        rows = [i for i, clip in enumerate(self.clips) if wanted(clip)]
        return Seen(
            tuple(self.clips[row] for row in rows),
            self.views[:, rows],
            self.moments[rows],
            self.count[rows],
        )


def read(file: Path) -> Seen:
    """Read what `compute` wrote."""
    with np.load(file.with_suffix(".npz")) as stored:
        return Seen(
            tuple(ValidationClip(**json.loads(clip)) for clip in stored["clips"]),
            torch.from_numpy(stored["probabilities"]).movedim(1, 0),
            torch.from_numpy(stored["moments"].astype(np.float32)),
            torch.from_numpy(stored["count"]),
        )


Answer = Callable[[Tensor], Tensor]
"""Sentences float [P, D] → similarities float [N, P] of N clips."""


@dataclass(frozen=True)
class Tried:
    """How often a way of answering is right: clips, and percent as the mean over actions."""

    top1: float
    top3: float
    correct: int
    clips: int


def view_rows(seen: Seen) -> list[dict]:
    """Return a row for each sampling of VIEWS: how often I3D names the action that Kinetics has for a clip.

    p is the exact McNemar test's, of the clips that only this sampling or only RECOGNISE_VIEW names rightly.
    """
    named = seen.only(lambda clip: bool(clip.prompts.get("kinetics")))
    labels = torch.tensor([KINETICS400.index(clip.prompts["kinetics"]) for clip in named.clips])
    default = named.views[VIEWS.index(RECOGNISE_VIEW)].argmax(1) == labels
    rows = []
    for (frames, fps, windows), scores in zip(VIEWS, named.views, strict=True):
        top = scores.topk(5).indices == labels[:, None]
        first = int(top[:, 0].sum())
        low, high = confidence_interval(first, len(labels))
        gained, lost = int((top[:, 0] & ~default).sum()), int((default & ~top[:, 0]).sum())
        rows.append(
            {
                "frames": frames,
                "fps": fps,
                "windows": windows,
                "clips": len(labels),
                "top1": round(100 * first / len(labels), 1),
                "low": round(low, 1),
                "high": round(high, 1),
                "top5": round(100 * float(top.any(1).float().mean()), 1),
                "this_only": gained,
                "default_only": lost,
                "p": round(mcnemar(top[:, 0].numpy(), default.numpy()), 2),
            }
        )
    return rows


@dataclass(frozen=True)
class Questions:
    """The text of all questions, encoded once, so that ways of answering are compared on the same ones.

    Attributes:
        labels: int64 [N], the action that each clip shows.
        wordings: three of float [A, D], the actions that clips show, in other words each time.
        others: float [O, D], actions that no clip shows.
        draws: DRAWS of int64 [OTHERS], which of those stand beside the actions.
    """

    labels: Tensor
    wordings: tuple[Tensor, ...]
    others: Tensor
    draws: tuple[np.ndarray, ...]

    def options(self, answer: Answer) -> list[Tensor]:
        """Similarities float [N, A + OTHERS] for every wording beside every draw."""
        others = answer(self.others)
        return [
            torch.cat([answer(wording), others[:, draw]], dim=1)
            for wording in self.wordings
            for draw in self.draws
        ]


def questions(seen: Seen, model: ImageTextModel) -> Questions:
    """Encode the actions of the clips and others, the names of UCF101 and HMDB51, to stand beside them."""
    rows = list({clip.prompts["prompt"]: clip.prompts for clip in seen.clips}.values())
    actions = [row["prompt"] for row in rows]
    shown = {_folded(name) for row in rows for name in row.values()}
    others = [name for name in (*UCF101, *HMDB51) if _folded(name) not in shown]
    rng = np.random.default_rng(0)
    return Questions(
        labels=torch.tensor([actions.index(clip.prompts["prompt"]) for clip in seen.clips]),
        wordings=tuple(
            embed_texts(model, [row[key] for row in rows], PLAIN)
            for key in ("prompt", "wording_2", "wording_3")
        ),
        others=embed_texts(model, others, PLAIN),
        draws=tuple(rng.permutation(len(others))[:OTHERS] for _ in range(DRAWS)),
    )


def _folded(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalpha())


def score(asked: Questions, answer: Answer) -> Tried:
    """Ask every question one way."""
    labels = asked.labels.numpy()
    hits = np.stack(
        [
            (options.topk(3).indices == asked.labels[:, None]).numpy()
            for options in asked.options(answer)
        ]
    )
    right1, right3 = hits[:, :, 0].mean(0), hits.any(2).mean(0)  # of each clip, over the questions
    means = [
        100 * float(np.mean([right[labels == k].mean() for k in np.unique(labels)]))
        for right in (right1, right3)
    ]
    return Tried(*means, round(right1.sum()), len(labels))


def pictures_alone(seen: Seen) -> Answer:
    """The embedded model without I3D: the mean cosine over a clip's moments."""
    there = torch.arange(seen.moments.shape[1]) < seen.count[:, None]
    mean = (seen.moments * there[..., None]).sum(1) / seen.count[:, None]
    return lambda sentences: mean @ sentences.T


def conse(probabilities: Tensor, vectors: Tensor, likeliest: int = 10) -> Answer:
    """Norouzi et al.'s answer: the mean vector of the likeliest actions, compared with the sentence."""
    share, which = probabilities.topk(likeliest)
    mean = F.normalize((share[..., None] * vectors[which]).sum(1), dim=-1)
    return lambda sentences: mean @ sentences.T


def joined(seen: Seen, probabilities: Tensor, names: ActionNames) -> Answer:
    """The answer of `har_demo.prompts.answer.similarities`, with `mean` pooling."""
    pictures, recognised = pictures_alone(seen), names.softened(probabilities)
    return lambda sentences: (
        (pictures(sentences) + names.strength * recognised @ names.meant(sentences).T)
        / (1 + names.strength)
    )


def name_vectors(model: ImageTextModel, wordings: Sequence[Sequence[str]]) -> Tensor:
    """float [400, D] of length 1: the mean of each action's wordings, centred as sentences are."""
    flat = [text for one in wordings for text in one]
    encoded = [
        model.network.text(model.tokenize(flat[i : i + 64])) for i in range(0, len(flat), 64)
    ]
    means = [part.mean(0) for part in torch.cat(encoded).split([len(one) for one in wordings])]
    return F.normalize(F.normalize(torch.stack(means), dim=-1) - model.network.joint.centre, dim=-1)


def choose(asked: Questions, seen: Seen, probabilities: Tensor, vectors: Tensor) -> ActionNames:
    """Return the settings with the most right answers, top-1 and top-3 together."""
    best, found = -1.0, None
    for sharpness, width, strength in itertools.product(SHARPNESS, WIDTH, STRENGTH):
        names = ActionNames(vectors, sharpness, width, strength, 0.0, 0.0)
        tried = score(asked, joined(seen, probabilities, names))
        if tried.top1 + tried.top3 > best:
            best, found = tried.top1 + tried.top3, names
    assert found is not None
    return calibrate(asked, seen, probabilities, found)


def calibrate(
    asked: Questions, seen: Seen, probabilities: Tensor, names: ActionNames
) -> ActionNames:
    """Set the temperature by likelihood, and the similarity that stands for 'none of these'.

    The second is where as many clips are refused whose action is offered as are accepted whose action is
    not: of those their own action is taken from the options.
    """
    options = asked.options(joined(seen, probabilities, names))
    every = torch.cat(options)
    labels = asked.labels.repeat(len(options))

    def loss(temperature: float) -> float:
        return float(F.cross_entropy(every / temperature, labels))

    temperature = min((0.001 * 1.1**k for k in range(80)), key=loss)
    own = F.one_hot(labels, every.shape[1]).bool()
    offered = every.max(1).values
    missing = every.masked_fill(own, -9.0).max(1).values
    levels = torch.linspace(float(missing.min()), float(offered.max()), 200)
    wrong = [
        abs(float((offered < at).float().mean() - (missing >= at).float().mean())) for at in levels
    ]
    return replace(names, temperature=temperature, none=float(levels[int(np.argmin(wrong))]))


def none_rates(asked: Questions, answer: Answer, level: float) -> tuple[float, float]:
    """Percent of clips refused whose action is offered, and of clips refused whose action is not."""
    every = torch.cat(asked.options(answer))
    own = F.one_hot(asked.labels.repeat(len(every) // len(asked.labels)), every.shape[1]).bool()
    missing = every.masked_fill(own, -9.0)
    return tuple(
        100 * float((best.max(1).values < level).float().mean()) for best in (every, missing)
    )


def write(file: Path, checkpoints: Path, results: Path) -> dict[str, float]:
    """Choose, and write checkpoints/prompts/kinetics.safetensors and three tables of validation clips.

    The settings are chosen on UCF101 and the single clips: the workouts taught the motion that stands beside
    I3D, and would speak for it. i3d_views.csv has all of them.
    """
    every = read(file)
    seen = every.only(lambda clip: bool(clip.prompts) and clip.dataset != "workout4")
    model = embedded.load()
    asked = questions(seen, model)
    probabilities = seen.views[VIEWS.index(TEXT_VIEW)]
    with torch.inference_mode():
        bare = name_vectors(model, [(name,) for name in KINETICS400])
        vectors = name_vectors(model, list(kinetics.wordings().values()))
    names = choose(asked, seen, probabilities, vectors)
    alone = replace(names, strength=1000.0)
    ways = {
        "pictures and motion, without I3D": pictures_alone(seen),
        "I3D, ConSE over the names": conse(probabilities, bare),
        "I3D, ConSE over names and wordings": conse(probabilities, vectors),
        "I3D, actions meant, names": joined(seen, probabilities, replace(alone, vectors=bare)),
        "I3D, actions meant, names and wordings": joined(seen, probabilities, alone),
        "all together": joined(seen, probabilities, names),
    }
    rows = []
    for way, answer in ways.items():
        tried = score(asked, answer)
        low, high = confidence_interval(tried.correct, tried.clips)
        rows.append(
            {
                "way": way,
                "clips": tried.clips,
                "actions": len(asked.wordings[0]),
                "prompts": len(asked.wordings[0]) + OTHERS,
                "top1": round(tried.top1, 1),
                "top3": round(tried.top3, 1),
                "top1_of_clips": round(100 * tried.correct / tried.clips, 1),
                "low": round(low, 1),
                "high": round(high, 1),
            }
        )
    false_alarms, detected = none_rates(asked, ways["all together"], names.none)
    chosen = {
        "sharpness": names.sharpness,
        "width": names.width,
        "strength": names.strength,
        "temperature": names.temperature,
        "none": names.none,
    }
    _write_table(results / "free_text.csv", rows)
    _write_table(results / "i3d_views.csv", view_rows(every))
    _write_table(results / "open_set.csv", open_set_rows(every))
    target = checkpoints / kinetics.FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        {"names": names.vectors.half().contiguous()}
        | {key: torch.tensor(value) for key, value in chosen.items()},
        target,
    )
    target.chmod(0o644)
    found = chosen | {"refused_if_offered": false_alarms, "refused_if_not": detected}
    write_note(target, len(seen.clips), found)
    return found


def write_note(file: Path, clips: int, found: dict[str, float]) -> None:
    """Write beside the file of names what is to be known of it.

    Args:
        file: the file of names.
        clips: how many the settings were chosen on.
        found: the settings, and how often 'none of these' is right and wrong, in percent.
    """
    facts = {"file": file.name, "sha256": sha256(file), "bytes": file.stat().st_size} | FACTS
    facts |= {"chosen_on": {"clips": clips}} | {
        key: round(value, 3) for key, value in found.items()
    }
    file.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def open_set_rows(seen: Seen) -> list[dict]:
    """Return a row for each threshold: how often I3D contradicts an everyday action, by data set."""
    scores = seen.views[VIEWS.index(RECOGNISE_VIEW)].numpy()
    other = np.array([strongest_other(one)[1] for one in scores])
    inside = np.array([bool(clip.everyday) for clip in seen.clips])
    datasets = np.array([clip.dataset for clip in seen.clips])
    rows = []
    for threshold in (0.3, 0.4, 0.5, 0.6, SURE):
        for dataset in ("all", *sorted(set(datasets))):
            chosen = (datasets == dataset) | (dataset == "all")
            for shown in (True, False):
                clips = chosen & (inside == shown)
                if not clips.any():
                    continue
                count = int((other[clips] >= threshold).sum())
                low, high = confidence_interval(count, int(clips.sum()))
                rows.append(
                    {
                        "threshold": threshold,
                        "dataset": dataset,
                        "shows_everyday_action": "yes" if shown else "no",
                        "clips": int(clips.sum()),
                        "contradicted": round(100 * count / clips.sum(), 1),
                        "low": round(low, 1),
                        "high": round(high, 1),
                    }
                )
    return rows


def _write_table(file: Path, rows: Sequence[dict]) -> None:
    with file.open("w", encoding="utf-8", newline="") as table:
        writer = csv.DictWriter(table, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
