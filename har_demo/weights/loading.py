"""A card becomes a network with its parameters, from the first source that has them.

    1. the user's own file
    2. checkpoints/, shipped with the repository
    3. the public hub: a file fetched earlier, or fetched now

Without any there is no network: a sentence says what is missing, how large it is and what to do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from torch import nn

from har_demo.errors import WeightsError
from har_demo.models.card import ModelCard, Source

from . import hub, shipped, state
from .state import megabytes, sha256
from .untrusted import read_untrusted


@dataclass(frozen=True)
class Provenance:
    """Origin of the parameters that answered: 'user', 'shipped', 'hub' or 'packaged', the file's name and its sha256."""

    source: Literal["user", "shipped", "hub", "packaged"]
    file: str
    sha256: str
    note: str = ""


@dataclass(frozen=True)
class Availability:
    """Availability of a model's weights now.

    Attributes:
        state: 'shipped' and 'cached' are here, 'download' must be fetched first, 'missing' cannot be had.
        bytes: size of the file, 0 when there is none anywhere.
        sentence: the same for people.
    """

    state: Literal["shipped", "cached", "download", "missing"]
    bytes: int
    sentence: str


def availability(card: ModelCard) -> Availability:
    """Return the source that the card's weights would come from now. Looks at file names only: fast, and no network."""
    try:
        entry = shipped.entry(card.name)
    except WeightsError as error:
        return Availability("missing", 0, str(error))
    if entry and shipped.path(entry).is_file():
        size = shipped.path(entry).stat().st_size
        return Availability("shipped", size, f"Weights come with the app ({megabytes(size)}).")
    for source in card.weights:
        if hub.path(source).is_file():
            size = hub.path(source).stat().st_size
            sentence = f"Weights were fetched earlier ({megabytes(size)})."
            return Availability("cached", size, sentence)
    if not card.weights:
        return Availability("missing", 0, _nowhere(card.title))
    source = card.weights[0]
    stated, host = megabytes(source.bytes), urlsplit(source.url).hostname
    if hub.offline():
        sentence = f"Weights ({stated}) are not here, and the app is set to stay offline."
        return Availability("missing", source.bytes, sentence)
    sentence = f"Weights ({stated}) will be fetched from {host} at the first question."
    return Availability("download", source.bytes, sentence)


def load(
    card: ModelCard,
    user_file: str | Path | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> tuple[nn.Module, Provenance]:
    """Return the card's network with its parameters: a new one at every call, the caller's own.

    Args:
        card: which model.
        user_file: the user's own parameters; when given, nothing else is tried.
        on_progress: called with the share of a download that has arrived (0..1).

    Returns:
        The network in evaluation mode, float32, on the CPU, and where its parameters came from.

    Raises:
        WeightsError: they are missing, cannot be fetched, damaged, or belong to another network.

    Example:
        >>> network, provenance = load(card("r3d_18"))
        >>> provenance
        Provenance(source='hub', file='r3d_18-b3b3357e.pth', sha256='b3b3357e...', note='...')
    """
    if user_file is not None:
        path = Path(user_file)
        tensors = read_untrusted(path)
        provenance = Provenance("user", path.name, sha256(path), "the user's own file")
    elif (entry := shipped.entry(card.name)) is not None:
        path = _shipped_file(card, entry)
        tensors = state.read(path)
        sets = " and ".join(source["name"] for source in entry.get("data", ()))
        note = f"trained by this project on {sets}" if sets else "trained by this project"
        provenance = Provenance("shipped", path.name, sha256(path), note)
    else:
        path = public_file(card.title, card.weights, on_progress)
        source = next(s for s in card.weights if hub.path(s) == path)
        # Without a hash nothing says that this is the publisher's file.
        tensors = state.read(path) if source.sha256 else read_untrusted(path)
        note = f"published at {urlsplit(source.url).hostname}"
        provenance = Provenance("hub", path.name, sha256(path), note)

    network = card.build(len(card.classes))
    state.fill(network, tensors, card, path.name)
    return network.eval(), provenance


def _shipped_file(card: ModelCard, entry: dict) -> Path:
    path = shipped.path(entry)
    if not path.is_file():
        raise WeightsError(
            f"The shipped weights of {card.title} ({path.name}) are missing: fetch checkpoints/ again."
        )
    if sha256(path) != entry.get("sha256"):
        raise WeightsError(
            f"The shipped weights of {card.title} ({path.name}) are damaged, their hash is not the "
            "manifest's: fetch checkpoints/ again."
        )
    if tuple(entry.get("classes", ())) != card.classes:
        raise WeightsError(
            f"The shipped weights of {card.title} ({path.name}) were trained for other classes than "
            "the model names: fetch the repository again."
        )
    return path


def public_file(
    title: str,
    sources: Sequence[Source],
    on_progress: Callable[[float], None] | None = None,
) -> Path:
    """Return the first public file that is here or can be fetched.

    Raises:
        WeightsError: none is and none can; the sentence calls the network by its title.
    """
    if not sources:
        raise WeightsError(_nowhere(title))
    for source in sources:
        path = hub.path(source)
        if path.is_file():
            if sha256(path).startswith(source.sha256):
                return path
            path.unlink()  # damaged since it was fetched

    reasons = []
    for source in sources:
        try:
            return hub.fetch(source, on_progress)
        except hub.FetchError as error:
            reasons.append(str(error))
    first = sources[0]
    when = "online" if hub.offline() else "later"
    raise WeightsError(
        f"weights of {title} ({megabytes(first.bytes)}) are not here and cannot be fetched: "
        f"{reasons[0]}; try again {when}, or give the file {hub.path(first).name} yourself."
    )


def _nowhere(title: str) -> str:
    return (
        f"weights of {title} do not come with the app, and no file is known that could be "
        "fetched: give your own."
    )
