"""Pictures: the quick ways find what asking every solid finds, and light falls as it should."""

import pytest
import torch
from torch.nn import functional as F

from har_demo.research.people import render as module
from har_demo.research.people.camera import project
from har_demo.research.people.render import cast, pixel_grid, rays, render, trace
from har_demo.research.people.solids import nearest, room_wall
from har_demo.research.people.stage import CEILING, FLOOR, PERSON, WALLS, together
from tests.test_research.test_people.stages import SIZE, small

TAKES = (("walk", 3), ("jumping_jack", 5), ("sit_down", 8))


def everything(stage, pixels):
    """Depth and which solid, by asking all solids about all rays."""
    directions = rays(stage, pixels.expand(len(stage), -1, -1))
    depth, which = nearest(stage.solids, stage.eye, directions)
    wall, side = room_wall(stage.low, stage.high, stage.eye, directions)
    surface = torch.tensor([WALLS, FLOOR, WALLS, WALLS, CEILING, WALLS])[side]
    which = torch.where(wall < depth, len(stage.role) + surface, which)
    return torch.minimum(wall, depth), which


@pytest.mark.parametrize(("action", "seed"), TAKES)
@pytest.mark.parametrize("size", [SIZE, (37, 50)])
def test_looking_in_tiles_only_misses_nothing(action, seed, size):
    stage = small(action, seed).stage
    pixels, _ = pixel_grid(size, stage.eye.device)
    depth, which = everything(stage, pixels)
    for hits in (
        trace(stage, pixels, size),
        cast(stage, pixels.expand(len(stage), -1, -1)),
    ):
        torch.testing.assert_close(hits.depth, depth, atol=2e-3, rtol=1e-3)
        # Where two surfaces touch, rounding may choose either.
        assert (hits.which != which).float().mean() < 2e-3
    roles = torch.cat([stage.role, torch.full((3,), -1)])[which]
    assert (roles == PERSON).float().mean() > 0.01


def test_hits_know_where_they_are():
    one = small(*TAKES[1])
    pixels, _ = pixel_grid(SIZE, one.stage.eye.device)
    hits = trace(one.stage, pixels, SIZE)
    places = project(one.camera, hits.point.numpy(), SIZE)
    wanted = torch.stack(
        [pixels[:, 0] * SIZE[1] + SIZE[0] / 2, SIZE[1] / 2 - pixels[:, 1] * SIZE[1]], -1
    )
    found = torch.from_numpy(places)
    torch.testing.assert_close(
        found[..., :2].float(), wanted.expand(len(one), -1, -1), atol=0.02, rtol=0
    )
    torch.testing.assert_close(found[..., 2].float(), hits.depth, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(hits.normal.norm(dim=-1), torch.ones_like(hits.depth))
    towards = (hits.normal * rays(one.stage, pixels.expand(len(one), -1, -1))).sum(-1)
    assert (towards < 1e-3).all(), "only sides that face the camera are seen"


@pytest.mark.parametrize(("action", "seed"), TAKES)
def test_finer_rays_are_averaged_at_edges_and_hardly_missed_elsewhere(action, seed):
    stage = small(action, seed).stage
    fine = F.avg_pool2d(render(stage, (2 * SIZE[0], 2 * SIZE[1])), 2)
    coarse, found = render(stage, SIZE), render(stage, SIZE, 2)
    averaged = (found - fine).abs().amax(1) < 2e-3
    single = (found - coarse).abs().amax(1) == 0
    assert (averaged | single).all()
    assert 0.3 < single.float().mean() < 0.95
    assert (found - fine).abs().mean() < 0.3 * (coarse - fine).abs().mean()


def test_a_picture_without_edges_needs_one_ray_a_pixel():
    light, which = torch.full((1, 6, 3), 0.5), torch.zeros(1, 6, dtype=torch.int64)
    assert not module._edges(light, which, (3, 2)).any()
    which[0, 2] = 1  # the upper right pixel; its neighbours are beside and below it
    assert module._edges(light, which, (3, 2)).tolist() == [[False, True, True, False, False, True]]


def test_a_batch_is_its_clips_one_after_another():
    stages = [small(*which).stage for which in TAKES]
    batch = render(together(stages), SIZE)
    alone = torch.cat([render(stage, SIZE) for stage in stages])
    close = (batch - alone).abs().amax(1) < 1e-3
    assert close.float().mean() > 0.999


def test_frames_at_a_time_do_not_matter(monkeypatch):
    stage = small(*TAKES[0]).stage
    whole = render(stage, SIZE)
    monkeypatch.setitem(module.RAYS_AT_ONCE, "cpu", SIZE[0] * SIZE[1])
    close = (render(stage, SIZE) - whole).abs().amax(1) < 1e-3
    assert close.float().mean() > 0.999


def test_the_same_every_time():
    stage = small(*TAKES[2]).stage
    assert torch.equal(render(stage, SIZE), render(stage, SIZE))


def test_a_person_casts_a_shadow():
    """The floor beside the feet, away from the light, is darker than with nobody there."""
    stage = small("wave_both_hands", 2, calm=True).stage
    empty = small("wave_both_hands", 2, calm=True).stage
    gone = empty.solids.place.clone()
    gone[:, empty.role == PERSON] = torch.tensor([0.0, -50.0, 0.0])
    empty = type(empty)(
        **vars(empty) | {"solids": type(empty.solids)(**vars(empty.solids) | {"place": gone})}
    )
    pixels, _ = pixel_grid(SIZE, stage.eye.device)
    floor = trace(stage, pixels, SIZE).which == len(stage.role) + FLOOR
    with_person, without = (render(s, SIZE).mean(1).flatten(1) for s in (stage, empty))
    darker = (with_person < 0.9 * without - 1e-3) & floor
    assert darker.any(1).all()
    assert not ((with_person > without + 1e-3) & floor).any(), "nobody makes the floor brighter"
