"""State dicts of public models: names and shapes, as their own code builds them.

A .tsv.gz file holds a comment that names repository and class, then one tensor a line: its name, a tab, and
its shape as 64x3x7x7x7, or 'scalar'.
"""

import gzip
from collections.abc import Collection
from pathlib import Path

import torch
from torch import Tensor

from har_demo.models.registry import card
from har_demo.models.without_numbers import without_numbers
from har_demo.weights.sources import named
from tests.networks import on_meta

FOLDER = Path(__file__).parent


def read(file: str) -> dict[str, Tensor]:
    """The state dict that a list describes, on the meta device: shapes without numbers."""
    state = {}
    for line in gzip.decompress((FOLDER / f"{file}.tsv.gz").read_bytes()).decode().splitlines():
        if line.startswith("#"):
            continue
        name, shape = line.split("\t")
        size = () if shape in ("scalar", "") else tuple(map(int, shape.split("x")))
        state[name] = torch.empty(size, device="meta")
    return state


def assert_fills(
    file: str, model: str, classes: int = 400, dropped: Collection[str] = (), source: str = ""
) -> None:
    """Every public name is used or named as dropped, every parameter of ours filled, shapes equal.

    Args:
        file: a list of this folder, without its suffix.
        model: name of the card whose map is tested.
        classes: outputs of the public model.
        dropped: the public names that the map leaves out, all of them.
        source: name of the card's source whose layout it is; '' for the card's own map.
    """
    chosen = card(model).of_source(named(card(model), source)) if source else card(model)
    theirs, key_map = read(file), chosen.key_map
    mapped = key_map(theirs)
    assert len(theirs) == len(mapped) + len(dropped)  # and no two became one
    assert not set(dropped) - set(theirs)
    assert set(key_map({name: theirs[name] for name in dropped})) == set()
    if chosen.build is card(model).build:
        ours = on_meta(model, classes).state_dict()
    else:
        with without_numbers():
            ours = chosen.build(classes).state_dict()
    # Counters of batches and tables of indices are not parameters; a list may hold them or not.
    shapes = {name: t.shape for name, t in ours.items() if t.is_floating_point()}
    found = {name: t.shape for name, t in mapped.items() if name in shapes or name not in ours}
    assert found == shapes
