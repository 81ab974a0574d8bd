"""A file becomes frames: the right ones, at a player's times, upright, in the right colours.

ingest      an upload to a Clip, once: hash, cache, and a process (ingest_child) that reads it
probe       what is let in: containers, endings, limits, names; which stream is the film
diagnosis   what a file is that cannot be read, or that breaks off: no index, a fragment, encrypted
survey      how fast and how long a film is, by its packets: headers that lie do not count
timeline    a player's times: leaps of the clock closed, the rate of quick parts where it varies
transcode   decode, put on the ticks of a constant clock (holding frames), draw, encode
decode      frames in order: damage left out without a shift, interlaced ones de-interlaced
picture     scaled, turned and mirrored upright, square pixels, matrix of the colours, changes of shape
tone        HDR (HLG, PQ, BT.2020) to ordinary video
webp        animated WebP
changes     what was done to a file, in sentences: for page, command and API
sampling    which frames to look at, by time; where the rate varies, where new ones are
frames      reads them, with decord or PyAV
transforms  makes them the tensor a model wants
writer      frames back to a video

docs/clips.md has the table of kinds of files.
"""

from har_demo.clips.clip import Clip, SourceFacts

__all__ = ["Clip", "SourceFacts"]
