"""A file becomes frames: probe, ingest, frames, sampling, transforms, writer."""

from har_demo.clips.clip import Clip, SourceFacts

__all__ = ["Clip", "SourceFacts"]
