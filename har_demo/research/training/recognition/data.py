"""Labelled clips become one block of small frames, split so that nobody and no place is on both sides.

Preparing is done once and needs PyAV; training then reads the small copies, also on another machine:

    python -m har_demo.research prepare DATA PREPARED

DATA holds clips.tsv (columns path, dataset, class), where there are more more_clips.tsv (also group and
label39), the clips they name, and UTD-MHAD's recordings of skeletons in utdmhad/skeletons.npz. PREPARED gets

    clips/          ingested copies, for recognition to answer about
    small/          the same frames, SIDE pixels squared, a quarter of the size: what networks are trained on
    examples.json   what they show
    recordings/     the skeletons, by person
"""

import csv
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from har_demo.clips.rendered import SIDE
from har_demo.clips.transforms import transform
from har_demo.errors import ClipError
from har_demo.labels import DATASETS
from har_demo.models.card import ModelInput
from har_demo.recognize.prepared import LabelledClip
from har_demo.recognize.splits import (
    TEST,
    held_out,
    names,
    recording_side,
    shortfalls,
    side_of,
)
from har_demo.research.training.groups import group_of


def prepare(source: Path, target: Path) -> int:
    """Ingest every clip of `source` that has one of our labels; how many there were."""
    from har_demo.clips.ingest import ingest  # needs PyAV, which only this step does

    (target / "clips").mkdir(parents=True, exist_ok=True)
    (target / "small").mkdir(exist_ok=True)
    records = []
    for path, dataset, name, group in labelled(source):
        clip = ingest(source / path)
        copy = re.sub(r"[^\w.-]", "_", path)
        shutil.copyfile(clip.path, target / "clips" / copy)
        _write_small(target / "small" / copy, _squeezed(_decode(clip.path, clip.frames)), clip.fps)
        record = asdict(clip) | {"path": copy}
        records.append({"clip": record, "dataset": dataset, "class": name, "group": group})
    (target / "examples.json").write_text(json.dumps(records, indent=1), encoding="utf-8")
    recordings = source / "utdmhad" / "skeletons.npz"
    if recordings.exists():
        split_recordings(recordings, target / "recordings")
    return len(records)


