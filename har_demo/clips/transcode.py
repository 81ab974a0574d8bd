"""Any video becomes an upright, constant-rate, small H.264 copy, frame by frame.

    packets ──survey──▶ times
    packets ──decode──▶ whole frames, no fields woven ──clock──▶ (seconds, frame) ──on_ticks──▶ one frame for some ticks
            ──upright──▶ small pictures ──encode──▶ copy

Nothing is collected on the way, so memory does not grow with the video's length.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from fractions import Fraction
from math import ceil
from pathlib import Path

import av

from har_demo.clips import budget, probe, webp
from har_demo.clips.clip import SourceFacts
from har_demo.clips.decode import Timed, clock, decode, deinterlaced, whole
from har_demo.clips.picture import (
    HDR,
    SHORT_SIDE,
    facing,
    pixel_aspect,
    seen_ratio,
    shape_of,
    upright,
)
from har_demo.clips.survey import survey
from har_demo.clips.writer import add_h264, open_mp4
from har_demo.errors import ClipError

FASTEST = 30  # frames per second of the copy, at most
LATE = 0.9  # ticks that a frame may come late, so that its neighbour is not lost
LONGEST_END = 10.0  # seconds that the last picture may stand, whatever its duration says


def transcode(
    source: Path | str,
    copy: Path | str,
    name: str,
    on_progress: Callable[[float], None] = lambda fraction: None,
    lines: int = SHORT_SIDE,
    on_estimate: Callable[[float], None] = lambda seconds: None,
) -> dict:
    """Write the copy of `source`; give the fields of its Clip, but for path and sha256.

    Its short side has at most `lines` pixels.

    Call it in a process of its own, as `ingest` does: decoders can crash on a hostile file.

    Args:
        on_estimate: called with the seconds that reading will take, before any frame is decoded.

    Raises:
        ClipError: the file is refused, would take too long, or nothing in it can be decoded.
    """
    size = probe.check_size(source, name)
    damage: list[Exception] = []
    woven: list[av.VideoFrame] = []
    stream: av.VideoStream | None = None
    with ExitStack() as stack:
        if size_of_pictures := webp.animated(source):
            film = webp.survey(source, name)
            container_name, codec = "webp", "webp"
            decoded = webp.frames(source, damage)
        else:
            film = survey(source, name)
            container, _ = probe.open_video(source, name)
            stack.enter_context(container)
            stream = probe.stream_of(container, film.index)
            container_name = container.format.name
            codec = stream.codec_context.codec.canonical_name
            size_of_pictures = stream.codec_context.width, stream.codec_context.height
            decoded = deinterlaced(whole(decode(container, film, damage), film, damage), woven)
        rate = copy_rate(film.pace.rate)
        seconds = budget.estimate(*size_of_pictures, len(film.times), film.seconds * rate)
        budget.check(seconds, name)
        on_estimate(seconds)
        most = ceil((probe.limits().seconds + 1) * rate)
        count, first, reshaped, fresh = 0, None, False, []
        for frame, start, end in on_ticks(clock(decoded, film, damage), film.pace.gap, rate, most):
            aspect = _aspect(stream, frame, first)
            if first is None:
                first, shape = frame, shape_of(frame, aspect, lines)
                seen = round(frame.width * aspect), frame.height
                output = stack.enter_context(open_mp4(copy))
                encoder = add_h264(output, rate, shape.width, shape.height)
                shape.note_colours(encoder.codec_context)
                first_aspect = aspect
            reshaped |= abs(seen_ratio(frame, aspect) / shape.ratio - 1) > 0.02
            fresh.append(start)
            picture = upright(frame, aspect, shape)
            for tick in range(count, end):
                picture.pts, picture.time_base = tick, 1 / rate
                output.mux(encoder.encode(picture))
                on_progress(min((tick + 1) / rate / film.seconds, 1.0))
            count = end
            if count > most:
                probe.check_seconds(float(count / rate), name)
        if first is None:
            raise ClipError(
                f"Nothing in {name} can be decoded: it is damaged or too large, "
                "so save it again as a smaller mp4."
            )
        output.mux(encoder.encode(None))
        turns, mirrored = facing(first).turns
        width, height = seen if turns % 2 == 0 else seen[::-1]
        facts = SourceFacts(
            name=name,
            container=container_name,
            codec=codec,
            width=width,
            height=height,
            fps=float(film.pace.rate),
            duration=float(count / rate),
            bytes=size,
            rotation=turns * 90,
            variable_rate=film.pace.variable,
            truncated=film.broken or bool(damage),
            mirrored=mirrored,
            pixel_aspect=float(first_aspect),
            hdr=HDR.get(first.color_trc, ""),
            interlaced=bool(woven),
            reshaped=reshaped,
            leaps=film.leaps,
            delay=round(film.delay, 3),
        )
        return {
            "fps": float(rate),
            "frames": count,
            "width": encoder.width,
            "height": encoder.height,
            "source": asdict(facts),
            "fresh": fresh if len(fresh) < count else None,
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


def on_ticks(
    timed: Iterable[Timed], gap: float, rate: Fraction, most: int
) -> Iterator[tuple[av.VideoFrame, int, int]]:
    """Frames for the ticks of a constant clock, each with the tick it begins at and the one it ends before.

    A frame belongs to the tick nearest to it. Where that one is taken and frames are not to be left out
    (their usual `gap` in seconds is not shorter than a tick), it takes the next, so that times which
    lie just between two ticks cost no frame. Until the next frame it is held; so is the first one from
    tick 0 on, if it begins later.

    Args:
        timed: frames with seconds, ascending.
        gap: usual seconds from one frame to the next.
        rate: ticks per second.
        most: ticks; the last picture is not held beyond.
    """
    step = gap * rate
    late = LATE if step > 0.98 else 0.0
    kept: av.VideoFrame | None = None
    start, moment = 0, 0.0
    stated_end, believed = -1.0, False  # when the frame before says it ends, and whether it does
    for moment, frame in timed:
        believed = abs(moment - stated_end) < gap / 2
        stands = (
            float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0
        )
        stated_end = moment + stands
        place = moment * rate
        nearest = max(0, ceil(place - step / 2 - 1e-6))
        if kept is None:
            kept, start = frame, nearest
            continue
        if nearest <= start:
            if start + 1 - place > late:
                kept = frame
                continue
            nearest = start + 1
        yield kept, start, nearest
        kept, start = frame, nearest
    if kept is None:
        return
    ends = moment + gap
    if believed:  # what the frame before says is true, so what the last one says may be
        ends = min(max(ends, stated_end), moment + LONGEST_END)
    end = min(ceil(ends * rate - step / 2 - 1e-6), most)
    if end > start or late:
        yield kept, start, max(end, start + 1)


def _aspect(
    stream: av.VideoStream | None, frame: av.VideoFrame, first: av.VideoFrame | None
) -> Fraction:
    """Width of the frame's pixels in heights of them."""
    if stream is None:
        return Fraction(1)
    coded = stream.codec_context.sample_aspect_ratio
    changed = first is not None and (first.width, first.height) != (frame.width, frame.height)
    return pixel_aspect(coded if changed else stream.sample_aspect_ratio or coded)
