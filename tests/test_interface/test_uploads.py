"""Uploads that would fill the disk are refused by a sentence, and nothing of them is kept."""

import functools
import http.server
import os
import threading
import time
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio import processing_utils
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from har_demo.interface import sweeper, uploads
from tests.test_interface.pressed import finished


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder for uploads, and no limits from outside."""
    monkeypatch.setenv("HAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache" / "gradio"))
    for name in ("HAR_FREE_MB", "HAR_UPLOADS_MB", "HAR_MAX_MB"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache" / "gradio"


@pytest.fixture(scope="module")
def app() -> gr.routes.App:
    """An app of Gradio with our bounds, as `launch` puts them."""
    with gr.Blocks() as demo:
        gr.Video()
    demo.max_file_size = None
    middleware = [Middleware(uploads.bounded)]
    return gr.routes.App.create_app(demo, app_kwargs={"middleware": middleware})


@pytest.fixture
def client(app, folder) -> TestClient:
    app.uploaded_file_dir = str(folder)
    return TestClient(app)


def send(client: TestClient, size: int):
    return client.post("/gradio_api/upload", files={"files": ("a.mp4", bytes(size))})


def stored(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def test_an_upload_is_taken(client, folder):
    answer = send(client, 1000)
    assert answer.status_code == 200
    (path,) = answer.json()
    assert stored(folder) == [Path(path)] and Path(path).stat().st_size == 1000
    assert uploads._coming == {}


def test_below_the_floor_of_free_space_nothing_is_taken(client, folder, monkeypatch):
    monkeypatch.setenv("HAR_FREE_MB", "1e9")
    answer = send(client, 1000)
    assert answer.status_code == 507
    assert answer.text == (
        "The disk of this server is almost full, so it takes no uploads: try again later."
    )
    assert stored(folder) == []


def test_a_flood_of_uploads_without_an_event_ends_and_old_ones_make_room(
    client, folder, monkeypatch
):
    monkeypatch.setenv("HAR_UPLOADS_MB", "0.01")
    statuses = [send(client, 3000 + k).status_code for k in range(5)]
    assert statuses == [200, 200, 200, 507, 507]
    assert sum(file.stat().st_size for file in stored(folder)) < 10_000
    assert "as many uploads" in send(client, 3000).text
    then = time.time() - sweeper.IN_USE - 60
    os.utime(stored(folder)[0], (then, then))
    assert send(client, 2900).status_code == 200


def test_what_is_still_on_its_way_counts(client, monkeypatch):
    monkeypatch.setenv("HAR_UPLOADS_MB", "0.01")
    monkeypatch.setitem(uploads._coming, "another's", 8000)
    assert send(client, 3000).status_code == 507
    assert send(client, 1000).status_code == 200


def test_an_upload_that_breaks_off_leaves_nothing(client, folder):
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.mp4"\r\n\r\n' + bytes(
        900
    )
    messages = iter(
        ({"type": "http.request", "body": body, "more_body": True}, {"type": "http.disconnect"})
    )
    held = []

    async def receive():
        message = next(messages)
        if message["type"] == "http.disconnect":
            held.extend(stored(folder))
        return message

    async def ignore(message):
        pass

    headers = {"content-type": "multipart/form-data; boundary=x", "content-length": "5000"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/gradio_api/upload",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    finished(client.app(scope, receive, ignore))
    assert len(held) == 1 and stored(folder) == [] and uploads._coming == {}


def test_other_ways_in_are_bounded_or_shut(client, folder):
    address = "/gradio_api/"
    pieces = iter([b"a", b"b"])
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert client.post(address + "upload", content=pieces, headers=headers).status_code == 411
    answer = client.post(address + "process_recording", files={"video": ("a.mp4", b"abc")})
    assert answer.status_code == 404 and "upload the file as it is" in answer.text
    answer = client.post(address + "queue/join", content=bytes(16_000_001))
    assert answer.status_code == 413
    assert answer.text.startswith("This has 17 MB and the limit is 16 MB")
    assert stored(folder) == []


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The address of a web server on this machine, which Gradio takes for a public one."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a b.mp4").write_bytes(bytes(3000))
    (tmp_path / "site" / "large.mp4").write_bytes(bytes(3_000_000))
    handler = functools.partial(QuietHandler, directory=tmp_path / "site")
    monkeypatch.setattr(processing_utils, "async_transport", httpx.AsyncHTTPTransport())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *given):
        pass

    def do_GET(self):
        if self.path.startswith("/unsized"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(bytes(3_000_000))
        elif self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/a%20b.mp4")
            self.end_headers()
        else:
            super().do_GET()


def fetched(address: str, folder: Path) -> str:
    return finished(uploads.download(address, str(folder)))


def refused(address: str, folder: Path) -> str:
    with pytest.raises(gr.Error) as refusal:
        fetched(address, folder)
    return refusal.value.message


def test_a_file_named_by_its_address_is_fetched_once(site, folder):
    path = Path(fetched(f"{site}/moved/x.mp4", folder))
    assert path.name == "x.mp4" and path.stat().st_size == 3000 and stored(folder) == [path]
    os.utime(path, (0, 0))
    assert fetched(f"{site}/moved/x.mp4", folder) == str(path)
    assert path.stat().st_mtime > 0, "it was wanted again"


def test_no_more_of_an_address_is_fetched_than_an_upload_may_have(site, folder, monkeypatch):
    monkeypatch.setenv("HAR_MAX_MB", "2")
    for name in ("large.mp4", "unsized"):
        assert "MB and the limit is 2 MB: cut it shorter" in refused(f"{site}/{name}", folder)
    monkeypatch.setenv("HAR_UPLOADS_MB", "1")
    monkeypatch.delenv("HAR_MAX_MB")
    for name in ("large.mp4", "unsized"):
        assert "as many uploads" in refused(f"{site}/{name}", folder)
    assert stored(folder) == []


def test_addresses_that_are_not_public_or_not_there_are_a_sentence(site, folder, monkeypatch):
    assert refused(f"{site}/none.mp4", folder) == (
        "'none.mp4' cannot be fetched from its address: upload the file instead."
    )
    monkeypatch.setattr(processing_utils, "async_transport", None)
    for address in (f"{site}/a.mp4", "http://169.254.169.254/latest", "http:///a.mp4"):
        assert "cannot be fetched" in refused(address, folder)
    assert stored(folder) == []


def test_gradio_fetches_with_it(monkeypatch):
    monkeypatch.setattr(processing_utils, "async_ssrf_protected_download", None)
    uploads.bound_downloads()
    assert processing_utils.async_ssrf_protected_download is uploads.download
