"""Any video becomes an upright, constant-rate, small H.264 copy, frame by frame.

    packets ──decode──▶ frames ──clock──▶ (seconds, frame) ──resample──▶ one frame a tick
            ──shrink, turn upright──▶ small pictures ──encode──▶ copy

Nothing is collected on the way, so memory does not grow with the video's length.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from fractions import Fraction
from math import ceil
from pathlib import Path

import av
from av.video.reformatter import ColorRange

from har_demo.clips import probe
from har_demo.clips.clip import SourceFacts
from har_demo.clips.survey import Survey, survey
from har_demo.clips.writer import add_h264, open_mp4
from har_demo.errors import ClipError

SHORT_SIDE = 340  # pixels of the copy, at most, unless a model needs more
MOST_LINES = 1080
LONG_SIDE = 4096
SMALLEST_SIDE = 16  # encoders want at least a block: a 1×1 video is stretched
UNREADABLE_WIDTHS = {16, 24, 48, 72}  # decord 0.6 fails on videos that narrow; two more will do
FASTEST = 30  # frames per second of the copy, at most


def transcode(
    source: Path | str,
    copy: Path | str,
    name: str,
    on_progress: Callable[[float], None] = lambda fraction: None,
    lines: int = SHORT_SIDE,
) -> dict:
    """Write the copy of `source`; give the fields of its Clip, but for path and sha256.

    Its short side has at most `lines` pixels.

    Call it in a process of its own, as `ingest` does: decoders can crash on a hostile file.

    Raises:
        ClipError: the file is refused, or nothing in it can be decoded.
    """
    size = probe.check_size(source, name)
    film = survey(source, name)
    rate = copy_rate(film.rate)
    most = ceil((probe.limits().seconds + 1) * rate)
    damage: list[Exception] = []
    with ExitStack() as stack:
        container, stream = probe.open_video(source, name)
        stack.enter_context(container)
        timed = clock(decode(container, stream, damage), film)
        count, shown, first = 0, None, None
        for frame in resample(timed, film.gap, rate):
            if first is None:
                first = frame
                turned = quarter_turns(frame)
                shape = copy_size(frame.width, frame.height, pixel_aspect(stream), lines)
                output = stack.enter_context(open_mp4(copy))
                encoder = add_h264(output, rate, *(shape if turned % 2 == 0 else shape[::-1]))
                copy_colours(frame, encoder.codec_context)
            if frame is not shown:
                shown, picture = frame, small(frame, shape, turned)
            picture.pts, picture.time_base = count, 1 / rate
            output.mux(encoder.encode(picture))
            count += 1
            if count > most:
                probe.check_seconds(float(count / rate), name)
            on_progress(min(count / rate / film.seconds, 1.0))
        if first is None:
            raise ClipError(
                f"Nothing in {name} can be decoded: it is damaged or too large, "
                "so save it again as a smaller mp4."
            )
        output.mux(encoder.encode(None))
        seen = round(first.width * pixel_aspect(stream)), first.height
        width, height = seen if turned % 2 == 0 else seen[::-1]
        facts = SourceFacts(
            name=name,
            container=container.format.name,
            codec=stream.codec_context.codec.canonical_name,
            width=width,
            height=height,
            fps=float(film.rate),
            duration=float(count / rate),
            bytes=size,
            rotation=turned * 90,
            variable_rate=film.variable,
            truncated=film.broken or bool(damage),
        )
        return {
            "fps": float(rate),
            "frames": count,
            "width": encoder.width,
            "height": encoder.height,
            "source": asdict(facts),
        }


def copy_rate(rate: Fraction) -> Fraction:
    """Frames per second of the copy of a film of `rate` frames per second.

    At most 30. A faster film keeps every second (third ...) frame where that leaves 24 or more,
    since even steps move more smoothly than 30 frames picked from 50.

    >>> [str(copy_rate(Fraction(rate))) for rate in (25, 60, 50, 120, 40)]
    ['25', '30', '25', '30', '30']
    """
    if rate <= FASTEST:
        return rate
    even = rate / ceil(rate / FASTEST)
    return even if even >= 24 else Fraction(FASTEST)


def copy_size(
    width: int, height: int, aspect: Fraction, lines: int = SHORT_SIDE
) -> tuple[int, int]:
    """(width, height) of the copy: square pixels, even sides.

    Args:
        width, height: pixels of the film, before it is turned upright.
        aspect: width of one pixel in heights of it.
        lines: pixels of the copy's short side, at most.

    >>> copy_size(1920, 1080, Fraction(1)), copy_size(720, 576, Fraction(16, 15))
    ((604, 340), (452, 340))
    >>> copy_size(175, 99, Fraction(1)), copy_size(1, 1, Fraction(1))
    ((174, 98), (18, 18))
    """
    sides = width * aspect, Fraction(height)
    scale = min(Fraction(1), lines / min(sides), LONG_SIDE / max(sides))
    even = (max(SMALLEST_SIDE, 2 * int(side * scale / 2)) for side in sides)
    across, down = (side + 2 * (side in UNREADABLE_WIDTHS) for side in even)
    return across, down


def decode(
    container: av.container.InputContainer, stream: av.VideoStream, damage: list[Exception]
) -> Iterator[av.VideoFrame]:
    """Every frame that is whole; what breaks on the way goes to `damage` and decoding goes on."""
    stream.thread_type = "AUTO"
    # Each thread holds frames of its own, and a rented slice of a large machine counts all its cores.
    stream.codec_context.thread_count = min(8, os.cpu_count() or 1)
    stream.codec_context.options = {"max_pixels": str(probe.limits().side ** 2)}
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except MemoryError:
            raise
        except av.FFmpegError as error:
            damage.append(error)
            packet = None
        try:
            frames = stream.decode(packet)  # None asks for the frames still inside the decoder
        except MemoryError:
            raise
        except av.EOFError:
            return
        except av.FFmpegError as error:
            damage.append(error)
            frames = []
        for frame in frames:
            if frame.is_corrupt:
                damage.append(ValueError("a damaged frame"))
                continue
            if container.format.name == "avi":
                # It keeps no times of display, and those made up for it are wrong at B-frames.
                frame.pts = frame.dts
            yield frame
        if packet is None:
            return


def clock(frames: Iterable[av.VideoFrame], film: Survey) -> Iterator[tuple[float, av.VideoFrame]]:
    """Each frame with the second it is shown at, from 0 on and never backwards.

    A missing timestamp continues at the average rate, and so does one that leaps back, or past the
    end of the film: it is damaged, or the film was glued together from several.
    """
    origin, shown = 0.0, None
    period = float(1 / film.rate)
    for frame in frames:
        stamp = None
        if frame.pts is not None and frame.time_base is not None:
            stamp = float(frame.pts * frame.time_base)
        if shown is None:
            origin, shown = stamp or 0.0, 0.0
        else:
            due = shown + period
            moment = due if stamp is None else stamp - origin
            if moment < shown - 2 * period or moment > max(film.seconds, due) + 1:
                assert stamp is not None  # a frame without one is due
                origin, moment = stamp - due, due
            shown = max(shown, moment)
        yield shown, frame


def resample(
    timed: Iterable[tuple[float, av.VideoFrame]], gap: float, rate: Fraction
) -> Iterator[av.VideoFrame]:
    """One frame a tick, `rate` ticks a second: the frame that is on screen at that moment.

    A frame may be half of the usual `gap` (seconds) late and is still in time for its tick.
    """
    slack, tick, step = gap / 2, 0, float(1 / rate)
    frame, moment = None, 0.0
    for moment, following in timed:
        while frame is not None and tick * step < moment - slack:
            yield frame
            tick += 1
        frame = following
    if frame is None:
        return
    end = moment + gap
    # the last picture may be held; an only one stays one frame
    if moment and frame.duration and frame.time_base:
        end = moment + max(gap, float(frame.duration * frame.time_base))
    while tick == 0 or (moment and tick * step < end - slack):
        yield frame
        tick += 1


def copy_colours(frame: av.VideoFrame, encoder: av.VideoCodecContext) -> None:
    """Note in the copy what the film's colours mean, so that every reader turns them to RGB alike."""
    encoder.color_range = ColorRange.MPEG
    if frame.format.is_rgb or "pal" in frame.format.name:
        return  # turned to yuv by the default matrix, which readers assume
    encoder.colorspace = frame.colorspace
    encoder.color_primaries, encoder.color_trc = frame.color_primaries, frame.color_trc


