"""Augmented windows stay windows of the same action."""

import math
from dataclasses import replace

import pytest
import torch

from har_demo.labels import BACKWARDS, EVERYDAY, ORDERED
from har_demo.research.training.recognition.augment import (
    MIRROR,
    augment,
    draw_windows,
    eased,
    mirror,
)
from har_demo.research.training.recognition.data import footage
from har_demo.research.training.recognition.protocol import read_protocol

PROTOCOL = read_protocol()
STILL = replace(
    PROTOCOL,
    smallest_crop=1.0,
    aspect=1.0,
    mirror=0.0,
    drifting=0.0,
    blend=0.0,
    grey=0.0,
    gamma=1.0,
)
STILL = replace(STILL, relight=0.0, noisy=0.0)  # changes nothing but the size


def _clips(counts, labels):
    """Clips whose every pixel is the frame's number."""
    clips = [torch.arange(n, dtype=torch.uint8).view(n, 1, 1, 1).expand(n, 3, 8, 8) for n in counts]
    return footage(clips, [25.0] * len(counts), labels, [1.0] * len(counts))


def _as_filmed(count):
    return torch.zeros(count, dtype=torch.bool)


def test_windows_stay_inside_their_clip():
    torch.manual_seed(0)
    source = _clips([40, 5, 200], [EVERYDAY.index("walking")] * 3)
    clips = torch.arange(3).repeat(50)
    positions, labels = draw_windows(source, clips, frames=17, fps=8.0, protocol=PROTOCOL)
    assert positions.shape == (150, 17)
    first, last = source.first[clips], source.first[clips] + source.count[clips] - 1
    assert (positions >= first[:, None]).all()
    assert (positions <= last[:, None]).all()
    assert (labels == EVERYDAY.index("walking")).all()


def test_windows_differ_in_start_and_speed():
    torch.manual_seed(0)
    source = _clips([200], [EVERYDAY.index("running")])
    positions, _ = draw_windows(
        source, torch.zeros(64, dtype=torch.long), frames=16, fps=12.5, protocol=PROTOCOL
    )
    spans = positions[:, -1] - positions[:, 0]
    assert positions[:, 0].unique().numel() > 20
    assert spans.min() >= 15 * 2 / PROTOCOL.speed - 1
    assert spans.max() <= 15 * 2 * PROTOCOL.speed + 1
    assert spans.unique().numel() > 5


@pytest.mark.parametrize("count", [60, 8, 5])
def test_segments_give_one_random_frame_of_each_equal_part(count):
    torch.manual_seed(0)
    source = _clips([count], [EVERYDAY.index("walking")])
    positions, _ = draw_windows(
        source, torch.zeros(200, dtype=torch.long), 8, 4.0, PROTOCOL, segments=True
    )
    for part in range(8):
        first, last = math.floor(part * count / 8), math.ceil((part + 1) * count / 8) - 1
        assert positions[:, part].unique().tolist() == list(range(first, last + 1))


def test_segments_are_played_backwards_too():
    torch.manual_seed(0)
    sit, stand = EVERYDAY.index("sitting down"), EVERYDAY.index("standing up")
    source = _clips([80], [sit])
    positions, labels = draw_windows(
        source, torch.zeros(40, dtype=torch.long), 8, 4.0, PROTOCOL, segments=True
    )
    forwards = positions[:, -1] > positions[:, 0]
    assert 0 < forwards.sum() < 40
    assert ((labels == sit) == forwards).all()
    assert ((labels == stand) == ~forwards).all()


def test_sitting_down_backwards_is_standing_up():
    torch.manual_seed(0)
    sit, stand = EVERYDAY.index("sitting down"), EVERYDAY.index("standing up")
    source = _clips([100], [sit])
    positions, labels = draw_windows(source, torch.zeros(80, dtype=torch.long), 16, 12.5, PROTOCOL)
    forwards = positions[:, -1] > positions[:, 0]
    assert 0 < forwards.sum() < 80
    assert (labels[forwards] == sit).all()
    assert (labels[~forwards] == stand).all()


