"""Which of a card's public sources answers, so that a network is fed as its publisher fed it.

1. the one that a person names
2. of the user's own file, the one whose layout the file has
3. the first whose file is here
4. the first
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor, nn

from har_demo.errors import ChoiceError, UserError
from har_demo.models.card import ModelCard, Source
from har_demo.models.key_map import State
from har_demo.models.without_numbers import without_numbers

from . import hub, package_index, shipped
from .untrusted import read_untrusted

_recognised: dict[tuple, Source | None] = {}
_opened: dict[tuple, dict[str, Tensor]] = {}
"""The file that was read last to see whose it is, kept until it is loaded: reading takes seconds."""


def of_request(card: ModelCard, file: str | Path | None = None, name: str = "") -> ModelCard:
    """Return the card with the source that answers a request alone (see ModelCard.of_source).

    Args:
        card: the model's.
        file: the user's own file, or None.
        name: of a source, or '' for any.

    Raises:
        ChoiceError: the card has no source of that name.
    """
    if name:
        return card.of_source(named(card, name))
    if file is not None:
        source = _of_file(card, Path(file))
        return card.of_source(source) if source else card
    if not card.weights or shipped.has(card.name):
        return card
    if len({source.name for source in card.weights}) < 2:
        return card.of_source(card.weights[0]) if card.weights[0].build else card
    if card.package and package_index.path(card.package):
        return card.of_source(card.weights[0])
    here = (s for s in card.weights if all(path.is_file() for path in hub.paths(s)))
    return card.of_source(next(here, card.weights[0]))


def named(card: ModelCard, name: str) -> Source:
    """Return the source of that name.

    Raises:
        ChoiceError: there is none; the sentence names those there are.
    """
    for source in card.sources:
        if source.name == name:
            return source
    known = ", ".join(dict.fromkeys(source.name for source in card.sources))
    advice = f"choose {known}" if known else "it has no public weights"
    raise ChoiceError(f"{card.title} has no weights from '{name[:60]}': {advice}.")


def chosen_sources(given: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """['slow_r50=mmaction2'] becomes {'slow_r50': 'mmaction2'}; of one model 'mmaction2' is enough."""
    chosen = {}
    for one in given:
        name, equals, source = one.partition("=")
        if not equals and len(names) == 1:
            name, source = names[0], one
        if not source:
            raise ChoiceError(
                f"A publisher of weights is given as model=PUBLISHER, not as '{one[:60]}'."
            )
        if name not in names:
            raise ChoiceError(
                f"A publisher is given for {name[:60]}, which is not among the models."
            )
        chosen[name] = source
    return chosen


def read_own(path: Path) -> dict[str, Tensor]:
    """Read the user's own file: `read_untrusted`, unless it was opened just now to see whose it is."""
    found = _opened.pop(_key(path), None)
    return read_untrusted(path) if found is None else found


def whose(card: ModelCard, tensors: State, file: str) -> Source | None:
    """Return the source whose layout some tensors have; None for our own names, or nobody's.

    Several files of one publisher have one layout: then the file's name decides, else the card's order.
    Where no source differs from the card, None does as well.
    """
    if not any(source.input or source.build for source in card.sources):
        return None
    candidates = sorted(card.sources, key=lambda source: hub.file_name(source) != file)
    best, found = _fit(card.build, len(card.classes), tensors), None
    for source in candidates:
        key_map = source.key_map or card.key_map
        mapped = key_map(tensors) if key_map else tensors
        fit = _fit(source.build or card.build, len(card.classes), mapped)
        if fit > best or (fit == best and found is None and hub.file_name(source) == file):
            best, found = fit, source
    return found


def _of_file(card: ModelCard, path: Path) -> Source | None:
    """Return the source of the user's own file; None where it makes no difference or cannot be told."""
    if not any(source.input or source.build for source in card.sources):
        return None
    key = (card.name, *_key(path))
    if key not in _recognised:
        try:
            tensors = read_untrusted(path)
        except UserError:
            return None  # loading it says what is wrong
        _opened.clear()
        _opened[_key(path)] = tensors
        _recognised[key] = whose(card, tensors, path.name)
    return _recognised[key]


def _fit(build: Callable[[int], nn.Module], classes: int, tensors: State) -> int:
    """Count the parameters that tensors fill, less those that no parameter waits for."""
    with without_numbers():
        own = build(classes).state_dict()
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    filled = sum(shapes.get(name) == tensor.shape for name, tensor in own.items())
    return filled - sum(name not in own for name in shapes)


def _key(path: Path) -> tuple:
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return (str(path),)
    return str(path), facts.st_ino, facts.st_size, facts.st_mtime_ns
