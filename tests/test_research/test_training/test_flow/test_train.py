"""Training of flow: losses that are 0 for the truth, states that go on, files that load."""

import csv
import json
from dataclasses import replace

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from har_demo.flow import flownet, learned
from har_demo.research.cli import app
from har_demo.research.training.flow import rendered, train
from har_demo.research.training.flow.augment import Pairs
from har_demo.research.training.flow.train import SPECS, Schedule

pytestmark = pytest.mark.nightly

CPU = torch.device("cpu")


def tiny(side):
    return Schedule(
        size=(side, side),
        canvas=(side + 16, side),
        batch=4,
        ahead=1,
        textures=2,
        leaves=3,
        takes=2,
        tests=1,
        warm_up=1,
        updates=2,
    )


@pytest.fixture
def people(monkeypatch):
    """Noise for people, as rendering takes long; what is asked for is noted."""
    asked = []

    def noise(seeds, size, device, workers=0, until=0.0):
        asked.append((list(seeds), size))
        count, (width, height) = len(seeds), size
        return rendered.People(
            torch.randint(0, 255, (count, 4, 3, height, width), dtype=torch.uint8),
            torch.randn(count, 3, 2, height, width).half(),
            torch.ones(count, 3, height, width, dtype=torch.bool),
            torch.rand(count, 4, height, width) < 0.3,
        )

    monkeypatch.setattr(train.rendered, "render", noise)
    return asked


def go(name, out, steps, seconds=600.0, calls=1):
    side = {"raft_small": 128, "flownet_lab": 64}[name]
    train.train(name, out, seconds, calls, tiny(side), CPU, steps=steps)
    return torch.load(out / f"{name}.state", weights_only=True)


def rows(out, name):
    with open(out / f"{name}.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", SPECS)
def test_two_steps_on_the_processor(name, people, tmp_path, monkeypatch):
    out = tmp_path / "flow"
    out.mkdir()
    state = go(name, out, 2)
    assert state["step"] == 2 and 0 < state["progress"] < 1
    (row,) = rows(out, name)
    assert row["step"] == "2" and all(float(row[c]) > 0 for c in train.COLUMNS)
    size = (out / f"{name}.state").stat().st_size
    assert size < 15_000_000  # machines that lend a GPU hand back no larger files

    monkeypatch.setenv("HAR_CHECKPOINTS", str(tmp_path))
    method = {"raft_small": "raft-people", "flownet_lab": "flownet-lab"}[name]
    assert learned.at_hand(method) == ""
    network, provenance = learned.network(method)
    assert provenance.source == "shipped"
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, state["network"][key].half().float(), atol=0, rtol=0)
    described = json.loads((out / f"{name}_people.json").read_text())
    assert described["steps"] == 2 and described["parameters"] == sum(
        p.numel() for p in network.parameters()
    )


def test_a_training_goes_on_where_it_was(people, tmp_path):
    first = go("flownet_lab", tmp_path, 2, calls=3)
    second = go("flownet_lab", tmp_path, 1, calls=3)
    assert second["step"] == 3 and second["progress"] >= first["progress"]
    assert [row["step"] for row in rows(tmp_path, "flownet_lab")] == ["2", "3"]
    moments = second["optimizer"]["state"]
    assert all(one["step"] == 3 for one in moments.values())
    # Other people are drawn than in the first call, and those of the test are never learned from.
    learned_from = [set(seeds) for seeds, size in people if size == (80, 64)]
    tested = [set(seeds) for seeds, size in people if size == (64, 64)]
    assert len(learned_from) == 2 and not learned_from[0] & learned_from[1]
    assert tested[0] == tested[1] and not tested[0] & (learned_from[0] | learned_from[1])


def test_it_stops_in_time_and_a_finished_one_stays_as_it_is(people, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "SPARE", 0.0)
    state = go("flownet_lab", tmp_path, None, seconds=2.5)
    assert state["progress"] >= 1 and state["seconds"] < 30
    again = go("flownet_lab", tmp_path, None, seconds=2.5)
    assert again["step"] == state["step"]
    for key, value in state["network"].items():
        assert torch.equal(value, again["network"][key])


def batch(count=2, side=64):
    torch.manual_seed(0)
    flow = 5 * torch.randn(count, 2, 1, 1) + torch.zeros(count, 2, side, side)
    picture = torch.rand(count, 3, side, side)
    known = torch.ones(count, side, side, dtype=torch.bool)
    return Pairs(picture, picture, flow, known, known)


@pytest.fixture
def says(monkeypatch):
    """RAFT's guesses are what a Says was given."""
    monkeypatch.setattr(train.raft, "guesses", lambda network, *_: network.answers)


