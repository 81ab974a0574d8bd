"""Which stream is the film, how fast and how long it is: from its packets, as headers are often wrong."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf
from pathlib import Path

import av

from har_demo.clips import diagnosis, probe
from har_demo.clips.timeline import FASTEST, Pace, Stamp, pace, player_times
from har_demo.errors import ClipError

# These keep the time of a clock, which may leap: broadcasts, discs, live recordings.
CLOCKS = {"mpegts", "mpeg", "flv", "live_flv", "wtv", "asf", "rm"}
# These state their duration and not where their parts end, so that a missing end shows in the former.
STATES_DURATION = {"flv", "asf"}
# These put packet after packet, so that bytes between them are damage.
UNPADDED = {"flv", "live_flv", "matroska,webm"}
MOST_UNREAD = 1000  # bytes; heads of packets and of clusters are far shorter
UNTIMED = Fraction(1, 90_000)  # seconds in a tick of a stream that does not say
TOLERATED_DELAY = 0.15  # seconds; encoders begin pictures and sound so far apart


@dataclass(frozen=True)
class Survey:
    """Facts from the packets of a film, before any is decoded.

    Attributes:
        index: which of the file's streams is the film.
        pace: its rate, its usual gap, and whether they vary.
        times: seconds at which each packet's frame is shown, in the order of the file; None for what
            follows the frame before at the usual gap.
        seconds: how long the film is, any delay included.
        delay: seconds by which the picture begins after the sound.
        leaps: how often the clock leapt.
        broken: whether the file ends before its announced end.
    """

    index: int
    pace: Pace
    times: tuple[float | None, ...]
    seconds: float
    delay: float = 0.0
    leaps: int = 0
    broken: bool = False


def survey(source: Path | str, name: str) -> Survey:
    """Read the film's packets, without decoding them.

    Raises:
        ClipError: the file is refused, or turns out longer than the limit.
    """
    container, _ = probe.open_video(source, name)
    limit = probe.limits().seconds
    with container:
        kind, films = container.format.name, probe.films(container)
        packets = _packets(container, films, name, ceil(limit * FASTEST))
        if packets.locked or diagnosis.encrypted(source, kind):
            raise ClipError(
                f"{name} is encrypted, so that only its own player can show it: "
                "upload a film without copy protection."
            )
        stream = probe.choose(films, {one: len(found) for one, found in packets.stamps.items()})
        probe.check_pixels(stream.codec_context.width, stream.codec_context.height, name)
        off = diagnosis.breaks_off(source, kind)
        start = (container.start_time or 0) / av.time_base
        if off is None and kind in STATES_DURATION and container.duration:
            off = container.duration / av.time_base + start - packets.end > 0.3
        # What a stream and its container say ends with them.
        index, announced = stream.index, probe.announced_rates(stream)
        tick = float(stream.time_base or UNTIMED)
        reordered = bool(stream.codec_context.has_b_frames)
    stamps, hidden = packets.stamps[index], packets.hidden[index]
    if kind == "mjpeg" and len(stamps) < 2:
        raise ClipError(f"{name} is a photograph, not a video that can be read: {probe.READABLE}.")
    if kind == "mpegvideo":  # its times are FFmpeg's, which errs at the beginning
        stamps = [one._replace(decoded=None, shown=None) for one in stamps]
    times, leaps = player_times(stamps, kind in CLOCKS, limit, reordered)
    seen = sorted(
        moment for number, moment in enumerate(times) if moment is not None and number not in hidden
    )
    holes = max(0, packets.holes - leaps)  # a recording glued to another looks broken there
    usual = pace(seen, tick, announced, holes + bool(off))
    if usual is None or len(seen) < len(stamps) / 2:
        rate = announced[0] if announced else Fraction(25)
        usual = Pace(rate, float(1 / rate), False)
        times = [None] * len(stamps)
        seen = [number / float(rate) for number in range(len(stamps))]
    first = seen[0] if seen else 0.0
    delay = 0.0
    if packets.sound is not None:
        late = first - max(packets.sound, start)  # the start leaves out what encoders need
        delay = late if max(TOLERATED_DELAY, 2.5 * usual.gap) < late < limit else 0.0
    seconds = (seen[-1] - first if seen else 0.0) + usual.gap + delay
    probe.check_seconds(seconds, name)
    zeroed = tuple(None if moment is None else moment - first for moment in times)
    broken = packets.broken or bool(off) or holes > 0
    return Survey(index, usual, zeroed, seconds, delay, leaps, broken)


@dataclass
class _Packets:
    """What the packets of a file say.

    Attributes:
        stamps: of each stream that may be the film, by its index.
        hidden: numbers of the packets whose frames an edit list leaves out, by index.
        sound: second of the first sound, or None.
        end: second at which the last packet ends.
        holes: places where bytes were damaged or could not be made sense of.
        broken: whether reading met an error.
        locked: whether they are encrypted.
    """

    stamps: dict[int, list[Stamp]]
    hidden: dict[int, set[int]]
    sound: float | None = None
    end: float = 0.0
    holes: int = 0
    broken: bool = False
    locked: bool = False


def _packets(
    container: av.container.InputContainer, films: list[av.VideoStream], name: str, most: int
) -> _Packets:
    """Read all packets; ClipError when a stream of pictures has more than `most`."""
    indices = [stream.index for stream in films]
    found = _Packets({one: [] for one in indices}, {one: set() for one in indices})
    found.locked = any("enc_key_id" in stream.metadata for stream in films)  # WebM
    # Of each film: its last packet's place in the file, and the first sound well after that packet.
    places: dict[int, int] = {}
    later: dict[int, float | None] = dict.fromkeys(indices)
    avi = container.format.name == "avi"
    numbers = {stream.index: probe.avi_index(stream) for stream in films if avi}
    damage: list[Exception] = []
    end = 0  # byte at which the packet before ends
    ticks = 0  # hundredths of a second, of a GIF
    for packet in probe.packets(container, damage):
        unread = (packet.pos or 0) - end if end and container.format.name in UNPADDED else 0
        found.holes += packet.is_corrupt or unread > MOST_UNREAD
        end = (packet.pos or end) + packet.size
        base = packet.time_base or UNTIMED
        if container.format.name == "gif":
            # Browsers show a picture that stands for a hundredth of a second or less for ten.
            packet.pts = packet.dts = ticks
            wait = packet.duration or 0
            ticks += wait if wait > 1 else 10
        number = numbers.get(packet.stream_index, {}).get(packet.pos or 0)
        if number is not None:
            packet.pts = packet.dts = number
        shown = None if packet.pts is None else float(packet.pts * base)
        decoded = None if packet.dts is None else float(packet.dts * base)
        moment = decoded if shown is None else shown
        if moment is not None:
            found.end = max(found.end, moment + float((packet.duration or 0) * base))
        found.locked |= packet.has_sidedata("encryption_info")
        index = packet.stream_index
        if index in found.stamps:
            stamps, heard, alone = found.stamps[index], later[index], True
            if heard is not None and moment is not None:
                before = _place(stamps[-1])
                alone = heard - before > (moment - before) / 2
            reached = places.get(index, 0)
            place = reached if packet.pos is None else packet.pos
            space = max(0, place - reached) if reached else 0
            if packet.is_discard:
                found.hidden[index].add(len(stamps))
            stamps.append(Stamp(decoded, shown, packet.is_keyframe, alone, space))
            later[index], places[index] = None, place
            if len(stamps) > most:
                raise ClipError(f"{name} has over {most} frames: cut out the part that matters.")
        elif packet.stream.type == "audio" and moment is not None:
            if found.sound is None and not packet.is_discard:
                found.sound = moment
            for film, stamps in found.stamps.items():
                if later[film] is None and stamps and moment > _place(stamps[-1]) + 0.5:
                    later[film] = moment
    found.holes += len(damage)
    found.broken = bool(damage)
    return found


def _place(stamp: Stamp) -> float:
    """When a packet is due, infinity where it does not say."""
    place = stamp.shown if stamp.decoded is None else stamp.decoded
    return inf if place is None else place
