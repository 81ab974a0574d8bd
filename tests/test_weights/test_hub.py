"""Downloads arrive whole and checked, or end soon with a reason; the next try goes on where one broke off."""

import fcntl
import os
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from har_demo.errors import BROKEN, InternalError
from har_demo.models.card import Source
from har_demo.weights import hub, partial
from har_demo.weights.partial import partial_file

AS_SHIPPED = (hub.ANSWER_SECONDS, hub.STALL_SECONDS)

pytestmark = pytest.mark.timeout(30)  # a hang is what these tests look for


def _kept() -> list[str]:
    return sorted(p.name for p in hub.folder().iterdir()) if hub.folder().exists() else []


def _locked(folder: Path) -> bool:
    """Whether a thread still writes a partial file."""
    for path in folder.glob("*.part"):
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False


def _until(condition) -> bool:
    """Wait for another thread to get there."""
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def _reason(source) -> str:
    with pytest.raises(hub.FetchError) as error:
        hub.fetch(source)
    return str(error.value)


def test_a_good_file_arrives_under_its_own_name(site):
    source = site.source("/good/net-1234.pth")
    path = hub.fetch(source)
    assert path == hub.path(source) == hub.folder() / "net-1234.pth"
    assert path.read_bytes() == site.content
    assert _kept() == ["net-1234.pth"]


def test_a_second_time_it_is_here(site):
    source = site.source("/good/net.pth")
    hub.fetch(source)
    hub.fetch(source)
    assert site.requests["/good/net.pth"] == 1


def test_a_slow_server_is_waited_for_and_progress_told(site, monkeypatch):
    monkeypatch.setattr(hub, "LEAST_BYTES", 1)
    told = []
    hub.fetch(site.source("/slow/net.pth"), told.append)
    assert told == sorted(told) and told[-1] == 1.0
    assert any(0 < fraction < 1 for fraction in told)


@pytest.mark.parametrize(
    ("way", "reason", "bytes_kept"),
    [
        ("404", "127.0.0.1 says 404 Not Found", None),
        ("wrong", "what came is not the published file (sha256 ", None),
        ("short", "the connection broke after 1.0 MB", 2**20),
        ("stall", "127.0.0.1 stopped sending after 1.0 MB", 2**20),
        ("long", "the file is far larger than 2.1 MB", None),
        ("silent", "127.0.0.1 does not answer", None),
    ],
)
def test_a_bad_download_ends_with_a_reason_and_never_has_the_files_name(
    site, way, reason, bytes_kept
):
    assert _reason(site.source(f"/{way}/net.pth")).startswith(reason)
    assert not hub.path(site.source(f"/{way}/net.pth")).exists()
    sizes = [path.stat().st_size for path in hub.folder().iterdir()]
    # A thread that still waits for the first byte has an empty file.
    assert list(filter(None, sizes)) == ([bytes_kept] if bytes_kept else [])


def test_a_download_that_trickles_ends(site):
    reason = _reason(site.source("/trickle/net.pth"))
    assert reason == "127.0.0.1 stopped sending after 0.0 MB"
    assert not hub.path(site.source("/trickle/net.pth")).exists()


@pytest.mark.parametrize("way", ["break", "halt"])
def test_a_download_that_broke_off_goes_on(site, way):
    source, progress = site.source(f"/{way}/net.pth"), []
    _reason(source)
    site.over.set()  # the thread that waits for the silent server ends
    assert _until(lambda: not _locked(hub.folder()))
    hub.forget_failures()
    assert hub.fetch(source, progress.append).read_bytes() == site.content
    assert site.ranges == [f"bytes={2**20}-"]
    assert _kept() == ["net.pth"] and progress[-1] == 1.0


def test_a_server_that_knows_no_ranges_sends_all_of_it(site):
    hub.folder().mkdir(parents=True)
    (hub.folder() / "net.pth.x.part").write_bytes(site.content[:1000])
    assert hub.fetch(site.source("/good/net.pth")).read_bytes() == site.content


