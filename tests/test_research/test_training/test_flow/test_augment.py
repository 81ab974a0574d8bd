"""What is done to pairs keeps their flow exact, or leaves it alone."""

import math

import pytest
import torch

from har_demo.research.training.flow import augment
from har_demo.research.training.flow.augment import (
    Pairs,
    grid,
    inverse,
    looked_up,
    motion,
    moved,
    relit,
    spread,
)

CPU = torch.device("cpu")
SIZE = (96, 80)


def smooth(points):
    """A picture that is known everywhere: waves in three colours, [B, 3, H, W]."""
    x, y = points.unbind(1)
    waves = [(x / 7).sin() + (y / 9).cos(), (x / 11 + y / 6).sin(), (y / 8).sin() * (x / 13).cos()]
    return 0.5 + 0.2 * torch.stack(waves, 1)


@pytest.fixture
def pairs():
    """Waves that turn, grow and shift."""
    torch.manual_seed(0)
    count = 24
    points = grid(SIZE, CPU).expand(count, 2, 80, 96)
    middle = torch.tensor([48.0, 40.0]).expand(count, 2)
    matrix = motion(
        middle, 0.1 * torch.randn(count), 1 + 0.05 * torch.randn(count), 4 * torch.randn(count, 2)
    )
    there = moved(matrix, points)
    inside = ((there >= 0) & (there <= torch.tensor(SIZE).view(2, 1, 1) - 1)).all(1)
    known = torch.ones_like(inside)
    after = smooth(moved(inverse(matrix), points))
    return Pairs(smooth(points), after, there - points, known, inside)


def off(pairs):
    """How much the pictures differ along the flow, where it can be seen."""
    size = pairs.flow.shape[:1:-1]
    found = looked_up(pairs.after, grid(size, CPU) + pairs.flow, rim="border")
    return (found - pairs.before).abs().mean(1)[pairs.visible & pairs.known]


def test_a_motion_turns_enlarges_and_shifts():
    about, shift = torch.tensor([[10.0, 20.0]]), torch.tensor([[3.0, -4.0]])
    matrix = motion(about, torch.tensor([math.pi / 2]), torch.tensor([2.0]), shift)
    points = torch.tensor([[10.0, 11.0], [20.0, 20.0]])[None, :, None]
    # Right becomes down, as rows count downwards.
    expected = torch.tensor([[13.0, 13.0], [16.0, 18.0]])[None, :, None]
    torch.testing.assert_close(moved(matrix, points), expected)
    torch.testing.assert_close(moved(inverse(matrix), expected), points)
    still = motion(about, torch.zeros(1), torch.ones(1), torch.zeros(1, 2))
    torch.testing.assert_close(still[0], torch.eye(2, 3))


def test_looking_up_pixels_gives_them_back():
    picture = torch.rand(2, 3, 5, 7)
    points = grid((7, 5), CPU).expand(2, 2, 5, 7)
    torch.testing.assert_close(looked_up(picture, points), picture)
    right = looked_up(picture, points + torch.tensor([1.0, 0.0]).view(2, 1, 1))
    torch.testing.assert_close(right[..., :-1], picture[..., 1:])
    assert (right[..., -1] == 0).all()


def test_spread_keeps_the_flow_exact(pairs):
    assert off(pairs).mean() < 0.002
    torch.manual_seed(3)
    found = spread((64, 48), pairs)
    assert found.before.shape == (24, 3, 48, 64) and found.flow.shape == (24, 2, 48, 64)
    error = off(found)
    still = (found.after - found.before).abs().mean(1)[found.visible]
    # The flow is that of the nearest pixel: half a pixel off where it changes from place to place.
    assert error.mean() < 0.01 and still.mean() > 0.03
    assert found.known.float().mean() > 0.9


def test_spread_mirrors_turns_and_enlarges(pairs):
    """Of a flow that is 5 to the right everywhere, without a camera that moves."""
    torch.manual_seed(4)
    right = torch.tensor([5.0, 0.0]).view(1, 2, 1, 1).expand_as(pairs.flow)
    found = spread(
        (64, 48), Pairs(pairs.before, pairs.after, right, pairs.known, pairs.visible)
    ).flow
    middle = found[:, :, 24, 32]
    assert (middle[:, 0] < -2).any() and (middle[:, 0] > 2).any()
    sizes = middle.norm(dim=1)
    assert sizes.min() < 5.5 and sizes.max() > 7  # 1 to 2.5 times as large, as the crop is smaller
    assert (middle[:, 1].abs() > 0.5).any()


def test_what_is_not_known_stays_so(pairs):
    known = pairs.known.clone()
    known[:, :, :48] = False
    torch.manual_seed(5)
    found = spread((96, 80), Pairs(pairs.before, pairs.after, pairs.flow, known, pairs.visible))
    share = found.known.float().mean(dim=(1, 2))
    assert (share < 0.98).any() and 0.2 < share.mean() < 0.8


def test_relit_pictures_differ_but_not_their_flow(pairs, monkeypatch):
    torch.manual_seed(6)
    found = relit(pairs)
    assert found.flow is pairs.flow and found.known is pairs.known
    assert found.visible is pairs.visible
    for old, new in ((pairs.before, found.before), (pairs.after, found.after)):
        assert new.shape == old.shape and new.min() >= 0 and new.max() <= 1
        assert ((new - old).abs().mean(dim=(1, 2, 3)) > 0.02).float().mean() > 0.8
    # Mostly both pictures get the same light.
    change = [
        (n - o).mean(dim=(1, 2, 3))
        for o, n in ((pairs.before, found.before), (pairs.after, found.after))
    ]
    assert torch.corrcoef(torch.stack(change))[0, 1] > 0.8


def test_patches_are_plain_and_cover_little():
    torch.manual_seed(7)
    picture = torch.rand(40, 3, 40, 40)
    found = augment._patched(picture)
    changed = (found != picture).any(1)
    assert 0.2 < changed.flatten(1).any(1).float().mean() < 0.8
    assert changed.float().mean() < 0.1
    plain = picture.mean(dim=(2, 3), keepdim=True).expand_as(picture)
    torch.testing.assert_close(
        found[changed[:, None].expand_as(found)], plain[changed[:, None].expand_as(found)]
    )