def pixel_aspect(stream: av.VideoStream) -> Fraction:
    """Width of a pixel in heights of it; 1 when the file says nothing or nothing believable."""
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return aspect if aspect and Fraction(1, 4) <= aspect <= 4 else Fraction(1)


def quarter_turns(frame: av.VideoFrame) -> int:
    """Clockwise quarter turns that put a frame upright: phones film sideways and leave a note."""
    return round(-frame.rotation / 90) % 4


def small(frame: av.VideoFrame, shape: tuple[int, int], turns: int) -> av.VideoFrame:
    """A frame scaled to `shape` (width, height), as yuv420p, then turned clockwise."""
    picture = frame.reformat(*shape, format="yuv420p", dst_color_range=ColorRange.MPEG, threads=1)
    if turns == 0:
        return picture
    import numpy as np  # late: few films need it, and a process is started for each

    planes = []
    for plane in picture.planes:
        # PyAV's stubs do not say that a plane is a buffer.
        flat = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]
        rows = flat.reshape(plane.height, plane.line_size)
        planes.append(np.rot90(rows[:, : plane.width], -turns))
    width, height = shape if turns == 2 else shape[::-1]
    joined = np.concatenate([plane.ravel() for plane in planes]).reshape(height * 3 // 2, width)
    return av.VideoFrame.from_ndarray(joined, format="yuv420p")
