"""Facts that a file announces of itself, read before a single frame of it is decoded.

Uploads are hostile until probed. Only demuxers of the list below are let near a file: playlists,
concatenation scripts and the like could otherwise open other files or addresses, and FFmpeg is glad
to render text or a still picture as a film.
"""

import os
import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

from har_demo.clips.clip import SourceFacts
from har_demo.errors import ClipError

# Containers that hold their own pictures; the second line is sound, known so that we can say so.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,apng,mpeg,mpegts,mpegvideo,m4v,h263,h264,hevc,"
    "ivf,obu,flv,live_flv,kux,asf,ogg,rm,dv,mxf,nut,wtv,yuv4mpegpipe,"
    "mp3,wav,w64,flac,aac,ac3,aiff,amr,au,caf"
)
# What names of films in a folder end in; whether a file is one is found out by probing it.
VIDEOS = frozenset(
    [
        ".3gp",
        ".avi",
        ".flv",
        ".gif",
        ".m4v",
        ".mjpeg",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".ogv",
        ".ts",
        ".webm",
        ".wmv",
    ]
)
FASTEST = 240  # frames per second that are believed
# Titles and the like need not be UTF-8. PyAV 19 reads them anyway; before, it had to be told to.
ANY_TEXT: dict[str, Any] = (
    {"metadata_errors": "replace"} if hasattr(av.container.Container, "metadata_errors") else {}
)
READABLE = "upload an mp4, mov, avi, mkv, webm, mpg or gif"
# Brands of the mp4 family that are photographs (HEIC, AVIF), not films.
PHOTO_BRANDS = {"heic", "heix", "heim", "heis", "mif1", "avif"}


@dataclass(frozen=True)
class Limits:
    """Upper limits of a file: megabytes, seconds, and pixels on one side."""

    megabytes: float
    seconds: float
    side: int


def limits() -> Limits:
    """The limits in force, from HAR_MAX_MB, HAR_MAX_SECONDS and HAR_MAX_SIDE."""
    return Limits(
        megabytes=float(os.environ.get("HAR_MAX_MB", 200)),
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
    """The opened file and its film; the caller closes the container. ClipError when there is none."""
    try:
        container = av.open(
            os.path.abspath(path),
            container_options={"format_whitelist": CONTAINERS, "protocol_whitelist": "file"},
            **ANY_TEXT,
        )
    except av.FFmpegError as error:
        raise ClipError(
            f"{name} is not a video that can be read, or it is damaged from its start: {READABLE}."
        ) from error
    try:
        return container, _film(container, name)
    except ClipError:
        container.close()
        raise


def _film(container: av.container.InputContainer, name: str) -> av.VideoStream:
    if container.metadata.get("major_brand") in PHOTO_BRANDS:
        raise ClipError(f"{name} is a photograph, not a video: {READABLE}.")
    films = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not films:
        if container.streams.audio:
            raise ClipError(f"{name} has sound but no moving picture: {READABLE} with a picture.")
        raise ClipError(f"{name} has no video in it, or breaks off before it: {READABLE}.")
    stream = films[0]
    if stream.codec_context is None:
        raise ClipError(
            f"{name} uses a video codec that is not known here: save it as H.264 in an mp4."
        )
    width, height = stream.codec_context.width, stream.codec_context.height
    if width < 1 or height < 1:
        raise ClipError(f"{name} has a picture of no size: save it again as an mp4.")
    side = limits().side
    if max(width, height) > side:
        raise ClipError(
            f"{name} has {width}×{height} pixels and the limit is {side} on a side: save it smaller."
        )
    duration = announced_seconds(container, stream)
    if duration is not None:
        check_seconds(duration, name)
    return stream


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


def announced_rate(stream: av.VideoStream) -> Fraction | None:
    """Average frames per second as the file says it, when that is believable."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and Fraction(1, 10) <= rate <= FASTEST:
            return rate
    return None


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
            fps=float(announced_rate(stream) or 0),
            duration=announced_seconds(container, stream) or 0.0,
            bytes=size,
        )
