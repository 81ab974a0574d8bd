"""Features of labelled clips from the frozen image encoder, computed once for all that is trained on top.

    python -m har_demo.research prompts-features people 12090 OUT   rendered clips from any view; a GPU helps
    python -m har_demo.research prompts-features calm 2340 OUT      rendered with a good view
    python -m har_demo.research prompts-features real DATA OUT      DATA: clips.tsv and the clips it names

OUT.safetensors gets `features`, float16 [N, T, 2560], a picture's 1,280 numbers and those of what
changes until AHEAD seconds later, and `count`, int64 [N], how many of the T moments each clip has.
OUT.json gets what each clip shows. With `--model` and the name of one of open_clip's models, features are the
vectors of its image encoder, [N, T, D], one a picture.
"""

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from har_demo.labels import DATASETS
from har_demo.prompts import embedded, pictures
from har_demo.prompts.image_text import ImageTextModel
from har_demo.prompts.prepare import Preparation
from har_demo.research.people.dataset import FPS, FRAMES, SIDE, plan
from har_demo.research.people.motion import ACTIONS
from har_demo.research.people.shoot import ShotSettings, Take, batch_frames, take
from har_demo.research.people.supply import batches

MOMENTS = 8  # of a clip at most, RATE a second
RATE = 4
ANY_VIEW, GOOD_VIEW = "people", "calm people"
PEOPLE_SEED, CALM_SEED = 20, 7_000_000
AT_ONCE = 16  # clips that are rendered together, and that go through the image encoder together


@dataclass(frozen=True)
class RenderedClip:
    """One clip of the features: its action and origin.

    Attributes:
        action: as har_demo.research.people.motion calls it.
        dataset: 'people' for rendered clips, 'calm people' for those with a good view, else the set.
        split: 'train', 'val' or 'test'; of real clips, the group (person or place).
        seed: what it was rendered from; of real clips, which line of the table it is.
    """

    action: str
    dataset: str
    split: str
    seed: int = 0

    @property
    def rendered(self) -> bool:
        """True for rendered clips."""
        return self.dataset in (ANY_VIEW, GOOD_VIEW)

    @property
    def calm(self) -> bool:
        """True for clips rendered with a good view."""
        return self.dataset == GOOD_VIEW


