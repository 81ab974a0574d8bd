"""A file becomes frames.

ingest      an upload to a Clip, once: hash, cache, and a process (ingest_child) that reads it
probe       what is let in: containers, limits, names
survey      how fast and how long a film is
transcode   decode, retime, shrink, turn upright, encode
sampling    which frames to look at
frames      reads them
transforms  makes them the tensor a model wants
writer      frames back to a video
"""

from har_demo.clips.clip import Clip, SourceFacts

__all__ = ["Clip", "SourceFacts"]
