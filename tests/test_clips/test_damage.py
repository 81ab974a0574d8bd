"""Whatever is dropped on the page: a Clip comes out, or one sentence that helps."""

import random
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest

from har_demo.clips import ingest as module
from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.ingest import ingest
from har_demo.clips.probe import check_size, display_name, probe
from har_demo.errors import ClipError

from .make import card, film, number, sound_only


def refusal(path, name=None):
    """The sentence with which a file is refused, by ingest and by probe alike."""
    with pytest.raises(ClipError) as refused:
        ingest(path, name)
    sentence = str(refused.value)
    assert re.fullmatch(r"[^\n]{20,250}\.", sentence), "one sentence with a full stop"
    assert str(path.parent) not in sentence, "paths of the server are nobody's business"
    return sentence


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_missing(tmp_path):
    assert "is not there any more" in refusal(tmp_path / "a.mp4")
    assert "is not there any more" in refusal(tmp_path)


def test_empty(tmp_path):
    assert refusal(write(tmp_path / "a.mp4", b"")).startswith("a.mp4 is empty")


PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@pytest.mark.parametrize(
    "name, content",
    [
        ("text.mp4", "Dear diary, today I filmed nothing at all.\n" * 200),
        ("escape codes.mp4", "\x1b[2J\x1b[1;31mthis is an animation of 1985\x1b[0m\r\n" * 200),
        ("text.ans", "\x1b[2J\x1b[1;31mthis is an animation of 1985\x1b[0m\r\n" * 200),
        ("text.txt", "words\n" * 500),
        ("page.pdf", "%PDF-1.7\n1 0 obj\n<< >>\nendobj\n" * 50),
        ("picture.png", PICTURE),
        ("picture.mp4", PICTURE),
        ("bitmap.mp4", b"BM" + (1078).to_bytes(4, "little") + bytes(1072)),
        ("zeros.mp4", bytes(5000)),
        ("noise.mp4", random.Random(0).randbytes(5000)),
    ],
)
@pytest.mark.usefixtures("read_here")
def test_what_is_no_video_is_not_made_one(tmp_path, name, content):
    assert "is not a video that can be read" in refusal(write(tmp_path / name, content))


def test_a_photograph_in_an_mp4_family_box(tmp_path):
    path = film(tmp_path / "a.mp4", 1)
    content = path.read_bytes().replace(b"ftypisom", b"ftypheic", 1)
    assert "is a photograph" in refusal(write(tmp_path / "photo.heic", content))


@pytest.mark.parametrize("name", ["a.m4a", "a.mp4", "a.mkv", "a.mov"])
@pytest.mark.usefixtures("read_here")
def test_audio_only(tmp_path, name):
    assert "has sound but no moving picture" in refusal(sound_only(tmp_path / name))


def test_a_zero_size_stream(tmp_path):
    """An AVI whose headers say 0×0 pixels."""
    content = bytearray(film(tmp_path / "a.avi", 5, codec="rawvideo", pixels="bgr24").read_bytes())
    header = content.index(b"strf") + 8
    content[header + 4 : header + 12] = bytes(8)
    main = content.index(b"avih") + 8
    content[main + 32 : main + 40] = bytes(8)
    sentence = refusal(write(tmp_path / "nothing.avi", bytes(content)))
    assert "picture of no size" in sentence


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{target}'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5000 RTP/AVP 96\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{target}</BaseURL></MPD>',
    ],
    ids=["m3u8", "concat", "m3u8 over http", "sdp", "dash"],
)
@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "sdp"])
@pytest.mark.usefixtures("read_here")
def test_playlists_open_no_other_file(tmp_path, playlist, suffix):
    secret = film(tmp_path / "secret.ts", 10)
    path = write(tmp_path / f"list.{suffix}", playlist.format(target=secret))
    assert "is not a video that can be read" in refusal(path)


