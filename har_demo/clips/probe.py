"""Facts that a file announces of itself, read before a single frame of it is decoded.

Uploads are hostile until probed. Only demuxers of the list below are let near a file: playlists,
concatenation scripts and the like could otherwise open other files or addresses, and FFmpeg is glad
to render text or a still picture as a film.
"""

import os
import re
import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

from har_demo import storage
from har_demo.clips import diagnosis
from har_demo.clips.clip import SourceFacts
from har_demo.clips.timeline import FASTEST
from har_demo.errors import ClipError

# Containers that hold their own pictures; the second line is sound, known so that we can say so.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,apng,mpeg,mpegts,mpegvideo,m4v,h263,h264,hevc,"
    "ivf,obu,flv,live_flv,kux,asf,ogg,rm,dv,mxf,nut,wtv,yuv4mpegpipe,mjpeg,"
    "mp3,wav,w64,flac,aac,ac3,aiff,amr,au,caf"
)
# What names of films in a folder end in: all that the containers above use, and those that cameras, discs
# and recorders give them. Whether a file is a film is found out by reading it.
ENDINGS = """
3g2 3gp 264 265 apng asf avc avi dat dif divx dv evo f4v flv gif h261 h263 h264 h265 h26l
hevc ism ismv ivf kux m1v m2p m2t m2ts m2v m4v mj2 mjpeg mjpg mk3d mkv mod mov mp4 mpe mpeg
mpg mpv mts mxf nut obu ogg ogm ogv ogx psp qt rm rmvb tod tp trp ts vob vro webm webp wmv
wtv xvid y4m
"""
VIDEOS = frozenset(f".{ending}" for ending in ENDINGS.split())
# Titles and the like need not be UTF-8. PyAV 19 reads them anyway; before, it had to be told to.
ANY_TEXT: dict[str, Any] = (
    {"metadata_errors": "replace"} if hasattr(av.container.Container, "metadata_errors") else {}
)
# How far FFmpeg looks for a stream's size, where it is not at the beginning.
PATIENCE = {"analyzeduration": "60000000", "probesize": "200000000"}  # microseconds, bytes
READABLE = "upload an mp4, mov, avi, mkv, webm, mpg or gif"
MEGABYTES = 1000  # ten minutes of 13 Mbit/s
# Codecs of photographs, which some films are made of, and all thumbnails and covers.
PHOTOGRAPHS = {"mjpeg", "png", "bmp", "gif", "webp", "jpeg2000", "tiff"}
# Brands of the mp4 family that are photographs (HEIC, AVIF), not films.
PHOTO_BRANDS = {"heic", "heix", "heim", "heis", "mif1", "avif"}


@dataclass(frozen=True)
class Limits:
    """Upper limits of a file: megabytes, seconds, and pixels on one side."""

    megabytes: float
    seconds: float
    side: int


def limits() -> Limits:
    """The limits in force, from HAR_MAX_MB, HAR_MAX_SECONDS and HAR_MAX_SIDE.

    Unless it is set, a file may have MEGABYTES, on a small disk half of what is free in the cache folder.
    """
    megabytes = os.environ.get("HAR_MAX_MB")
    if megabytes is None:
        free = shutil.disk_usage(storage.root()).free / 1e6
        megabytes = str(min(MEGABYTES, round(free / 2)))
    return Limits(
        megabytes=float(megabytes),
        seconds=float(os.environ.get("HAR_MAX_SECONDS", 600)),
        side=int(os.environ.get("HAR_MAX_SIDE", 8192)),
    )


def display_name(name: str) -> str:
    """A file name fit to be shown: no folders, no control characters, at most 60 characters.

    >>> display_name("../../etc/a\\x1b[31m b.mp4")
    'a[31m b.mp4'
    """
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C").strip()
    if len(name) > 60:
        name = f"{name[:40]}…{name[-19:]}"
    return name or "the file"


def check_size(path: Path | str, name: str) -> int:
    """Bytes of a file that can be read, is not empty and is within the limit; else ClipError."""
    if not os.path.isfile(path):
        raise ClipError(f"{name} is not there any more: upload it again.")
    if not os.access(path, os.R_OK):
        raise ClipError(f"{name} may not be read by this user: change its permissions.")
    size = os.path.getsize(path)
    if size == 0:
        raise ClipError(f"{name} is empty: the upload may have broken off, so try it again.")
    limit = limits().megabytes
    if size > limit * 1e6:
        raise ClipError(
            f"{name} has {size / 1e6:.0f} MB and the limit is {limit:g} MB: "
            "cut it shorter or save it smaller."
        )
    return size


def open_video(path: Path | str, name: str) -> tuple[av.container.InputContainer, av.VideoStream]:
    """The opened file and its film, by the headers; the caller closes the container.

    Raises:
        ClipError: there is none, or it is over a limit; one sentence says why.
    """
    for patience in ({}, PATIENCE):
        try:
            container = av.open(
                os.path.abspath(path),
                container_options={
                    "format_whitelist": CONTAINERS,
                    "protocol_whitelist": "file",
                    **patience,
                },
                **ANY_TEXT,
            )
        except av.FFmpegError as error:
            why = diagnosis.refusal(path) or (
                f"is not a video that can be read, or it is damaged from its start: {READABLE}."
            )
            raise ClipError(f"{name} {why}") from error
        if patience or not films(container) or any(one.width for one in films(container)):
            break
        container.close()  # its pictures may begin late, or between two key frames far apart
    try:
        return container, _film(container, name)
    except ClipError:
        container.close()
        raise


