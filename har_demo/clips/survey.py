"""Rate and duration of a film from its packets: headers are often silent or wrong on time."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil
from pathlib import Path
from statistics import median

import av

from har_demo.clips import probe
from har_demo.errors import ClipError

# These state their duration in a header, so a missing end can be noticed.
STATES_DURATION = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "flv", "asf"}


@dataclass(frozen=True)
class Survey:
    """Facts from the packets of a film, before any is decoded.

    Attributes:
        rate: average frames per second.
        gap: usual seconds from one frame to the next.
        variable: whether the time between frames varies.
        seconds: how long the film is.
        broken: whether the file ends before its announced end.
    """

    rate: Fraction
    gap: float
    variable: bool
    seconds: float
    broken: bool


def survey(source: Path | str, name: str) -> Survey:
    """Read the film's packets, without decoding them.

    Raises:
        ClipError: the file is refused, or turns out longer than the limit.
    """
    container, stream = probe.open_video(source, name)
    most = ceil(probe.limits().seconds * probe.FASTEST)
    times, end, broken = [], 0.0, False
    with container:
        try:
            for packet in container.demux():
                stamp = packet.dts if packet.pts is None else packet.pts
                if stamp is None or not packet.size:
                    continue
                end = max(end, float((stamp + (packet.duration or 0)) * packet.time_base))
                if packet.stream_index == stream.index and not packet.is_discard:
                    times.append(stamp)
                if len(times) > most:
                    raise ClipError(
                        f"{name} has over {most} frames: cut out the part that matters."
                    )
        except av.FFmpegError:
            broken = True
        tick = stream.time_base
        assert tick is not None  # FFmpeg gives every stream of a file one
        announced = probe.announced_rate(stream)
        duration = probe.announced_seconds(container, stream)
        if container.format.name in STATES_DURATION and container.duration:
            start = (container.start_time or 0) / av.time_base
            broken |= container.duration / av.time_base + start - end > 0.3
    gaps = [float((b - a) * tick) for a, b in pairwise(sorted(times)) if b > a]
    if not gaps:
        rate = announced or Fraction(25)
        return Survey(rate, float(1 / rate), False, duration or 1.0, broken)
    seconds = sum(gaps) * (len(gaps) + 1) / len(gaps)
    probe.check_seconds(seconds, name)
    rate = Fraction((len(gaps) + 1) / seconds).limit_denominator(1001)
    usual = median(gaps)
    # Containers round times to milliseconds or worse; that alone is not a variable rate.
    uneven = sum(abs(gap - usual) > 0.2 * usual + 2 * tick for gap in gaps) / len(gaps)
    if announced and (
        abs(announced / rate - 1) < 0.02 or (uneven < 0.1 and abs(announced * usual - 1) < 0.02)
    ):
        rate = announced  # exact, where the times of packets are rounded or a few are missing
    return Survey(rate, usual, uneven > 0.01 and not broken, seconds, broken)