def test_walking_is_never_played_backwards():
    torch.manual_seed(0)
    source = _clips([100], [EVERYDAY.index("walking")])
    positions, _ = draw_windows(source, torch.zeros(80, dtype=torch.long), 16, 12.5, PROTOCOL)
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
    mirrored, labels = mirror(torch.zeros(6, dtype=torch.long), PROTOCOL)
    out = augment(frames, mirrored, (32, 40), PROTOCOL)
    assert labels.tolist() == [0] * 6
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
    out = augment(frames, _as_filmed(4), (48, 48), PROTOCOL)
    for i in range(3):
        assert (out[i] - out[i + 1]).abs().mean() > 0.01


def _swipe(count):
    """Clips whose left half is bright."""
    frames = torch.zeros(count, 2, 3, 16, 16, dtype=torch.uint8)
    frames[..., :8] = 200
    return frames, torch.full((count,), EVERYDAY.index("swiping left"))


def test_without_any_change_the_clip_is_as_it_was():
    frames, labels = _swipe(3)
    mirrored, same = mirror(labels, STILL)
    out = augment(frames, mirrored, (16, 16), STILL)
    torch.testing.assert_close(out, frames / 255)
    assert torch.equal(labels, same)


def test_a_mirrored_swipe_goes_the_other_way():
    torch.manual_seed(0)
    frames, labels = _swipe(40)
    asked, changed = mirror(labels, replace(STILL, mirror=0.5))
    out = augment(frames, asked, (16, 16), STILL)
    mirrored = out[:, 0, 0, 0, 0] < out[:, 0, 0, 0, -1]
    assert 5 < mirrored.sum() < 35
    assert (changed[mirrored] == EVERYDAY.index("swiping right")).all()
    assert (changed[~mirrored] == EVERYDAY.index("swiping left")).all()


def test_mirrored_twice_is_itself_and_most_actions_do_not_care():
    assert all(MIRROR[other] == label for label, other in enumerate(MIRROR))
    assert MIRROR[EVERYDAY.index("walking")] == EVERYDAY.index("walking")
    assert sum(label != other for label, other in enumerate(MIRROR)) == 4


def test_pairs_that_differ_in_order_alone_are_two_classes():
    pairs = {(label, other) for label, other in enumerate(ORDERED) if other >= 0}
    assert (EVERYDAY.index("sitting down"), EVERYDAY.index("standing up")) in pairs
    assert all(label != other and (other, label) in pairs for label, other in pairs)
    assert ORDERED[EVERYDAY.index("jumping jack")] == -1  # the same action backwards


def test_what_lies_over_a_clip_stands_still():
    """A moving clip among still ones: differences come from itself alone, however much is laid over it."""
    torch.manual_seed(0)
    frames = torch.randint(0, 255, (8, 1, 3, 16, 16), dtype=torch.uint8)
    frames = frames.expand(8, 4, -1, -1, -1).clone()
    covered = replace(STILL, blend=1.0, blend_most=0.9)
    out = augment(frames, _as_filmed(8), (16, 16), covered)
    torch.testing.assert_close(out[:, 1:], out[:, :-1])
    assert (out[:, 0] - frames[:, 0] / 255).abs().mean() > 0.05


def test_eased_to_nothing_a_clip_is_only_mirrored():
    bare = eased(PROTOCOL, 0)
    frames = torch.randint(0, 256, (8, 5, 3, 16, 16), dtype=torch.uint8)
    mirrored, _ = mirror(torch.zeros(8, dtype=torch.long), bare)
    seen = augment(frames, mirrored, (16, 16), bare)
    as_it_was, mirrored = frames / 255, frames.flip(-1) / 255
    same = [
        torch.allclose(one, plain, atol=1e-5) or torch.allclose(one, turned, atol=1e-5)
        for one, plain, turned in zip(seen, as_it_was, mirrored, strict=True)
    ]
    assert all(same)


def test_eased_by_nothing_it_is_the_protocol_and_halfway_it_is_between():
    assert eased(PROTOCOL, 1) == PROTOCOL
    half = eased(PROTOCOL, 0.5)
    assert 1 < half.speed < PROTOCOL.speed
    assert PROTOCOL.smallest_crop < half.smallest_crop < 1
    assert 0 < half.noisy < PROTOCOL.noisy
    assert half.batch == PROTOCOL.batch
