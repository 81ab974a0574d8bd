"""Sliding shapes: their flow is exact, so the later picture, looked up along it, is the earlier one."""

import math

import pytest
import torch

from har_demo.research.training.flow import layers, textures
from har_demo.research.training.flow.augment import grid, looked_up

SIZE = (96, 64)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def bank():
    torch.manual_seed(0)
    return textures.bank(6, (80, 72), 20, CPU)


@pytest.fixture(scope="module")
def pairs(bank):
    torch.manual_seed(1)
    return layers.draw(bank, 12, SIZE)


def test_textures_are_pictures_and_differ(bank):
    assert bank.shape == (6, 3, 72, 80) and bank.dtype == torch.uint8
    values = bank.float()
    assert (values.std(dim=(1, 2, 3)) > 10).all()
    apart = (values[:, None] - values[None]).abs().mean(dim=(2, 3, 4))
    assert (apart + 100 * torch.eye(6) > 10).all()
    torch.manual_seed(0)
    assert torch.equal(bank, textures.bank(6, (80, 72), 20, CPU))


def test_clouds_have_mean_0_and_deviation_1():
    torch.manual_seed(0)
    noise = textures.clouds(3, (50, 41), CPU)
    assert noise.shape == (3, 3, 41, 50)
    torch.testing.assert_close(noise.mean(dim=(1, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(noise.std(dim=(1, 2, 3)), torch.ones(3), atol=1e-3, rtol=0)


def test_shapes_and_ranges(pairs):
    assert len(pairs) == 12
    assert pairs.before.shape == pairs.after.shape == (12, 3, 64, 96)
    assert pairs.flow.shape == (12, 2, 64, 96) and pairs.visible.shape == (12, 64, 96)
    for picture in (pairs.before, pairs.after):
        assert picture.min() >= 0 and picture.max() <= 1
    assert pairs.known.all() and 0.4 < pairs.visible.float().mean() < 0.99
    size = pairs.flow.norm(dim=1)
    assert 1 < size.mean() < 15 and size.max() > 10


def test_flow_leads_to_the_same_point(pairs):
    """Where a point stays in sight, the two pictures agree at it; without the flow they do not."""
    found = looked_up(pairs.after, grid(SIZE, CPU) + pairs.flow)
    off = (found - pairs.before).abs().mean(1)
    still = (pairs.after - pairs.before).abs().mean(1)
    assert off[pairs.visible].median() < 0.01
    assert off[pairs.visible].mean() < 0.25 * still[pairs.visible].mean()
    assert off[~pairs.visible].mean() > 3 * off[pairs.visible].mean()


def test_nearer_shapes_hide_farther_ones(bank, monkeypatch):
    """A disc moves over a background at rest: what it comes to cover cannot be seen, what it leaves can."""

    def two(bank, count, size):
        still = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])
        moves = torch.tensor([[[1.0, 0, 12], [0, 1, 0]]])
        disc = {
            "paper": still,
            "which": torch.tensor([0]),
            "middle": torch.tensor([[30.0, 32.0]]),
            "radius": torch.tensor([8.0]),
            "turn": torch.zeros(1),
            "longer": torch.ones(1),
            "kind": torch.zeros(1),
            "waves": torch.zeros(1, 3, 2),
        }
        return [layers.MovingLayer(motion=motion, **disc) for motion in (still, moves)]

    monkeypatch.setattr(layers, "_layers", two)
    pair = layers.draw(bank, 1, SIZE)
    assert pair.flow[0, :, 32, 30].tolist() == [12, 0] and pair.flow[0, :, 32, 60].tolist() == [
        0,
        0,
    ]
    expected = math.pi * 8**2
    assert (pair.flow[0, 0] == 12).sum().item() == pytest.approx(expected, rel=0.05)
    hidden = ~pair.visible[0]
    assert hidden[32, 44] and not hidden[32, 30] and not hidden[32, 60]
    # Covered is what the disc reaches and was not under it.
    x, y = grid(SIZE, CPU)
    new = ((x - 42) ** 2 + (y - 32) ** 2 < 64) & ((x - 30) ** 2 + (y - 32) ** 2 >= 64)
    assert (hidden ^ new).sum() < 10


@pytest.mark.parametrize("kind", range(5))
def test_every_kind_of_shape_has_an_inside_and_an_outside(kind):
    one = layers.MovingLayer(
        motion=torch.eye(2, 3)[None],
        paper=torch.eye(2, 3)[None],
        which=torch.tensor([0]),
        middle=torch.tensor([[48.0, 32.0]]),
        radius=torch.tensor([12.0]),
        turn=torch.tensor([0.3]),
        longer=torch.tensor([1.2]),
        kind=torch.tensor([kind + 0.5]),
        waves=torch.zeros(1, 3, 2),
    )
    outside = layers._outside(one, grid(SIZE, CPU)[None])[0]
    share = (outside < 0).float().mean()
    assert 0.03 < share < 0.2
    assert outside[0, 0] > 5 and (outside[32, 48] > 0) == (kind == 2)  # a ring is empty inside
