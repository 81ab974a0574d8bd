"""Flow that is kept for training is that of recognition, and follows what is done to its frames."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from har_demo.flow.views import fields
from har_demo.labels import EVERYDAY
from har_demo.models.tiny import TINY_FLOW
from har_demo.research.training.recognition import motion as module
from har_demo.research.training.recognition.augment import MIRROR, augment_flow, mirror
from har_demo.research.training.recognition.data import VideoDataset, footage
from har_demo.research.training.recognition.motion import STEP, fields_at, fields_of, resized
from har_demo.research.training.recognition.train import draw
from tests.test_research.test_training.test_recognition.test_augment import STILL

WALK = EVERYDAY.index("walking")
MIDDLE = np.s_[..., 30:-30, 30:-30]
PACE = 0.5  # pixels of 112 that everything moves right in a frame, and half of that down


def texture():
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(1, 3, 300, 300, generator=generator)
    return (
        F.avg_pool2d(F.avg_pool2d(noise, 5, 1, 2), 5, 1, 2)[0].sub(0.5).mul(5).add(0.5).clamp(0, 1)
    )


def sliding(count, fps=25.0, label=WALK):
    """A texture that slides by PACE · (1, 1/2) pixels of 112 a frame."""
    whole, frames = texture()[None], []
    for t in range(count):
        at = torch.tensor([[112 / 300, 0, -PACE * t / 150], [0, 112 / 300, -PACE / 2 * t / 150]])
        grid = F.affine_grid(at[None], [1, 3, 112, 112], align_corners=False)
        frames.append(F.grid_sample(whole, grid, align_corners=False)[0].mul(255).round().byte())
    return torch.stack(frames)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Three clips: 40 frames, one, and 20 of half the rate, with their flow at 8 steps a second."""
    path = tmp_path_factory.mktemp("footage") / "clips.pt"
    clips = [sliding(40), sliding(1), sliding(20)]
    footage(clips, [25.0, 25.0, 12.5], [WALK] * 3, [1.0] * 3).save(path)
    return path


@pytest.fixture(scope="module")
def source(file):
    return replace(VideoDataset.read(file), fields=fields_of(file, 8.0))


def _mean(found):
    return found[MIDDLE].flatten(-2).median(-1).values


def test_every_frame_has_the_flow_of_the_step_after_it(source):
    assert source.fields.shape == (61, 2, 112, 112) and source.fields.dtype == torch.int8
    moved = _mean(source.fields.float() * STEP)
    step = 25 / 8 * PACE
    expected = torch.tensor([step, step / 2]).expand(39, 2)
    torch.testing.assert_close(moved[:39], expected, atol=0.15, rtol=0)
    assert (moved[[39, 40, 60]] == 0).all(), "nothing follows a clip's last frame"
    torch.testing.assert_close(moved[41:58], expected[:17] / 2, atol=0.15, rtol=0)


def test_it_is_what_recognition_computes(source):
    frames = source.frames[:4].permute(0, 2, 3, 1).contiguous().numpy()
    served = fields(frames, np.array([[0, 3]]), np.array([25 / 8 / 3]), TINY_FLOW)[0]
    kept = source.fields[:1].float() * STEP
    torch.testing.assert_close(kept, served, atol=STEP / 2 + 1e-6, rtol=0)


@pytest.mark.nightly
def test_many_processes_give_the_same(file, source, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 1)
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda pid: {0, 1})
    with module.all_cores() as mapped:
        assert mapped is not map and (fields_of(file, 8.0, mapped) == source.fields).all()


def test_saved_footage_keeps_its_flow(source, tmp_path):
    source.save(tmp_path / "x.pt")
    again = VideoDataset.read(tmp_path / "x.pt").to(torch.device("cpu"))
    assert (again.fields == source.fields).all()


def test_faster_windows_have_longer_vectors(source):
    """Nine frames in place of 3.125, and one: clips are played so much faster and slower."""
    clips = torch.tensor([0, 0])
    positions = torch.tensor([[0, 9, 18, 27], [5, 6, 7, 8]])
    moved = _mean(fields_at(source, clips, positions, 8.0))
    assert moved.shape == (2, 3, 2)
    torch.testing.assert_close(moved[0, :, 0], torch.full((3,), 9 * PACE), atol=0.3, rtol=0)
    torch.testing.assert_close(moved[1, :, 0], torch.full((3,), PACE), atol=0.1, rtol=0)


def test_backwards_everything_goes_back(source):
    positions = torch.tensor([[0, 3, 6, 9]])
    ahead = fields_at(source, torch.tensor([0]), positions, 8.0)
    back = fields_at(source, torch.tensor([0]), positions.flip(1), 8.0)
    torch.testing.assert_close(back, -ahead.flip(1))


