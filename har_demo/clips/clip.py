"""The two records every part of the project passes along when it speaks of a video."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SourceFacts:
    """Facts of the original file, for people to read.

    Attributes:
        name: the file's own name, for display only, never a path.
        container: FFmpeg's short name, such as 'mov,mp4,m4a,3gp,3g2,mj2'.
        codec: the video codec, such as 'hevc'.
        width, height: pixels as displayed, after rotation.
        fps: average frames per second.
        duration: seconds of video that could be decoded.
        bytes: size of the file.
        rotation: degrees the picture had to be turned, one of 0, 90, 180, 270.
        variable_rate: whether the time between frames varied.
        truncated: whether the file ended or broke before its own announced end.
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


@dataclass(frozen=True)
class Clip:
    """A video ready for random access: an upright, constant-rate, small H.264 copy of a file.

    Attributes:
        path: the ingested copy (mp4), which decord reads and a browser plays.
        fps: frames per second of the copy, constant.
        frames: number of frames in the copy.
        width, height: pixels of the copy; the short side is at most 340, or what a model needs (see ingest).
        sha256: hash of the *original* file's content: the clip's name in caches and share links.
        source: what the file was before.
    """

    path: Path
    fps: float
    frames: int
    width: int
    height: int
    sha256: str
    source: SourceFacts

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.frames / self.fps