def labelled(source: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield (path, data set, class, group) of every clip of a folder that shows one of our actions.

    Args:
        source: with clips.tsv, whose groups stand in the files' names, and perhaps more_clips.tsv, which names
            group and action (label39, '' where it is none of ours).
    """
    with open(source / "clips.tsv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            dataset, name = row["dataset"], row["class"]
            if name in DATASETS.get(dataset, {}):
                yield row["path"], dataset, name, group_of(dataset, name, row["path"])
    if (source / "more_clips.tsv").exists():
        with open(source / "more_clips.tsv", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                if row["label39"]:
                    yield row["path"], row["dataset"], row["label39"], row["group"]


def split_report(folder: Path) -> list[str]:
    """Return a line for each data set and split with its clips, then what the data cannot give.

    Args:
        folder: with clips.tsv, or a prepared one.
    """
    if (folder / "examples.json").exists():
        records = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
        clips = [(one["dataset"], one["class"], one["group"]) for one in records]
    else:
        clips = [(dataset, name, group) for _, dataset, name, group in labelled(folder)]
    lines = []
    for dataset in dict.fromkeys(dataset for dataset, _, _ in clips):
        groups = [group for one, _, group in clips if one == dataset]
        for name in names():
            sides = [side_of(dataset, group, name) for group in groups]
            own = sorted(set(groups) & held_out(name, dataset))
            lines.append(
                f"{dataset}, {name}: {sides.count('train')} clips train, {sides.count('held out')} "
                f"{'test' if name == TEST else 'validate'} ({', '.join(own) or 'nobody'})"
            )
    return [*lines, "", "What the data cannot give:", *shortfalls(clips)]


def split_recordings(file: Path, target: Path) -> None:
    """UTD-MHAD's skeletons, keys 'aAA_sS_tT', as SIDE/skeletons.npz for train, validation and test, by person."""
    with np.load(file) as recordings:
        for side in ("train", "validation", "test"):
            (target / side).mkdir(parents=True, exist_ok=True)
            chosen = {
                key: recordings[key]
                for key in recordings.files
                if recording_side("utdmhad", key.split("_")[1]) == side
            }
            np.savez_compressed(target / side / "skeletons.npz", **chosen)


def split(
    examples: Iterable[LabelledClip], name: str
) -> tuple[list[LabelledClip], list[LabelledClip]]:
    """Return (trained on, held out) by a split of har_demo.recognize.splits; a fold uses no test clip."""
    train, held_out = [], []
    for example in examples:
        match side_of(example.dataset, example.group, name):
            case "train":
                train.append(example)
            case "held out":
                held_out.append(example)
    return train, held_out


@dataclass(frozen=True)
class VideoDataset:
    """Many clips in one tensor, so that a batch from any of them is one indexing.

    Attributes:
        frames: uint8 [N, 3, SIDE, SIDE], all frames of all clips, one clip after the other, each
            squeezed to a square.
        first: int64 [clips], where each clip begins in `frames`.
        count: int64 [clips], how many frames it has.
        fps: float32 [clips].
        labels: int64 [clips].
        weights: float32 [clips], how often to draw each in training.
        fields: int8 [N, 2, h, w], optical flow from each frame on, as training.motion has it; None
            where nobody reads it.
    """

    frames: Tensor
    first: Tensor
    count: Tensor
    fps: Tensor
    labels: Tensor
    weights: Tensor
    fields: Tensor | None = None

    def to(self, device: torch.device) -> "VideoDataset":
        return VideoDataset(**{name: value.to(device) for name, value in self._tensors().items()})

    def _tensors(self) -> dict[str, Tensor]:
        return {name: value for name, value in vars(self).items() if value is not None}

    def save(self, file: Path) -> None:
        """Write to a file, which is complete as soon as it has its name."""
        part = file.with_suffix(".part")
        torch.save({name: value.cpu() for name, value in self._tensors().items()}, part)
        part.replace(file)

    @classmethod
    def read(cls, file: Path) -> "VideoDataset":
        """Read what `save` wrote; frames come from the disk when they are first used."""
        return cls(**torch.load(file, mmap=True, weights_only=True))


def load(examples: Sequence[LabelledClip]) -> VideoDataset:
    """Decode examples into memory, about 4 MB for a clip of 66 frames.

    Each class of each data set is drawn equally often, however many clips it has.
    """

    def frames(example: LabelledClip) -> Tensor:
        return torch.from_numpy(_decode(example.small, example.clip.frames)).permute(0, 3, 1, 2)

    with ThreadPoolExecutor() as threads:
        clips = list(threads.map(frames, examples))
    kinds = [(example.dataset, example.label) for example in examples]
    return footage(
        clips,
        fps=[example.clip.fps for example in examples],
        labels=[example.label for example in examples],
        weights=[1 / kinds.count(kind) for kind in kinds],
    )


def _decode(file: Path, count: int) -> np.ndarray:
    """All `count` frames of one of our copies, uint8 [T, H, W, 3].

    With OpenCV, which is at hand where networks are trained, and gives the pixels that decord gives in
    recognition.

    Raises:
        ClipError: frames are missing.
    """
    video = cv2.VideoCapture(str(file))
    frames = []
    while (read := video.read())[0]:
        frames.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    video.release()
    if len(frames) != count:
        raise ClipError(f"{file} has {len(frames)} readable frames of {count}.")
    return np.stack(frames)


def _squeezed(frames: np.ndarray) -> np.ndarray:
    """The same frames at SIDE × SIDE pixels."""
    square = ModelInput(
        frames=1,
        fps=1,
        resize=(SIDE, SIDE),
        crop=(SIDE, SIDE),
        mean=(0, 0, 0),
        std=(1 / 255, 1 / 255, 1 / 255),
        antialias=True,
    )
    small = transform(frames, square)[0].round().to(torch.uint8)
    return small.permute(0, 2, 3, 1).contiguous().numpy()


def _write_small(file: Path, frames: np.ndarray, fps: float) -> None:
    """Frames as H.264 with next to no loss: two or three grey levels of 255 in a pixel."""
    from av import VideoFrame

    from har_demo.clips.writer import open_mp4

    with open_mp4(file) as container:
        stream = container.add_stream(
            "libx264",
            rate=Fraction(fps).limit_denominator(10_000),
            options={"crf": "12", "preset": "slow", "bf": "0"},
        )
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv444p"  # colour at every pixel: they are few enough
        for frame in frames:
            container.mux(stream.encode(VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def footage(
    clips: Sequence[Tensor], fps: Sequence[float], labels: Sequence[int], weights: Sequence[float]
) -> VideoDataset:
    """Join clips, uint8 [T, 3, SIDE, SIDE] each."""
    count = torch.tensor([len(clip) for clip in clips])
    return VideoDataset(
        frames=torch.cat(list(clips)),
        first=count.cumsum(0) - count,
        count=count,
        fps=torch.tensor(fps, dtype=torch.float32),
        labels=torch.tensor(labels),
        weights=torch.tensor(weights, dtype=torch.float32),
    )
