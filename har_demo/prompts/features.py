"""What the frozen image tower makes of labelled clips, computed once: what is trained on top reads it.

    python -m har_demo.prompts.features rendered FOLDER OUT    FOLDER: `python -m har_demo people dataset`
    python -m har_demo.prompts.features calm 468 OUT           as many clips as people like to look at
    python -m har_demo.prompts.features real DATA OUT          DATA: clips.tsv and the clips it names

OUT.safetensors gets `features`, float16 [N, T, 2560], a picture's 1,280 numbers and those of what
changes until AHEAD seconds later, and `count`, int64 [N], how many of the T moments each clip has.
OUT.json gets what each clip shows.
"""

import argparse
import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from har_demo.labels import DATASETS
from har_demo.prompts import embedded, pictures

MOMENTS = 8  # of a clip at most, RATE a second
RATE = 4
ANY_VIEW, GOOD_VIEW = "people", "calm people"
CALM_SEED = 7_000_000


@dataclass(frozen=True)
class Shown:
    """What a clip shows.

    Attributes:
        action: as har_demo.people.motion calls it.
        dataset: 'people' for rendered clips, 'calm people' for those with a good view, else the set.
        split: 'train', 'val' or 'test'; of real clips, the group (person or place).
        seed, shirt, place, dark: how it was rendered.
    """

    action: str
    dataset: str
    split: str
    seed: int = 0
    shirt: str = ""
    place: str = ""
    dark: bool = False

    @property
    def rendered(self) -> bool:
        """Whether nobody was filmed."""
        return self.dataset in (ANY_VIEW, GOOD_VIEW)

    @property
    def calm(self) -> bool:
        """Whether it was rendered for people to look at."""
        return self.dataset == GOOD_VIEW


@dataclass(frozen=True)
class Features:
    """Clips as the image tower sees them.

    Attributes:
        features: float32 [N, T, 2560]; zero where a clip has fewer moments.
        count: int64 [N].
        shown: N of them.
    """

    features: Tensor
    count: Tensor
    shown: tuple[Shown, ...]

    def only(self, wanted: Callable[[Shown], bool]) -> "Features":
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
    """What `save` wrote, of several files one after the other."""
    stored = [load_file(file.with_suffix(".safetensors")) for file in files]
    shown = [
        Shown(**one) for file in files for one in json.loads(file.with_suffix(".json").read_text())
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
def compute(clips: Iterator[tuple[np.ndarray, np.ndarray, Shown]]) -> Features:
    """Features of clips given as frames uint8 [T, H, W, 3], the frames ahead, and what they show."""
    model = embedded.Embedded(pictures.load(), torch.nn.Identity(), embedded.Joint())
    rows, shown = [], []
    for now, ahead, what in clips:
        pixels = embedded.PREPARATION.pixels(np.concatenate([now, ahead]))
        found = model.encode_pair(pixels[: len(now)], pixels[len(now) :])
        rows.append(found.half())
        shown.append(what)
    count = torch.tensor([len(row) for row in rows])
    features = torch.zeros(len(rows), MOMENTS, 2 * pictures.FEATURES, dtype=torch.float16)
    for row, found in zip(features, rows, strict=True):
        row[: len(found)] = found
    return Features(features.float(), count, tuple(shown))


def rendered(
    folder: Path, most: int | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray, Shown]]:
    """The clips of a folder that har_demo.people.dataset wrote, 16 frames at 8 a second each."""
    from har_demo.people.dataset import FPS, FRAMES
    from har_demo.people.shoot import take

    step = FPS // RATE
    with (folder / "index.csv").open(encoding="utf-8") as file:
        index = list(csv.DictReader(file))[:most]
    for name in dict.fromkeys(row["file"] for row in index):
        frames = np.load(folder / name)["frames"]
        for row in index:
            if row["file"] != name:
                continue
            clip, seed = frames[int(row["row"])], int(row["seed"])
            one = take(row["action"], seed, FRAMES / FPS, FPS)
            what = Shown(
                row["action"], ANY_VIEW, row["split"], seed, one.shirt, one.where, one.dark
            )
            now = np.arange(0, FRAMES, step)
            yield clip[now], clip[now + 1], what


def calm(count: int) -> Iterator[tuple[np.ndarray, np.ndarray, Shown]]:
    """Clips by daylight, with a good view and a tripod; of every six of an action, the last is for testing."""
    from har_demo.people.dataset import FPS, FRAMES, SIDE
    from har_demo.people.motion import ACTIONS
    from har_demo.people.shoot import Look, batch, batch_frames, take

    now = np.arange(0, FRAMES, FPS // RATE)
    for number in range(count):
        turn, label = divmod(number, len(ACTIONS))
        seed = CALM_SEED + number
        one = take(ACTIONS[label], seed, FRAMES / FPS, FPS, Look(dark=False, calm=True))
        frames = batch_frames(batch([one]), (SIDE, SIDE)).permute(0, 2, 3, 1).numpy()
        split = "test" if turn % 6 == 5 else "train"
        what = Shown(one.action, GOOD_VIEW, split, seed, one.shirt, one.where)
        yield frames[now], frames[now + 1], what


def real(data: Path) -> Iterator[tuple[np.ndarray, np.ndarray, Shown]]:
    """The labelled real clips: their middle, where they are longer."""
    from har_demo.clips.frames import read_frames
    from har_demo.clips.ingest import ingest
    from har_demo.prompts.answer import pairs
    from har_demo.training.data import group_of

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
        what = Shown(called[name], row["dataset"], group, number, dark=row["dataset"] == "arid6")
        yield read_frames(clip, now), read_frames(clip, ahead), what


def main() -> None:
    parser = argparse.ArgumentParser(description="Compute what is trained on, once.")
    parser.add_argument("kind", choices=["rendered", "calm", "real"])
    parser.add_argument("source", help="folder of the clips, or how many")
    parser.add_argument("out", type=Path, help="file to write, without a suffix")
    parser.add_argument("--clips", type=int, help="of rendered clips, only so many")
    arguments = parser.parse_args()
    if arguments.kind == "rendered":
        clips = rendered(Path(arguments.source), arguments.clips)
    elif arguments.kind == "calm":
        clips = calm(int(arguments.source))
    else:
        clips = real(Path(arguments.source))
    found = compute(clips)
    found.save(arguments.out)
    print(f"{len(found.shown)} clips in {arguments.out}")


if __name__ == "__main__":
    main()
