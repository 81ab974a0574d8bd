"""Weights that a package brought, beside the file that their publisher has.

    the publisher's file ──▶ read in a process of its own ──▶ our names ──▶ halves ─┐
                                       converted file, halves of ours ──────────────┴▶ tensor by tensor

A package is put together by somebody else than the publisher, and what it brings is kept in half precision:
the two are the same weights if each number is the other's to the rounding of a half.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from har_demo.errors import WeightsError
from har_demo.models.card import ModelCard

from . import hub, package_index, state
from .untrusted import read_untrusted

ROUNDING = 2.0**-11
"""Largest relative error of a number rounded to a half."""

LEAST = 2.0**-25
"""Largest error where a half has no smaller steps."""


@dataclass(frozen=True)
class Comparison:
    """Outcome of a comparison: 'ok', 'wrong', or 'open' where there was nothing to compare with."""

    result: Literal["ok", "wrong", "open"]
    sentence: str


def compare(card: ModelCard) -> Comparison:
    """Compare the converted weights of a card's package with its publisher's file, which is fetched.

    The file stays in the cache. It may be twice as large as stated and no more (hub.download), and what
    it holds is read without running it.
    """
    converted = card.package and package_index.path(card.package)
    if not converted or not card.weights:
        return Comparison("open", f"No package brought the weights of {card.title}.")
    source = card.weights[0]
    try:
        file = hub.fetch(source)
    except hub.FetchError as reason:
        words = f"Not compared with the file of {source.name or 'its publisher'}: {reason}."
        return Comparison("open", words)
    try:
        theirs = read_untrusted(file)
    except WeightsError as problem:
        return Comparison("open", f"Not compared with {file.name}: {problem}")
    key_map = source.key_map or card.key_map
    theirs = key_map(theirs) if key_map else theirs
    ours = state.read(converted)
    other = [name for name in ours if not _same(ours[name], theirs.get(name))]
    if other:
        words = f"{len(other)} of its {len(ours)} tensors are not those of {file.name}, such as {other[0]}"
        return Comparison("wrong", f"{words}: they are other weights.")
    words = f"All {len(ours)} tensors are those of {file.name} to the rounding of half precision."
    return Comparison("ok", words)


def _same(half: Tensor, full: Tensor | None) -> bool:
    if full is None or full.shape != half.shape:
        return False
    full = full.double()
    return bool(torch.all((half.double() - full).abs() <= full.abs() * ROUNDING + LEAST))
