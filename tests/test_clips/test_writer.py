import av
import numpy as np
import pytest

from har_demo.clips.writer import write_video

from .make import card, corners, number


def read(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        return frames, stream.average_rate, stream.codec_context.pix_fmt, stream.codec_context.name


@pytest.mark.parametrize("width, height", [(128, 96), (127, 95)])
def test_what_is_written_comes_back(tmp_path, width, height):
    path = tmp_path / "a.mp4"
    write_video(path, (card(k, width, height) for k in range(30)), fps=29.97)
    frames, rate, pixels, codec = read(path)
    assert [number(frame) for frame in frames] == list(range(30))
    assert all(corners(frame) == [0, 1, 2, 3] for frame in frames)
    assert frames[0].shape == (96, 128, 3)
    assert float(rate) == pytest.approx(29.97, abs=0.01)
    assert (pixels, codec) == ("yuv420p", "h264")


def test_it_plays_while_it_loads(tmp_path):
    write_video(tmp_path / "a.mp4", [card(0)], fps=25)
    written = (tmp_path / "a.mp4").read_bytes()
    assert 0 < written.index(b"moov") < written.index(b"mdat")


def test_frames_are_taken_one_at_a_time(tmp_path):
    alive = []

    def frames():
        for k in range(200):
            alive.append(k)
            yield np.full((32, 32, 3), k, np.uint8)
            assert len(alive) == k + 1

    write_video(tmp_path / "a.mp4", frames(), fps=25)
    assert len(read(tmp_path / "a.mp4")[0]) == 200


def test_nothing_and_unequal_frames_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one frame"):
        write_video(tmp_path / "a.mp4", [], fps=25)
    with pytest.raises(ValueError, match="frame 1 is 64×48"):
        write_video(tmp_path / "a.mp4", [card(0), card(1, 64, 48)], fps=25)
