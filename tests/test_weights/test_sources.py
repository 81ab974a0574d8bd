"""One card, several publishers: chosen by name or by the layout of a file, each with its own preprocessing."""

import dataclasses
import hashlib
from dataclasses import replace

import pytest
import torch
from torch import nn

from har_demo.errors import ChoiceError, WeightsError
from har_demo.models.card import Source
from har_demo.models.key_map import key_map
from har_demo.weights import availability, hub, load
from har_demo.weights.sources import chosen_sources, of_request, whose


def _source(card, name, prefix, mean, file, **more) -> Source:
    """A publisher who puts a prefix before every name."""
    return Source(
        f"https://weights.invalid/{file}",
        "",
        1000,
        "MIT",
        name,
        key_map((rf"^{prefix}\.", "")),
        replace(card.input, mean=(mean,) * 3),
        **more,
    )


@pytest.fixture
def several(card):
    return replace(
        card,
        weights=(
            _source(card, "alpha", "a", 0.1, "alpha.pth"),
            _source(card, "beta", "b", 0.2, "beta.pth"),
            _source(card, "beta-long", "b", 0.3, "beta_long.pth"),
        ),
    )


def _save(network, path, prefix=""):
    torch.save({f"{prefix}{name}": t for name, t in network.state_dict().items()}, path)
    return path


@pytest.mark.parametrize(
    ("prefix", "file", "mean"),
    [
        ("a.", "mine.pth", 0.1),
        ("b.", "mine.pth", 0.2),
        ("b.", "beta_long.pth", 0.3),
        ("", "mine.pth", 0.5),
        ("", "beta.pth", 0.2),
        ("other.", "mine.pth", 0.5),
    ],
)
def test_a_users_file_is_fed_as_the_publisher_of_its_layout_feeds_it(
    several, trained, tmp_path, prefix, file, mean
):
    path = _save(trained, tmp_path / file, prefix)
    assert of_request(several, path).input.mean[0] == mean
    if prefix != "other.":
        network, provenance = load(several, path)
        assert torch.equal(network[3].weight, trained[3].weight)
        assert provenance.publisher == {0.1: "alpha", 0.2: "beta", 0.3: "beta-long"}.get(mean, "")


def test_a_users_file_that_cannot_be_read_is_refused_when_it_is_loaded(several, tmp_path):
    (tmp_path / "mine.pth").write_bytes(b"no weights")
    assert of_request(several, tmp_path / "mine.pth").input == several.input
    with pytest.raises(WeightsError, match=r"'mine\.pth' is damaged"):
        load(several, tmp_path / "mine.pth")


def test_a_user_may_name_the_publisher(several, trained, tmp_path):
    path = _save(trained, tmp_path / "mine.pth", "b.")
    named = of_request(several, path, "alpha")
    assert named.input.mean[0] == 0.1
    with pytest.raises(WeightsError, match="does not fit"):
        load(named, path)
    with pytest.raises(ChoiceError, match="no weights from 'gamma': choose alpha, beta, beta-long"):
        of_request(several, None, "gamma")


def test_the_source_that_is_here_answers_and_without_any_the_first(several, trained):
    assert of_request(several).input.mean[0] == 0.1
    hub.folder().mkdir(parents=True)
    _save(trained, hub.path(several.weights[1]), "b.")
    assert of_request(several).input.mean[0] == 0.2
    network, provenance = load(several)
    assert (provenance.source, provenance.publisher) == ("hub", "beta")
    assert torch.equal(network[3].weight, trained[3].weight)
    assert availability(of_request(several, name="alpha")).state == "download"


def test_a_publishers_own_network_is_built(several, tmp_path):
    """Where the parameters do not show the difference, such as another activation, the source says it."""

    def doubled(classes):
        network = several.build(classes)
        network.add_module("extra", nn.Identity())
        return network

    own = replace(several.weights[1], name="gamma", build=doubled, key_map=key_map((r"^g\.", "")))
    both = replace(several, weights=(several.weights[0], own))
    path = _save(doubled(3), tmp_path / "mine.pth", "g.")
    assert load(both, path)[0].extra is not None
    assert whose(both, torch.load(path), "mine.pth").name == "gamma"


def test_a_network_of_two_files(card, trained, tmp_path):
    parts = tuple(
        (f"{number}.", _source(card, "alpha", "a", 0.5, f"part{number}.pth"))
        for number in (0, 1, 3)
    )
    joined = replace(card, weights=(replace(parts[0][1], parts=parts),))
    assert availability(joined).state == "download"
    hub.folder().mkdir(parents=True)
    for prefix, part in parts:
        _save(trained[int(prefix[0])], hub.path(part), "a.")
    assert availability(joined).state == "cached"
    network, provenance = load(joined)
    assert torch.equal(network[3].weight, trained[3].weight)
    assert torch.equal(network[1].running_var, trained[1].running_var)
    assert provenance.file == "part0.pth and part1.pth and part3.pth"
    hub.path(parts[2][1]).unlink()
    with pytest.raises(WeightsError, match="cannot be fetched"):
        load(joined)


def test_models_and_publishers_are_named_together():
    assert chosen_sources(["slow=a", "fast=b"], ["slow", "fast"]) == {"slow": "a", "fast": "b"}
    assert chosen_sources(["a"], ["slow"]) == {"slow": "a"}
    for given, names in ((["a"], ["slow", "fast"]), (["other=a"], ["slow"]), (["slow="], ["slow"])):
        with pytest.raises(ChoiceError):
            chosen_sources(given, names)


# --- hashes that may not be the file's ------------------------------------------------------------


@pytest.fixture
def uncertain(card, site, trained, tmp_path):
    """A publisher whose file names end in digits that are not this file's."""
    site.content = _save(trained, tmp_path / "net.pth").read_bytes()
    source = replace(site.source("/good/net-12345678.pth"), sha256="12345678", certain=False)
    return dataclasses.replace(card, weights=(source,))


def test_digits_of_a_name_that_are_wrong_warn(uncertain, trained, site, caplog):
    for _ in range(2):
        network, provenance = load(uncertain)
        assert torch.equal(network[3].weight, trained[3].weight)
        digits = hashlib.sha256(site.content).hexdigest()[:8]
        assert f"begins with {digits}, not with the 12345678 of its name" in provenance.note
    assert site.requests["/good/net-12345678.pth"] == 1
    assert "may be another file than the published one" in caplog.text


@pytest.mark.parametrize("certain", [True, False])
def test_a_persons_file_is_never_deleted(uncertain, trained, monkeypatch, certain):
    """Nor if nothing can be fetched in its place: then it answers, with a warning."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    source = replace(uncertain.weights[0], certain=certain)
    card = replace(uncertain, weights=(source,))
    hub.folder().mkdir(parents=True)
    mine = _save(trained, hub.path(source))
    content = mine.read_bytes()
    network, provenance = load(card)
    assert torch.equal(network[3].weight, trained[3].weight)
    assert "not with the 12345678 of its name" in provenance.note
    assert mine.read_bytes() == content

    mine.write_bytes(b"not weights at all")
    with pytest.raises(WeightsError, match="cannot be fetched"):
        load(card)
    (aside,) = hub.folder().iterdir()
    assert aside.read_bytes() == b"not weights at all"
