"""The part of a list of clips that one process evaluates.

    torchrun --nproc-per-node 4 -m har_demo evaluate ...   RANK, WORLD_SIZE and LOCAL_RANK say which part, on which GPU
    har-demo evaluate --shard 2/8 ...                      the same by hand, such as for an array of jobs

The clips of shard k of n are every n-th one by name, from the k-th on.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from har_demo.errors import ChoiceError
from har_demo.recognize.evaluate import EvalTarget

LARGEST = 100_000


@dataclass(frozen=True)
class Shard:
    """Shard `number` of `count`, counted from 1."""

    number: int
    count: int

    def of(self, targets: Sequence[EvalTarget]) -> list[EvalTarget]:
        """The targets with their clips of this shard; a clip of several models is in one shard for all."""
        names = sorted({clip.name for target in targets for clip in target.eval_set.clips})
        own = set(names[self.number - 1 :: self.count])
        return [
            replace(
                target,
                eval_set=replace(
                    target.eval_set,
                    clips=tuple(clip for clip in target.eval_set.clips if clip.name in own),
                ),
            )
            for target in targets
        ]

    def file(self, path: Path) -> Path:
        """The name of this shard's file: answers.parquet becomes answers-2of8.parquet."""
        return path.with_stem(f"{path.stem}-{self.number}of{self.count}")


def shard_of(words: str | None, environment: Mapping[str, str] = os.environ) -> Shard | None:
    """Return the shard that 'k/n' or torchrun's environment names; None for all clips.

    Raises:
        ChoiceError: the words name no shard.

    >>> shard_of("2/8"), shard_of(None, {"RANK": "1", "WORLD_SIZE": "4"}), shard_of(None, {})
    (Shard(number=2, count=8), Shard(number=2, count=4), None)
    """
    if words is None:
        ranks = int(environment.get("WORLD_SIZE", 1))
        return Shard(int(environment["RANK"]) + 1, ranks) if ranks > 1 else None
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", words)
    if not found or not 1 <= int(found[1]) <= int(found[2]) <= LARGEST:
        shown = "".join(letter for letter in words if letter.isprintable())[:40]
        raise ChoiceError(f"There is no shard '{shown}': give k/n, such as 1/8 to 8/8.")
    return Shard(int(found[1]), int(found[2]))


def device_of(words: str, environment: Mapping[str, str] = os.environ) -> torch.device | None:
    """Return the device that --device names, or the GPU of torchrun's rank; None for the usual one.

    Raises:
        ChoiceError: there is no such device here.
    """
    if not words:
        local = environment.get("LOCAL_RANK")
        if local is None or not torch.cuda.is_available():
            return None
        return torch.device("cuda", int(local) % torch.cuda.device_count())
    if not re.fullmatch(r"cpu|cuda(:\d{1,3})?", words):
        shown = "".join(letter for letter in words if letter.isprintable())[:40]
        raise ChoiceError(f"There is no device '{shown}': give cpu, cuda or cuda:1.")
    device = torch.device(words)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ChoiceError(
            f"There is no device {words} here, only {torch.cuda.device_count()} GPUs: give another, or cpu."
        )
    return device
