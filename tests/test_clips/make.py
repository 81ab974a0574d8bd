"""Small films for the tests of clips: every frame carries its number, every corner its colour."""

import multiprocessing
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

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
