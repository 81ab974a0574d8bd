"""Bounds of what visitors send: refused by a sentence before it is taken in where the disk or its share is full.

POST /gradio_api/upload             a file: free space, and all uploads together
a file named by its address         the same, and the size of one file
any other POST                      small
POST /gradio_api/process_recording  not needed here: refused
"""

import asyncio
import math
import os
import shutil
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from tempfile import mkstemp
from typing import Any
from urllib.parse import urlparse

import gradio as gr
import httpx
import safehttpx
from anyio.to_thread import run_sync
from gradio import processing_utils
from gradio.utils import get_upload_folder
from gradio_client.utils import strip_invalid_filename_characters
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.responses import PlainTextResponse

from har_demo.clips.probe import limits
from har_demo.interface import sweeper

FREE = 500
"""Megabytes of the disk that uploads leave free, unless HAR_FREE_MB says other."""
SMALL = 16_000_000
"""Bytes that any other request may have: settings, prompts, a short clip that an assistant sends as text."""
PATIENCE = 600.0  # seconds for a file that is named by its address
REDIRECTS = 10

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[MutableMapping, Receive, Callable], Awaitable[None]]

_coming: dict[object, float] = {}
"""Bytes of the uploads under way that have not arrived yet."""


def bounded(app: App) -> App:
    """Wrap an ASGI app, so that requests which would fill the disk or the memory are refused."""

    async def answer(scope: MutableMapping, receive: Receive, send: Callable) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = int(headers.get("content-length") or 0)
        last = scope["path"].rstrip("/").rpartition("/")[2]
        if "transfer-encoding" in headers:
            status, refusal = 411, "Say how large the request is, with a Content-Length header."
        elif last == "process_recording":
            status, refusal = 404, "Recordings are not processed here: upload the file as it is."
        elif last == "upload":
            status, refusal = 507, await run_sync(no_room, length)
        else:
            status, refusal = 413, too_large(length, SMALL / 1e6)
        if refusal:
            await PlainTextResponse(refusal, status)(scope, receive, send)
        elif last == "upload":
            await _take(app, length, scope, receive, send)
        else:
            await app(scope, receive, send)

    return answer


async def _take(
    app: App, length: int, scope: MutableMapping, receive: Receive, send: Callable
) -> None:
    """Let an upload in, and count what of it is still to come."""
    upload = object()
    _coming[upload] = length

    async def counted() -> Message:
        message = await receive()
        if message["type"] == "http.disconnect" and _coming[upload] > 0:
            # Of all that may go wrong, only after this does Gradio delete what has come.
            raise MultiPartException("The upload was broken off.")
        _coming[upload] -= len(message.get("body", b""))
        return message

    try:
        await app(scope, counted, send)
    finally:
        del _coming[upload]


def no_room(length: float) -> str | None:
    """Return a sentence if so many bytes of uploads have no room, and None if they have."""
    coming = sum(list(_coming.values()))
    floor = float(os.environ.get("HAR_FREE_MB") or FREE) * 1e6
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    if sweeper.make_room(length + coming) < length + coming:
        return (
            "There are as many uploads on this server as it may keep: try again in half an hour, "
            "or take a smaller file."
        )
    if shutil.disk_usage(folder).free - coming - length < floor:
        return "The disk of this server is almost full, so it takes no uploads: try again later."
    return None


def too_large(length: float, megabytes: float) -> str | None:
    """Return a sentence if so many bytes are over a limit, and None if not."""
    if length <= megabytes * 1e6:
        return None
    return (
        f"This has {math.ceil(length / 1e6)} MB and the limit is {megabytes:g} MB: "
        "cut it shorter or save it smaller."
    )


def bound_downloads() -> None:
    """Let Gradio fetch files that are named by an address with `download`: its own way knows no limit."""
    processing_utils.async_ssrf_protected_download = download


async def download(url: str, cache_dir: str) -> str:
    """Fetch a file from a public address into Gradio's folder and return its path.

    Raises:
        gr.Error: it is too large, has no room, comes too slowly or cannot be had; one sentence says so.
    """
    folder = Path(cache_dir) / processing_utils.hash_url(url)
    name = strip_invalid_filename_characters(Path(urlparse(url).path.rstrip("/")).name) or "file"
    target = folder / name
    if target.exists():
        os.utime(target)
        return str(target)
    try:
        async with asyncio.timeout(PATIENCE):
            await _fetch(url, target)
    except gr.Error:  # which is a ValueError
        raise
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as problem:
        raise _error(
            f"'{name}' cannot be fetched from its address: upload the file instead."
        ) from problem
    return str(target)


async def _fetch(url: str, target: Path) -> None:
    for _ in range(REDIRECTS):
        host = httpx.URL(url).host
        # Every host on the way has to be a public one; the hub's may look otherwise from within a Space.
        known = safehttpx.matches_domain_whitelist(host, processing_utils.PUBLIC_HOSTNAME_WHITELIST)
        transport = processing_utils.async_transport or (
            None
            if known
            else safehttpx.AsyncSecureTransport(await safehttpx.async_validate_url(host))
        )
        async with (
            httpx.AsyncClient(transport=transport, timeout=30) as client,
            client.stream("GET", url) as response,
        ):
            if response.has_redirect_location:
                url = str(response.url.join(response.headers["Location"]))
                continue
            response.raise_for_status()
            await _save(response, target)
            return
    raise httpx.TooManyRedirects("too many redirects")


async def _save(response: httpx.Response, target: Path) -> None:
    most = limits().megabytes
    stated = int(response.headers.get("content-length") or 0)
    if refusal := too_large(stated, most) or await run_sync(no_room, stated):
        raise _error(refusal)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, part = mkstemp(dir=target.parents[1])
    size, room = 0, stated
    try:
        with os.fdopen(handle, "wb") as file:
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                refusal = too_large(size, most)
                if size > room:  # more comes than was stated
                    room += SMALL
                    refusal = refusal or await run_sync(no_room, SMALL)
                if refusal:
                    raise _error(refusal)
                await run_sync(file.write, chunk)
        os.replace(part, target)
    finally:
        Path(part).unlink(missing_ok=True)


def _error(sentence: str) -> gr.Error:
    return gr.Error(sentence, print_exception=False)
