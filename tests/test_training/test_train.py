"""The training loop learns, and what it saves is what it learned."""

import hashlib
import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from har_demo.clips.transforms import differences, standardised, transform
from har_demo.labels import EVERYDAY
from har_demo.models.r2plus1d import R2Plus1D
from har_demo.training import train as module
from har_demo.training.data import footage
from har_demo.training.train import CARDS, as_input, save, scores, train, write_entry

# Neither is changed by mirroring or playing backwards.
SIDEWAYS, UPWARDS = EVERYDAY.index("galloping sideways"), EVERYDAY.index("skipping")


def _squares(count, seed):
    """Bright squares that cross the picture sideways or upwards, on grey."""
    generator = torch.Generator().manual_seed(seed)
    clips, labels = [], []
    for i in range(count):
        frames = torch.full((24, 3, 40, 40), 60, dtype=torch.uint8)
        still, start, way = torch.randint(0, 8, (3,), generator=generator).tolist()
        for t in range(24):
            moving = (start + t) % 30 if way % 2 else 29 - (start + t) % 30
            x, y = (moving, 10 + still) if i % 2 else (10 + still, moving)
            frames[t, :, y : y + 10, x : x + 10] = 220
        clips.append(frames)
        labels.append(SIDEWAYS if i % 2 else UPWARDS)
    return footage(clips, [12.5] * count, labels, [1.0] * count)


@pytest.fixture(scope="module")
def card():
    small = replace(CARDS["r2plus1d_lab"].input, frames=8, fps=12.5, crop=(24, 24), resize=(24, 24))
    return replace(
        CARDS["r2plus1d_lab"],
        input=small,
        build=lambda classes: R2Plus1D(classes, 8, (1, 1, 1, 1)),
    )


@pytest.fixture(scope="module")
def trained(card):
    losses = []
    network = train(
        card,
        _squares(16, seed=0),
        steps=51,
        batch=12,
        seed=1,
        on_step=lambda step, loss: losses.append(loss),
    )
    return network, losses


def test_it_learns_which_way_squares_move(card, trained):
    network, losses = trained
    test = _squares(20, seed=99)
    right = scores(network, card, test).argmax(1) == test.labels
    assert right.float().mean() >= 0.9
    assert losses[50] < losses[0]


def test_a_fresh_network_does_not_know(card):
    torch.manual_seed(0)
    fresh = card.build(len(card.classes)).eval()
    test = _squares(20, seed=99)
    assert (scores(fresh, card, test).argmax(1) == test.labels).float().mean() <= 0.6


def test_same_seed_same_network(card):
    source = _squares(4, seed=0)
    one, two, other = (train(card, source, steps=2, batch=4, seed=s) for s in (5, 5, 6))
    x = torch.randn(1, 3, 8, 24, 24)
    with torch.no_grad():
        torch.testing.assert_close(one(x), two(x))
        assert not torch.allclose(one(x), other(x))


def test_half_of_a_batch_is_drawn_people(card):
    real, drawn = _squares(4, seed=0), _squares(4, seed=1)
    drawn.labels.fill_(EVERYDAY.index("walking"))
    inputs, labels = module._batch(card.input, [real, drawn], 12, torch.device("cpu"))
    assert inputs.shape == (12, 3, 8, 24, 24)
    assert (labels == EVERYDAY.index("walking")).sum() == 6


@pytest.mark.parametrize("modality", ["rgb", "difference"])
def test_the_network_is_fed_as_recognition_feeds_it(card, modality):
    spec = replace(card.input, modality=modality)
    frames = torch.randint(0, 256, (9, 24, 24, 3), dtype=torch.uint8)
    served = transform(frames.numpy(), spec)
    if modality == "difference":
        served = differences(served)
    served = standardised(served.transpose(1, 2))
    trained_on = as_input(frames.permute(0, 3, 1, 2)[None].float() / 255, spec)
    torch.testing.assert_close(trained_on, served, atol=1e-4, rtol=1e-4)


def test_saved_files_are_what_the_manifest_says(card, trained, tmp_path):
    network, _ = trained
    file = save(network, card, tmp_path, {"seed": 1, "protocol": "squares"})
    (entry,) = json.loads((tmp_path / "manifest.json").read_text())["checkpoints"]
    assert entry["file"] == file.name
    assert entry["bytes"] == file.stat().st_size
    assert entry["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert tuple(entry["classes"]) == card.classes
    assert entry["seed"] == 1
    assert entry["accuracy"] == []  # it has not been measured yet

    state = load_file(file)
    assert all(v.dtype == torch.float16 for v in state.values() if v.is_floating_point())
    again = card.build(len(card.classes)).eval()
    again.load_state_dict(state)
    test = _squares(20, seed=99)
    before, after = scores(network, card, test), scores(again, card, test)
    torch.testing.assert_close(after, before, atol=0.02, rtol=0)


def test_an_entry_replaces_only_its_own_model(tmp_path):
    for entry in (
        {"model": "b", "seed": 1},
        {"model": "a", "seed": 1},
        {"model": "b", "seed": 2},
    ):
        write_entry(tmp_path, entry)
    listed = json.loads((tmp_path / "manifest.json").read_text())["checkpoints"]
    assert listed == [{"model": "a", "seed": 1}, {"model": "b", "seed": 2}]


def test_learning_rate_rises_then_falls_to_nothing():
    rates = [module._rate(step / 100) for step in range(101)]
    top = rates.index(max(rates))
    assert 0 < top < 10
    assert rates[0] == 0
    assert rates[100] == pytest.approx(0, abs=1e-9)
    assert rates[top:] == sorted(rates[top:], reverse=True)
