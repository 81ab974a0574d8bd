"""Public files of parameters: where they are kept once fetched, and how they are fetched.

A download runs in a thread of its own and those who want the file watch it. So two users wait for
one download, and a name server or a peer that never answers holds up nobody: a socket's timeout
does not cover looking up names, a watcher does. A download that breaks off goes on at the next try.
"""

import errno
import hashlib
import http.client
import os
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from har_demo import storage
from har_demo.errors import InternalError
from har_demo.models.card import Source

from .partial import partial_file
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


@dataclass(frozen=True)
class Location:
    """Where a file is to be had now.

    Attributes:
        url: its address.
        headers: of the request, such as a password; sent to this host alone.
        trust: the certificates to trust; None for the system's.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    trust: ssl.SSLContext | None = None


@dataclass
class _Download:
    """One file on its way; the downloading thread writes it, the watchers read it."""

    source: Source
    target: Path
    locate: Callable[[], Location]
    url: str
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
        return urlsplit(self.url).hostname or self.url


_lock = threading.Lock()
_running: dict[str, _Download] = {}
_failures: dict[str, tuple[float, str]] = {}


def folder() -> Path:
    """Return the folder of fetched weights."""
    return storage.root() / "weights"


def path(source: Source) -> Path:
    """Return the file's place once fetched, whether it is there or not; only complete files get this name."""
    return folder() / file_name(source)


def paths(source: Source) -> list[Path]:
    """Return the places of a source's file, or of the files it is in parts."""
    return [path(part) for _, part in source.parts] or [path(source)]


def file_name(source: Source) -> str:
    """Return the name of a source's file."""
    return source.file or Path(urlsplit(source.url).path).name


def offline() -> bool:
    """Return True when HF_HUB_OFFLINE forbids the network, by the words huggingface_hub takes for yes."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def fetch(source: Source, on_progress: Callable[[float], None] | None = None) -> Path:
    """Download the file unless it is here, and return where it is: see `download`."""
    return download(source, path(source), lambda: Location(source.url), on_progress)


def download(
    source: Source,
    target: Path,
    locate: Callable[[], Location],
    on_progress: Callable[[float], None] | None = None,
) -> Path:
    """Download a file to a place of ours unless it is there, and return the place.

    Whoever asks while it is on its way waits for the same download. After a failure the same file
    is refused at once for half a minute, and so is everything of a host that did not answer. What had
    arrived is kept, and the next try asks for the rest, if the file's hash is known.

    Args:
        source: its address, or that of the page that leads to it, and the leading part of its sha256.
        target: where it is kept.
        locate: says where it is now, called in the downloading thread; whatever it raises ends the download.
        on_progress: called with the share that has arrived (0..1), ten times a second.

    Raises:
        FetchError: with the reason in a few words, at most `ANSWER_SECONDS` after the call when
            nothing answers, and `STALL_SECONDS` after the last bytes when they stop coming.
        InternalError: fetching failed because of us, not of the network, the server or the disk.
    """
    with _lock:
        running = _running.get(source.url)
        if running is None:
            if target.is_file():
                return target
            if offline():
                raise FetchError("HF_HUB_OFFLINE is set")
            _refuse_what_just_failed(source)
            running = _Download(source, target, locate, source.url, expected=source.bytes)
            _running[source.url] = running
            threading.Thread(target=_run, args=(running,), daemon=True).start()

    while not running.finished.wait(0.1):
        reason = _stalled(running)
        if reason:
            _finish(running, reason)
        elif on_progress:
            on_progress(min(1.0, running.received / max(1, running.expected)))
    if running.fault:
        raise InternalError(f"Fetching {source.url} failed.") from running.fault
    if running.reason:
        raise FetchError(running.reason)
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
        download.reason = reason
        _running.pop(download.source.url, None)
        download.finished.set()


def _run(download: _Download) -> None:
    try:
        location = download.locate()
        download.mark, download.url = time.monotonic(), location.url
        _receive(download, location)
    except (FetchError, OSError, http.client.HTTPException, ValueError) as error:
        # Whatever the network, the server or the disk does must reach the watchers as a reason.
        download.answered |= isinstance(error, FetchError | urllib.error.HTTPError)
        _finish(download, _reason(error, download))
    except Exception as error:
        download.fault = error
        _finish(download, type(error).__name__)


def _receive(download: _Download, location: Location) -> None:
    """Download into a partial file, and move it into place when it is the published one."""
    with partial_file(download.target) as (file, path):
        download.partial = path
        try:
            _transfer(download, location, file)
        except FetchError:
            path.unlink()  # other bytes than the published ones, or more than the disk can take
            raise
        _finish(download, None)


def _transfer(download: _Download, location: Location, file: BinaryIO, resume: bool = True) -> None:
    """Write what the file lacks, and check its size and hash."""
    source = download.source
    # Without a hash nothing would tell whether the rest belongs to what is there.
    start = file.seek(0, os.SEEK_END) if resume and source.sha256 else 0
    with _open(location, start) as response:
        start = start if response.status == 206 else 0  # else the server sends all of it
        length = response.headers.get("Content-Length")
        if length:
            download.expected = start + int(length)
        file.truncate(start)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
        download.received = download.marked = start
        download.mark = time.monotonic()
        download.answered = True

        while chunk := response.read1(CHUNK):
            if download.finished.is_set():
                raise TimeoutError  # a watcher gave up
            if download.received + len(chunk) > 2 * source.bytes + CHUNK:
                raise FetchError(f"the file is far larger than {megabytes(source.bytes)}")
            _write(file, chunk)
            digest.update(chunk)
            download.received += len(chunk)

    if length and download.received != download.expected:
        raise http.client.IncompleteRead(b"", download.expected - download.received)
    received = digest.hexdigest()
    if received.startswith(source.sha256):
        return
    if start:
        return _transfer(download, location, file, resume=False)
    if not source.certain:
        return  # whoever loads it warns
    expected = source.sha256[:8]
    raise FetchError(f"what came is not the published file (sha256 {received[:8]}, not {expected})")


def _open(location: Location, start: int) -> http.client.HTTPResponse:
    """Ask for a file from its byte `start` on."""
    request = urllib.request.Request(location.url, headers={"User-Agent": "har-demo"})
    for name, value in location.headers.items():
        request.add_unredirected_header(name, value)
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        return urllib.request.urlopen(request, timeout=STALL_SECONDS, context=location.trust)
    except urllib.error.HTTPError as error:
        if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _open(location, 0)
        raise


def _write(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
        file.flush()
    except OSError as error:
        raise FetchError(disk_reason(error)) from error


def disk_reason(error: OSError) -> str:
    """Return in a few words why the disk takes no more."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    words = error.strerror or type(error).__name__
    return words[0].lower() + words[1:]


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
        case OSError() if error.strerror:
            return disk_reason(error)
    return f"{host} gave an answer that makes no sense ({type(error).__name__})"
