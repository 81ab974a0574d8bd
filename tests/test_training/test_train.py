"""The training loop learns in two stages, can be cut, and feeds networks as recognition does."""

import time
from dataclasses import replace

import pytest
import torch

from har_demo.clips.transforms import differences, standardised, transform
from har_demo.labels import EVERYDAY
from har_demo.models.registry import cards
from har_demo.training import train as module
from har_demo.training.score import probabilities
from har_demo.training.train import OutOfTime, Run, as_input, draw, optimise, train, trainable
from tests.test_training.conftest import squares

RUN = Run("r2plus1d_lab", "difference", 1)


@pytest.fixture(scope="module")
def trained(card, protocol, tmp_path_factory):
    steps = []
    network = train(
        card,
        RUN,
        squares(16, seed=0),
        squares(16, seed=1),
        protocol,
        tmp_path_factory.mktemp("states"),
        on_step=lambda *step: steps.append(step),
    )
    return network, steps


def _right(network, card, test):
    answers = probabilities(network, card.input, test).argmax(1)
    return float((answers == test.labels.numpy()).mean())


def test_it_learns_which_way_squares_move(card, trained):
    network, steps = trained
    assert _right(network, card, squares(20, seed=99)) >= 0.9
    assert [(stage, step) for stage, step, _ in steps] == [
        ("pretrain", 0),
        ("pretrain", 29),
        ("finetune", 0),
        ("finetune", 39),
    ]
    assert steps[-1][2] < steps[0][2]


def test_a_fresh_network_does_not_know(card):
    torch.manual_seed(0)
    fresh = card.build(len(EVERYDAY)).eval()
    assert _right(fresh, card, squares(20, seed=99)) <= 0.6


def _weights(network):
    return torch.cat([value.double().flatten() for value in network.state_dict().values()])


def _short(protocol):
    return replace(protocol, pretrain_steps=3, finetune_steps=3, batch=4)


def test_same_seed_same_network(card, protocol, tmp_path):
    rendered, real = squares(4, seed=0), squares(4, seed=1)
    networks = [
        train(card, replace(RUN, seed=seed), rendered, real, _short(protocol), tmp_path / str(i))
        for i, seed in enumerate((5, 5, 6))
    ]
    one, two, other = map(_weights, networks)
    torch.testing.assert_close(one, two)
    assert not torch.allclose(one, other)


def test_a_second_split_starts_from_the_first_stage_and_ends_the_same(card, protocol, tmp_path):
    """The first stage knows no split, so it is done once; the second is as if it had been done again."""
    rendered, real, short = squares(4, seed=0), squares(4, seed=1), _short(protocol)
    stages = []

    def note(stage, step, loss):
        stages.append(stage)

    first = train(card, RUN, rendered, real, short, tmp_path, on_step=note)
    assert "pretrain" in stages
    stages.clear()
    again = train(card, replace(RUN, split="b"), rendered, real, short, tmp_path, on_step=note)
    assert set(stages) == {"finetune"}
    torch.testing.assert_close(_weights(first), _weights(again))


def test_a_run_that_is_cut_goes_on_where_it_was(card, protocol, tmp_path, monkeypatch):
    rendered, real, short = squares(4, seed=0), squares(4, seed=1), _short(protocol)
    whole = train(card, RUN, rendered, real, short, tmp_path / "whole")

    # A clock that ticks once a step: cut after the second step of the first stage, then of the second.
    clock = iter(range(1000))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    with pytest.raises(OutOfTime, match="after 2 of 3"):
        train(card, RUN, rendered, real, short, tmp_path / "cut", until=2)
    now = next(clock)
    with pytest.raises(OutOfTime, match="after 2 of 3"):
        train(card, RUN, rendered, real, short, tmp_path / "cut", until=now + 5)
    rest = train(card, RUN, rendered, real, short, tmp_path / "cut")
    torch.testing.assert_close(_weights(whole), _weights(rest))
    assert not list((tmp_path / "cut").glob("*.state"))


