"""Augmented windows stay windows of the same action."""

import pytest
import torch

from har_demo.labels import EVERYDAY
from har_demo.training import augment as module
from har_demo.training.augment import BACKWARDS, augment, draw_windows
from har_demo.training.data import footage


def _clips(counts, labels):
    """Clips whose every pixel is the frame's number."""
    clips = [torch.arange(n, dtype=torch.uint8).view(n, 1, 1, 1).expand(n, 3, 8, 8) for n in counts]
    return footage(clips, [25.0] * len(counts), labels, [1.0] * len(counts))


def test_windows_stay_inside_their_clip():
    torch.manual_seed(0)
    source = _clips([40, 5, 200], [EVERYDAY.index("walking")] * 3)
    clips = torch.arange(3).repeat(50)
    positions, labels = draw_windows(source, clips, frames=17, fps=8.0)
    assert positions.shape == (150, 17)
    first, last = source.first[clips], source.first[clips] + source.count[clips] - 1
    assert (positions >= first[:, None]).all()
    assert (positions <= last[:, None]).all()
    assert (labels == EVERYDAY.index("walking")).all()


def test_windows_differ_in_start_and_speed():
    torch.manual_seed(0)
    source = _clips([200], [EVERYDAY.index("running")])
    positions, _ = draw_windows(source, torch.zeros(64, dtype=torch.long), frames=16, fps=12.5)
    spans = positions[:, -1] - positions[:, 0]
    assert positions[:, 0].unique().numel() > 20
    assert spans.min() >= 15 * 2 / module.SPEED - 1
    assert spans.max() <= 15 * 2 * module.SPEED + 1
    assert spans.unique().numel() > 5


def test_sitting_down_backwards_is_standing_up():
    torch.manual_seed(0)
    sit, stand = EVERYDAY.index("sitting down"), EVERYDAY.index("standing up")
    source = _clips([100], [sit])
    positions, labels = draw_windows(source, torch.zeros(80, dtype=torch.long), 16, 12.5)
    forwards = positions[:, -1] > positions[:, 0]
    assert 0 < forwards.sum() < 80
    assert (labels[forwards] == sit).all()
    assert (labels[~forwards] == stand).all()


def test_walking_is_never_played_backwards():
    torch.manual_seed(0)
    source = _clips([100], [EVERYDAY.index("walking")])
    positions, _ = draw_windows(source, torch.zeros(80, dtype=torch.long), 16, 12.5)
    assert (positions.diff(dim=1) >= 0).all()


def test_backwards_twice_is_forwards():
    assert len(BACKWARDS) == len(EVERYDAY)
    for label, becomes in enumerate(BACKWARDS):
        assert becomes == -1 or BACKWARDS[becomes] == label


@pytest.mark.parametrize("value", [0, 20, 255])
def test_shape_and_range(value):
    torch.manual_seed(0)
    frames = torch.full((6, 4, 3, 48, 48), value, dtype=torch.uint8)
    frames[:, :, :, 10:20, 10:20] = 128
    out = augment(frames, (32, 40))
    assert out.shape == (6, 4, 3, 32, 40)
    assert out.dtype == torch.float32
    assert out.isfinite().all()
    assert out.min() >= 0
    assert out.max() <= 1
    # What a camera with 8 bits can give.
    torch.testing.assert_close(out * 255, (out * 255).round(), atol=1e-3, rtol=0)


def test_every_clip_is_changed_in_its_own_way():
    torch.manual_seed(0)
    frames = torch.randint(0, 255, (1, 2, 3, 48, 48), dtype=torch.uint8).expand(4, -1, -1, -1, -1)
    out = augment(frames, (48, 48))
    for i in range(3):
        assert (out[i] - out[i + 1]).abs().mean() > 0.01
