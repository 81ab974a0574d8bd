"""Takes drawn by other processes are the takes drawn here."""

import pytest
import torch

from har_demo.research.people.shoot import Take, batch, take
from har_demo.research.people.supply import batches
from tests.test_research.test_people.stages import same


def draw(seed: int) -> Take:
    return take("bend", seed, 0.2, 10)


def test_batches_are_the_takes_of_their_jobs():
    drawn = list(batches(draw, range(5), 2))
    assert [len(group.stage) for group in drawn] == [4, 4, 2]
    assert [len(group.stage.light) for group in drawn] == [2, 2, 1]
    assert same(drawn[1].stage, batch([draw(2), draw(3)]).stage)


@pytest.mark.nightly
def test_processes_draw_the_same_in_order_and_pass_on_their_errors():
    drawn = batches(draw, [0, 1, 2, 3, -1], 2, workers=2)
    for here in batches(draw, range(4), 2):
        there = next(drawn)
        assert same(there.stage, here.stage)
        assert torch.equal(there.seeds, here.seeds)
        assert torch.equal(there.film.exposure, here.film.exposure)
    with pytest.raises(ValueError, match="negative"):
        next(drawn)
