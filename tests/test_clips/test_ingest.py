"""Good films of every kind go in; an upright, constant-rate, small copy comes out."""

import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec import codecs_available

from har_demo.clips import ingest as module
from har_demo.clips.frames import read_frames
from har_demo.clips.ingest import ingest
from har_demo.clips.probe import probe

from .make import card, corners, cut, film, film_apart, number

KINDS = [
    ("a.mp4", "libx264", "yuv420p"),
    ("bframes.avi", "libx264", "yuv420p"),
    ("a.mov", "libx264", "yuv444p"),
    ("transport.ts", "libx264", "yuv420p"),
    ("hevc.mp4", "libx265", "yuv420p"),
    ("ten bits.mkv", "libx265", "yuv420p10le"),
    ("a.webm", "libvpx-vp9", "yuv420p"),
    ("vp8.webm", "libvpx", "yuv420p"),
    ("av1.mkv", "libsvtav1", "yuv420p"),
    ("xvid.avi", "mpeg4", "yuv420p"),
    ("full range.avi", "mjpeg", "yuvj420p"),
    ("a.mpg", "mpeg2video", "yuv420p"),
    ("old.mpg", "mpeg1video", "yuv420p"),
    ("prores.mov", "prores_ks", "yuv422p10le"),
    ("a.flv", "flv", "yuv420p"),
    ("a.wmv", "wmv2", "yuv420p"),
    ("a.gif", "gif", "rgb8"),
]


def all_frames(clip):
    return read_frames(clip, np.arange(clip.frames))


def numbers(clip):
    return [number(frame) for frame in all_frames(clip)]


@pytest.mark.parametrize("name, codec, pixels", KINDS, ids=[kind[0] for kind in KINDS])
def test_every_container_and_codec_gives_every_frame_in_order(tmp_path, name, codec, pixels):
    if codec not in codecs_available:
        pytest.skip(f"this PyAV has no encoder {codec} to make the film with")
    make = film_apart if codec == "libsvtav1" else film
    clip = ingest(make(tmp_path / name, 20, codec=codec, pixels=pixels))
    assert numbers(clip) == list(range(20))
    assert corners(all_frames(clip)[0]) == [0, 1, 2, 3]
    assert (clip.fps, clip.frames, clip.width, clip.height) == (25, 20, 128, 96)
    assert clip.duration == pytest.approx(0.8)
    assert (clip.source.name, clip.source.bytes) == (name, os.path.getsize(tmp_path / name))
    assert not clip.source.truncated
    assert not clip.source.variable_rate


