"""Takes drawn by other processes are the takes drawn here."""

import pytest
import torch

from har_demo.research.people.shoot import Take, take
from har_demo.research.people.supply import batches
from tests.test_research.test_people.stages import same


def draw(seed: int) -> Take:
    return take("bend", seed, 0.2, 10)


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.nightly)])
def test_batches_come_in_order_however_they_are_drawn(workers):
    found = list(batches(draw, range(5), 2, workers))
    assert [len(some.stage) for some in found] == [4, 4, 2]
    assert len(found[0].stage.light) == 2
    wanted = list(batches(draw, range(5), 2))
    for one, other in zip(found, wanted, strict=True):
        assert same(one.stage, other.stage)
        assert torch.equal(one.seeds, other.seeds)
        assert torch.equal(one.film.exposure, other.film.exposure)


def test_a_mistake_in_a_process_is_told():
    with pytest.raises(ValueError, match="negative"):
        list(batches(draw, [-1], 1, workers=1))
