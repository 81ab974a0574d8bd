"""Public files of parameters: where they are kept once fetched, and how they are fetched.

A download runs in a thread of its own and those who want the file watch it. So two users wait for
one download, and a name server or a peer that never answers holds up nobody: a socket's timeout
does not cover looking up names, a watcher does.
"""

import errno
import hashlib
import http.client
import os
import socket
import ssl
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from har_demo import storage
from har_demo.errors import InternalError
from har_demo.models.card import Source

from .state import megabytes

ANSWER_SECONDS = 4.0
"""How long a server may take until it begins to answer."""

STALL_SECONDS = 10.0
LEAST_BYTES = 64 * 1024
"""A download ends when fewer bytes than this arrive in STALL_SECONDS."""

REMEMBER_SECONDS = 30.0
"""How long a failure stands before the network is tried again."""

CHUNK = 256 * 1024


class FetchError(Exception):
    """The file cannot be had; the message is a short reason without a full stop."""


@dataclass
class _Download:
    """One file on its way; the downloading thread writes it, the watchers read it."""

    source: Source
    target: Path
    expected: int
    received: int = 0
    answered: bool = False
    partial: Path | None = None
    reason: str | None = None
    fault: Exception | None = None
    finished: threading.Event = field(default_factory=threading.Event)
    # Since when the download has owed its next LEAST_BYTES, and how many it had then.
    mark: float = field(default_factory=time.monotonic)
    marked: int = 0

    @property
    def host(self) -> str:
        return urlsplit(self.source.url).hostname or self.source.url


_lock = threading.Lock()
_running: dict[str, _Download] = {}
_failures: dict[str, tuple[float, str]] = {}


def folder() -> Path:
    """Return the folder of fetched weights."""
    return storage.root() / "weights"


def path(source: Source) -> Path:
    """Return the file's place once fetched, whether it is there or not; only complete files get this name."""
    return folder() / Path(urlsplit(source.url).path).name


