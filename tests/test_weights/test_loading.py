"""Three sources in one order; without any, a sentence and never a network."""

import copy
import dataclasses
import hashlib
import json

import pytest
import torch
from safetensors.torch import save_file

from har_demo.errors import WeightsError
from har_demo.models.registry import cards
from har_demo.weights import accuracies, availability, hub, load, shipped

pytestmark = pytest.mark.timeout(60)


def _bytes(network, tmp_path) -> bytes:
    torch.save(network.state_dict(), tmp_path / "to_serve.pth")
    return (tmp_path / "to_serve.pth").read_bytes()


def _other(network, factor=2.0):
    """The same network with other numbers."""
    other = copy.deepcopy(network)
    with torch.no_grad():
        other[3].weight.mul_(factor)
    return other


def _ship(card, network, **changes) -> dict:
    """Put a checkpoint into checkpoints/ in half precision, as they are shipped."""
    shipped.folder().mkdir(parents=True, exist_ok=True)
    path = shipped.folder() / f"{card.name}.safetensors"
    halves = {k: v.half() for k, v in network.state_dict().items() if v.is_floating_point()}
    save_file(halves, path)
    entry = {
        "model": card.name,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "bytes": path.stat().st_size,
        "classes": list(card.classes),
        "label_set": card.label_set,
        "parameters": card.parameters,
        "data": [{"name": "Weizmann"}, {"name": "ARID"}],
        "accuracy": [{"dataset": "ARID", "split": "places 9 to 11", "top1": 61.5, "clips": 90}],
    }
    manifest = {"checkpoints": [entry | changes]}
    (shipped.folder() / "manifest.json").write_text(json.dumps(manifest))
    return entry


def _refusal(card, **arguments) -> str:
    with pytest.raises(WeightsError) as error:
        load(card, **arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def _first(network) -> float:
    return network[3].weight[0, 0].item()


# --- the order -----------------------------------------------------------------------------------


def test_user_then_shipped_then_hub(card, trained, site, tmp_path):
    site.content = _bytes(trained, tmp_path)
    public = site.with_source(card, "/good/net.pth")
    network, provenance = load(public)
    assert (provenance.source, provenance.file) == ("hub", "net.pth")
    assert provenance.sha256 == hashlib.sha256(site.content).hexdigest()
    assert provenance.note == "published at 127.0.0.1"
    assert _first(network) == _first(trained)

    _ship(card, _other(trained))
    network, provenance = load(public)
    assert (provenance.source, provenance.file) == ("shipped", "small.safetensors")
    assert provenance.note == "trained by this project on Weizmann and ARID"
    assert _first(network) == pytest.approx(2 * _first(trained), rel=1e-3)

    torch.save(_other(trained, 3.0).state_dict(), tmp_path / "mine.pt")
    network, provenance = load(public, user_file=tmp_path / "mine.pt")
    assert (provenance.source, provenance.file) == ("user", "mine.pt")
    assert provenance.sha256 == hashlib.sha256((tmp_path / "mine.pt").read_bytes()).hexdigest()
    assert _first(network) == pytest.approx(3 * _first(trained))


def test_a_loaded_network_is_ready_and_the_callers_own(card, trained):
    _ship(card, trained)
    first, _ = load(card)
    second, _ = load(card)
    assert not first.training
    assert {p.dtype for p in first.parameters()} == {torch.float32}
    assert {p.device.type for p in first.parameters()} == {"cpu"}
    with torch.no_grad():
        first[3].weight.zero_()
    assert _first(second) == pytest.approx(_first(trained), rel=1e-3)


def test_a_bad_user_file_is_not_replaced_by_another_source(card, trained, tmp_path):
    _ship(card, trained)
    (tmp_path / "mine.safetensors").write_bytes(b"no weights")
    assert "'mine.safetensors' is damaged" in _refusal(
        card, user_file=str(tmp_path / "mine.safetensors")
    )


def test_progress_of_a_download(card, trained, site, tmp_path):
    site.content, told = _bytes(trained, tmp_path), []
    load(site.with_source(card, "/good/net.pth"), on_progress=told.append)
    assert told[-1] == 1.0


def test_a_second_source_is_tried(card, trained, site, tmp_path):
    site.content = _bytes(trained, tmp_path)
    both = dataclasses.replace(
        card, weights=(site.source("/404/a.pth"), site.source("/good/b.pth"))
    )
    assert load(both)[1].file == "b.pth"


# --- the public hub --------------------------------------------------------------------------------


def test_not_here_and_not_to_be_had_is_one_sentence(card, site, monkeypatch):
    large = dataclasses.replace(site.source("/404/net-1234.pth"), bytes=127_359_000)
    public = dataclasses.replace(card, weights=(large,))
    start = "weights of Small-3D (127 MB) are not here and cannot be fetched: "
    assert _refusal(public) == (
        f"{start}127.0.0.1 says 404 Not Found; try again later, or give the file net-1234.pth yourself."
    )
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert _refusal(public) == (
        f"{start}HF_HUB_OFFLINE is set; try again online, or give the file net-1234.pth yourself."
    )


def test_a_file_damaged_since_is_fetched_again(card, trained, site, tmp_path):
    site.content = _bytes(trained, tmp_path)
    public = site.with_source(card, "/good/net.pth")
    load(public)
    path = hub.path(public.weights[0])
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    load(public)
    assert path.read_bytes() == site.content
    assert site.requests["/good/net.pth"] == 2


def test_a_published_file_that_does_not_fit(card, site, tmp_path):
    site.content = _bytes(card.build(5), tmp_path)
    assert "trained for 5 classes" in _refusal(site.with_source(card, "/good/net.pth"))


def test_no_source_at_all(card):
    sentence = _refusal(card)
    assert sentence.startswith("weights of Small-3D do not come with the app, ")


def test_every_public_model_says_so_offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for card in cards().values():
        assert card.title in _refusal(card)


# --- the shipped ones --------------------------------------------------------------------------------


def test_a_damaged_checkpoint_is_not_loaded(card, trained):
    _ship(card, trained, sha256="0" * 64)
    assert "small.safetensors) cannot be used: the file is damaged" in _refusal(card)


def test_a_missing_checkpoint_is_not_loaded(card, trained):
    _ship(card, trained, file="gone.safetensors")
    assert "(gone.safetensors) are missing" in _refusal(card)


def test_a_checkpoint_of_other_classes_is_not_loaded(card, trained):
    _ship(card, trained, classes=["running", "walking", "jumping"])
    assert "were trained for other classes" in _refusal(card)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"checkpoints": [{}]}',
        "\xff",
        '{"checkpoints": 3}',
        '{"classes": {}, "checkpoints": [{"model": "a", "file": "b", "classes": "no such list"}]}',
    ],
)
def test_a_manifest_that_cannot_be_read(text, card):
    shipped.folder().mkdir()
    (shipped.folder() / "manifest.json").write_bytes(text.encode("latin-1"))
    assert "cannot be read: fetch checkpoints/ again" in _refusal(card)
    assert availability(card).state == "missing"
    assert "cannot be read" in availability(card).sentence


