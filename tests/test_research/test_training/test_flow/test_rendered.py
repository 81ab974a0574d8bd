"""Rendered people as pairs: what the renderer knows reaches the network unchanged."""

import numpy as np
import pytest
import torch

from har_demo.research.people.shoot import batch
from har_demo.research.people.truth import truth
from har_demo.research.training.flow import rendered
from har_demo.research.training.flow.augment import Pairs, grid, looked_up

pytestmark = pytest.mark.nightly

SIZE = (80, 64)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def people():
    return rendered.render([2, 3], SIZE, CPU)


def test_shapes(people):
    assert len(people) == 2
    assert people.pictures.shape == (2, 4, 3, 64, 80) and people.pictures.dtype == torch.uint8
    assert people.flow.shape == (2, 3, 2, 64, 80) and people.visible.shape == (2, 3, 64, 80)
    assert people.person.shape == (2, 4, 64, 80)
    assert 0.01 < people.person.float().mean() < 0.5


def test_what_is_known_is_the_renderers_truth(people):
    for number, seed in enumerate((2, 3)):
        one = rendered._take((seed, 80 / 64))
        known = truth(batch([one]).stage, SIZE)
        torch.testing.assert_close(people.flow[number].float(), known.flow, atol=0.05, rtol=1e-3)
        assert torch.equal(people.visible[number], known.visible)
        assert torch.equal(people.person[number], known.person)


def test_pairs_follow_their_flow(people):
    pairs, person = people.pairs(torch.tensor([0, 1, 1]), torch.tensor([2, 0, 1]))
    assert len(pairs) == 3 and person.shape == (3, 2, 64, 80)
    torch.testing.assert_close(pairs.before[0], people.pictures[0, 2].float() / 255)
    torch.testing.assert_close(pairs.after[0], people.pictures[0, 3].float() / 255)
    found = looked_up(pairs.after, grid(SIZE, CPU) + pairs.flow, rim="border")
    where = pairs.visible & person[:, 0] & (pairs.flow.norm(dim=1) > 1)
    assert where.sum() > 50
    off = (found - pairs.before).abs().mean(1)[where]
    still = (pairs.after - pairs.before).abs().mean(1)[where]
    assert off.mean() < 0.8 * still.mean()


def test_people_alone_before_another_scene(people):
    pairs, person = people.pairs(torch.tensor([0]), torch.tensor([0]))
    ones = torch.ones(1, 64, 80, dtype=torch.bool)
    scene = Pairs(
        torch.zeros(1, 3, 64, 80),
        torch.ones(1, 3, 64, 80),
        torch.full((1, 2, 64, 80), 3.0),
        ones,
        ones,
    )
    found = rendered.on(pairs, person, scene)
    first, second = person[:, 0], person[:, 1]
    assert (found.flow.mT[:, :, ~first[0].mT] == 3).all()
    assert torch.equal(found.flow[:, :, first[0]], pairs.flow[:, :, first[0]])
    assert (found.before[:, :, ~first[0]] == 0).all() and (found.after[:, :, ~second[0]] == 1).all()
    assert torch.equal(found.after[:, :, second[0]], pairs.after[:, :, second[0]])


def test_pairs_to_measure_on_are_the_same_every_time():
    (one,), (again,) = (list(rendered.known_pairs([8_000_001], SIZE)) for _ in range(2))
    assert one.name == "people-8000001" and one.frames.shape == (2, 64, 80, 3)
    assert one.flow.shape == (2, 64, 80) and np.isfinite(one.flow).mean() > 0.99
    assert one.person.any() and one.visible.any()
    np.testing.assert_array_equal(one.frames, again.frames)
    np.testing.assert_array_equal(one.flow, again.flow)


def test_rendering_stops_in_time():
    some = rendered.render(range(100), (32, 32), CPU, until=0.0)
    assert len(some) == rendered.AT_ONCE
