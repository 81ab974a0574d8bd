"""A raw call of an endpoint may leave out its last values, as a client of Gradio may; others are refused by name.

    POST /gradio_api/call/layers   {"data": ["r3d_18"]}

Gradio itself would answer only `{"error": null}`.
"""

import inspect
import json

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from har_demo.interface.api import Endpoint

MOST = 1 << 20
"""Bytes of a call that are looked at; files travel apart from it."""


def complete(values: list, parameters: tuple[inspect.Parameter, ...]) -> list | str:
    """Return all values of a call, the last ones by default, or the sentence that refuses it."""
    if len(values) > len(parameters):
        return f"There are {len(values)} values, but at most {len(parameters)} are known: leave out the others."
    rest = parameters[len(values) :]
    missing = [one.name for one in rest if one.default is inspect.Parameter.empty]
    if missing:
        return f"Values are missing: give also {', '.join(missing)}."
    return values + [one.default for one in rest]


class Completed:
    """Complete raw calls of these endpoints, or refuse them; an ASGI middleware."""

    def __init__(self, app: ASGIApp, endpoints: tuple[Endpoint, ...]) -> None:
        self.app = app
        self.endpoints = {f"/gradio_api/call/{one.name}": one for one in endpoints}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" and scope["method"] == "POST" else ""
        found = next((one for end, one in self.endpoints.items() if path.endswith(end)), None)
        size = dict(scope.get("headers", ())).get(b"content-length", b"")
        if found is None or not size.isdigit() or int(size) > MOST:
            await self.app(scope, receive, send)
            return
        body = await Request(scope, receive).body()
        try:
            given = json.loads(body)
        except ValueError:
            given = None
        if isinstance(given, dict) and isinstance(given.get("data"), list):
            values = complete(given["data"], found.parameters)
            if isinstance(values, str):
                refused = JSONResponse({"error": f"/{found.name}: {values}"}, 422)
                await refused(scope, receive, send)
                return
            body = json.dumps(given | {"data": values}).encode()
            headers = [(k, v) for k, v in scope["headers"] if k != b"content-length"]
            scope = {**scope, "headers": [*headers, (b"content-length", str(len(body)).encode())]}

        sent = False

        async def again() -> Message:
            nonlocal sent
            if sent:
                return await receive()  # says when the connection ends
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again, send)
