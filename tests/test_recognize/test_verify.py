"""Public weights that are here are checked; what nobody can check is said."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from har_demo.errors import ChoiceError
from har_demo.models.card import Source
from har_demo.recognize import networks, plan, verify
from har_demo.recognize.prediction import ModelError
from har_demo.weights import Availability, Provenance, hub
from har_demo.weights.official import Comparison
from tests.test_recognize.conftest import tiny_card


@pytest.fixture
def card(monkeypatch, tmp_path, clip):
    """A model of three public files, none of which is here; strange ones are opened in this process."""
    monkeypatch.setenv("HAR_CACHE", str(tmp_path))
    files = tuple(
        Source(f"https://weights.invalid/{name}-12345678.pth", digits, 1000, "MIT", name, **more)
        for name, digits, more in (
            ("open", "", {}),
            ("digits", "12345678", {"certain": False}),
            ("hash", "12345678", {}),
        )
    )
    made = replace(tiny_card("small"), weights=files)
    for module in (verify, plan):
        monkeypatch.setattr(module.registry, "card", lambda name: made)
    monkeypatch.setattr(verify, "ingest", lambda path: clip)
    hub.folder().mkdir(parents=True, exist_ok=True)
    networks.forget()
    yield made
    networks.forget()


def results(source: str) -> dict[str, str]:
    return {check.question: check.result for check in verify.verify("small", source)}


def put(card, source: str, network: nn.Module) -> None:
    (one,) = (s for s in card.weights if s.name == source)
    torch.save(network.state_dict(), hub.path(one))


def test_nothing_is_fetched(card):
    (check,) = verify.verify("small", "open")
    assert check.result == "wrong" and "Fetch it with --fetch small." in check.sentence
    with pytest.raises(ChoiceError, match="choose open, digits, hash"):
        verify.verify("small", "other")


def test_what_is_here_is_checked_and_the_rest_said(card):
    put(card, "open", card.build(len(card.classes)))
    found = results("open")
    assert found.pop("answer") in ("ok", "wrong")  # a network that nobody trained
    assert found == {"file": "ok", "hash": "open", "parameters": "ok", "reference": "open"}
    sentences = [check.sentence for check in verify.verify("small", "open")]
    assert "states no hash" in sentences[1] and "About walking.mp4 it says" in sentences[3]


def test_a_flat_answer_is_of_no_trained_network(card):
    flat = card.build(len(card.classes))
    nn.init.zeros_(flat.head.weight)
    nn.init.zeros_(flat.head.bias)
    put(card, "open", flat)
    assert results("open")["answer"] == "wrong"


def test_another_hash_is_wrong_where_it_is_certain_and_open_where_it_is_not(card, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for source in ("digits", "hash"):
        put(card, source, card.build(len(card.classes)))
        assert results(source)["hash"] == {"digits": "open", "hash": "wrong"}[source]


def test_a_file_that_does_not_fit(card):
    put(card, "open", nn.Linear(2, 2))
    found = results("open")
    assert found["parameters"] == "wrong" and "answer" not in found


def test_weights_that_a_package_brought_are_compared_with_their_publishers(card, monkeypatch):
    """The comparison itself is tested beside weights/official.py; here, that it is asked and told."""
    brought = replace(card, package=object())
    monkeypatch.setattr(verify.registry, "card", lambda name: brought)
    monkeypatch.setattr(verify, "of_request", lambda card, name: card)
    monkeypatch.setattr(verify.package_index, "path", lambda package: "converted.safetensors")
    monkeypatch.setattr(verify, "availability", lambda card: Availability("cached", 1, "Here."))
    here = Provenance("packaged", "converted.safetensors", "0" * 64, "")
    monkeypatch.setattr(verify, "load", lambda card: (None, here))
    monkeypatch.setattr(
        verify, "recognize", lambda clip, requests: [ModelError("small", "Small", "No.")]
    )
    for result in ("ok", "wrong", "open"):
        told = Comparison(result, f"It is {result}.")
        monkeypatch.setattr(verify.official, "compare", lambda card, told=told: told)
        found = {check.question: check for check in verify.verify("small")}
        assert (found["official file"].result, found["official file"].sentence) == (
            result,
            told.sentence,
        )
        assert "file" not in found  # no file of a publisher is here to look at
