import sys

import numpy as np
import pytest

from har_demo.clips.frames import read_frames
from har_demo.clips.ingest import ingest
from har_demo.errors import ClipError

from .make import film, number


@pytest.fixture
def clip(tmp_path, read_here):
    return ingest(film(tmp_path / "a.mp4", 60, bf="3"))


@pytest.mark.parametrize("asked", [[59, 0, 13, 13, 12, 40, 0], [7, 3, 59, 4], [5], [1, 2, 3]])
def test_frames_come_as_asked_in_any_order_and_repeated(clip, asked):
    asked = np.array(asked)
    frames = read_frames(clip, asked)
    assert frames.shape == (len(asked), clip.height, clip.width, 3)
    assert frames.dtype == np.uint8
    assert [number(frame) for frame in frames] == asked.tolist()


def test_every_frame_equals_what_a_plain_decoder_gives(clip):
    import av

    with av.open(str(clip.path)) as container:
        plain = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(plain) == clip.frames
    found = read_frames(clip, np.arange(clip.frames)).astype(int)
    assert np.abs(found - np.stack(plain)).max() <= 2  # rounding of the colour conversion


@pytest.mark.parametrize("asked", [[-1], [60], [], [0, 100]])
def test_frames_that_do_not_exist_are_a_mistake_of_the_program(clip, asked):
    with pytest.raises(ValueError, match="frames 0 to 59"):
        read_frames(clip, np.array(asked, np.int64))


@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_a_copy_that_vanished_is_said_to_the_user(clip, harm):
    clip.path.unlink() if harm == "gone" else clip.path.write_bytes(b"no longer a video")
    with pytest.raises(ClipError, match=r"a\.mp4 is no longer kept here: upload it again"):
        read_frames(clip, np.array([0]))


def test_pyav_reads_the_same_frames_as_decord_pixel_for_pixel(clip, monkeypatch):
    asked = np.array([59, 0, 13, 13, 50, 2, 1])
    ours = read_frames(clip, asked)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "decord", None)  # its wheel is not there
        assert (read_frames(clip, asked) == ours).all()

    def broken(*given, **named):
        raise RuntimeError("planted")

    monkeypatch.setattr("decord.VideoReader", broken)
    assert (read_frames(clip, np.arange(60)) == read_all(clip)).all()


def read_all(clip):
    """Every frame by decoding the copy from start to end."""
    import av

    with av.open(str(clip.path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
