"""All models of the project, by name."""

import difflib
import importlib
import pkgutil
import zlib
from functools import cache
from types import ModuleType

from har_demo import models
from har_demo.errors import ChoiceError

from .card import ModelCard


@cache
def files() -> tuple[ModuleType, ...]:
    """Return the modules beside this one that end with cards: a new system is a new file and nothing else."""
    names = (module.name for module in pkgutil.iter_modules(models.__path__))
    modules = (importlib.import_module(f"{models.__name__}.{name}") for name in names)
    return tuple(module for module in modules if hasattr(module, "CARDS"))


@cache
def cards() -> dict[str, ModelCard]:
    """Return every model's card by name, families from the oldest to the newest.

    Inside a family they go by year, then from few parameters to many. Nothing is built or loaded.
    Importing this module takes as long as importing torch and torchvision, about five seconds on
    two cores, and next to nothing on top.
    """
    every = [card for file in files() for card in file.CARDS]
    began: dict[str, int] = {}
    for card in every:
        began[card.family] = min(card.year, began.get(card.family, card.year))
    every.sort(key=lambda c: (began[c.family], c.family, c.year, c.parameters or 0, c.name))
    return {card.name: card for card in every}


def card(name: str) -> ModelCard:
    """Return the card of that name.

    Raises:
        ChoiceError: there is none; the sentence names those that look like it, or says where the list is.
    """
    every = cards()
    if isinstance(name, str) and name in every:
        return every[name]
    requested = str(name)[:60]  # it may come from a link, and is shown to a person
    lower = {known.lower(): known for known in every}
    near = [lower[n] for n in difflib.get_close_matches(requested.lower(), lower, n=3, cutoff=0.5)]
    advice = (
        f"did you mean {_either(near)}?"
        if near
        else f"`python -m har_demo models` lists the {len(every)} there are."
    )
    raise ChoiceError(f"There is no model named '{requested}': {advice}")


def hue(family: str) -> int:
    """Return a family's colour as degrees on the colour wheel: its cards', or one worked out from its name."""
    stated = (card.hue for card in cards().values() if card.family == family)
    return next(
        (degrees for degrees in stated if degrees is not None), zlib.crc32(family.encode()) % 360
    )


def _either(names: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
