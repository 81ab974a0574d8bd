"""Every kind of file gives the right frames, at the right times, upright, in the right colours.

Each kind is a function that films test cards the odd way and says what must come out; docs/clips.md
lists them all. They are read as the app reads them, but for the process that the app starts for each.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.video.reformatter import Colorspace

from har_demo.clips.changes import changes
from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.transcode import transcode
from har_demo.errors import ClipError

from .make import (
    animation,
    box_size,
    card_errors,
    card_number,
    cards,
    coloured,
    film,
    hdr_codes,
    remuxed,
    shown_through,
    test_card,
    tracks,
)

FINE = {"qmin": "1", "qmax": "1"}  # of motion JPEG
QUICK = {"preset": "ultrafast", "crf": "12"}
STEADY = {"leaps": 0, "variable_rate": False}
REORDERED = {"preset": "veryfast", "crf": "12", "bf": "3"}


@dataclass(frozen=True)
class Right:
    """What must come out of a file.

    Attributes:
        path: the file.
        numbers: the cards in order, each once, however long it is held.
        seconds: how long the clip is.
        times: seconds at which some of the cards begin, by number.
        fps: of the copy.
        facts: of SourceFacts.
        changes: a word of each sentence of the page's list, in order.
        gray, colour: largest error allowed, of 255.
    """

    path: Path
    numbers: Sequence[int]
    seconds: float | None = None
    times: dict[int, float] = field(default_factory=dict)
    fps: float | None = None
    facts: dict = field(default_factory=dict)
    changes: Sequence[str] = ()
    gray: float = 2
    colour: float = 4


def read(path: Path) -> tuple[Clip, np.ndarray]:
    """The clip of a file and all its frames."""
    copy = path.with_name(f"{path.name}.copy.mp4")
    clip = Clip.of_facts(copy, {**transcode(path, copy, path.name), "sha256": ""})
    return clip, read_frames(clip, np.arange(clip.frames))


def burst(tmp: Path, name: str = "a.mp4") -> Right:
    times = [
        *range(0, 5000, 1000),
        *(5000 + 33 * k + k // 3 for k in range(30)),
        *range(6000, 9000, 1000),
    ]
    path = film(tmp / name, cards(len(times)), fps=30, times=times, **QUICK)
    facts = {"variable_rate": True}
    return Right(path, range(len(times)), None, {5: 5.0, 34: 5.97, 36: 7.0}, 30, facts, ["Rate"])


def reordered_burst(tmp: Path, name: str = "a.mkv") -> Right:
    """The same with frames that are decoded seconds before they are shown."""
    times = [*range(0, 4000, 1000), *(4000 + 40 * k for k in range(25)), *range(6000, 9000, 1000)]
    path = film(tmp / name, cards(32), times=times, **REORDERED)
    facts = {"variable_rate": True, "leaps": 0}
    return Right(path, range(32), None, {1: 1, 4: 4, 28: 4.96, 31: 8}, 25, facts, ["Rate"])


def reordered_broadcast(tmp: Path) -> Right:
    return reordered_burst(tmp, "a.ts")


def pause(tmp: Path, name: str = "a.mkv") -> Right:
    times = [*range(0, 600, 40), *range(9000, 9600, 40)]
    path = film(tmp / name, cards(30), times=times, **QUICK)
    return Right(
        path, range(30), 9.6, {14: 0.56, 15: 9.0, 29: 9.56}, 25, {"variable_rate": True}, ["Rate"]
    )


def slower(tmp: Path) -> Right:
    times = [*(round(1000 * k / 30) for k in range(20)), *(667 + 50 * k for k in range(10))]
    path = film(tmp / "a.mp4", cards(30), fps=30, times=times, **QUICK)
    return Right(
        path, range(30), None, {19: 0.633, 29: 1.117}, 30, {"variable_rate": True}, ["Rate"]
    )


def between_ticks(tmp: Path) -> Right:
    """Quick parts whose frames lie just between two ticks of the copy, now before, now after."""
    times = [0, *(1020 + 40 * k + (-1) ** k for k in range(20))]
    path = film(tmp / "a.mkv", cards(21), times=times, **QUICK)
    return Right(path, range(21), None, {}, 25, {"variable_rate": True}, ["Rate"])


def held_gif(tmp: Path) -> Right:
    path = animation(tmp / "a.gif", cards(12), [50] * 6 + [3000] + [50] * 5)
    facts = {"variable_rate": True}
    return Right(path, range(12), 3.55, {6: 0.3, 7: 3.3}, 20, facts, ["Rate"], gray=4, colour=12)


def gif_in_haste(tmp: Path) -> Right:
    """Waits of a hundredth of a second and of none, which browsers make a tenth."""
    path = animation(tmp / "a.gif", cards(8), [10, 0] * 4)
    return Right(path, range(8), 0.8, {7: 0.7}, 10, gray=4, colour=12)


def turned(tmp: Path, matrix=(0, 1, -1, 0), pixels: int = 1) -> Right:
    """A scene that is upright once the matrix is applied: filmed through the inverse of it."""
    a, b, c, d = matrix
    filmed = []
    for picture in cards(3):
        picture = picture[:: d or 1, :: a or 1] if a else picture[::b, ::c].transpose(1, 0, 2)
        filmed.append(np.ascontiguousarray(picture[:, ::pixels]))
    aspect = pixels if pixels > 1 else None
    path = film(tmp / f"{a}{b}{c}{d}.mp4", filmed, aspect=aspect, **QUICK)
    said = [] if matrix == (1, 0, 0, 1) else ["Turn"]
    said += ["Size"] if pixels > 1 else []
    return Right(shown_through(path, matrix), range(3), changes=said)


def not_square_and_turned(tmp: Path) -> Right:
    return turned(tmp, pixels=2)


def mirrored_portrait(tmp: Path) -> Right:
    one = turned(tmp, (0, 1, 1, 0))
    return Right(one.path, range(3), facts={"rotation": 90, "mirrored": True}, changes=["mirrored"])


def hlg(tmp: Path, curve: str = "HLG") -> Right:
    codes = [hdr_codes(picture, curve) for picture in cards(2)]
    note = {"colorspace": 9, "color_primaries": 9, "color_trc": 18 if curve == "HLG" else 16}
    path = coloured(tmp / "a.mkv", codes, Colorspace.BT2020, note, "yuv420p10le")
    return Right(path, range(2), facts={"hdr": curve}, changes=[curve], gray=8, colour=8)


def pq(tmp: Path) -> Right:
    return hlg(tmp, "PQ")


def untagged_hd(tmp: Path) -> Right:
    path = coloured(tmp / "a.mkv", cards(2, 1280, 720), Colorspace.ITU709)
    return Right(path, range(2), changes=["1280 × 720"])


def untagged_sd(tmp: Path) -> Right:
    return Right(coloured(tmp / "a.mkv", cards(2), Colorspace.ITU601), range(2))


def tagged_bt709(tmp: Path) -> Right:
    return Right(coloured(tmp / "a.mkv", cards(2), Colorspace.ITU709, {"colorspace": 1}), range(2))


def full_range(tmp: Path) -> Right:
    return Right(film(tmp / "a.avi", cards(4), codec="mjpeg", pixels="yuvj420p", **FINE), range(4))


def ten_bits(tmp: Path) -> Right:
    path = film(tmp / "a.mov", cards(3), codec="prores_ks", pixels="yuv422p10le")
    return Right(path, range(3))


def with_alpha(tmp: Path) -> Right:
    path = film(tmp / "a.mov", cards(3), codec="png", pixels="rgba")
    return Right(path, range(3))


def screen(tmp: Path) -> Right:
    return Right(film(tmp / "a.avi", cards(3), codec="rawvideo", pixels="bgr24"), range(3))


def photographs(tmp: Path, orientation: int = 6) -> Right:
    """Motion JPEG whose pictures carry a camera's notes (EXIF): a quarter turn."""
    turn = {6: 1, 8: -1, 3: 2}[orientation]
    pictures = [np.ascontiguousarray(np.rot90(card, turn)) for card in cards(4)]
    plain = film(tmp / "plain.mjpeg", pictures, codec="mjpeg", pixels="yuvj420p", **FINE)
    tag = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00%c\x00\x00" % orientation
    notes = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01" + tag + bytes(4)
    head = b"\xff\xd8\xff\xe1" + (len(notes) + 2).to_bytes(2, "big") + notes
    path = tmp / f"{orientation}.mjpeg"
    path.write_bytes(plain.read_bytes().replace(b"\xff\xd8", head))
    facts = {"rotation": {6: 90, 8: 270, 3: 180}[orientation], "mirrored": False}
    return Right(path, range(4), facts=facts, changes=["Turn"])