def test_a_window_past_the_end_stands_still_there(source):
    positions = torch.tensor([[33, 36, 39, 39, 39]])
    moved = _mean(fields_at(source, torch.tensor([0]), positions, 8.0))
    assert (moved[0, :2, 0] > PACE).all() and (moved[0, 2:] == 0).all()


def test_another_grid_has_other_pixels(source):
    found = source.fields[None, :2].float() * STEP
    small = resized(found, (56, 28))
    assert small.shape == (1, 2, 2, 56, 28)
    scale = torch.tensor([0.25, 0.5])
    torch.testing.assert_close(
        small.mean((-2, -1)), found.mean((-2, -1)) * scale, atol=1e-4, rtol=1e-3
    )
    assert resized(found, (112, 112)) is found


def _constant(u, v, b=64, t=4):
    return torch.tensor([u, v]).view(1, 1, 2, 1, 1).expand(b, t, 2, 112, 112)


def _augmented(found, protocol, labels=None, size=(112, 112)):
    labels = torch.full((len(found),), WALK) if labels is None else labels
    torch.manual_seed(0)
    mirrored, labels = mirror(labels, protocol)
    return *augment_flow(found, None, (), mirrored, size, protocol), labels


def test_without_changes_flow_stays_as_it_is():
    moved, frames, _ = _augmented(_constant(3.0, -1.0, b=2), STILL)
    torch.testing.assert_close(moved, _constant(3.0, -1.0, b=2))
    assert frames is None
    smaller, _, _ = _augmented(_constant(3.0, -1.0, b=2), STILL, size=(56, 28))
    torch.testing.assert_close(smaller.mean((1, 3, 4)), torch.tensor([[0.75, -0.5]] * 2))


def test_a_mirror_sends_right_to_left_and_changes_labels():
    left = EVERYDAY.index("swiping left")
    labels = torch.full((64,), left)
    moved, _, labels = _augmented(_constant(3.0, -1.0), replace(STILL, mirror=0.5), labels)
    mirrored = labels == MIRROR[left]
    assert 10 < mirrored.sum() < 54
    u = moved[:, 0, 0, 50, 50]
    torch.testing.assert_close(u, torch.where(mirrored, -3.0, 3.0))
    assert (moved[:, :, 1] + 1).abs().max() < 1e-4


def test_a_crop_makes_vectors_longer_and_an_aspect_turns_them():
    protocol = replace(STILL, smallest_crop=0.5, aspect=1.5)
    moved, _, _ = _augmented(_constant(2.0, 2.0), protocol)
    u, v = moved[:, 0, 0, 50, 50], moved[:, 0, 1, 50, 50]
    assert (u >= 2 - 1e-4).all() and (v >= 2 - 1e-4).all() and u.max() > 2.5
    assert (u / v).max() > 1.2 and (u / v).min() < 1 / 1.2


@pytest.mark.parametrize("turned", [False, True])
def test_flow_and_frames_are_moved_alike(source, turned):
    """Flow of the augmented frames is the augmented flow: crop, aspect, mirror and a panning camera."""
    protocol = replace(STILL, smallest_crop=0.7, aspect=1.2, drift=0.01, drifting=1.0)
    positions = torch.arange(0, 25, 3).expand(6, -1)
    found = fields_at(source, torch.zeros(6, dtype=torch.long), positions, 25 / 3)
    torch.manual_seed(1)
    frames, mirrored = source.frames[positions], torch.full((6,), turned)
    moved, frames = augment_flow(found, frames, tuple(range(9)), mirrored, (112, 112), protocol)
    assert frames.shape == (6, 9, 3, 112, 112) and moved.shape == (6, 8, 2, 112, 112)
    places = np.arange(9)
    pairs = np.stack([places[:-1], places[1:]], 1)
    for clip, vectors in zip(frames, moved, strict=True):
        shown = clip.mul(255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
        seen = fields(shown, pairs, np.ones(8), TINY_FLOW)[0]
        torch.testing.assert_close(_mean(vectors), _mean(seen), atol=0.25, rtol=0.05)


@pytest.mark.parametrize(
    ("modality", "frames", "shapes"),
    [
        ("flow", 6, [(3, 2, 6, 56, 56)]),
        ("rgb+flow", 6, [(3, 3, 6, 56, 56), (3, 2, 6, 56, 56)]),
        ("rgb+flow", 1, [(3, 3, 1, 56, 56), (3, 2, 6, 56, 56)]),
    ],
)
def test_a_batch_of_flow(source, protocol, modality, frames, shapes):
    spec = replace(TINY_FLOW, modality=modality, frames=frames, flow_frames=6, crop=(56, 56))
    inputs, labels = draw(spec, [(source, 2), (source, 1)], protocol)
    assert [tuple(x.shape) for x in inputs] == shapes and labels.shape == (3,)
    assert inputs[-1].abs().max() <= 1 and inputs[-1].abs().max() > 0.01