def test_the_copy_is_h264_that_browsers_play_and_readers_count_right(tmp_path):
    clip = ingest(film(tmp_path / "a.mkv", 60, codec="mpeg4"))
    with av.open(str(clip.path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert not stream.codec_context.has_b_frames
        assert stream.frames == 60
        times = [packet.pts for packet in container.demux(stream) if packet.size]
        assert times[0] == 0
        assert len(set(np.diff(times))) == 1
    content = clip.path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("noted, clockwise", [(-90, 1), (180, 2), (90, 3)])
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@pytest.mark.usefixtures("read_here")
def test_phone_films_stand_upright(tmp_path, noted, clockwise, suffix):
    """The scene is upright; the phone was not, and says so."""
    filmed = [np.rot90(card(k), clockwise).copy() for k in range(5)]
    clip = ingest(film(tmp_path / f"a.{suffix}", filmed, rotation=noted))
    assert corners(all_frames(clip)[0]) == [0, 1, 2, 3]
    assert numbers(clip) == list(range(5))
    assert (clip.width, clip.height) == (clip.source.width, clip.source.height) == (128, 96)
    assert clip.source.rotation == 90 * clockwise


@pytest.mark.parametrize(
    "size, expected",
    [
        ((720, 480), (510, 340)),
        ((480, 720), (340, 510)),
        ((97, 55), (96, 54)),
        ((6, 4), (18, 18)),
        ((1, 1), (18, 18)),
        ((24, 72), (26, 74)),
    ],
    ids=str,
)
@pytest.mark.usefixtures("read_here")
def test_sizes(tmp_path, size, expected):
    frames = [card(k, *size) for k in range(3)]
    clip = ingest(film(tmp_path / "a.mkv", frames, codec="ffv1", pixels="bgr0"))
    assert (clip.width, clip.height) == expected
    assert all_frames(clip).shape == (3, expected[1], expected[0], 3)
    assert (clip.source.width, clip.source.height) == size


@pytest.mark.parametrize("aspect, width", [(Fraction(2), 256), (Fraction(16, 11), 186)])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.usefixtures("read_here")
def test_pixels_become_square(tmp_path, name, aspect, width):
    clip = ingest(film(tmp_path / name, 3, aspect=aspect))
    assert (clip.width, clip.height, clip.source.width) == (width, 96, width)
    assert numbers(clip) == [0, 1, 2]


def test_4k(tmp_path):
    frames = [card(k, 3840, 2160) for k in range(2)]
    clip = ingest(film(tmp_path / "a.mp4", frames, preset="ultrafast"))
    assert (clip.width, clip.height) == (604, 340)
    assert numbers(clip) == [0, 1]


@pytest.mark.parametrize("colour", [(200, 30, 30), (30, 200, 30), (30, 30, 200), (128, 128, 128)])
@pytest.mark.parametrize(
    "name, codec, pixels",
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("full.avi", "mjpeg", "yuvj420p"),
        ("rgb.mkv", "ffv1", "bgr0"),
        ("grey.mkv", "ffv1", "gray"),
        ("ten.mkv", "libx265", "yuv420p10le"),
        ("a.gif", "gif", "rgb8"),
    ],
)
@pytest.mark.usefixtures("read_here")
def test_colours_are_those_of_a_plain_decoder(tmp_path, colour, name, codec, pixels):
    path = film(
        tmp_path / name, [np.full((64, 64, 3), colour, np.uint8)] * 2, codec=codec, pixels=pixels
    )
    with av.open(str(path)) as container:
        plain = next(container.decode(video=0)).to_ndarray(format="rgb24").mean(axis=(0, 1))
    assert np.abs(all_frames(ingest(path)).mean(axis=(0, 1, 2)) - plain).max() < 4


@pytest.mark.parametrize("standard", [1, 5, 9], ids=["bt709", "bt601", "bt2020"])
@pytest.mark.usefixtures("read_here")
def test_the_meaning_of_colours_is_kept(tmp_path, standard):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.colorspace = standard
        frame = av.VideoFrame.from_ndarray(np.full((96, 64), 120, np.uint8), "yuv420p")
        frame.colorspace = standard
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    with av.open(str(ingest(path).path)) as copy:
        assert next(copy.decode(video=0)).colorspace == standard


@pytest.mark.parametrize(
    "fps, expected, step",
    [(60, 30, 2), (50, 25, 2), (120, 30, 4), (30, 30, 1), (10, 10, 1)],
)
@pytest.mark.usefixtures("read_here")
def test_fast_films_lose_frames_evenly(tmp_path, fps, expected, step):
    clip = ingest(film(tmp_path / "a.mp4", 48, fps=fps))
    assert clip.fps == expected
    assert numbers(clip) == list(range(0, 48, step))
    assert clip.source.fps == fps


def test_a_cut_by_stream_copy_begins_where_its_edit_list_says(tmp_path):
    long = film(tmp_path / "long.mp4", 60, bf="3", g="30")
    part = cut(long, tmp_path / "part.mp4", 1.72)
    assert b"elst" in part.read_bytes()
    assert numbers(ingest(part)) == list(range(43, 60))


@pytest.mark.parametrize("suffix", ["mpg", "ts"])
def test_films_glued_together_play_one_after_the_other(tmp_path, suffix):
    content = film(tmp_path / f"a.{suffix}", 20, codec="mpeg2video").read_bytes()
    glued = tmp_path / f"glued.{suffix}"
    glued.write_bytes(content + content)  # the timestamps start again in the middle
    assert numbers(ingest(glued)) == [*range(20), *range(20)]


def test_a_browser_recording_without_duration(tmp_path):
    path = film(tmp_path / "a.webm", 40, codec="libvpx", container={"live": "1"})
    with av.open(str(path)) as container:
        assert container.duration is None
    clip = ingest(path)
    assert numbers(clip) == list(range(40))
    assert not clip.source.truncated


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("name, codec, pixels", [KINDS[0], KINDS[-1]], ids=["mp4", "gif"])
@pytest.mark.usefixtures("read_here")
def test_very_short_films_keep_their_frames_and_no_more(tmp_path, count, name, codec, pixels):
    clip = ingest(film(tmp_path / name, count, codec=codec, pixels=pixels))
    assert clip.frames == count
    assert numbers(clip) == list(range(count))


def test_progress_rises_to_one(tmp_path):
    fractions = []
    ingest(film(tmp_path / "a.mp4", 100), None, fractions.append)
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < fractions[-1] == 1
    assert any(0 < fraction < 1 for fraction in fractions)


def test_a_line_that_waits_longer_than_the_patience_is_read():
    """Whoever reads the lines may have been busy meanwhile: the process was not silent."""
    with subprocess.Popen(
        [sys.executable, "-c", "print(1, flush=True); print(2, flush=True)"], stdout=subprocess.PIPE
    ) as process:
        process.wait()
        found = []
        for line in module.lines(process.stdout, 0.3):
            found += [line] if line else []
            time.sleep(0.4)
    assert found == [b"1", b"2"]


def test_probe_tells_the_same_facts_beforehand(tmp_path):
    path = film(tmp_path / "a.mp4", 20)
    before, after = probe(path), ingest(path).source
    assert before == after


def test_the_reading_process_starts_light():
    """It starts for every upload, so nothing heavy may be imported."""
    code = "import sys, har_demo.clips.ingest_child; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not {"torch", "gradio", "numpy", "decord", "pandas"} & set(loaded)


def peak_memory(path: Path, tmp_path: Path) -> int:
    """Most kilobytes the reading process ever held."""
    code = (
        "import resource, sys; from har_demo.clips.ingest_child import main; main(*sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path, tmp_path / "copy.mp4", "a.mp4"],
        capture_output=True,
        text=True,
        cwd=Path(module.__file__).parents[2],
        check=True,
    )
    assert '"clip"' in done.stdout
    return int(done.stderr)


def test_memory_does_not_grow_with_the_film(tmp_path):
    """The 200 further frames would take 46 MB as they are decoded."""
    peak, cards = {}, [card(k, 480, 320) for k in range(25)]
    for count in (50, 250):
        frames = (cards[k % 25] for k in range(count))
        path = film(tmp_path / f"{count}.mp4", frames, preset="ultrafast")
        peak[count] = peak_memory(path, tmp_path)
    assert peak[250] < peak[50] + 15_000