def mono(tmp: Path) -> Right:
    path = film(tmp / "a.mkv", cards(3), codec="ffv1", pixels="gray")
    return Right(path, range(3), colour=255)


def still_beside(tmp: Path) -> Right:
    still = ([test_card(1000, 192, 128)], "mjpeg", Disposition.default)
    path = tracks(tmp / "a.mkv", [still, (cards(20), "libx264", Disposition(0))])
    return Right(path, range(20), 0.8)


def still_beside_few(tmp: Path) -> Right:
    still = ([test_card(1000, 192, 128)], "mjpeg", Disposition.default)
    path = tracks(tmp / "a.mp4", [still, (cards(3), "libx264", Disposition(0))])
    return Right(path, range(3), 0.12)


def second_is_default(tmp: Path) -> Right:
    other = ([test_card(1000, 192, 128)] * 20, "libx264", Disposition(0))
    path = tracks(tmp / "a.mkv", [other, (cards(20), "libx264", Disposition.default)])
    return Right(path, range(20), 0.8)


def thumbnails_beside(tmp: Path) -> Right:
    small = ([test_card(1000, 64, 48)] * 20, "mjpeg", Disposition.default)
    path = tracks(tmp / "a.mov", [small, (cards(20), "libx264", Disposition.default)])
    return Right(path, range(20), 0.8)