def offline() -> bool:
    """Return True when HF_HUB_OFFLINE forbids the network, by the words huggingface_hub takes for yes."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def fetch(source: Source, on_progress: Callable[[float], None] | None = None) -> Path:
    """Download the file unless it is here, and return where it is.

    Whoever asks while it is on its way waits for the same download. After a failure the same file
    is refused at once for half a minute, and so is everything of a host that did not answer.

    Args:
        source: where it is, and the leading part of its sha256.
        on_progress: called with the share that has arrived (0..1), ten times a second.

    Raises:
        FetchError: with the reason in a few words, at most `ANSWER_SECONDS` after the call when
            nothing answers, and `STALL_SECONDS` after the last bytes when they stop coming.
        InternalError: fetching failed because of us, not of the network, the server or the disk.
    """
    target = path(source)
    with _lock:
        download = _running.get(source.url)
        if download is None:
            if target.is_file():
                return target
            if offline():
                raise FetchError("HF_HUB_OFFLINE is set")
            _refuse_what_just_failed(source)
            download = _Download(source, target, expected=source.bytes)
            _running[source.url] = download
            threading.Thread(target=_run, args=(download,), daemon=True).start()

    while not download.finished.wait(0.1):
        reason = _stalled(download)
        if reason:
            _finish(download, reason)
        elif on_progress:
            on_progress(min(1.0, download.received / max(1, download.expected)))
    if download.fault:
        raise InternalError(f"Fetching {source.url} failed.") from download.fault
    if download.reason:
        raise FetchError(download.reason)
    if on_progress:
        on_progress(1.0)
    return target


def forget_failures() -> None:
    """Try again at once what failed a moment ago."""
    with _lock:
        _failures.clear()


def _refuse_what_just_failed(source: Source) -> None:
    for key in (urlsplit(source.url).hostname or source.url, source.url):
        when, reason = _failures.get(key, (-REMEMBER_SECONDS, ""))
        if time.monotonic() - when < REMEMBER_SECONDS:
            raise FetchError(reason)


def _stalled(download: _Download) -> str | None:
    """Return the reason to give up a download now, or None while it makes its way."""
    now = time.monotonic()
    if not download.answered:
        waited = now - download.mark > ANSWER_SECONDS
        return f"{download.host} does not answer" if waited else None
    if download.received - download.marked >= LEAST_BYTES:
        download.mark, download.marked = now, download.received
    if now - download.mark > STALL_SECONDS:
        return f"{download.host} stopped sending after {megabytes(download.received)}"
    return None


def _finish(download: _Download, reason: str | None) -> None:
    """End a download once, by its thread or by a watcher that gave up on it."""
    with _lock:
        if download.finished.is_set():
            return
        if reason is None:
            assert download.partial is not None
            os.replace(download.partial, download.target)
        else:
            # A host that never answered is not asked for its other files either.
            key = download.source.url if download.answered else download.host
            if download.fault is None:
                _failures[key] = (time.monotonic(), reason)
            if download.partial:
                download.partial.unlink(missing_ok=True)
        download.reason = reason
        _running.pop(download.source.url, None)
        download.finished.set()


def _run(download: _Download) -> None:
    try:
        _receive(download)
        _finish(download, None)
    except (FetchError, OSError, http.client.HTTPException, ValueError) as error:
        # Whatever the network, the server or the disk does must reach the watchers as a reason.
        download.answered |= isinstance(error, urllib.error.HTTPError)
        _finish(download, _reason(error, download))
    except Exception as error:
        download.fault = error
        _finish(download, type(error).__name__)
    finally:
        if download.partial:
            download.partial.unlink(missing_ok=True)


def _receive(download: _Download) -> None:
    """Download into a partial file and check size and hash."""
    source, digest = download.source, hashlib.sha256()
    request = urllib.request.Request(source.url, headers={"User-Agent": "har-demo"})
    with urllib.request.urlopen(request, timeout=STALL_SECONDS) as response:
        length = response.headers.get("Content-Length")
        if length:
            download.expected = int(length)
        download.mark = time.monotonic()
        download.answered = True

        download.target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(download.target)
        handle, partial = tempfile.mkstemp(
            prefix=f"{download.target.name}.", suffix=".part", dir=download.target.parent
        )
        download.partial = Path(partial)
        with os.fdopen(handle, "wb") as file:
            while chunk := response.read1(CHUNK):
                if download.finished.is_set():
                    return  # a watcher gave up
                if download.received + len(chunk) > 2 * source.bytes + CHUNK:
                    raise FetchError(f"the file is far larger than {megabytes(source.bytes)}")
                file.write(chunk)
                digest.update(chunk)
                download.received += len(chunk)

    if length and download.received != int(length):
        raise http.client.IncompleteRead(b"", int(length) - download.received)
    received = digest.hexdigest()
    if not received.startswith(source.sha256):
        expected = source.sha256[:8]
        raise FetchError(
            f"what came is not the published file (sha256 {received[:8]}, not {expected})"
        )


def _remove_leftovers(target: Path) -> None:
    """Delete partial files that a process left behind when it was killed."""
    for old in target.parent.glob(f"{target.name}.*.part"):
        try:
            if time.time() - old.stat().st_mtime > 3600:
                old.unlink()
        except FileNotFoundError:
            pass


def _reason(error: Exception, download: _Download) -> str:
    """Return the error in a few words for a person."""
    host = download.host
    if isinstance(error, urllib.error.HTTPError):
        return f"{host} says {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        error = error.reason
    match error:
        case FetchError():
            return str(error)
        case socket.gaierror():
            return f"the address of {host} is not found"
        case TimeoutError() if download.answered:
            return f"{host} stopped sending after {megabytes(download.received)}"
        case TimeoutError():
            return f"{host} does not answer"
        case ssl.SSLError():
            return f"the connection to {host} is not secure"
        case http.client.IncompleteRead() | ConnectionResetError():
            return f"the connection broke after {megabytes(download.received)}"
        case ConnectionRefusedError():
            return f"{host} refuses the connection"
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return "the disk is full"
        case OSError() if error.strerror:
            return error.strerror[0].lower() + error.strerror[1:]
    return f"{host} gave an answer that makes no sense ({type(error).__name__})"
