"""Pairs of rendered people with exact flow, from har_demo.research.people.

seed ──▶ take ──some frames apart──▶ 4 frames, rendered, and what is known of their pixels ──▶ 3 pairs
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from har_demo.flow.files import KnownPair
from har_demo.research.people.motion import ACTIONS
from har_demo.research.people.shoot import Batch, ShotSettings, Take, batch, batch_frames, take
from har_demo.research.people.supply import batches
from har_demo.research.people.truth import truth
from har_demo.research.training.flow.augment import Pairs

FRAMES = 4  # of each take
SECONDS, FPS = 2.4, 25.0
SLOWEST = 6  # frames of the take between two that are shown
AT_ONCE = 8  # takes rendered together
FARTHEST = 400.0  # pixels: what moves farther has passed behind the camera


@dataclass(frozen=True)
class People:
    """Takes of FRAMES frames of H × W pixels, kept small.

    Attributes:
        pictures: uint8 [N, FRAMES, 3, H, W].
        flow: float16 [N, FRAMES - 1, 2, H, W].
        visible: bool [N, FRAMES - 1, H, W].
        person: bool [N, FRAMES, H, W].
    """

    pictures: Tensor
    flow: Tensor
    visible: Tensor
    person: Tensor

    def __len__(self) -> int:
        return len(self.flow)

    def pairs(self, which: Tensor, first: Tensor) -> tuple[Pairs, Tensor]:
        """Pairs by take and first frame, int64 [B] each, and where the person is, bool [B, 2, H, W]."""
        flow = self.flow[which, first].float()
        before, after = (self.pictures[which, first + i].float() / 255 for i in (0, 1))
        known = flow.abs().amax(1) < FARTHEST
        person = torch.stack([self.person[which, first + i] for i in (0, 1)], 1)
        return Pairs(before, after, flow, known, self.visible[which, first] & known), person

    def drawn(self, count: int) -> tuple[Pairs, Tensor]:
        """`count` of them, as torch's seed draws them."""
        device = self.flow.device
        which = torch.randint(len(self), (count,), device=device)
        return self.pairs(which, torch.randint(FRAMES - 1, (count,), device=device))


def on(people: Pairs, person: Tensor, scene: Pairs) -> Pairs:
    """The people alone, in front of other scenes of the same size."""
    first, second = person[:, :1], person[:, 1:]
    there = torch.where(first, people.flow, scene.flow)
    known = torch.where(first[:, 0], people.known, scene.known)
    return Pairs(
        torch.where(first, people.before, scene.before),
        torch.where(second, people.after, scene.after),
        there,
        known,
        # What a person may come to stand before is left out rather than looked up.
        first[:, 0] & people.visible,
    )


def render(
    seeds: Sequence[int],
    size: tuple[int, int],
    device: torch.device,
    workers: int = 0,
    until: float = float("inf"),
) -> People:
    """People of (width, height) pixels, one take for each seed, as many as there is time for.

    Args:
        workers: processes that draw takes ahead.
        until: time.monotonic() at which to stop; at least one batch is rendered.
    """
    jobs = [(seed, size[0] / size[1]) for seed in seeds]
    parts = []
    for some in batches(_take, jobs, AT_ONCE, workers):
        parts.append(_known(some.to(device), size))
        if time.monotonic() > until:
            break
    return People(*(torch.cat(values) for values in zip(*parts, strict=True)))


def known_pairs(seeds: Sequence[int], size: tuple[int, int]) -> Iterator[KnownPair]:
    """One pair for each seed, rendered where there is a GPU or else here; the same every time."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for seed in seeds:
        one, first = _take((seed, size[0] / size[1])), seed % (FRAMES - 1)
        two = replace(one, stage=one.stage.frames([first, first + 1]))
        people = People(*_known(batch([two]).to(device), size, frames=2))
        start = torch.zeros(1, dtype=torch.int64, device=device)
        pair, person = people.pairs(start, start)
        yield KnownPair(
            f"people-{seed}",
            people.pictures[0].permute(0, 2, 3, 1).cpu().numpy(),
            torch.where(pair.known[:, None], pair.flow, torch.nan)[0].cpu().numpy(),
            pair.visible[0].cpu().numpy(),
            person[0, 0].cpu().numpy(),
        )


def _take(job: tuple[int, float]) -> Take:
    """Some frames of a take, a seed's own number of frames apart."""
    seed, aspect = job
    chance = np.random.default_rng([seed, 31])
    one = take(ACTIONS[seed % len(ACTIONS)], seed, SECONDS, FPS, ShotSettings(aspect=aspect))
    apart = int(chance.integers(1, SLOWEST + 1))
    first = int(chance.integers(0, len(one) - apart * (FRAMES - 1)))
    chosen = [first + apart * i for i in range(FRAMES)]
    return replace(one, stage=one.stage.frames(chosen))


def _known(some: Batch, size: tuple[int, int], frames: int = FRAMES) -> tuple[Tensor, ...]:
    """People's fields, of a batch of takes of so many frames each."""
    pictures = batch_frames(some, size, samples=2)
    known = truth(some.stage, size)
    # From the last frame of a take to the first of the next nothing moves: that is left out.
    links = torch.arange(len(pictures) - 1, device=pictures.device)
    links = links[links % frames != frames - 1]
    flow = known.flow[links].clamp(-60_000, 60_000).half()
    return (
        pictures.unflatten(0, (-1, frames)),
        flow.unflatten(0, (-1, frames - 1)),
        known.visible[links].unflatten(0, (-1, frames - 1)),
        known.person.unflatten(0, (-1, frames)),
    )
