import threading
import time

import pytest
import torch

from har_demo.errors import WeightsError
from har_demo.recognize import networks
from har_demo.weights.shipped import write_entry

CPU = torch.device("cpu")


def test_a_network_is_loaded_once_and_only_read(zoo):
    network, provenance = networks.network(zoo.cards["first"], None, CPU)
    again, _ = networks.network(zoo.cards["first"], None, CPU)
    assert again is network and zoo.loads == ["first"]
    assert not network.training and not any(p.requires_grad for p in network.parameters())
    assert provenance.source == "shipped"


def test_two_users_wait_for_one_load(zoo, monkeypatch):
    def slow(card, user_file=None, on_progress=None):
        time.sleep(0.2)
        return zoo.load(card, user_file, on_progress)

    monkeypatch.setattr(networks.weights, "load", slow)
    got = []
    users = [
        threading.Thread(
            target=lambda: got.append(networks.network(zoo.cards["first"], None, CPU)[0])
        )
        for _ in range(4)
    ]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert zoo.loads == ["first"] and len({id(network) for network in got}) == 1


def test_a_failed_load_is_tried_again(zoo):
    for _ in range(2):
        with pytest.raises(WeightsError):
            networks.network(zoo.cards["bare"], None, CPU)
    assert zoo.loads == ["bare", "bare"]


def test_another_file_of_ones_own_is_another_network(zoo, tmp_path):
    mine = tmp_path / "mine.safetensors"
    mine.write_bytes(b"one")
    card = zoo.cards["first"]
    networks.network(card, str(mine), CPU)
    networks.network(card, str(mine), CPU)
    networks.network(card, None, CPU)
    assert len(zoo.loads) == 2
    mine.write_bytes(b"longer than before")
    networks.network(card, str(mine), CPU)
    assert len(zoo.loads) == 3


def test_another_shipped_file_is_another_network(zoo, tmp_path, monkeypatch):
    """In another folder, or in place of the one that was loaded."""
    card = zoo.cards["first"]
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        write_entry(folder, {"model": card.name, "file": "first.safetensors"})
        (folder / "first.safetensors").write_bytes(b"one")
        monkeypatch.setenv("HAR_CHECKPOINTS", str(folder))
        networks.network(card, None, CPU)
        networks.network(card, None, CPU)
    assert zoo.loads == ["first"] * 2
    (folder / "first.safetensors").write_bytes(b"longer than before")
    networks.network(card, None, CPU)
    assert zoo.loads == ["first"] * 3


def test_the_networks_used_last_are_kept_up_to_a_limit(zoo, monkeypatch):
    size = sum(p.numel() * 4 for p in zoo.networks["first"].parameters())
    monkeypatch.setattr(networks, "KEPT_BYTES", int(size * 2.5))
    zoo.add("third")
    for name in ("first", "second", "first", "third", "first", "second"):
        networks.network(zoo.cards[name], None, CPU)
    assert zoo.loads == ["first", "second", "third", "second"]
