"""Whoever leaves takes the work along: a killed program, a cancelled call, a closed page, an assistant."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import gradio as gr
import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from gradio_client.utils import Status

from har_demo.interface import api, app, lanes, stopping, visitor
from har_demo.interface.parameters import ClipFile
from har_demo.interface.run import on, press
from tests.test_interface.pressed import finished

STEPS_IN_ALL = 600  # of a twentieth of a second, if nothing ends the work


class Steps:
    """What the work does, as the test sees it."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.count = 0

    def forget(self) -> None:
        self.__init__()

    def walk(self, job, far: int = STEPS_IN_ALL) -> None:
        try:
            with job.turn(lanes.MODELS):
                for _ in range(far):
                    self.count += 1
                    self.begun.set()
                    job.check()
                    time.sleep(0.05)
        finally:
            self.ended.set()

    def end_early(self) -> None:
        """Assert that the work ends before it is done, and that the lane is free for the next visitor."""
        assert self.ended.wait(60)
        assert 0 < self.count < STEPS_IN_ALL / 2
        _wait_until(lambda: not stopping._all and not lanes.MODELS._tickets)


STEPS = Steps()


def _wait_until(is_so) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@api.endpoint("walk", {"steps": gr.JSON})
def walk(job, far: int = STEPS_IN_ALL) -> int:
    """
    Walk.

    Args:
        far: How far.
    """
    STEPS.walk(job, far)
    return far


@api.endpoint("network", {"layers": gr.JSON})
def network(job, layers: int = 1) -> int:
    """
    Ask one network of many slow layers, which tells nothing meanwhile.

    Args:
        layers: How many.
    """

    class Slow(torch.nn.Module):
        def forward(self, x):
            STEPS.count += 1
            STEPS.begun.set()
            time.sleep(0.05)
            return x

    try:
        torch.nn.Sequential(*(Slow() for _ in range(STEPS_IN_ALL)))(torch.zeros(1))
    finally:
        STEPS.ended.set()
    return layers


@api.endpoint("read", {"frames": gr.JSON})
def read(job, clip: ClipFile) -> int:
    """
    Read a clip.

    Args:
        clip: The file.
    """
    try:
        return api.read_clip(job, clip).frames
    finally:
        STEPS.ended.set()


@api.endpoint("names", {"names": gr.JSON})
def listing() -> list[str]:
    """List names."""
    return ["a", "b"]


@press
def walk_on_the_page(job):
    """Walk, for the page. Yields updates of: notice."""
    STEPS.walk(job)
    yield {"notice": "there"}


def _served():
    with gr.Blocks() as demo:
        go, notice = gr.Button("Go", elem_id="run"), gr.HTML("")
        on(go.click, walk_on_the_page, [], {"notice": notice})
        api.build(sys.modules[__name__])
    stopping.within_networks()
    demo.queue(default_concurrency_limit=None)
    threading.Thread(
        target=lambda: app.launch(demo, prevent_thread_lock=True, quiet=True), daemon=True
    ).start()
    _wait_until(lambda: demo.local_url)
    return demo


@pytest.fixture(scope="module")
def small():
    """A small app of this file's endpoints and one button, served by this very process."""
    with pytest.MonkeyPatch.context() as patch, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        patch.setenv("GRADIO_SERVER_PORT", str(free.getsockname()[1]))
        patch.setattr(app.sweeper, "start", lambda demo: None)  # it moves temporary files for good
        free.close()
        demo = _served()
        yield demo.local_url.rstrip("/")
        demo.close()


@pytest.fixture(autouse=True)
def afresh():
    STEPS.forget()
    yield
    _wait_until(lambda: not stopping._all)


def test_a_call_that_is_cancelled(small):
    job = Client(small, verbose=False).submit(api_name="/walk")
    _wait_until(lambda: job.status().code is Status.PROCESSING)
    job.cancel()
    STEPS.end_early()


def test_one_of_two_calls_that_is_cancelled_leaves_the_other(small):
    program = Client(small, verbose=False)
    first = program.submit(api_name="/walk")
    _wait_until(lambda: first.status().code is Status.PROCESSING)
    second = program.submit(3, api_name="/walk")
    _wait_until(lambda: len(stopping._all) == 2)
    first.cancel()
    assert second.result(timeout=60) == 3
    STEPS.end_early()


