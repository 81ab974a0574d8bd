"""The training loop learns in two stages, can be cut, and feeds networks as recognition does."""

import itertools
from dataclasses import replace

import pytest
import torch

from har_demo.clips.transforms import differences, standardised, transform
from har_demo.errors import WeightsError
from har_demo.labels import EVERYDAY
from har_demo.models.mars import ResNeXt3D
from har_demo.models.registry import cards
from har_demo.models.tiny import TINY_FLOW
from har_demo.research.training.recognition import train as module
from har_demo.research.training.recognition.augment import eased
from har_demo.research.training.recognition.motion import fields_of
from har_demo.research.training.recognition.score import probabilities
from har_demo.research.training.recognition.ship import save
from har_demo.research.training.recognition.train import (
    Run,
    as_inputs,
    draw,
    normalised,
    optimise,
    present,
    train,
    trainable,
)
from tests.test_research.test_training.test_recognition.conftest import squares

pytestmark = pytest.mark.nightly

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


@pytest.mark.nightly
def test_same_seed_same_network(card, protocol, tmp_path):
    rendered, real = squares(4, seed=0), squares(4, seed=1)
    networks = [
        train(card, replace(RUN, seed=seed), rendered, real, _short(protocol), tmp_path / str(i))
        for i, seed in enumerate((5, 5, 6))
    ]
    one, two, other = map(_weights, networks)
    torch.testing.assert_close(one, two)
    assert not torch.allclose(one, other)


@pytest.mark.nightly
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


def _cut_at(call):
    """Draw batches as before, but stop the program at this one."""
    calls = itertools.count(1)

    def cut(*words):
        if next(calls) == call:
            raise KeyboardInterrupt
        return draw(*words)

    return cut


def test_a_run_that_is_cut_goes_on_where_it_was(card, protocol, tmp_path, monkeypatch):
    rendered, real, short = squares(4, seed=0), squares(4, seed=1), _short(protocol)
    whole = train(card, RUN, rendered, real, short, tmp_path / "whole")

    # The state is kept at every step; both stages are cut after their second.
    monkeypatch.setattr(module, "SAVE_EVERY", -1.0)
    for _ in range(2):
        monkeypatch.setattr(module, "draw", _cut_at(3))
        with pytest.raises(KeyboardInterrupt):
            train(card, RUN, rendered, real, short, tmp_path / "cut")
        assert len(list((tmp_path / "cut").glob("*.state"))) == 1
        monkeypatch.setattr(module, "draw", draw)
    rest = train(card, RUN, rendered, real, short, tmp_path / "cut")
    torch.testing.assert_close(_weights(whole), _weights(rest))
    assert not list((tmp_path / "cut").glob("*.state"))