def test_truncated_in_header(tmp_path):
    whole = film(tmp_path / "a.mp4", 60).read_bytes()  # its index stands at the end
    assert "the recording was not finished" in refusal(
        write(tmp_path / "cut.mp4", whole[: len(whole) // 2])
    )


@pytest.mark.parametrize(
    "name, codec, extra",
    [
        ("a.mp4", "libx264", {"container": {"movflags": "+faststart"}, "preset": "ultrafast"}),
        ("a.mkv", "mpeg4", {}),
        ("a.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
        ("a.avi", "mpeg4", {}),
    ],
)
def test_truncated_in_data_keeps_the_intact_part(tmp_path, name, codec, extra):
    noise = np.random.default_rng(0).integers(0, 30, (100, 96, 128, 3), np.uint8)
    frames = [np.clip(card(k).astype(int) + noise[k], 0, 255).astype(np.uint8) for k in range(100)]
    whole = film(tmp_path / name, frames, codec=codec, **extra).read_bytes()
    clip = ingest(write(tmp_path / f"cut {name}", whole[: len(whole) * 6 // 10]))
    assert clip.source.truncated
    assert 15 <= clip.frames <= 75
    seen = [number(frame) for frame in read_frames(clip, np.arange(clip.frames - 2))]
    assert seen == list(range(clip.frames - 2))


@pytest.mark.parametrize("seeds", [10, pytest.param(200, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("name, codec", [("a.mp4", "libx264"), ("a.avi", "mpeg4")])
def test_random_bytes_flipped_give_a_clip_or_a_sentence(tmp_path, name, codec, seeds):
    """Every file is read by a process of its own, as in the app."""
    good = film(tmp_path / name, 20, codec=codec).read_bytes()

    def one(seed):
        chance = random.Random(seed)
        harmed = bytearray(good)
        for _ in range(chance.choice([1, 4, 16, 64])):
            harmed[chance.randrange(len(harmed))] = chance.randrange(256)
        path = write(tmp_path / f"{seed} {name}", bytes(harmed))
        try:
            return ingest(path)
        except ClipError as refused:
            return str(refused)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one, range(seeds)))
    clips = [result for result in results if isinstance(result, Clip)]
    sentences = [result for result in results if isinstance(result, str)]
    assert len(clips) >= seeds / 5
    assert len(sentences) >= seeds / 20
    assert all(name in sentence and sentence.endswith(".") for sentence in sentences)
    for clip in clips[:20]:
        assert len(read_frames(clip, np.arange(clip.frames))) == clip.frames


@pytest.mark.parametrize(
    "variable, value, says",
    [
        ("HAR_MAX_MB", "0.001", "the limit is 0.001 MB"),
        ("HAR_MAX_SECONDS", "1", "longer than the limit of 1 seconds"),
        ("HAR_MAX_SIDE", "100", "128×96 pixels and the limit is 100"),
    ],
)
def test_limits_are_kept_before_anything_is_decoded(tmp_path, monkeypatch, variable, value, says):
    path = film(tmp_path / "a.mp4", 100)
    assert ingest(path).frames == 100
    monkeypatch.setenv(variable, value)
    if variable != "HAR_MAX_SECONDS":  # headers lie about time: the packets decide
        with pytest.raises(ClipError, match=says):
            probe(path)
    path.write_bytes(path.read_bytes() + b"\0\0\0\x08free")  # another content, not in the cache
    assert says in refusal(path)


def test_the_length_limit_holds_where_no_length_is_stated(tmp_path, monkeypatch):
    path = film(
        tmp_path / "a.webm", 100, codec="libvpx", container={"live": "1"}, deadline="realtime"
    )
    monkeypatch.setenv("HAR_MAX_SECONDS", "1")
    assert "longer than the limit of 1 seconds" in refusal(path)


def test_the_length_limit_holds_where_timestamps_start_again(tmp_path, monkeypatch):
    """Four films glued together look as long as one of them, until they are decoded."""
    one = film(tmp_path / "a.mpg", 20, codec="mpeg2video").read_bytes()
    path = write(tmp_path / "glued.mpg", 4 * one)
    monkeypatch.setenv("HAR_MAX_SECONDS", "1")
    assert probe(path).duration < 1
    assert "longer than the limit of 1 seconds" in refusal(path)


def test_ten_minutes_of_ordinary_film_pass_and_a_disk_is_not_filled(tmp_path, monkeypatch):
    path = tmp_path / "big.mp4"
    with path.open("wb") as file:
        file.truncate(600_000_000)
    usage = type("usage", (), {"free": 50e9})
    monkeypatch.setattr("har_demo.clips.probe.shutil.disk_usage", lambda folder: usage)
    assert check_size(path, "big.mp4") == 600_000_000
    usage.free = 800e6
    assert refusal(path).startswith("big.mp4 has 600 MB and the limit is 400 MB")
    usage.free = 50e9
    with path.open("wb") as file:
        file.truncate(1_001_000_000)
    assert refusal(path).startswith("big.mp4 has 1001 MB and the limit is 1000 MB")


@pytest.mark.parametrize(
    "name, shown",
    [
        ("../../etc/passwd.mp4", "passwd.mp4"),
        ("C:\\Users\\me\\a.mp4", "a.mp4"),
        ("jumping 🤸 прыжок.mp4", "jumping 🤸 прыжок.mp4"),
        ("a\x1b[31m\nb\u202e4pm.mp4", "a[31mb4pm.mp4"),
        ("x" * 300 + ".mp4", "x" * 40 + "…" + "x" * 15 + ".mp4"),
        ("-i", "-i"),
        ("///", "the file"),
        ("https://example.org/a.mp4?x=file:b", "a.mp4?x=file:b"),
        ("pipe:0", "pipe:0"),
        ("%03d.mp4", "%03d.mp4"),
    ],
)
@pytest.mark.usefixtures("read_here")
def test_names(tmp_path, name, shown):
    assert display_name(name) == shown
    assert refusal(write(tmp_path / "upload", b""), name).startswith(f"{shown} is empty")
    assert ingest(film(tmp_path / "a.mp4", 2), name).source.name == shown


@pytest.mark.parametrize(
    "name", ["-i.mp4", "%03d.mp4", "a:b.mp4", "ünï 🤸.mp4", "file:a.mp4", "*?.mp4"]
)
def test_paths_that_look_like_something_else(tmp_path, name, monkeypatch):
    film(tmp_path / "made.mp4", 3).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert ingest(name).frames == 3


def test_a_crash_of_the_decoder_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(
        module, "command", lambda *a: ["sh", "-c", f"kill -{int(signal.SIGSEGV)} $$"]
    )
    assert "Reading a.mp4 failed: the file is damaged" in refusal(film(tmp_path / "a.mp4", 3))


def test_a_decoder_that_hangs_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "command", lambda *a: ["sleep", "1000"])
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    # The suite's time limit notices if the thousand seconds are waited for.
    assert "came to a stop" in refusal(film(tmp_path / "a.mp4", 3))


def test_running_out_of_memory_is_a_sentence(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mp4", [card(k, 3840, 2160) for k in range(3)])
    ours = module.command

    def starved(*arguments):
        python, *_, source, copy, name = ours(*arguments)
        program = "import sys, har_demo.clips.ingest_child as c; c.MEMORY = 200 << 20; c.main(*sys.argv[1:])"
        return [python, "-c", program, source, copy, name]

    monkeypatch.setattr(module, "command", starved)
    assert re.search("more memory|too large", refusal(path))


def test_a_full_disk_is_a_sentence(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mp4", 20)
    ours = module.command
    monkeypatch.setattr(module, "command", lambda s, c, n: ours(s, "/dev/full", n))
    assert "no room left on this machine" in refusal(path)


def test_nothing_is_left_behind_by_a_refusal(tmp_path, copies):
    refusal(write(tmp_path / "a.mp4", b"no video"))
    assert list(copies.iterdir()) == []


def test_a_stream_that_begins_on_the_way_of_a_broadcast_is_passed_over(tmp_path):
    """PyAV raises an IndexError at packets of a stream that the beginning of the file did not announce."""
    path = film(tmp_path / "a.ts", 60)
    content = bytearray(path.read_bytes())
    starts = [at for at in range(0, len(content), 188) if content[at + 1 : at + 3] == b"\x41\x00"]
    content[starts[-10] + 1] |= (
        0x1F  # the packet of the tenth frame from the end names another stream
    )
    path.write_bytes(content)
    with av.open(str(path)) as container, pytest.raises(IndexError):
        list(container.demux())
    clip = ingest(path)
    assert 58 <= clip.frames <= 60 and clip.fps == 25
