"""Small films for the tests of clips: every frame carries its number, every corner its colour."""

import io
import multiprocessing
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

CORNERS = {"top left": 0, "top right": 1, "bottom right": 2, "bottom left": 3}  # clockwise
COLOURS = np.array([(200, 60, 60), (60, 180, 60), (60, 60, 200), (200, 200, 200)], np.uint8)
BITS = 8


def card(number: int, width: int = 128, height: int = 96) -> np.ndarray:
    """A test card: four coloured quarters, and the number as eight black or white squares."""
    y, x = np.mgrid[0:height, 0:width]
    right, low = 2 * x >= width, 2 * y >= height
    frame = COLOURS[np.where(low, np.where(right, 2, 3), np.where(right, 1, 0))]
    rows = slice(height * 7 // 16, height * 9 // 16)
    for bit in range(BITS):
        columns = slice(width * (bit + 4) // (BITS + 8), width * (bit + 5) // (BITS + 8))
        frame[rows, columns] = 255 if number >> bit & 1 else 0
    return frame


def number(frame: np.ndarray) -> int:
    """The number on a card, as filmed."""
    height, width = frame.shape[:2]
    row = frame[height // 2].astype(int).mean(axis=-1)
    return sum(
        (row[int(width * (bit + 4.5) / (BITS + 8))] > 127).item() << bit for bit in range(BITS)
    )


def corners(frame: np.ndarray) -> list[int]:
    """Which colour each corner has, clockwise from the top left: 0 1 2 3 when upright."""
    height, width = frame.shape[:2]
    y, x = height // 8, width // 8
    seen = frame[[y, y, -y, -y], [x, -x, -x, x]].astype(int)
    return [int(np.abs(COLOURS - colour).sum(axis=1).argmin()) for colour in seen]


def film_apart(path: Path, frames: int, **options) -> Path:
    """`film` in a process of its own.

    SVT-AV1, when root runs it, makes the thread that calls it real-time, and everything started
    from there afterwards; a browser that runs so starves the whole machine.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart:
        return apart.submit(film, path, frames, **options).result()


def film(
    path: Path,
    frames: Iterable[np.ndarray] | int = 20,
    fps: Fraction | int = 25,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: Iterable[int] | None = None,
    rotation: int = 0,
    aspect: Fraction | None = None,
    container: dict | None = None,
    title: str | None = None,
    **options: str,
) -> Path:
    """Write a film with PyAV; the container follows from the name.

    Args:
        frames: RGB frames, or how many cards.
        times: milliseconds at which the frames are shown, for a variable rate.
        rotation: degrees in the display matrix, as a phone notes them.
        aspect: width of a pixel in heights of it.
        container, options: FFmpeg's options for the container and the codec.
        title: in the metadata.
    """
    frames = [card(k) for k in range(frames)] if isinstance(frames, int) else frames
    with av.open(str(path), "w", options=container or {}) as out:
        stream = out.add_stream(codec, rate=fps, options=options)
        stream.pix_fmt = pixels
        if title:
            out.metadata["title"] = title
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for k, picture in enumerate(frames):
            if k == 0:
                stream.height, stream.width = picture.shape[:2]
                if aspect:
                    stream.codec_context.sample_aspect_ratio = aspect
                if rotation:
                    stream.set_display_rotation(rotation)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = list(times)[k], Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def sound_only(path: Path) -> Path:
    """A second of silence, in a container that could hold a film."""
    with av.open(str(path), "w") as out:
        track = out.add_stream("aac", rate=16000)
        for k in range(15):
            tone = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            tone.sample_rate, tone.pts = 16000, 1024 * k
            out.mux(track.encode(tone))
        out.mux(track.encode())
    return path


def cut(source: Path, target: Path, seconds: float) -> Path:
    """The film from `seconds` on by stream copy: mp4 notes the real beginning in an edit list."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        film = old.streams.video[0]
        copy = new.add_stream_from_template(film)
        begin = round(seconds / film.time_base)
        old.seek(begin, stream=film)  # the keyframe before, which decoding needs
        for packet in old.demux(film):
            if packet.dts is not None:
                packet.stream = copy
                packet.pts, packet.dts = packet.pts - begin, packet.dts - begin
                new.mux(packet)
    return target


GRAYS = (32, 96, 160, 224)
PATCHES = ((200, 40, 40), (40, 180, 60), (50, 70, 210), (220, 200, 40))


def test_card(number: int, width: int = 128, height: int = 96) -> np.ndarray:
    """A card that shows which frame it is, which way up, how wide, and in which colours.

    Above ten black or white cells between two guards, the least significant bit first; then four grays,
    four colours, and a white box a quarter of the width wide and an eighth of the height high.
    """
    y, x = np.mgrid[0:height, 0:width]
    cell, quarter = 12 * x // width, 4 * x // width
    bits = np.array([255, *(255 * (number >> bit & 1) for bit in range(10)), 0])
    card = np.repeat(bits[cell][..., None], 3, axis=2)
    card = np.where((y >= height // 4)[..., None], np.array(GRAYS)[quarter][..., None], card)
    card = np.where((y >= height // 2)[..., None], np.array(PATCHES)[quarter], card)
    card = np.where((y >= height * 3 // 4)[..., None], 112, card)
    box = (abs(x + 0.5 - width / 2) < width / 8) & (abs(y + 0.5 - height * 7 / 8) < height / 16)
    return np.where(box[..., None], 255, card).astype(np.uint8)


test_card.__test__ = False  # no test, but what tests film


def cards(count: int, width: int = 128, height: int = 96) -> list[np.ndarray]:
    """The first test cards."""
    return [test_card(number, width, height) for number in range(count)]


def card_number(frame: np.ndarray) -> int:
    """The number that a test card shows."""
    height, width = frame.shape[:2]
    row = frame[height // 8].astype(int).mean(axis=-1)
    return sum((row[int(width * (bit + 1.5) / 12)] > 127).item() << bit for bit in range(10))


def card_errors(frame: np.ndarray) -> tuple[float, float]:
    """Largest error of the grays and of the colours of an upright test card, of 255."""
    height, width = frame.shape[:2]

    def seen(row: float, column: int) -> np.ndarray:
        y, x = int(height * row), int(width * (column + 0.5) / 4)
        return frame[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).mean(axis=0)

    grays = [abs(seen(3 / 8, n) - gray).max() for n, gray in enumerate(GRAYS)]
    colours = [abs(seen(5 / 8, n) - colour).max() for n, colour in enumerate(PATCHES)]
    return float(max(grays)), float(max(colours))


def box_size(frame: np.ndarray) -> tuple[float, float]:
    """Width and height of the white box, as shares of the frame's: 1/4 and 1/8 unless it is squeezed."""
    height, width = frame.shape[:2]
    white = frame[height * 13 // 16 - 2 :].min(axis=-1) > 180
    down, across = white.any(axis=1).sum(), white.any(axis=0).sum()
    return float(across / width), float(down / height)


def hdr_codes(card: np.ndarray, curve: str) -> np.ndarray:
    """A card as HDR code values uint16 [H, W, 3] of BT.2020, its white at 203 cd/m² (BT.2408).

    The formulas are those of BT.2100 from light to code, the other way than `har_demo.clips.tone` goes.
    """
    to_2020 = np.array(
        [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
    )
    light = (card / 255) ** 2.4 @ to_2020.T * 203
    if curve == "PQ":
        powered = (light / 10_000) ** (2610 / 16384)
        code = (3424 / 4096 + 2413 / 128 * powered) / (1 + 2392 / 128 * powered)
        code = code ** (2523 / 32)
    else:
        shown = light / 1000
        luminance = np.maximum(shown @ np.array([0.2627, 0.6780, 0.0593]), 1e-9)[..., None]
        scene = shown * luminance ** (1 / 1.2 - 1)
        bent = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        code = np.where(scene <= 1 / 12, np.sqrt(3 * scene), bent)
    return (code * 65535 + 0.5).astype(np.uint16)


def coloured(
    path: Path,
    pictures: list[np.ndarray],
    matrix: int,
    note: dict[str, int] | None = None,
    pixels: str = "yuv420p",
) -> Path:
    """A lossless film whose YUV is made with a matrix of its own (a Colorspace of PyAV).

    Args:
        pictures: uint8 or uint16 [H, W, 3].
        note: attributes of the encoder that say so; nothing is noted without.
    """
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        for name, value in (note or {}).items():
            setattr(stream.codec_context, name, value)
        for picture in pictures:
            kind = "rgb48le" if picture.dtype == np.uint16 else "rgb24"
            frame = av.VideoFrame.from_ndarray(picture, format=kind)
            frame = frame.reformat(format=pixels, dst_colorspace=matrix, dst_color_range=1)
            frame.colorspace = (note or {}).get("colorspace", 2)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def shown_through(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Write (a, b, c, d) into an mp4's display matrix: a pixel (x, y) is seen at (a x + c y, b x + d y)."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 44
    a, b, c, d = (value << 16 for value in matrix)
    values = (a, b, 0, c, d, 0, 0, 0, 1 << 30)
    content[place : place + 36] = b"".join(v.to_bytes(4, "big", signed=True) for v in values)
    path.write_bytes(content)
    return path


def tracks(
    path: Path,
    pictures: list[tuple[list[np.ndarray], str, int]],
    sound: float = 0.0,
    delay: float = 0.0,
    container: dict | None = None,
) -> Path:
    """Several streams of pictures in one file, and sound.

    Args:
        pictures: frames, codec and disposition of each stream.
        sound: seconds of silence.
        delay: seconds that all pictures begin later.
    """
    with av.open(str(path), "w", options=container or {}) as out:
        streams = []
        for frames, codec, disposition in pictures:
            stream = out.add_stream(codec, rate=25)
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            if codec == "libx264":
                stream.codec_context.options = {"preset": "ultrafast"}
            stream.disposition = disposition
            streams.append(stream)
        track = out.add_stream("aac", rate=16000) if sound else None
        packets = []
        for number in range(int(sound * 16000 / 1024)):
            tone = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            tone.sample_rate, tone.pts = 16000, 1024 * number
            packets += track.encode(tone)
        packets += track.encode() if track else []
        for (frames, _, _), stream in zip(pictures, streams, strict=True):
            for number, picture in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number + round(25 * delay), Fraction(1, 25)
                packets += stream.encode(frame)
            packets += stream.encode()
        for packet in sorted(packets, key=lambda one: float(one.dts * one.time_base)):
            out.mux(packet)
    return path


def animation(path: Path, pictures: list[np.ndarray], waits: list[int]) -> Path:
    """An animation that Pillow writes (gif, webp, png), with milliseconds for each picture."""
    first, *others = (Image.fromarray(picture) for picture in pictures)
    memory = io.BytesIO()
    kind = path.suffix[1:].upper()
    extra = {"lossless": True} if kind == "WEBP" else {}
    first.save(memory, kind, save_all=True, append_images=others, duration=waits, loop=0, **extra)
    path.write_bytes(memory.getvalue())
    return path


def remuxed(source: Path, target: Path, change, container: dict | None = None) -> Path:
    """The film's packets in another file, each put through `change`(number, packet); None leaves it out."""
    with av.open(str(source)) as old, av.open(str(target), "w", options=container or {}) as new:
        film = old.streams.video[0]
        copy = new.add_stream_from_template(film)
        packets = [packet for packet in old.demux(film) if packet.size]
        for number, packet in enumerate(packets):
            packet = change(number, packet)
            if packet is not None:
                packet.stream = copy
                new.mux(packet)
    return target