def test_a_list_of_classes_may_stand_in_the_entry_or_be_named(tmp_path, monkeypatch):
    """And the file is parsed once for as long as it stays the same."""
    parsed = []
    monkeypatch.setattr(
        shipped.json, "loads", lambda t: parsed.append(t) or json.JSONDecoder().decode(t)
    )
    a, b = ({"model": m, "file": m, "classes": c} for m, c in (("a", "Two"), ("b", ["x", "y"])))
    manifest = {"classes": {"Two": ["x", "y"]}, "checkpoints": [a, b]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    for _ in range(3):
        assert [entry["classes"] for entry in shipped.entries(tmp_path)] == [["x", "y"]] * 2
    assert len(parsed) == 1
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"checkpoints": [b]}))
    assert [entry["model"] for entry in shipped.entries(tmp_path)] == ["b"]


def test_accuracy_is_the_shipped_ones_or_the_published(card, trained):
    assert accuracies(card) == card.accuracy
    _ship(card, trained)
    (measured,) = accuracies(card)
    assert (measured.dataset, measured.top1) == ("ARID", 61.5)
    assert measured.protocol == "places 9 to 11, 90 clips"


# --- availability ------------------------------------------------------------------------------------


def test_availability_in_all_four_states(card, trained, site, tmp_path, monkeypatch):
    site.content = _bytes(trained, tmp_path)
    public = site.with_source(card, "/good/net.pth")

    assert (availability(card).state, availability(card).bytes) == ("missing", 0)
    found = availability(public)
    assert (found.state, found.bytes) == ("download", len(site.content))
    assert (
        found.sentence == "Weights (0.0 MB) will be fetched from 127.0.0.1 at the first question."
    )

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert availability(public).state == "missing"
    assert availability(public).bytes == len(site.content)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert not site.requests  # asking costs no network

    load(public)
    found = availability(public)
    assert (found.state, found.bytes) == ("cached", len(site.content))

    entry = _ship(card, trained)
    found = availability(public)
    assert (found.state, found.bytes) == ("shipped", entry["bytes"])


def test_the_repositorys_own_folders_without_the_environment(monkeypatch):
    monkeypatch.delenv("HAR_CHECKPOINTS")
    monkeypatch.delenv("HAR_CACHE")
    assert shipped.folder().name == "checkpoints"
    assert (shipped.folder().parent / "har_demo").is_dir()
    assert hub.folder().name == "weights" and "har_demo" in hub.folder().parts