def lying_counts(tmp: Path) -> Right:
    """An AVI whose headers announce 50,000 frames."""
    path = film(tmp / "a.avi", cards(10), codec="mjpeg", pixels="yuvj420p", **FINE)
    content = bytearray(path.read_bytes())
    for place in (content.index(b"avih") + 8 + 16, content.index(b"strh") + 8 + 32):
        content[place : place + 4] = (50_000).to_bytes(4, "little")
    path.write_bytes(content)
    return Right(path, range(10), 0.4, facts={"truncated": False})


def lying_duration(tmp: Path) -> Right:
    """A Matroska whose header announces three hours."""
    path = film(tmp / "a.mkv", cards(10), **QUICK)
    content = bytearray(path.read_bytes())
    place = content.index(b"\x44\x89\x88") + 3
    content[place : place + 8] = np.array(10_800_000.0, ">f8").tobytes()
    path.write_bytes(content)
    return Right(path, range(10), 0.4, facts={"truncated": False})


def lying_rate(tmp: Path) -> Right:
    """A Matroska whose header announces two frames a second."""
    path = film(tmp / "a.mkv", cards(10), **QUICK)
    content = bytearray(path.read_bytes())
    place = content.index(b"\x23\xe3\x83") + 3
    length = content[place] & 0x7F
    content[place + 1 : place + 1 + length] = (500_000_000).to_bytes(length, "big")
    path.write_bytes(content)
    return Right(path, range(10), 0.4, fps=25, facts=STEADY)


def leap(tmp: Path, seconds: float = 5.0, how: dict[str, str] = QUICK) -> Right:
    """Two recordings of a broadcast, the clock of the second far later."""
    begin = {"output_ts_offset": "20"}
    first = film(tmp / "1.ts", cards(20), container=begin, **how)
    later = {"output_ts_offset": str(20 + seconds)}
    second = film(tmp / "2.ts", [test_card(20 + k) for k in range(20)], container=later, **how)
    path = tmp / "glued.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    return Right(
        path, range(40), 1.6, facts={"leaps": 1, "variable_rate": False}, changes=["leapt"]
    )