@pytest.mark.nightly
def test_a_state_is_kept_while_it_runs(card, protocol, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SAVE_EVERY", 0.0)
    seen = []
    network = torch.nn.Linear(2, 2)
    optimise(
        network,
        lambda step: ((torch.ones(3, 2),), torch.tensor([0, 1, 0])),
        lambda inputs, labels: torch.nn.functional.cross_entropy(network(*inputs), labels),
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
    (inputs,), labels = draw(card.input, [(real, 9), (drawn, 3)], protocol)
    assert inputs.shape == (12, 3, 8, 24, 24)
    assert (labels == EVERYDAY.index("walking")).sum() == 3


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["r2plus1d_lab", "mars_flow_lab", "i3d_two_stream_lab"])
def test_what_changes_a_batch_is_compiled_once_however_strong(protocol, name):
    """As on a GPU, but for what is made of the graph: no break in it, and none for another strength."""
    graphs = []

    def kept(graph, inputs):
        graphs.append(graph)
        return graph.forward

    torch.compiler.reset()
    presented = torch.compile(present, dynamic=False, fullgraph=True, backend=kept)
    spec = replace(trainable()[name].input, crop=(8, 8))
    source = squares(2, seed=0)
    source = replace(source, fields=torch.zeros(len(source.frames), 2, 16, 16, dtype=torch.int8))
    drawn = []
    for strength in (0.0, 0.5, 1.0):
        now = eased(protocol, torch.tensor(strength))
        torch.manual_seed(0)
        drawn.append(draw(spec, [(source, 2)], now, presented)[0])
        torch.manual_seed(0)
        for seen, plain in zip(drawn[-1], draw(spec, [(source, 2)], now)[0], strict=True):
            torch.testing.assert_close(seen, plain)
    assert len(graphs) == 1
    assert not torch.equal(drawn[0][0], drawn[1][0])


def test_the_network_is_fed_as_recognition_feeds_it(card):
    for modality in ["rgb", "difference"]:
        for standardise in [True, False]:
            spec = replace(card.input, modality=modality, standardise=standardise)
            frames = torch.randint(0, 256, (9, 24, 24, 3), dtype=torch.uint8)
            served = transform(frames.numpy(), spec)
            if modality == "difference":
                served = differences(served)
            served = served.transpose(1, 2)
            if standardise:
                served = standardised(served)
            pictures = normalised(frames.permute(0, 3, 1, 2)[None].float() / 255, spec)
            (trained_on,) = as_inputs(pictures, None, spec)
            torch.testing.assert_close(trained_on, served)


FED = [
    (name, modality)
    for name, card in sorted(trainable().items())
    for modality in (
        (card.input.modality,) if "flow" in card.input.modality else ("rgb", "difference")
    )
]


def test_every_model_can_be_fed_from_two_seconds(protocol):
    for name, modality in FED:
        card = trainable()[name]
        spec = replace(card.input, modality=modality, crop=(8, 8))
        source = squares(2, seed=0)
        source = replace(
            source, fields=torch.zeros(len(source.frames), 2, 16, 16, dtype=torch.int8)
        )
        inputs, labels = draw(spec, [(source, 2)], protocol)
        assert [tuple(x.shape) for x in inputs] == list(spec.shapes(batch=2)), name
        assert len(labels) == 2, name
        assert (spec.frames_read - 1) / spec.fps <= 2.0, name  # what a rendered clip shows


def test_every_lab_network_is_trained():
    lab = {n for n, c in cards().items() if c.size == "tiny" and c.gmacs is not None}
    assert set(trainable()) == lab
    assert {*module.LOSSES, *module.TEACHERS} <= lab


def test_two_paths_learn_by_themselves(protocol):
    """The gradient of each is the one it would have alone."""
    card = trainable()["resframe_ts_lab"]
    torch.manual_seed(0)
    network, labels = card.build(5).eval(), torch.tensor([1, 3])
    x = torch.randn(2, 3, 4, 32, 32)
    module.LOSSES[card.name](network, (x,), labels, protocol).backward()
    together = [p.grad.clone() for p in network.appearance.parameters()]
    network.zero_grad()
    alone = torch.nn.functional.cross_entropy(
        network.paths(x)[1], labels, label_smoothing=protocol.smoothing
    )
    alone.backward()
    for a, p in zip(together, network.appearance.parameters(), strict=True):
        torch.testing.assert_close(a, p.grad)


STUDENT = Run("mars_lab", "rgb", 3)
TEACHER = Run("mars_flow_lab", "flow", 3)


@pytest.mark.nightly
def test_mars_learns_from_its_own_flow_network():
    assert module.teacher_of(STUDENT) == TEACHER
    assert module.teacher_of(TEACHER) is None
    spec = module.shown(cards()["mars_lab"], STUDENT)
    own, taught = cards()["mars_lab"].input, cards()["mars_flow_lab"].input
    assert spec.shapes() == (*own.shapes(), *taught.shapes())
    assert (spec.mean, spec.std, spec.fps, spec.standardise) == (
        *(own.mean, own.std),
        *(own.fps, own.standardise),
    )


def _small(name):
    """A lab card of a tenth of the pixels, and of a network that is quick."""
    card = cards()[name]
    channels = 2 if "flow" in name else 3
    return replace(
        card,
        input=replace(card.input, frames=4, flow_frames=4 * ("flow" in name), crop=(32, 32)),
        build=lambda classes: ResNeXt3D(classes, channels, 8, 8, (1, 1, 1, 1), groups=2),
    )


def _moving(count, seed, folder):
    """Squares with their flow."""
    clips = squares(count, seed)
    clips.save(folder / "clips.pt")
    return replace(clips, fields=fields_of(folder / "clips.pt", 8.0))


def test_a_student_learns_classes_and_features(protocol):
    torch.manual_seed(0)
    student, teacher = (_small(name).build(5).eval() for name in ("mars_lab", "mars_flow_lab"))
    rgb, flow, labels = torch.randn(3, 3, 4, 32, 32), torch.randn(3, 2, 4, 32, 32), torch.arange(3)
    loss = module.imitate(teacher)(student, (rgb, flow), labels, protocol)
    features = student.features(rgb)
    answer = torch.nn.functional.cross_entropy(
        student.fc(features), labels, label_smoothing=protocol.smoothing
    )
    apart = (features - teacher.features(flow)).square().mean()
    torch.testing.assert_close(loss, answer + 50 * apart)


@pytest.mark.nightly
def test_each_stage_has_the_teacher_of_that_stage(protocol, tmp_path, monkeypatch):
    small = {name: _small(name) for name in ("mars_lab", "mars_flow_lab")}
    monkeypatch.setattr(module, "cards", lambda: small)
    short, states = _short(protocol), tmp_path / "states"
    drawn, real = _moving(4, 0, tmp_path), _moving(4, 1, tmp_path)
    with pytest.raises(WeightsError, match="train mars_flow_lab first"):
        train(small["mars_lab"], STUDENT, drawn, real, short, states)
    teacher = train(small["mars_flow_lab"], TEACHER, drawn, real, short, states)
    with pytest.raises(WeightsError, match="mars_flow_lab-flow-s3-a is not trained"):
        train(small["mars_lab"], STUDENT, drawn, real, short, states)
    done = tmp_path / "done" / TEACHER.name
    done.mkdir(parents=True)
    save(teacher, TEACHER, done)
    asked, imitate = [], module.imitate

    def noted(teacher):
        asked.append(_weights(teacher))
        return imitate(teacher)

    monkeypatch.setattr(module, "imitate", noted)
    train(small["mars_lab"], replace(STUDENT, split="a"), drawn, real, short, states)
    (last,) = asked  # the first stage was done before the second found no teacher
    torch.testing.assert_close(last, _weights(teacher), atol=1e-3, rtol=1e-3)  # kept as halves
    (states / f"{STUDENT.start}.pt").unlink()
    train(small["mars_lab"], STUDENT, drawn, real, short, states)
    assert not torch.allclose(asked[1], last, atol=1e-3, rtol=1e-3), "rendered clips alone"
    torch.testing.assert_close(asked[2], last)


@pytest.mark.nightly
def test_it_learns_which_way_squares_move_from_flow(protocol, tmp_path):
    """A network of nothing but flow, tested as it was trained."""
    card = replace(_small("mars_flow_lab"), input=replace(TINY_FLOW, frames=4, flow_frames=4))
    card = replace(card, input=replace(card.input, crop=(28, 28)))

    short = replace(protocol, pretrain_steps=15, finetune_steps=20)
    drawn, real = _moving(8, 0, tmp_path), _moving(8, 1, tmp_path)
    network = train(card, TEACHER, drawn, real, short, tmp_path)
    assert _right(network, card, _moving(10, 99, tmp_path)) >= 0.9


def test_learning_rate_rises_then_falls_to_nothing():
    rates = [module.share(step / 100, 0.05) for step in range(101)]
    top = rates.index(max(rates))
    assert 0 < top < 10
    assert rates[0] == 0
    assert rates[100] == pytest.approx(0, abs=1e-9)
    assert rates[top:] == sorted(rates[top:], reverse=True)


@pytest.mark.nightly
def test_clips_become_harder_during_the_first_stage_alone(card, protocol, tmp_path, monkeypatch):
    drawn = []
    real_draw = module.draw

    def noted(spec, mixture, protocol, presented):
        drawn.append(float(protocol.smallest_crop))
        return real_draw(spec, mixture, protocol, presented)

    monkeypatch.setattr(module, "draw", noted)
    short = replace(protocol, pretrain_steps=4, finetune_steps=2, batch=4, easing=0.5)
    train(card, RUN, squares(4, seed=0), squares(4, seed=1), short, tmp_path)
    hard = protocol.smallest_crop
    assert drawn == pytest.approx([1, (1 + hard) / 2, hard, hard, hard, hard])


@pytest.mark.nightly
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