@pytest.mark.parametrize("left", [b"other bytes", bytes(4_000_000)], ids=["other", "longer"])
def test_what_was_left_of_another_file_is_begun_anew(site, left):
    hub.folder().mkdir(parents=True)
    (hub.folder() / "net.pth.x.part").write_bytes(left)
    assert hub.fetch(site.source("/part/net.pth")).read_bytes() == site.content
    assert site.ranges == [f"bytes={len(left)}-"]
    assert _kept() == ["net.pth"]


def test_without_a_hash_a_download_begins_anew(site):
    """Nothing would tell whether both parts belong together."""
    hub.folder().mkdir(parents=True)
    (hub.folder() / "net.pth.x.part").write_bytes(b"other bytes")
    source = replace(site.source("/part/net.pth"), sha256="")
    assert hub.fetch(source).read_bytes() == site.content
    assert not site.ranges


def test_a_partial_file_that_is_being_written_is_left_alone(site):
    """As another process does it: locked, half written."""
    source = site.source("/part/net.pth")
    with partial_file(hub.path(source)) as (file, path):
        file.write(b"theirs")
        file.flush()
        assert hub.fetch(source).read_bytes() == site.content
        assert path.read_bytes() == b"theirs"
    assert not site.ranges


def test_where_there_are_no_locks_a_download_begins_anew(site, monkeypatch):
    monkeypatch.setattr(partial, "fcntl", None)
    hub.folder().mkdir(parents=True)
    old, fresh = (hub.folder() / f"net.pth.{name}.part" for name in ("old", "fresh"))
    for leftover in (old, fresh):
        leftover.write_bytes(b"half")
    os.utime(old, (0, 0))
    hub.fetch(site.source("/part/net.pth"))
    assert _kept() == ["net.pth", fresh.name]  # another process may be writing the fresh one
    assert not site.ranges


def test_waits_are_short_enough_for_a_person():
    """The fixtures shorten them; as shipped, nobody waits five seconds for a first word."""
    answer, stall = AS_SHIPPED
    assert answer <= 4 and stall <= 10


def test_a_name_server_that_hangs_does_not(monkeypatch):
    over = threading.Event()

    def never(*args, **kwargs):
        over.wait(20)
        raise socket.gaierror("too late")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    source = Source("http://weights.invalid/net.pth", "12345678", 10_000_000, "MIT")
    try:
        assert _reason(source) == "weights.invalid does not answer"
    finally:
        over.set()


