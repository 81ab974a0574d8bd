"""The two records every part of the project passes along when it speaks of a video."""

from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class SourceFacts:
    """Facts of the original file, for people to read.

    Attributes:
        name: the file's own name, for display only, never a path.
        container: FFmpeg's short name, such as 'mov,mp4,m4a,3gp,3g2,mj2'.
        codec: the video codec, such as 'hevc'.
        width, height: pixels as displayed, after rotation.
        fps: frames per second: the average, or that of the quick parts where the rate varies.
        duration: seconds of video that could be decoded.
        bytes: size of the file.
        rotation: degrees the picture had to be turned clockwise, one of 0, 90, 180, 270.
        variable_rate: whether the time between frames varied.
        truncated: whether the file ended or broke before its own announced end.
        mirrored: whether left and right had to be swapped, after turning.
        pixel_aspect: width of a pixel in heights of it, before turning.
        hdr: the curve that was tone-mapped, 'HLG' or 'PQ', or ''.
        interlaced: whether pictures were woven of two fields.
        reshaped: whether the picture's shape changed on the way.
        leaps: how often the clock leapt.
        delay: seconds by which the picture begins after the sound.
    """

    name: str
    container: str
    codec: str
    width: int
    height: int
    fps: float
    duration: float
    bytes: int
    rotation: int = 0
    variable_rate: bool = False
    truncated: bool = False
    mirrored: bool = False
    pixel_aspect: float = 1.0
    hdr: str = ""
    interlaced: bool = False
    reshaped: bool = False
    leaps: int = 0
    delay: float = 0.0


@dataclass(frozen=True)
class Clip:
    """A video ready for random access: an upright, constant-rate, small H.264 copy of a file.

    Attributes:
        path: the ingested copy (mp4), which decord or PyAV reads and a browser plays.
        fps: frames per second of the copy, constant.
        frames: number of frames in the copy.
        width, height: pixels of the copy; the short side is at most 340, or what a model needs (see ingest).
        sha256: hash of the *original* file's content: the clip's name in caches and share links.
        source: what the file was before.
        fresh: numbers of the frames that show a new picture, ascending, where the others show the one
            before them still (held over a pause or a gap of damage); None where every frame is new.
    """

    path: Path
    fps: float
    frames: int
    width: int
    height: int
    sha256: str
    source: SourceFacts
    fresh: tuple[int, ...] | None = None

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.frames / self.fps

    @classmethod
    def of_facts(cls, path: Path, facts: dict) -> "Clip":
        """The clip at `path` from its other fields, as JSON has them; KeyError or TypeError for others."""
        fresh = facts.get("fresh")
        made = {
            "path": path,
            "source": SourceFacts(**facts["source"]),
            "fresh": None if fresh is None else tuple(fresh),
        }
        return cls(**{**facts, **made})

    def part(self, start: int, count: int) -> "Clip":
        """`count` frames from number `start` on as if they were a clip of its own, whose file they are not in."""
        fresh = None
        if self.fresh is not None:
            inside = (number - start for number in self.fresh if start < number < start + count)
            fresh = (0, *inside)
        return replace(self, frames=count, fresh=fresh)
