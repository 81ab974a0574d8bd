"""Animated WebP, which FFmpeg as PyAV brings it does not read: Pillow decodes it, frame by frame."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import av

from har_demo.clips import probe
from har_demo.clips.survey import Survey
from har_demo.clips.timeline import Pace, pace
from har_demo.errors import ClipError

TICK = Fraction(1, 1000)
UNTIMED = 100  # milliseconds, of frames that are to be shown for at most ten, as browsers do it


def animated(path: Path | str) -> tuple[int, int] | None:
    """(width, height) of an animated WebP; None for any other file."""
    with open(path, "rb") as file:
        head = file.read(30)
    if head[:4] != b"RIFF" or head[8:16] != b"WEBPVP8X" or not head[20] & 2:
        return None
    width, height = (int.from_bytes(head[place : place + 3], "little") + 1 for place in (24, 27))
    return width, height


def survey(path: Path | str, name: str) -> Survey:
    """How fast and how long an animation is, from the heads of its frames.

    Raises:
        ClipError: it has no frames, too many pixels, or is longer than the limit.
    """
    size = animated(path)
    assert size is not None
    probe.check_pixels(*size, name)
    waits, broken = _waits(path)
    if not waits:
        raise ClipError(f"{name} has no pictures in it: save it again as an mp4.")
    times = [0.0, *accumulate(wait / 1000 for wait in waits)]
    probe.check_seconds(times[-1], name)
    found = pace(times[:-1], 0.001, []) or Pace(Fraction(1000, waits[0]), waits[0] / 1000, False)
    return Survey(0, found, tuple(times[:-1]), times[-1], broken=broken)


def frames(path: Path | str, damage: list[Exception]) -> Iterator[av.VideoFrame]:
    """Its frames without transparency, in the order and at the times of the file."""
    from PIL import Image  # late: few files need it, and a process is started for each

    waits, _ = _waits(path)
    moment = 0
    try:
        with Image.open(path) as image:
            for number, wait in enumerate(waits):
                image.seek(number)
                picture = av.VideoFrame.from_image(image.convert("RGB"))
                picture.pts, picture.time_base, picture.duration = moment, TICK, wait
                yield picture
                moment += wait
    except (OSError, EOFError, ValueError, SyntaxError) as error:
        damage.append(error)


def _waits(path: Path | str) -> tuple[list[int], bool]:
    """Milliseconds that each frame is shown for, and whether the file ends within a frame."""
    waits, broken = [], False
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        place = 12
        while place + 8 <= size:
            file.seek(place)
            head = file.read(24)
            length = int.from_bytes(head[4:8], "little")
            if head[:4] == b"ANMF":
                wait = int.from_bytes(head[20:23], "little")
                waits.append(wait if wait > 10 else UNTIMED)
            place += 8 + length + length % 2
            broken = place > size
    return waits, broken