def test_an_unknown_address(monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    source = Source("https://weights.invalid/net.pth", "12345678", 10_000_000, "MIT")
    assert _reason(source) == "the address of weights.invalid is not found"


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    source = Source(f"http://127.0.0.1:{port}/net.pth", "12345678", 10_000_000, "MIT")
    assert _reason(source) == "127.0.0.1 refuses the connection"


def test_a_server_that_is_no_web_server():
    """It accepts, says something else and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak():
            peer, _ = listener.accept()
            peer.recv(1000)
            peer.sendall(b"220 smtp ready\r\n")
            peer.close()

        threading.Thread(target=speak, daemon=True).start()
        port = listener.getsockname()[1]
        source = Source(f"http://127.0.0.1:{port}/net.pth", "12345678", 10_000_000, "MIT")
        assert _reason(source) == "127.0.0.1 gave an answer that makes no sense (BadStatusLine)"


def test_a_full_disk(site, full_disk):
    source = site.source("/good/net.pth")
    with full_disk():
        assert _reason(source) == "the disk is full"
    assert _kept() == []
    hub.forget_failures()
    assert hub.fetch(source).read_bytes() == site.content


def test_a_cache_that_cannot_be_written(site, tmp_path, monkeypatch):
    (tmp_path / "weights").write_text("in the way")
    monkeypatch.setenv("HAR_CACHE", str(tmp_path))
    assert _reason(site.source("/good/net.pth")) == "file exists"


@pytest.mark.parametrize("word", ["1", "true", "YES", "on"])
def test_offline_by_choice_asks_nobody(site, word, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", word)
    assert _reason(site.source("/good/net.pth")) == "HF_HUB_OFFLINE is set"
    assert not site.requests


@pytest.mark.parametrize("word", ["0", "", "no"])
def test_not_offline(site, word, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", word)
    assert hub.fetch(site.source("/good/net.pth")).is_file()


def test_offline_by_choice_still_has_what_is_here(site, monkeypatch):
    source = site.source("/good/net.pth")
    hub.fetch(source)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert hub.fetch(source).is_file()


def test_two_users_share_one_download(site):
    source = site.source("/gate/net.pth")
    hub_wait, got = hub.ANSWER_SECONDS, []
    hub.ANSWER_SECONDS = 10  # the gate is shut for a while
    try:
        users = [threading.Thread(target=lambda: got.append(hub.fetch(source))) for _ in range(5)]
        for user in users:
            user.start()
        assert _until(lambda: site.requests["/gate/net.pth"] == 1)
        site.opened.set()
        for user in users:
            user.join(10)
    finally:
        hub.ANSWER_SECONDS = hub_wait
    assert got == [hub.path(source)] * 5
    assert site.requests["/gate/net.pth"] == 1


def test_two_users_share_one_failure(site):
    source, reasons = site.source("/silent/net.pth"), []
    users = [threading.Thread(target=lambda: reasons.append(_reason(source))) for _ in range(3)]
    for user in users:
        user.start()
    for user in users:
        user.join(10)
    assert reasons == ["127.0.0.1 does not answer"] * 3
    assert site.requests["/silent/net.pth"] == 1


def test_a_silent_host_is_not_asked_for_its_other_files(site):
    assert _reason(site.source("/silent/a.pth")) == "127.0.0.1 does not answer"
    assert _reason(site.source("/good/b.pth")) == "127.0.0.1 does not answer"
    assert site.requests["/good/b.pth"] == 0


def test_a_missing_file_does_not_speak_for_the_others(site):
    assert "404" in _reason(site.source("/404/a.pth"))
    assert "404" in _reason(site.source("/404/a.pth"))
    assert site.requests["/404/a.pth"] == 1
    assert hub.fetch(site.source("/good/b.pth")).is_file()


def test_a_failure_is_forgotten_after_a_while(site, monkeypatch):
    assert "404" in _reason(site.source("/404/a.pth"))
    monkeypatch.setattr(hub, "REMEMBER_SECONDS", 0.0)
    assert "404" in _reason(site.source("/404/a.pth"))
    assert site.requests["/404/a.pth"] == 2


def test_a_watcher_that_leaves_does_not_end_the_download(site, monkeypatch):
    monkeypatch.setattr(hub, "LEAST_BYTES", 1)

    class Closed(Exception):
        pass

    def closed(fraction):
        raise Closed

    source = site.source("/slow/net.pth")
    with pytest.raises(Closed):
        hub.fetch(source, closed)
    assert hub.fetch(source).read_bytes() == site.content
    assert site.requests["/slow/net.pth"] == 1


def test_all_that_killed_processes_left_is_swept_up(site):
    hub.folder().mkdir(parents=True)
    for name in "abc":
        (hub.folder() / f"net.pth.{name}.part").write_bytes(site.content[:1000])
    hub.fetch(site.source("/part/net.pth"))
    assert _kept() == ["net.pth"] and site.ranges == ["bytes=1000-"]


def test_a_fault_of_ours_is_not_blamed_on_the_server_and_not_remembered(site, monkeypatch):
    source = site.source("/good/net.pth")

    def broken(*given):
        raise TypeError("planted")

    with monkeypatch.context() as patch:
        patch.setattr(hub, "_receive", broken)
        with pytest.raises(InternalError) as fault:
            hub.fetch(source)
    assert str(fault.value) == BROKEN and isinstance(fault.value.__cause__, TypeError)
    assert hub.fetch(source).read_bytes() == site.content
