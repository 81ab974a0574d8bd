"""Rays meet solids where school geometry says they do."""

import math

import pytest
import torch

from har_demo.research.people.solids import (
    BOX,
    CAPSULE,
    ELLIPSOID,
    FAR,
    Solids,
    joined,
    nearest,
    own_normal,
    own_point,
    room_wall,
    world_point,
)

AHEAD = (0.0, 0.0, -1.0)


def turned_about_y(angle):
    cos, sin = math.cos(angle), math.sin(angle)
    return [[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]]


def turned_about_x(angle):
    cos, sin = math.cos(angle), math.sin(angle)
    return [[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]]


def solid(kind, size, place=(0.0, 0.0, -5.0), turn=None):
    return Solids(
        torch.tensor([kind]),
        torch.tensor([[place]]),
        torch.tensor([[turn or turned_about_y(0.0)]]),
        torch.tensor([[size]]),
    )


def depth_of(one, ray=AHEAD, origin=(0.0, 0.0, 0.0)):
    depth, _ = nearest(one, torch.tensor([origin]), torch.tensor([[ray]]))
    return depth.item()


@pytest.mark.parametrize(
    ("one", "depth"),
    [
        (solid(ELLIPSOID, (1.0, 1.0, 1.0)), 4.0),
        (solid(ELLIPSOID, (1.0, 2.0, 3.0)), 2.0),
        (solid(ELLIPSOID, (1.0, 2.0, 3.0), turn=turned_about_y(math.pi / 2)), 4.0),
        (solid(CAPSULE, (0.5, 1.0, 0.0)), 4.5),
        (solid(CAPSULE, (0.5, 1.0, 0.0), turn=turned_about_x(math.pi / 2)), 3.5),
        (solid(CAPSULE, (0.5, 1.0, 0.0), place=(0.0, -1.3, -5.0)), 4.6),  # near its upper end
        (solid(BOX, (1.0, 2.0, 0.5)), 4.5),
        (solid(BOX, (1.0, 2.0, 1.0), turn=turned_about_y(math.pi / 4)), 5 - math.sqrt(2)),
    ],
    ids=["ball", "egg", "egg, turned", "capsule", "capsule's end", "its cap", "box", "box's edge"],
)
def test_depths_worked_out_by_hand(one, depth):
    assert depth_of(one) == pytest.approx(depth, abs=1e-4)


@pytest.mark.parametrize("kind", [ELLIPSOID, CAPSULE, BOX])
def test_beside_and_behind_is_nothing(kind):
    one = solid(kind, (0.5, 0.5, 0.5))
    assert depth_of(one, ray=(0.5, 0.0, -1.0)) == FAR
    assert depth_of(one, ray=(0.0, 0.0, 1.0)) == FAR


@pytest.mark.parametrize("kind", [ELLIPSOID, CAPSULE, BOX])
def test_every_hit_is_on_the_surface_and_the_first(kind):
    """Random solids and rays: hits lie on the surface, and nothing before them is inside."""
    chance = torch.Generator().manual_seed(kind)
    turn = torch.linalg.qr(torch.randn(40, 1, 3, 3, generator=chance)).Q
    size = 0.2 + torch.rand(40, 1, 3, generator=chance)
    place = torch.randn(40, 1, 3, generator=chance) - torch.tensor([0.0, 0.0, 5.0])
    rays = torch.cat([0.2 * torch.randn(40, 50, 2, generator=chance), -torch.ones(40, 50, 1)], -1)
    solids = Solids(torch.tensor([kind]), place, turn, size)
    depth, _ = nearest(solids, torch.zeros(40, 3), rays)
    hit = depth < FAR
    assert hit.float().mean() > 0.05

    def outside(at):
        """Below, at and above 0 inside, on and outside the surface."""
        own = own_point(at[..., None] * rays, place, turn)
        if kind == ELLIPSOID:
            return (own / size).norm(dim=-1) - 1
        if kind == BOX:
            return (own / size).abs().amax(-1) - 1
        along = own[..., 1].clamp(-size[..., 1], size[..., 1])
        axis = torch.stack([0 * along, along, 0 * along], -1)
        return (own - axis).norm(dim=-1) / size[..., 0] - 1

    assert outside(depth)[hit].abs().max() < 2e-3
    for share in torch.linspace(0.05, 0.99, 20):
        assert (outside(depth * share)[hit] > -2e-3).all()
    for step in torch.linspace(2, 9, 60):  # rays that miss are never inside
        assert (outside(torch.full_like(depth, step))[~hit] > -2e-3).all()


def test_the_nearest_of_several_is_named():
    near, far = solid(BOX, (0.1, 0.1, 0.1), (0.0, 0.0, -2.0)), solid(ELLIPSOID, (1.0, 1.0, 1.0))
    both, order = joined(near, far)
    assert both.kind.tolist() == [ELLIPSOID, BOX]
    assert order.tolist() == [1, 0]
    rays = torch.tensor([[AHEAD, (0.1, 0.0, -1.0)]])
    depth, which = nearest(both, torch.zeros(1, 3), rays)
    assert which.tolist() == [[1, 0]]
    assert depth[0, 0] == pytest.approx(1.9, abs=1e-5)


def test_walls_of_a_room():
    low, high = torch.tensor([[-2.0, 0.0, -3.0]]), torch.tensor([[4.0, 2.5, 5.0]])
    ways = [(-1, 0, 0), (0, -1, 0), (0, 0, -1), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, -1, 0)]
    rays = torch.tensor([ways], dtype=torch.float32)
    depth, side = room_wall(low, high, torch.tensor([[0.0, 1.0, 0.0]]), rays)
    assert depth.tolist() == [[2, 1, 3, 4, 1.5, 5, 1]]
    assert side.tolist() == [[0, 1, 2, 3, 4, 5, 1]]


def test_own_and_world_coordinates_undo_each_other():
    chance = torch.Generator().manual_seed(0)
    turn = torch.linalg.qr(torch.randn(9, 3, 3, generator=chance)).Q
    place, point = torch.randn(2, 9, 3, generator=chance)
    back = world_point(own_point(point, place, turn), place, turn)
    torch.testing.assert_close(back, point, atol=1e-5, rtol=0)


def test_normals_point_outwards():
    kind = torch.tensor([ELLIPSOID, CAPSULE, CAPSULE, BOX])
    size = torch.tensor([[1.0, 2, 3], [0.5, 1, 0], [0.5, 1, 0], [1, 2, 3]])
    own = torch.tensor([[0.0, 2, 0], [0.5, 0.7, 0], [0, -1.5, 0], [0.3, 0.5, -3]])
    normal = own_normal(kind, own, size)
    assert normal.tolist() == [[0, 1, 0], [1, 0, 0], [0, -1, 0], [0, 0, -1]]