def long_leap(tmp: Path) -> Right:
    return leap(tmp, 1000)


def leap_back(tmp: Path) -> Right:
    return leap(tmp, -0.8)


def reordered_leap_back(tmp: Path) -> Right:
    return leap(tmp, -10, REORDERED)


def misplaced_frame(tmp: Path) -> Right:
    """One frame that says it is shown two seconds later than it is."""
    good = film(tmp / "good.mkv", cards(30), bf="0", **QUICK)

    def late(number, packet):
        packet.pts += 2000 * (number == 12)
        return packet

    path = remuxed(good, tmp / "a.mkv", late)
    return Right(path, range(30), 1.2, {11: 0.44, 13: 0.52, 29: 1.16}, facts=STEADY)


def misplaced_reordered_frame(tmp: Path) -> Right:
    good = film(tmp / "good.mkv", cards(50), **REORDERED)

    def late(number, packet):
        packet.pts += 2000 * (number == 22)
        return packet

    path = remuxed(good, tmp / "a.mkv", late)
    return Right(path, range(50), 2.0, {10: 0.4, 49: 1.96}, facts=STEADY)


def damage_in_the_middle(tmp: Path) -> Right:
    noise = np.random.default_rng(0).integers(0, 12, (50, 96, 128, 1))
    pictures = [
        np.clip(card + n - 6, 0, 255).astype(np.uint8)
        for card, n in zip(cards(50), noise, strict=True)
    ]
    path = film(tmp / "a.mp4", pictures, g="10", bf="2", container={"movflags": "+faststart"})
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    for place in places[20:28]:
        content[place + 4 : place + 200] = bytes(196)
    path.write_bytes(content)
    whole = [*range(20), *range(40, 50)]
    return Right(
        path, whole, 2.0, {19: 0.76, 40: 1.6, 49: 1.96}, 25, {"truncated": True}, ["Damage"]
    )


def damaged_avi(tmp: Path) -> Right:
    """Zeros over 20 frames of an AVI, which keeps no times but an index."""
    path = film(tmp / "a.avi", cards(50), codec="mjpeg", pixels="yuvj420p", **FINE)
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    content[places[15] : places[35]] = bytes(places[35] - places[15])
    path.write_bytes(content)
    whole = [*range(15), *range(36, 50)]
    facts = {"truncated": True}
    return Right(path, whole, 2.0, {14: 0.56, 36: 1.44, 49: 1.96}, 25, facts, ["Damage"])


def damaged_broadcast(tmp: Path) -> Right:
    """Zeros over a second and a half of a broadcast, which ends at a key frame."""
    path = film(tmp / "a.ts", cards(100), g="50", bf="0", **QUICK)
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    content[places[10] : places[50]] = bytes(places[50] - places[10])
    path.write_bytes(content)
    whole = [*range(10), *range(50, 100)]
    facts = {"leaps": 0, "truncated": True, "variable_rate": False}
    return Right(path, whole, 4.0, {9: 0.36, 50: 2.0, 99: 3.96}, 25, facts, ["Damage"])


def damaged_recording(tmp: Path, name: str = "a.webm") -> Right:
    """Zeros over a second of a file whose packets follow each other without a word between."""
    codec, quick = "libx264", {**QUICK, "bf": "0"}
    if name.endswith("webm"):
        codec, quick = "libvpx", {"deadline": "realtime", "cpu-used": "8", "crf": "8", "b": "2M"}
    path = film(tmp / name, cards(75), g="25", codec=codec, **quick)
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    content[places[20] + 5 : places[50] - 30] = bytes(places[50] - places[20] - 35)
    path.write_bytes(content)
    facts = {"leaps": 0, "truncated": True, "variable_rate": False}
    whole = [*range(20), *range(52, 75)]
    return Right(path, whole, 3.0, {19: 0.76, 74: 2.96}, 25, facts, ["Damage"])


