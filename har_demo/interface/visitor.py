"""Who asks: a page or a program, where from, and whether somebody still waits for the answer.

Gradio goes on with what it has begun when a page or a client has left or has cancelled. `Departures` notices
connections that break, and `gone` tells the work. A tool that an assistant calls (MCP) is called once
more by Gradio itself, in the name of all assistants: so each call is given a name, by which it is known inside.
"""

import asyncio
import json
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from gradio.context import LocalContext
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from har_demo.interface import stopping

GRACE = 15.0
"""Seconds for which an answer may be worked on while no connection of whoever asked is open."""
CALL, FROM = "x-mcp-call", "x-mcp-from"
"""Headers: the name of a call of a tool, and the address it came from."""

_left: deque[str] = deque(maxlen=1000)
"""The latest calls of tools whose caller has gone."""
_cleaning: set[asyncio.Task] = set()
_open: Counter[str] = Counter()
"""Connections on which answers are waited for, or that show that a page is open, by session or event."""


@dataclass(frozen=True)
class Visitor:
    """One who asks.

    Attributes:
        session: names a page that is open, or a client of the API.
        address: of the machine; behind a proxy it is the proxy's, unless FORWARDED_ALLOW_IPS names that.
    """

    session: str
    address: str


def visitor() -> Visitor:
    """Return who asks what this thread works on."""
    request = LocalContext.request.get(None)
    client = getattr(request, "client", None)
    address = client.host if client else ""
    if call := _header(CALL):
        return Visitor(call, _header(FROM) or address)
    return Visitor(getattr(request, "session_hash", None) or uuid.uuid4().hex, address)


def gone() -> Callable[[], bool]:
    """Return a function that tells whether whoever asked what this thread works on has gone."""
    blocks, event = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    if blocks is None or event is None:
        return lambda: False
    call, asked = _header(CALL), LocalContext.request.get(None)
    session = getattr(asked, "session_hash", None)
    heard = time.monotonic()

    def left() -> bool:
        nonlocal heard
        if call in _left:
            return True
        if _open[session] or _open[event]:
            heard = time.monotonic()
        running = (one for events in blocks._queue.active_jobs for one in events or ())
        waited_for = any(one._id == event and one.alive for one in running)
        return not waited_for or time.monotonic() - heard > GRACE

    return left


class Departures:
    """Note when a connection breaks on which somebody waits for an answer; an ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        name = path.rpartition("/")[2]
        if "/gradio_api/mcp" in path:
            await self._call(scope, receive, send)
        elif path.endswith("/gradio_api/queue/data"):
            query = parse_qs(scope["query_string"].decode("latin-1"))
            session = query.get("session_hash", [""])[0]
            await self._stream(scope, receive, send, session, {"session_hash": session})
        elif "/gradio_api/heartbeat/" in path:  # open as long as the page or the program is
            await self._stream(scope, receive, send, name, {"session_hash": name})
        elif "/gradio_api/call/" in path and scope["method"] == "GET":
            await self._stream(scope, receive, send, name, {"event_id": name})
        elif path.endswith("/gradio_api/cancel") and scope["method"] == "POST":
            await self._cancel(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a call of a tool under a name of its own, which Gradio gives to what it asks for it."""
        name, client = uuid.uuid4().hex, scope.get("client")
        ours = {CALL: name, FROM: client[0] if client else ""}
        headers = [pair for pair in scope["headers"] if pair[0].decode("latin-1") not in ours]
        headers += [(key.encode(), value.encode()) for key, value in ours.items()]

        async def watched() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                _left.append(name)
            return message

        await self.app({**scope, "headers": headers}, watched, send)

    async def _cancel(self, scope: Scope, receive: Receive, send: Send) -> None:
        """End one call of a program; Gradio would end all its calls of that endpoint, and never say so."""
        body = await Request(scope, receive).body()
        try:
            given = json.loads(body)
            asked = {key: given[key] for key in ("session_hash", "fn_index", "event_id")}
        except (ValueError, TypeError, KeyError):
            asked = {}
        running = scope["app"].get_blocks()._queue.active_jobs
        siblings = [
            one._id
            for events in running
            for one in events or ()
            if asked
            and (one.session_hash, one.fn._id) == (asked["session_hash"], asked["fn_index"])
        ]
        if len(siblings) > 1 and asked["event_id"] in siblings:
            stopping.stop_event(asked["event_id"])
            await JSONResponse({"success": True})(scope, receive, send)
            return

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again, send)

    async def _stream(
        self, scope: Scope, receive: Receive, send: Send, name: str, events: dict[str, str]
    ) -> None:
        """Pass on a stream of answers, and let its events die with the last of these that breaks."""
        state = "open"

        def close(how: str) -> None:
            nonlocal state
            if state == "open":
                state = how
                _open[name] -= 1
                if not _open[name]:
                    del _open[name]

        async def watched() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect" and state == "open":
                close("broken")
                if name not in _open:
                    # Not within the task of this connection, which is about to end.
                    queue = scope["app"].get_blocks()._queue
                    cleaning = asyncio.create_task(queue.clean_events(**events))
                    _cleaning.add(cleaning)
                    cleaning.add_done_callback(_cleaning.discard)
            return message

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                close("answered")
            await send(message)

        _open[name] += 1
        try:
            await self.app(scope, watched, sent)
        finally:
            close("ended")


def _header(name: str) -> str:
    headers = getattr(LocalContext.request.get(None), "headers", None)
    return headers.get(name, "") if headers is not None else ""