@dataclass(frozen=True)
class Features:
    """Features of N clips.

    Attributes:
        features: float32 [N, T, 2560], or [N, T, D] of one of open_clip's models; zero where a clip has fewer moments.
        count: int64 [N].
        shown: N of them.
    """

    features: Tensor
    count: Tensor
    shown: tuple[RenderedClip, ...]

    def only(self, wanted: Callable[[RenderedClip], bool]) -> "Features":
        rows = [i for i, one in enumerate(self.shown) if wanted(one)]
        return Features(
            self.features[rows], self.count[rows], tuple(self.shown[row] for row in rows)
        )

    def save(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        tensors = {"features": self.features.half().contiguous(), "count": self.count}
        save_file(tensors, file.with_suffix(".safetensors"))
        file.with_suffix(".json").write_text(json.dumps([asdict(one) for one in self.shown]))


def read(*files: Path) -> Features:
    """Read features of several files, one after the other."""
    stored = [load_file(file.with_suffix(".safetensors")) for file in files]
    shown = [
        RenderedClip(**one)
        for file in files
        for one in json.loads(file.with_suffix(".json").read_text())
    ]
    return Features(
        torch.cat([one["features"].float() for one in stored]),
        torch.cat([one["count"] for one in stored]),
        tuple(shown),
    )


def read_folder(folder: Path) -> Features:
    """All that was saved in a folder, by name."""
    return read(*(file.with_suffix("") for file in sorted(folder.glob("*.safetensors"))))


@torch.inference_mode()
def compute(
    clips: Iterator[tuple[np.ndarray, np.ndarray, RenderedClip]],
    device: torch.device | str = "cpu",
    model: ImageTextModel | None = None,
) -> Features:
    """Features of clips given as frames uint8 [T, H, W, 3], the frames ahead, and what they show.

    Args:
        clips: as said.
        device: where the embedded image encoder runs.
        model: one of open_clip's, whose image encoder sees each frame alone, in its place.
    """
    preparation, look = _encoder(model, device)
    waiting, rows, shown = [], [], []

    def flush() -> None:
        now, ahead = (torch.cat(some) for some in zip(*waiting, strict=True))
        found = look(now, ahead).half().cpu()
        rows.extend(found.split([len(some) for some, _ in waiting]))
        waiting.clear()

    for now, ahead, what in clips:
        waiting.append([preparation.pixels(some, device) for some in (now, ahead)])
        shown.append(what)
        if len(waiting) == AT_ONCE:
            flush()
    if waiting:
        flush()
    count = torch.tensor([len(row) for row in rows])
    features = torch.zeros(len(rows), MOMENTS, rows[0].shape[-1], dtype=torch.float16)
    for row, found in zip(features, rows, strict=True):
        row[: len(found)] = found
    return Features(features.float(), count, tuple(shown))


def _encoder(
    model: ImageTextModel | None, device: torch.device | str
) -> tuple[Preparation, Callable[[Tensor, Tensor], Tensor]]:
    """What pixels must be, and what gives features of them and of those ahead."""
    if model is not None:
        return model.preparation, lambda now, ahead: model.look(now)
    network = embedded.Embedded(pictures.load(), torch.nn.Identity(), embedded.Joint()).to(device)
    return embedded.PREPARATION, network.encode_pair


def people(count: int) -> list[RenderedClip]:
    """Clips from any view and in any light; of every ten of an action, one is for choosing, one for testing."""
    return [
        RenderedClip(one.action, ANY_VIEW, one.split, one.seed) for one in plan(count, PEOPLE_SEED)
    ]


def calm(count: int) -> list[RenderedClip]:
    """Clips by daylight, with a good view and a tripod; of every six of an action, the last is for testing."""
    return [
        RenderedClip(
            ACTIONS[number % len(ACTIONS)],
            GOOD_VIEW,
            "test" if number // len(ACTIONS) % 6 == 5 else "train",
            CALM_SEED + number,
        )
        for number in range(count)
    ]


def rendered(
    shown: Sequence[RenderedClip], device: torch.device | str = "cpu"
) -> Iterator[tuple[np.ndarray, np.ndarray, RenderedClip]]:
    """Render clips as `compute` takes them, 16 frames at 8 a second each."""
    workers = (os.cpu_count() or 2) - 1 if torch.device(device).type == "cuda" else 0
    now, todo = np.arange(0, FRAMES, FPS // RATE), iter(shown)
    for some in batches(_taken, shown, AT_ONCE, workers):
        frames = batch_frames(some.to(device), (SIDE, SIDE)).unflatten(0, (-1, FRAMES))
        for clip in frames.permute(0, 1, 3, 4, 2).cpu().numpy():
            yield clip[now], clip[now + 1], next(todo)


def _taken(one: RenderedClip) -> Take:
    look = ShotSettings(dark=False, calm=True) if one.calm else None
    return take(one.action, one.seed, FRAMES / FPS, FPS, look)


def real(data: Path) -> Iterator[tuple[np.ndarray, np.ndarray, RenderedClip]]:
    """The labelled real clips: their middle, where they are longer."""
    from har_demo.clips.frames import read_frames
    from har_demo.clips.ingest import ingest
    from har_demo.prompts.answer import pairs
    from har_demo.research.training.groups import group_of

    called = {name: action for action, name in DATASETS["people"].items()}
    with (data / "clips.tsv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file, delimiter="\t"))
    for number, row in enumerate(table):
        name = DATASETS.get(row["dataset"], {}).get(row["class"])
        if name is None:
            continue
        clip = ingest(data / row["path"])
        wanted = min(MOMENTS, max(1, int(clip.duration * RATE)))
        start = max(0.0, (clip.duration - wanted / RATE) / 2)
        now = ((start + np.arange(wanted) / RATE) * clip.fps).astype(int).clip(0, clip.frames - 1)
        ahead = pairs(now, clip, embedded.AHEAD)
        group = group_of(row["dataset"], row["class"], row["path"])
        what = RenderedClip(called[name], row["dataset"], group, number)
        yield read_frames(clip, now), read_frames(clip, ahead), what