def films(container: av.container.InputContainer) -> list[av.VideoStream]:
    """The streams that may be the film: no cover art, no still pictures, no thumbnails."""
    beside = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
    moving = [stream for stream in container.streams.video if not stream.disposition & beside]
    known = [stream for stream in moving if stream.codec_context is not None]
    return [one for one in known if one.codec_context.width and one.codec_context.height] or known


def packets(
    container: av.container.InputContainer,
    damage: list[Exception],
    stream: av.VideoStream | None = None,
) -> Iterator[av.Packet]:
    """All packets with content, of one stream or of all; what breaks goes to `damage`, and reading goes on."""
    in_vain = 0
    while in_vain < 10:
        try:
            for packet in container.demux(*([stream] if stream else [])):
                if packet.size:
                    in_vain = 0
                    yield packet
            return
        except MemoryError:
            raise
        except IndexError:
            continue  # a packet of a stream that began on the way, of which PyAV knows nothing
        except av.FFmpegError as error:
            damage.append(error)
            in_vain += 1


def avi_index(stream: av.VideoStream) -> dict[int, int]:
    """Number of the frame at each place of an AVI, by its index; {} without one, or a senseless one.

    AVI keeps no times: FFmpeg counts frames, and its count is short by those that it cannot find.
    """
    entries = stream.index_entries
    if len(entries) > limits().seconds * FASTEST:
        return {}
    return {entry.pos + 8: entry.timestamp for entry in entries}


def stream_of(container: av.container.InputContainer, index: int) -> av.VideoStream:
    """The stream of pictures with this index."""
    return next(stream for stream in container.streams.video if stream.index == index)


def choose(films: Iterable[av.VideoStream], packets: Mapping[int, int]) -> av.VideoStream:
    """Return the film among a file's streams of pictures: the one marked as default, then the largest.

    Args:
        films: from `films`, at least one.
        packets: how many packets each has, by its index. One with a single packet, with no more than a
            tenth of what another has, or with photographs (`PHOTOGRAPHS`) less often than half as many is
            a still picture or a track of thumbnails, whatever it is marked as.
    """
    films = list(films)
    most = max(packets.get(stream.index, 0) for stream in films)

    def merit(stream: av.VideoStream) -> tuple[bool, bool, int]:
        size = stream.codec_context.width * stream.codec_context.height
        count = packets.get(stream.index, 0)
        photographs = stream.codec_context.name in PHOTOGRAPHS
        moves = count == most or count > max(1, most / (2 if photographs else 10))
        return moves, bool(stream.disposition & Disposition.default), size

    return max(films, key=merit)


def _film(container: av.container.InputContainer, name: str) -> av.VideoStream:
    if container.metadata.get("major_brand") in PHOTO_BRANDS:
        raise ClipError(f"{name} is a photograph, not a video: {READABLE}.")
    found = films(container)
    if not found:
        if any(stream.codec_context is None for stream in container.streams.video):
            raise ClipError(
                f"{name} uses a video codec that is not known here: save it as H.264 in an mp4."
            )
        if container.streams.audio:
            raise ClipError(f"{name} has sound but no moving picture: {READABLE} with a picture.")
        raise ClipError(f"{name} has no video in it, or breaks off before it: {READABLE}.")
    stream = choose(found, {})
    check_pixels(stream.codec_context.width, stream.codec_context.height, name)
    return stream


def check_pixels(width: int, height: int, name: str) -> None:
    """ClipError when pictures have no size, or one over the limit."""
    if width < 1 or height < 1:
        raise ClipError(f"{name} has a picture of no size: save it again as an mp4.")
    side = limits().side
    if max(width, height) > side:
        raise ClipError(
            f"{name} has {width}×{height} pixels and the limit is {side} on a side: save it smaller."
        )


def check_seconds(seconds: float, name: str) -> None:
    """ClipError when a video is longer than the limit."""
    limit = limits().seconds
    if seconds > limit + 0.5:
        raise ClipError(
            f"{name} is longer than the limit of {limit:g} seconds: cut out the part that matters."
        )


def announced_seconds(
    container: av.container.InputContainer, stream: av.VideoStream
) -> float | None:
    """Return the duration that the file announces, or None: recordings made in a browser do not say."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None


def announced_rates(stream: av.VideoStream) -> list[Fraction]:
    """Frames per second as the file says them, those that are believable: the average one first."""
    stated = (stream.average_rate, stream.guessed_rate, stream.base_rate)
    return [rate for rate in stated if rate and Fraction(1, 10) <= rate <= FASTEST]


def probe(path: Path | str, name: str | None = None) -> SourceFacts:
    """Return what the file announces of itself; nothing is decoded, so nothing is promised.

    `ingest` gives the facts as they turned out, and does its reading in a process of its own.

    Args:
        path: the file.
        name: what to call it to people; the path's last part by default.

    Raises:
        ClipError: it is missing, empty, over a limit, or has no video that can be read.
    """
    name = display_name(name or str(path))
    size = check_size(path, name)
    container, stream = open_video(path, name)
    with container:
        return SourceFacts(
            name=name,
            container=container.format.name,
            codec=stream.codec_context.name,
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            fps=float(next(iter(announced_rates(stream)), 0)),
            duration=announced_seconds(container, stream) or 0.0,
            bytes=size,
        )