class Says(nn.Module):
    """Answers with what it was given."""

    def __init__(self, *answers):
        super().__init__()
        self.answers = list(answers)

    def forward(self, before, after):
        return self.answers


def test_losses_of_the_truth_are_nothing(says):
    pairs = batch()
    assert train.raft_loss(Says(pairs.flow, pairs.flow), pairs, Schedule()) == 0
    sizes = [16, 8, 4, 2, 1]
    right = [pairs.flow[..., :n, :n] / flownet.SCALE for n in sizes]
    assert train.flownet_loss(Says(*right), pairs, Schedule()) < 1e-3


def test_losses_of_a_wrong_answer(says):
    """1 off to the right and 2 down, everywhere."""
    pairs = batch()
    off = torch.tensor([1.0, 2.0]).view(1, 2, 1, 1)
    found = train.raft_loss(Says(pairs.flow + off, pairs.flow + 2 * off), pairs, Schedule())
    torch.testing.assert_close(found, torch.tensor(0.8 * 3 + 6))
    sizes = [16, 8, 4, 2, 1]
    wrong = [(pairs.flow[..., :n, :n] + off) / flownet.SCALE for n in sizes]
    shares = sum(level * (n / 16) ** 2 for level, n in zip(train.LEVELS, sizes, strict=True))
    expected = 5**0.5 / flownet.SCALE * shares
    found = train.flownet_loss(Says(*wrong), pairs, Schedule())
    torch.testing.assert_close(found, torch.tensor(expected), rtol=1e-3, atol=0)


@pytest.mark.parametrize("name", SPECS)
def test_unknown_points_do_not_count(name, says):
    pairs = batch()
    known = pairs.known.clone()
    known[:, :, 32:] = False
    flow = torch.where(known[:, None], pairs.flow, 1e4)
    some = Pairs(pairs.before, pairs.after, flow, known, known)
    if name == "raft_small":
        assert train.raft_loss(Says(pairs.flow), some, Schedule()) == 0
    else:
        right = [pairs.flow[..., :n, :n] / flownet.SCALE for n in (16, 8, 4, 2, 1)]
        assert train.flownet_loss(Says(*right), some, Schedule()) < 1e-3


def test_errors_are_end_point_errors():
    pairs = batch(side=8)
    student = train.TrainSpec(
        nn.Identity,
        None,
        lambda n, b, a: pairs.flow + torch.tensor([3.0, 4.0]).view(1, 2, 1, 1),
        Schedule(),
    )
    found = train.errors(student, nn.Identity(), {"some": [pairs, pairs]})
    assert found["some"] == pytest.approx(5)
    assert found["some_zero"] == pytest.approx(pairs.flow.norm(dim=1).mean().item(), rel=1e-5)


def test_batches_hold_shapes_and_people(people, monkeypatch):
    """Half are shapes; of the others half stand before shapes; no pair comes twice."""
    plan = replace(tiny(64), ahead=3)
    torch.manual_seed(0)
    source = train.material(plan, 5, CPU, 0.0)
    assert people == [([5, 6], (80, 64))]
    drawn = []
    for name in ("shapes", "on_shapes", "moving"):
        whole = getattr(train.TrainingPairs, name)

        def noted(self, count, plan, name=name, whole=whole):
            drawn.append((name, count))
            return whole(self, count, plan)

        monkeypatch.setattr(train.TrainingPairs, name, noted)
    batches = source.batches(plan)
    three = [next(batches) for _ in range(3)]
    assert drawn == [("shapes", 6), ("on_shapes", 3), ("moving", 3)]
    for pairs in three:
        assert len(pairs) == 4 and pairs.before.shape == (4, 3, 64, 64)
        assert pairs.flow.isfinite().all()
    flows = torch.cat([pairs.flow for pairs in three]).flatten(1)
    assert len(flows.unique(dim=0)) == 12
    next(batches)
    assert len(drawn) == 6


def test_a_call_from_the_command_line(people, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(train, "train", lambda *arguments: calls.append(arguments))
    monkeypatch.setattr(train.torch.cuda, "is_available", lambda: False)
    out = tmp_path / "new" / "folder"
    words = ["flow-train", "--out", str(out), "--seconds"]
    for more in (["540"], ["60", "--calls", "2", "--model", "flownet_lab"]):
        assert CliRunner().invoke(app, [*words, *more]).exit_code == 0
    assert CliRunner().invoke(app, [*words, "9", "--model", "raft"]).exit_code == 2
    assert out.is_dir()
    assert calls[0] == ("raft_small", out, 540.0, 1, SPECS["raft_small"].plan, CPU)
    assert calls[1] == ("flownet_lab", out, 60.0, 2, SPECS["flownet_lab"].plan, CPU)
