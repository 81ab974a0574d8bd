"""Best picture size and number of corrections for the embedded network of flow.

    python -m har_demo.research flow-sizes

RAFT compares places of 8 × 8 pixels, as large as a forearm in small pictures. Errors are those of pairs
that nobody learned from and that are no part of the published figures (har_demo.research.training.flow.train.tests).
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from har_demo.flow import learned, raft
from har_demo.flow.catalogue import EMBEDDED
from har_demo.research.benchmarks.flow_errors import milliseconds
from har_demo.research.training.flow.augment import Pairs
from har_demo.research.training.flow.train import SPECS, errors, tests

CHOICES = ((1.0, 12), (1.25, 8), (1.25, 12), (1.5, 8), (1.5, 12))
"""How much larger, and corrections; the first is the plain way, as RAFT is published."""


def measure(
    known: dict[str, list[Pairs]], choices: tuple[tuple[float, int], ...] = CHOICES
) -> Iterator[tuple[float, int, float, float, float]]:
    """Of each choice: itself, errors in pixels on shapes and people, and milliseconds for 320 × 240."""
    network, _ = learned.network(EMBEDDED)
    for enlarge, updates in choices:
        correct = partial(raft.answer, updates=updates)
        one = replace(learned.LEARNED[EMBEDDED], enlarge=enlarge, answer=correct)

        def answer(network: nn.Module, before: Tensor, after: Tensor, one=one) -> Tensor:
            return learned.between(one, network, before, after)

        off = errors(replace(SPECS["raft_small"], answer=answer), network, known)

        def of_frames(frames, answer=answer):
            before, after = torch.from_numpy(frames).permute(0, 3, 1, 2).float()[:, None] / 255
            return answer(network, before, after)

        yield enlarge, updates, off["shapes"], off["people"], milliseconds(of_frames)


def lines() -> Iterator[str]:
    """Yield the table of all choices, line by line as they are measured."""
    known = tests(SPECS["raft_small"].plan, torch.device("cpu"))
    yield "enlarged  corrections  shapes  people  ms a pair  of the plain way"
    plain = None
    for enlarge, updates, shapes, people, taken in measure(known):
        plain = plain or taken
        yield (
            f"{enlarge:8}  {updates:11}  {shapes:6.2f}  {people:6.2f}  {taken:9.0f}  {taken / plain:.2f}"
        )
