"""What is known of every pixel is true: the next frame, bent back by the flow, is this one."""

import pytest
import torch
from torch.nn import functional as F

from har_demo.research.people.render import render
from har_demo.research.people.skeleton import JOINTS
from har_demo.research.people.truth import truth
from tests.test_research.test_people.stages import SIZE, frozen, small

pytestmark = pytest.mark.nightly

LARGE = (96, 72)


def warped(after, flow):
    """Frames float [F, 3, H, W] looked up where the flow [F, 2, H, W] says."""
    height, width = after.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    at = torch.stack([(x + flow[:, 0] + 0.5) / width, (y + flow[:, 1] + 0.5) / height], -1)
    return F.grid_sample(after, 2 * at - 1, padding_mode="border", align_corners=False)


@pytest.mark.parametrize(
    ("action", "seed", "look"),
    [
        ("walk", 4, {}),
        ("jumping_jack", 5, {}),
        ("wave_both_hands", 6, {}),
        ("run", 7, {"calm": True, "treadmill": True}),
    ],
)
def test_warping_the_next_frame_gives_this_one(action, seed, look):
    one = small(action, seed, 6, 12, **look)
    pictures = render(one.stage, LARGE, 2).clamp(0, 1) ** (1 / 2.2)
    known = truth(one.stage, LARGE)
    assert known.flow.shape == (5, 2, LARGE[1], LARGE[0])
    assert known.visible.float().mean() > 0.7
    back = warped(pictures[1:], known.flow)
    error = (back - pictures[:-1]).abs().mean(1)
    assert error[known.visible].mean() < 0.02
    moving = known.visible & (known.flow.norm(dim=1) > 1)
    unmoved = (pictures[1:] - pictures[:-1]).abs().mean(1)
    assert error[moving].mean() < 0.7 * unmoved[moving].mean(), "better than not moving at all"


def test_nothing_moves_in_a_still_scene():
    known = truth(frozen(small("walk", 4).stage), SIZE)
    assert known.flow.abs().max() < 1e-2
    assert known.visible.float().mean() > 0.995


def test_the_person_is_where_the_joints_are():
    """Mask, depth and joints agree: who is not hidden is seen a few centimetres before the joint."""
    for action, seed in (("walk", 4), ("wave_both_hands", 9), ("squat", 2)):
        one = small(action, seed, calm=True)
        known, joints = truth(one.stage, LARGE), one.joints(LARGE)
        inner = [JOINTS.index(name) for name in ("head", "spine", "hip centre", "left knee")]
        for t in range(len(one)):
            for x, y, depth in joints[t, inner]:
                assert known.person[t, int(y), int(x)]
                before = depth - known.depth[t, int(y), int(x)]
                assert -0.02 < before < 0.9
        x, y = joints[..., 0], joints[..., 1]
        rows, columns = known.person.any(0).any(1), known.person.any(0).any(0)
        top, bottom = rows.nonzero()[[0, -1], 0]
        left, right = columns.nonzero()[[0, -1], 0]
        assert abs(x.min() - left) < 10 and abs(x.max() - right) < 10
        assert 0 <= y.min() - top < 12 and abs(y.max() - bottom) < 8


def test_visible_is_what_nobody_steps_before():
    """With camera and room at rest, the background is visible next where the person is not."""
    one = small("run", 3, 6, 25, calm=True)
    known = truth(one.stage, LARGE)
    background = ~known.person[:-1]
    hidden = background & ~known.visible
    assert hidden.sum() > 20
    assert ((known.visible == ~known.person[1:])[background]).float().mean() > 0.999
    assert known.flow.abs().amax(1)[background].max() < 1e-2


def test_one_frame_has_no_flow():
    known = truth(small("walk", 4, 1).stage, SIZE)
    assert known.flow.shape == (0, 2, SIZE[1], SIZE[0])
    assert known.visible.shape == (0, SIZE[1], SIZE[0])
    assert known.depth.shape == (1, SIZE[1], SIZE[0])