def damaged_flv(tmp: Path) -> Right:
    return damaged_recording(tmp, "a.flv")


def changing_shape(tmp: Path) -> Right:
    first = film(tmp / "1.ts", cards(10), **QUICK)
    second = film(tmp / "2.ts", cards(10, 96, 128), **QUICK)
    path = tmp / "a.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    return Right(path, range(10), 0.8, facts={"reshaped": True}, changes=["Shape", "leapt"])


def raw_jpegs(tmp: Path) -> Right:
    return Right(
        film(tmp / "a.mjpeg", cards(10), codec="mjpeg", pixels="yuvj420p", **FINE), range(10)
    )


def animated_webp(tmp: Path) -> Right:
    return Right(animation(tmp / "a.webp", cards(10), [100] * 10), range(10), 1.0, {9: 0.9}, 10)


def animated_png(tmp: Path) -> Right:
    path = film(tmp / "a.apng", cards(10), codec="apng", pixels="rgb24")
    return Right(path, range(10))


def cut_fragments(tmp: Path) -> Right:
    fragments = {"movflags": "frag_keyframe+empty_moov"}
    whole = film(tmp / "whole.mp4", cards(40), g="10", container=fragments, **QUICK).read_bytes()
    path = tmp / "a.mp4"
    path.write_bytes(whole[: len(whole) * 5 // 8])
    return Right(path, range(20), None, facts={"truncated": True}, changes=["Damage"])


def delayed_picture(tmp: Path, name: str = "a.mp4") -> Right:
    path = tracks(tmp / name, [(cards(20), "libx264", Disposition.default)], sound=2.4, delay=1.2)
    return Right(
        path, range(20), 2.0, {1: 1.24, 19: 1.96}, facts={"delay": 1.2}, changes=["begins"]
    )


def late_picture(tmp: Path) -> Right:
    """A broadcast whose picture begins after what FFmpeg looks through by itself."""
    path = tracks(tmp / "a.ts", [(cards(10), "libx264", Disposition.default)], sound=9, delay=9)
    return Right(path, range(10), None, {1: 9.1}, facts={"delay": 9.064}, changes=["begins"])


def begins_within(tmp: Path) -> Right:
    """A broadcast that was joined between two key frames."""
    good = film(tmp / "good.ts", cards(30), g="10", bf="0", **QUICK)
    path = remuxed(good, tmp / "a.ts", lambda number, packet: packet if number >= 5 else None)
    return Right(path, range(10, 30), 0.8, {10: 0.0})


def no_times(tmp: Path) -> Right:
    return Right(film(tmp / "a.h264", cards(20), bf="2", preset="veryfast"), range(20), 0.8)


def bare_mpeg(tmp: Path) -> Right:
    path = film(tmp / "a.m1v", cards(20), codec="mpeg1video", **FINE)
    return Right(path, range(20), 0.8, gray=3)  # of the codec


def camcorder(tmp: Path) -> Right:
    return Right(film(tmp / "CLIP.MTS", cards(10), container={"f": "mpegts"}, **QUICK), range(10))


KINDS: dict[str, Callable[[Path], Right]] = {
    "a burst between stills": burst,
    "a burst in Matroska, with B-frames": reordered_burst,
    "a burst in a broadcast, with B-frames": reordered_broadcast,
    "a long pause": pause,
    "a rate that falls": slower,
    "frames between two ticks": between_ticks,
    "a GIF that holds a picture": held_gif,
    "a GIF whose pictures wait for no time": gif_in_haste,
    "pixels that are not square, and a turn": not_square_and_turned,
    "a mirrored portrait": mirrored_portrait,
    "HDR: HLG": hlg,
    "HDR: PQ": pq,
    "HD without a note of its colours": untagged_hd,
    "SD without a note of its colours": untagged_sd,
    "BT.709, noted": tagged_bt709,
    "full range": full_range,
    "ten bits": ten_bits,
    "transparency": with_alpha,
    "screen recordings in RGB": screen,
    "photographs turned by their EXIF": photographs,
    "black and white": mono,
    "a still picture beside the film": still_beside,
    "a still picture beside three frames of film": still_beside_few,
    "two films, the second the default": second_is_default,
    "a track of thumbnails": thumbnails_beside,
    "a header with a wrong count": lying_counts,
    "a header with a wrong duration": lying_duration,
    "a header with a wrong rate": lying_rate,
    "a clock that leaps by seconds": leap,
    "a clock that leaps by a quarter of an hour": long_leap,
    "a clock that starts again": leap_back,
    "a clock that starts again, with B-frames": reordered_leap_back,
    "one frame out of place": misplaced_frame,
    "one frame out of place, with B-frames": misplaced_reordered_frame,
    "damage in the middle": damage_in_the_middle,
    "damage in the middle of an AVI": damaged_avi,
    "a damaged stretch of a broadcast": damaged_broadcast,
    "damage in the middle of a WebM": damaged_recording,
    "damage in the middle of an FLV": damaged_flv,
    "a shape that changes on the way": changing_shape,
    "raw motion JPEG": raw_jpegs,
    "animated WebP": animated_webp,
    "animated PNG": animated_png,
    "a fragmented mp4 that was cut off": cut_fragments,
    "a picture that begins after the sound": delayed_picture,
    "a picture that begins very late": late_picture,
    "a beginning between two key frames": begins_within,
    "a stream without times": no_times,
    "bare MPEG-1": bare_mpeg,
    "a camcorder's file": camcorder,
}


def held_once(numbers: Sequence[int]) -> list[int]:
    """Numbers without their direct repeats."""
    return [n for place, n in enumerate(numbers) if place == 0 or n != numbers[place - 1]]


def check(right: Right) -> None:
    clip, frames = read(right.path)
    numbers = [card_number(frame) for frame in frames]
    gray, colour = card_errors(frames[0])
    assert gray <= right.gray and colour <= right.colour, f"off by {gray:.1f} and {colour:.1f}"
    assert np.allclose(box_size(frames[0]), (1 / 4, 1 / 8), atol=0.035)
    seen = held_once(numbers)
    if right.facts.get("reshaped"):
        assert seen[: len(right.numbers)] == list(right.numbers)
    elif right.facts.get("truncated"):  # a frame or two at the edge of the damage may be whole
        assert [n for n in seen if n in right.numbers] == list(right.numbers)
        assert len(seen) <= len(right.numbers) + 3, seen
    else:
        assert seen == list(right.numbers)
    if right.seconds is not None:
        assert clip.duration == pytest.approx(right.seconds, abs=1.01 / clip.fps)
    for number, moment in right.times.items():
        assert numbers.index(number) / clip.fps == pytest.approx(moment, abs=0.91 / clip.fps)
    if right.fps is not None:
        assert clip.fps == pytest.approx(right.fps, rel=1e-3)
    for name, value in right.facts.items():
        assert getattr(clip.source, name) == value, name
    said = changes(clip)
    assert len(said) == len(right.changes), said
    assert all(word in sentence for word, sentence in zip(right.changes, said, strict=True)), said
    if clip.fresh is not None:
        assert (
            list(clip.fresh)
            == [place for place, n in enumerate(numbers) if place == 0 or n != numbers[place - 1]]
            or right.facts.get("delay")
            or right.facts.get("truncated")
        )


def test_every_kind_of_file_is_right(tmp_path):
    wrong = {}
    for number, (name, make) in enumerate(KINDS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            check(make(folder))
        except (AssertionError, ClipError, ValueError) as error:
            wrong[name] = f"{type(error).__name__}: {error}"
    assert not wrong, "\n\n".join(f"{name}: {why}" for name, why in wrong.items())


def test_all_eight_orientations_stand_upright(tmp_path):
    straight = [(a, 0, 0, d) for a in (1, -1) for d in (1, -1)]
    crossed = [(0, b, c, 0) for b in (1, -1) for c in (1, -1)]
    for matrix in straight + crossed:
        check(turned(tmp_path, matrix))


def test_photographs_turn_either_way(tmp_path):
    for orientation in (3, 8):
        check(photographs(tmp_path, orientation))


def test_interlaced_film_has_no_combs(tmp_path):
    """A bar that moves four pixels from field to field; woven, neighbouring rows differ at its edges."""
    x = np.arange(128)
    woven = []
    for k in range(10):
        rows = [np.where(abs(x - 20 - 8 * k - 4 * field) < 8, 220, 40) for field in (0, 1)]
        picture = np.stack([rows[y % 2] for y in range(96)]).astype(np.uint8)
        woven.append(np.repeat(picture[..., None], 3, axis=2))
    flags = {"flags": "+ildct+ilme", "b": "3M", "qmax": "3"}
    path = film(tmp_path / "a.mpg", woven, codec="mpeg2video", **flags)
    clip, frames = read(path)

    def combs(pictures) -> float:
        rows = np.stack(pictures).astype(int)[:, 8:-8, :, 0]
        return np.abs(2 * rows[:, 1:-1] - rows[:, :-2] - rows[:, 2:]).mean()

    assert len(frames) == 10 and clip.fps == 25
    assert combs(frames[1:-1]) < 0.1 * combs(woven[1:-1])
    assert clip.source.interlaced and "interlaced" in " ".join(changes(clip))
    middle = np.flatnonzero(frames[4][48, :, 0] > 130).mean()
    assert min(abs(middle - 52), abs(middle - 56)) <= 1  # one of the two moments, not their mean


def test_what_cannot_be_read_is_named(tmp_path):
    whole = film(tmp_path / "whole.mp4", cards(20), g="5", **QUICK).read_bytes()
    key = "00112233445566778899aabbccddeeff"
    locks = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": key, "encryption_kid": key}
    fragments = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    stream = film(tmp_path / "b.mp4", cards(20), g="5", container=fragments, **QUICK).read_bytes()
    packets = bytearray(film(tmp_path / "c.ts", cards(20), **QUICK).read_bytes())
    for place in range(0, len(packets), 188):
        packet_id = int.from_bytes(packets[place + 1 : place + 3], "big") & 0x1FFF
        if packet_id == 0x100:
            packets[place + 3] |= 0xC0
    animation(tmp_path / "one.webp", cards(1), [100])
    files = {
        "unfinished.mp4": (whole[: whole.index(b"moov") - 4], "the recording was not finished:"),
        "locked.mp4": (
            film(tmp_path / "d.mp4", cards(5), container=locks, **QUICK).read_bytes(),
            "is encrypted",
        ),
        "scrambled.ts": (bytes(packets), "is encrypted"),
        "part.m4s": (stream[stream.index(b"moof") - 4 :], "is one fragment of a stream"),
        "still.webp": ((tmp_path / "one.webp").read_bytes(), "is a photograph"),
        "photo.jpg": (
            film(tmp_path / "e.mjpeg", cards(1), codec="mjpeg", pixels="yuvj420p").read_bytes(),
            "is a photograph",
        ),
    }
    for name, (content, why) in files.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ClipError) as refused:
            transcode(path, tmp_path / "copy.mp4", name)
        assert name in str(refused.value) and why in str(refused.value)
        assert re.fullmatch(r"[^\n]{20,250}\.", str(refused.value))


def test_sound_before_the_picture_by_what_encoders_need_is_no_delay(tmp_path):
    path = tracks(tmp_path / "a.ts", [(cards(10), "libx264", Disposition.default)], 1.0, 0.04)
    clip, frames = read(path)
    assert clip.source.delay == 0 and [card_number(f) for f in frames] == list(range(10))


def test_the_document_lists_every_kind():
    document = Path(__file__).parents[2] / "docs" / "clips.md"
    rows = re.findall(r"^\| ([^|]+?) \|", document.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(KINDS) <= set(rows)
