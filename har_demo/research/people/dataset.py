"""A labelled data set out of nothing but a seed: shards of small clips, and an index.

    DIR/index.csv          one line a clip: number, split, file, row, action, label, seed, dark
    DIR/train-000.npz      frames uint8 [N, 16, 112, 112, 3], joints float32 [N, 16, 20, 3],
                           labels int64 [N], seeds int64 [N],
                           names: what the labels mean, label_set: what those names are called

Labels are those of the models: indices of har_demo.labels.EVERYDAY.
Every clip has a seed, a person and a place of its own, so no split has seen those of another. All
actions are equally frequent in all splits, but for what is left over when the clips do not divide.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from har_demo.labels import EVERYDAY, LABEL_SET, class_of
from har_demo.research.people.motion import ACTIONS
from har_demo.research.people.shoot import Take, batch, batch_frames, take

FRAMES, SIDE, FPS = 16, 112, 8
SHARD = 250  # clips in a file, 150 MB in memory
AT_ONCE = 25  # clips rendered together
SPLITS = ("train",) * 8 + ("val", "test")  # ten clips of every action, in turn


@dataclass(frozen=True)
class DatasetEntry:
    """One clip to be: its number, split, file and the row in it, its action and label, its seed.

    The action is one of motion.ACTIONS, the label what the models call it: an index of EVERYDAY.
    """

    number: int
    split: str
    file: str
    row: int
    action: str
    label: int
    seed: int


def plan(clips: int, seed: int = 0, actions: Sequence[str] = ACTIONS) -> list[DatasetEntry]:
    """Return the clips of the data set of a seed, in order."""
    filled = dict.fromkeys(SPLITS, 0)
    entries = []
    for number in range(clips):
        turn, which = divmod(number, len(actions))
        action = actions[which]
        split = SPLITS[turn % len(SPLITS)]
        shard, row = divmod(filled[split], SHARD)
        filled[split] += 1
        own_seed = seed * 1_000_003 + number
        file = f"{split}-{shard:03}.npz"
        label = class_of("people", action)
        entries.append(DatasetEntry(number, split, file, row, action, label, own_seed))
    return entries


def write(
    folder: Path,
    clips: int,
    seed: int = 0,
    actions: Sequence[str] = ACTIONS,
    device: torch.device | str = "cpu",
    on_progress: Callable[[float], None] = lambda done: None,
) -> list[DatasetEntry]:
    """Render the data set into a folder; on a processor its arrays are the same every time."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = plan(clips, seed, actions)
    darkness, done = {}, 0
    for file in dict.fromkeys(entry.file for entry in entries):
        shard = [entry for entry in entries if entry.file == file]
        frames, joints = [], []
        for start in range(0, len(shard), AT_ONCE):
            takes = [_take(entry) for entry in shard[start : start + AT_ONCE]]
            seen = batch_frames(batch(takes).to(device), (SIDE, SIDE))
            frames.append(seen.unflatten(0, (len(takes), FRAMES)).permute(0, 1, 3, 4, 2).cpu())
            joints += [one.joints((SIDE, SIDE)) for one in takes]
            darkness |= {one.seed: one.dark for one in takes}
            done += len(takes)
            on_progress(done / clips)
        np.savez_compressed(
            folder / file,
            frames=torch.cat(frames).numpy(),
            joints=np.stack(joints),
            labels=np.array([entry.label for entry in shard]),
            seeds=np.array([entry.seed for entry in shard]),
            names=np.array(EVERYDAY),
            label_set=np.array(LABEL_SET),
        )
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as out:
        rows = [asdict(entry) | {"dark": int(darkness[entry.seed])} for entry in entries]
        table = csv.DictWriter(out, rows[0])
        table.writeheader()
        table.writerows(rows)
    return entries


def _take(entry: DatasetEntry) -> Take:
    return take(entry.action, entry.seed, FRAMES / FPS, FPS)
