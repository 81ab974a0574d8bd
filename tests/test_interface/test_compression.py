"""Pages travel compressed, and what a player or a waiting reader needs is left alone."""

import asyncio
import gzip
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from har_demo.interface.app import compressed
from har_demo.interface.examples import example

CLIP = example("walking.mp4").path


def fetched(url: str, **headers: str) -> tuple[int, dict, bytes]:
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip", **headers})
    with urllib.request.urlopen(request, timeout=60) as answer:
        told = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, told, answer.read()


def file_of(server: str, path: Path) -> str:
    return f"{server}/gradio_api/file={path}"


@pytest.mark.parametrize("address", ["/", "/measured", "/config"])
def test_pages_and_settings_are_a_quarter_as_large_on_the_way(server, address):
    _, told, body = fetched(server + address)
    assert told["content-encoding"] == "gzip" and int(told["content-length"]) == len(body)
    whole = gzip.decompress(body)
    assert len(body) < len(whole) / 4 and b"Action Atlas" in whole
    _, told, plain = fetched(server + address, **{"Accept-Encoding": "identity"})
    assert "content-encoding" not in told and abs(len(plain) - len(whole)) < 1000


def test_a_player_gets_the_bytes_it_asks_for(server):
    url, content = file_of(server, CLIP), CLIP.read_bytes()
    status, told, body = fetched(url, Range="bytes=100-299")
    assert (status, told["content-range"]) == (206, f"bytes 100-299/{len(content)}")
    assert "content-encoding" not in told and body == content[100:300]
    status, told, body = fetched(url)
    assert status == 200 and "content-encoding" not in told and body == content


def test_machine_code_that_a_player_loads_ahead_is_sent_as_it_is(server):
    url = f"{server}/static/ffmpeg/ffmpeg-core.wasm"
    asked = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert answer.status == 200 and answer.headers["Content-Encoding"] is None


def test_events_of_a_call_are_left_alone(server):
    request = urllib.request.Request(
        f"{server}/gradio_api/call/models",
        json.dumps({"data": []}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        event = json.load(answer)["event_id"]
    _, told, body = fetched(f"{server}/gradio_api/call/models/{event}")
    assert told["content-type"].startswith("text/event-stream") and "content-encoding" not in told
    assert body.startswith(b"event: ")


def test_an_event_is_sent_before_the_next_one_comes():
    """And not kept until there is enough to compress."""
    sent = []

    async def stream(scope, receive, send):
        kind = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": kind})
        for number in range(3):
            event = b"data: %d\n\n" % number
            await send({"type": "http.response.body", "body": event, "more_body": number < 2})
            assert sent[-1]["body"] == event

    async def keep(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/gradio_api/queue/data",
        "headers": [(b"accept-encoding", b"gzip, br")],
    }
    with ThreadPoolExecutor(1) as pool:  # a browser of other tests has this thread's event loop
        pool.submit(asyncio.run, compressed(stream)(scope, None, keep)).result()
    assert [one["type"] for one in sent] == ["http.response.start"] + 3 * ["http.response.body"]
