"""The twenty channels of a temporal stream, and what they weigh beside the frames."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from har_demo.clips.ingest import ingest
from har_demo.errors import ClipError
from har_demo.flow.stack import as_bytes, memory, stack
from har_demo.models.registry import card
from har_demo.models.two_stream import Stream
from tests.media import write
from tests.test_flow.conftest import moved, texture

SIDE = 96
STEP = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, -2.0]])
PAPER = card("two_stream_temporal").input
SMALL = replace(PAPER, resize=48, crop=(40, 48), antialias=True)


def clip_of(folder, count, fps=25):
    frames = [texture(SIDE)]
    for _ in range(count - 1):
        frames.append(moved(frames[-1], STEP))
    return ingest(write(folder / f"{count}.mp4", frames, fps=fps, crf="10"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return clip_of(tmp_path_factory.mktemp("clips"), 14)


def test_channels_are_fields_side_by_side_divided_by_the_limit(clip):
    one = stack(clip, SMALL, 2)
    assert one.frames.tolist() == list(range(2, 13))
    assert one.pixels.shape == (10, 2, 40, 48) and one.channels.shape == (20, 40, 48)
    # Half the size, so half of 3 right and 2 up.
    np.testing.assert_allclose(np.median(one.pixels, axis=(0, 2, 3)), (1.5, -1), atol=0.15)
    np.testing.assert_allclose(one.channels[0::2], one.pixels[:, 0] / 20, atol=1e-6)
    np.testing.assert_allclose(one.channels[1::2], one.pixels[:, 1] / 20, atol=1e-6)
    assert one.clipped == 0 and one.limit == 20

    class Echo(torch.nn.Module):
        def forward(self, x):
            return x

    given = torch.from_numpy(one.pixels / 20).transpose(0, 1)[None]
    torch.testing.assert_close(Stream(Echo())(given)[0], torch.from_numpy(one.channels))


def test_what_is_longer_than_the_limit_is_clipped(clip):
    one = stack(clip, replace(SMALL, flow_limit=1.25), 0)
    assert one.clipped == pytest.approx(0.5, abs=0.1)  # to the right, but not upwards
    assert one.channels.max() == 1 and np.median(one.channels[0::2]) == 1


def test_a_stack_near_the_end_begins_earlier_and_a_short_clip_repeats(clip, tmp_path):
    assert stack(clip, SMALL, 13).frames.tolist() == list(range(3, 14))
    short = stack(clip_of(tmp_path, 4), SMALL, 1)
    assert short.frames.tolist() == [0, 1, 2] + [3] * 8
    assert np.abs(short.pixels[3:]).max() == 0
    with pytest.raises(ClipError, match="single picture"):
        stack(clip_of(tmp_path, 1), SMALL, 0)


def test_a_slower_network_is_given_longer_steps(clip):
    slow = stack(clip, replace(SMALL, fps=12.5, frames=5, flow_frames=5), 0)
    assert slow.frames.tolist() == [0, 2, 4, 6, 8, 10]
    np.testing.assert_allclose(np.median(slow.pixels, axis=(0, 2, 3)), (3, -2), atol=0.3)


def test_memory_is_counted_from_the_arrays(clip):
    frames, floats, rounded, frames_jpeg, rounded_jpeg = memory(stack(clip, SMALL, 0))
    assert frames.bytes == 11 * 40 * 48 * 3 and frames.shape == "11 × 40 × 48 × 3"
    assert floats.bytes == 10 * 40 * 48 * 2 * 4
    assert floats.times == pytest.approx(80 / 33)
    assert rounded.bytes == 20 * 40 * 48 and rounded.times == pytest.approx(20 / 33)
    assert 0 < rounded_jpeg.bytes < rounded.bytes and 0 < frames_jpeg.bytes < frames.bytes


def test_bytes_have_mid_grey_where_nothing_moves():
    assert as_bytes(np.array([-1.0, 0.0, 1.0])).tolist() == [0, 128, 255]