PROGRAM = """
import sys
from gradio_client import Client
client = Client(sys.argv[1], verbose=False)
client.submit(api_name=sys.argv[2]).result()
"""


@pytest.mark.parametrize("name", ["/walk", "/network"])
def test_a_program_that_is_killed(small, name):
    program = subprocess.Popen([sys.executable, "-c", PROGRAM, small, name])
    assert STEPS.begun.wait(60)
    _wait_until(lambda: visitor._open)
    program.kill()
    program.wait()
    STEPS.end_early()


def test_a_program_that_calls_too_often_is_refused_and_others_are_served(small, monkeypatch):
    monkeypatch.setenv("HAR_QUOTA_SESSION", "3")
    monkeypatch.setattr(lanes, "SLICE", 0.2)
    flooding, other = Client(small, verbose=False), Client(small, verbose=False)
    calls = [flooding.submit(api_name="/walk") for _ in range(12)]
    assert STEPS.begun.wait(10)
    assert other.predict(api_name="/names") == ["a", "b"]
    _wait_until(lambda: sum(call.done() for call in calls) == 9)
    for call in calls:
        if call.done():
            with pytest.raises(AppError, match="3 questions of yours are waiting or running here"):
                call.result()
    assert other.submit(2, api_name="/walk").result(timeout=60) == 2  # although it came last
    STEPS.forget()
    for call in calls:
        call.cancel()


def test_a_plain_connection_that_breaks(small):
    """As curl makes one: a call, then its answer is waited for."""
    call = urllib.request.Request(
        f"{small}/gradio_api/call/walk",
        json.dumps({"data": [600]}).encode(),
        {"Content-Type": "application/json"},
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(call) as answer:
        event = json.load(answer)["event_id"]
    waiting = direct.open(f"{small}/gradio_api/call/walk/{event}")
    assert STEPS.begun.wait(10)
    waiting.fp.raw._sock.shutdown(socket.SHUT_RDWR)
    waiting.close()
    STEPS.end_early()


def test_a_call_that_nobody_listens_to(small, monkeypatch):
    monkeypatch.setattr(visitor, "GRACE", 0.3)
    call = urllib.request.Request(
        f"{small}/gradio_api/call/walk",
        json.dumps({"data": [600]}).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(call).close()
    assert STEPS.begun.wait(10)
    STEPS.end_early()


def test_a_page_that_is_closed(small, browser):
    page = browser.new_page()
    page.goto(small)
    page.locator("#run").click()
    assert STEPS.begun.wait(60)
    page.close()
    STEPS.end_early()


def test_an_assistant_that_has_gone(small):
    pytest.importorskip("mcp")
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def ask():
        async with (
            streamable_http_client(f"{small}/gradio_api/mcp/") as (receive, send, _),
            ClientSession(receive, send) as session,
        ):
            await session.initialize()
            (tool,) = (one.name for one in (await session.list_tools()).tools if "walk" in one.name)
            await session.call_tool(tool, {})

    async def ask_and_leave():
        asking = asyncio.create_task(ask())
        while not STEPS.begun.is_set():
            await asyncio.sleep(0.02)
            assert not asking.done(), asking.exception()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    finished(ask_and_leave())
    STEPS.end_early()


def test_the_process_that_reads_a_file_ends_too(small, tmp_path, monkeypatch):
    """A reader that would sleep for a minute is killed with the call, long before its patience ends."""
    from tests import plant

    planted = plant.in_process(
        tmp_path / "planted", "har_demo.clips.ingest_child", "import time\ntime.sleep(60)"
    )
    monkeypatch.setenv("PYTHONPATH", str(planted))
    film = tmp_path / "film.mp4"
    film.write_bytes(os.urandom(1000))
    job = Client(small, verbose=False).submit(handle_file(film), api_name="/read")
    _wait_until(lambda: _readers() and job.status().code is not Status.STARTING)
    job.cancel()
    assert STEPS.ended.wait(20)
    assert not _readers() and not lanes.READING._tickets


def _readers() -> list[str]:
    """Return the processes of this one that read files."""
    children = Path(f"/proc/{os.getpid()}/task")
    pids = [pid for task in children.iterdir() for pid in (task / "children").read_text().split()]
    commands = [Path(f"/proc/{pid}/cmdline") for pid in pids]
    return [one for one in (c.read_text() for c in commands if c.exists()) if "ingest_child" in one]