def test_a_state_is_kept_while_it_runs(card, protocol, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SAVE_EVERY", 0.0)
    seen = []
    network = torch.nn.Linear(2, 2)
    optimise(
        network,
        lambda step: (torch.ones(3, 2), torch.tensor([0, 1, 0])),
        lambda inputs, labels: torch.nn.functional.cross_entropy(network(inputs), labels),
        3,
        1e-3,
        protocol,
        tmp_path / "x.state",
        on_step=lambda step, loss: seen.append((tmp_path / "x.state").exists()),
    )
    assert seen == [True, True]  # at the first and the last step
    assert not (tmp_path / "x.state").exists()


def test_a_batch_is_mixed_as_asked(card, protocol):
    real, drawn = squares(4, seed=0), squares(4, seed=1)
    drawn.labels.fill_(EVERYDAY.index("walking"))
    inputs, labels = draw(card.input, [(real, 9), (drawn, 3)], protocol)
    assert inputs.shape == (12, 3, 8, 24, 24)
    assert (labels == EVERYDAY.index("walking")).sum() == 3


@pytest.mark.parametrize("modality", ["rgb", "difference"])
@pytest.mark.parametrize("standardise", [True, False])
def test_the_network_is_fed_as_recognition_feeds_it(card, modality, standardise):
    spec = replace(card.input, modality=modality, standardise=standardise)
    frames = torch.randint(0, 256, (9, 24, 24, 3), dtype=torch.uint8)
    served = transform(frames.numpy(), spec)
    if modality == "difference":
        served = differences(served)
    served = served.transpose(1, 2)
    if standardise:
        served = standardised(served)
    trained_on = as_input(frames.permute(0, 3, 1, 2)[None].float() / 255, spec)
    torch.testing.assert_close(trained_on, served)


@pytest.mark.parametrize("name", sorted(trainable()))
@pytest.mark.parametrize("modality", ["rgb", "difference"])
def test_every_model_can_be_fed_from_two_seconds(name, modality, protocol):
    card = trainable()[name]
    spec = replace(card.input, modality=modality, crop=(8, 8))
    inputs, labels = draw(spec, [(squares(2, seed=0), 2)], protocol)
    assert inputs.shape == (2, 3, spec.frames, 8, 8)
    assert len(labels) == 2
    assert spec.frames / spec.fps <= 2.0  # what a rendered clip shows


def test_models_without_a_loss_of_their_own_wait():
    lab = {name for name, card in cards().items() if card.size == "lab"}
    assert set(module.LATER) <= lab
    assert not set(module.LATER) & set(trainable())
    assert len(trainable()) > 30


def test_learning_rate_rises_then_falls_to_nothing():
    rates = [module.share(step / 100, 0.05) for step in range(101)]
    top = rates.index(max(rates))
    assert 0 < top < 10
    assert rates[0] == 0
    assert rates[100] == pytest.approx(0, abs=1e-9)
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_until_is_checked_before_the_first_step(card, protocol, tmp_path):
    with pytest.raises(OutOfTime, match="after 0 of"):
        train(
            card,
            RUN,
            squares(2, 0),
            squares(2, 1),
            protocol,
            tmp_path,
            until=time.monotonic() - 1,
        )


def test_clips_become_harder_during_the_first_stage_alone(card, protocol, tmp_path, monkeypatch):
    drawn = []
    real_draw = module.draw
    monkeypatch.setattr(
        module, "draw", lambda s, m, p: drawn.append(p.smallest_crop) or real_draw(s, m, p)
    )
    short = replace(protocol, pretrain_steps=4, finetune_steps=2, batch=4, easing=0.5)
    train(card, RUN, squares(4, seed=0), squares(4, seed=1), short, tmp_path)
    hard = protocol.smallest_crop
    assert drawn == pytest.approx([1, (1 + hard) / 2, hard, hard, hard, hard])


def test_transformers_learn_more_slowly(card, protocol, tmp_path, monkeypatch):
    seen = []
    real = module.optimise
    monkeypatch.setattr(module, "optimise", lambda *words: seen.append(words[4]) or real(*words))
    short = _short(protocol)
    for family in ("Video transformer", card.family):
        folder = tmp_path / family
        train(replace(card, family=family), RUN, squares(4, 0), squares(4, 1), short, folder)
    slow = short.transformer_rate
    both = [short.pretrain_rate, short.finetune_rate]
    assert seen == pytest.approx([rate * slow for rate in both] + both)
