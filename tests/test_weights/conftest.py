"""A small network with its card, and a web server on this machine that misbehaves on request."""

import contextlib
import dataclasses
import errno
import hashlib
import os
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from torch import nn

from har_demo.models.card import ModelCard, Source
from har_demo.weights import hub, partial, pip_settings
from tests.test_weights.small import CLASSES, small_card, small_network


@pytest.fixture
def card() -> ModelCard:
    """A model nobody has weights for."""
    return small_card()


@pytest.fixture
def trained() -> nn.Module:
    """The network as training would leave it: all its numbers different from fresh ones."""
    torch.manual_seed(7)
    network = small_network(len(CLASSES)).eval()
    with torch.no_grad():
        for key, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(
                    torch.rand_like(tensor) + 0.5 if "var" in key else torch.randn_like(tensor)
                )
            else:
                tensor.fill_(1000)
    return network


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    """Every test has its own cache and checkpoints, short waits, and no memory of failures."""
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HAR_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    # Whatever this machine's pip is configured for, no test asks an index but its own.
    monkeypatch.setattr(pip_settings, "_of_files", dict)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.delenv("PIP_CERT", raising=False)
    monkeypatch.delenv("PIP_TRUSTED_HOST", raising=False)
    monkeypatch.setattr(hub, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(hub, "STALL_SECONDS", 1.0)
    hub.forget_failures()
    yield
    hub.forget_failures()


class Site:
    """What the server has: `content` under every path, sent the way the path's first part says.

    /good/  at once            /slow/   in twenty pieces      /404/      not at all
    /short/ half, then ends    /stall/  half, then silence    /trickle/  a byte now and then
    /silent/ accepts, no word  /wrong/  something else        /long/     far too much
    /gate/  when `opened` is set
    /break/ half, then ends; the next time the part that is asked for
    /halt/  half, then silence; the next time the part that is asked for
    /part/  the part that is asked for

    `pages` are sent as they are, with their content type; others under /simple/ do not exist.
    """

    def __init__(self):
        self.content = bytes(range(256)) * 8192  # 2 MB
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.requests = Counter()
        self.ranges: list[str] = []
        self.headers: list = []
        self.opened = threading.Event()
        self.over = threading.Event()
        self.address = ""

    def source(self, path: str, content: bytes | None = None) -> Source:
        content = self.content if content is None else content
        prefix = hashlib.sha256(content).hexdigest()[:8]
        return Source(f"{self.address}{path}", prefix, len(content), "MIT")

    def with_source(self, card: ModelCard, path: str, content: bytes | None = None) -> ModelCard:
        return dataclasses.replace(card, weights=(self.source(path, content),))


@pytest.fixture
def site():
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            site.requests[self.path] += 1
            site.headers.append(self.headers)
            way, body = self.path.split("/")[1], site.content
            if self.path in site.pages:
                kind, body = site.pages[self.path]
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            if way in ("break", "halt", "part") and "Range" in self.headers:
                self.send_part(body)
                return
            if way == "silent":
                site.over.wait(30)
                return
            if way == "gate":
                site.opened.wait(30)
            if way in ("404", "simple"):
                self.send_error(404)
                return
            if way == "wrong":
                body = body[::-1]
            self.send_response(200)
            if way == "long":  # does not even say how much
                self.end_headers()
                body *= 4
            else:
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
            with contextlib.suppress(OSError):  # the other side hung up
                self.send(way, body)

        def send_part(self, body):
            asked = self.headers["Range"]
            site.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            self.wfile.write(body[start:])

        def send(self, way, body):
            half = len(body) // 2
            if way in ("short", "stall", "break", "halt"):
                self.wfile.write(body[:half])
                if way in ("stall", "halt"):
                    site.over.wait(30)
            elif way == "slow":
                step = -(-len(body) // 20)
                for start in range(0, len(body), step):
                    self.wfile.write(body[start : start + step])
                    site.over.wait(0.1)
            elif way == "trickle":
                for start in range(len(body)):
                    self.wfile.write(body[start : start + 1])
                    if site.over.wait(0.2):
                        return
            else:
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    yield site
    site.over.set()
    site.opened.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def full_disk(monkeypatch):
    """A context manager: no new file takes a byte."""

    class Full:
        def __init__(self, file):
            self.file = file

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def write(self, chunk):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @contextlib.contextmanager
    def full():
        real = os.fdopen
        with monkeypatch.context() as patch:
            patch.setattr(partial.os, "fdopen", lambda *given: Full(real(*given)))
            yield

    return full
