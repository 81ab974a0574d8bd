"""The frames of a film as they are seen: whole, in order, each with its second, no two fields woven.

packets ──decode──▶ frames ──whole──▶ frames ──deinterlaced──▶ frames ──clock──▶ (seconds, frame)
"""

import os
from bisect import bisect
from collections.abc import Iterable, Iterator
from math import inf

import av

from har_demo.clips import probe
from har_demo.clips.survey import UNTIMED, Survey

Timed = tuple[float, av.VideoFrame]
DOUBTFUL = 10.0  # seconds; key frames are seldom further apart


def decode(
    container: av.container.InputContainer, film: Survey, damage: list[Exception]
) -> Iterator[av.VideoFrame]:
    """Every frame that is whole; what breaks on the way goes to `damage` and decoding goes on."""
    stream = probe.stream_of(container, film.index)
    stream.thread_type = "AUTO"
    # Each thread holds frames of its own, and a rented slice of a large machine counts all its cores.
    stream.codec_context.thread_count = min(8, os.cpu_count() or 1)
    stream.codec_context.options = {"max_pixels": str(probe.limits().side ** 2)}
    packets, times = probe.packets(container, damage, stream), iter(film.times)
    timed = any(moment is not None for moment in film.times)
    made_up = container.format.name == "avi"
    numbers = probe.avi_index(stream) if made_up else {}
    while True:
        packet = next(packets, None)
        if packet is not None and made_up:
            packet.dts = numbers.get(packet.pos or 0, packet.dts)
        elif packet is not None:
            moment, tick = next(times, None), packet.time_base
            packet.pts = None if moment is None or not tick else round(moment / tick)
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
            if made_up:
                # AVI keeps no times of display, and those made up for it are wrong at B-frames.
                frame.pts = frame.dts if timed else None
            if frame.time_base is None:  # PyAV gives those at the end none
                frame.time_base = stream.time_base or UNTIMED
            yield frame
        if packet is None:
            return


def whole(
    frames: Iterable[av.VideoFrame], film: Survey, damage: list[Exception]
) -> Iterator[av.VideoFrame]:
    """Frames that build on none that is missing: after a hole of two frames or more, those from the next key frame on.

    Decoders make up the others from what they have, and say nothing. After DOUBTFUL seconds they are
    believed again, as not every film has key frames.
    """
    due = sorted(moment for moment in film.times if moment is not None)
    origin, before, doubted = None, 0.0, -inf
    for frame in frames:
        if frame.pts is not None and frame.time_base is not None:
            stamp = float(frame.pts * frame.time_base)
            origin = stamp if origin is None else origin
            moment = stamp - origin
            hole = moment - before > 2.5 * film.pace.gap and (
                not film.pace.variable
                or bisect(due, before + film.pace.gap / 2) < bisect(due, moment - film.pace.gap / 2)
            )
            if hole and (damage or film.broken):
                doubted = moment
            before = max(before, moment)
            if frame.key_frame:
                doubted = -inf
            if doubted <= moment < doubted + DOUBTFUL:
                continue
        yield frame


def deinterlaced(
    frames: Iterable[av.VideoFrame], interlaced: list[av.VideoFrame]
) -> Iterator[av.VideoFrame]:
    """Frames without combs: of those that say they are woven of two fields, FFmpeg's bwdif keeps one.

    The other field's lines are filled in from it and from the frames beside it. The rate stays.

    Args:
        interlaced: receives the first such frame.
    """
    graph: av.filter.Graph | None = None
    made_for = None
    for frame in frames:
        if frame.interlaced_frame and not interlaced:
            interlaced.append(frame)
        if not interlaced:
            yield frame
            continue
        kind = frame.width, frame.height, frame.format.name
        if graph is None or kind != made_for:
            yield from _ended(graph)
            graph, made_for = _bwdif(frame), kind
        graph.push(frame)
        yield from _ready(graph)
    yield from _ended(graph)


def _bwdif(frame: av.VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or UNTIMED,
    )
    fields = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
    graph.link_nodes(source, fields, graph.add("buffersink")).configure()
    return graph


def _ready(graph: av.filter.Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(frame, av.VideoFrame)
        yield frame


def _ended(graph: av.filter.Graph | None) -> Iterator[av.VideoFrame]:
    if graph is not None:
        graph.push(None)
        yield from _ready(graph)


def clock(
    frames: Iterable[av.VideoFrame], film: Survey, damage: list[Exception]
) -> Iterator[Timed]:
    """Each frame with the second it is shown at, from the film's delay on and never backwards.

    A frame without a time follows at the usual gap. A single one whose time does not lie between its
    neighbours' is put between them; after damage it is left out, as decoders give up a frame that they
    could not place long after its time.
    """
    gap, latest = film.pace.gap, film.seconds + 1
    origin = None
    before, held = -gap, None  # the time of the frame given last, and the frame that waits
    for frame in frames:
        stamp = None
        if frame.pts is not None and frame.time_base is not None:
            stamp = float(frame.pts * frame.time_base)
        if origin is None or held is None:
            origin, held = (stamp or 0.0) - film.delay, (film.delay, frame)
            continue
        moment = held[0] + gap if stamp is None else stamp - origin
        if moment > max(latest, held[0] + 2 * gap):
            moment = held[0] + gap
        if before < moment < held[0]:
            held = (before + moment) / 2, held[1]
        elif moment < held[0]:
            if damage:
                continue
            moment = held[0] + gap / 2
        yield held
        before, held = held[0], (moment, frame)
    if held is not None:
        yield held
