"""Files of visitors are read in their turn, with progress, and no longer than somebody waits for them."""

from collections.abc import Callable
from pathlib import Path

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import ingest
from har_demo.interface.lanes import READING
from har_demo.interface.run import Job


def read(
    job: Job,
    path: str | Path,
    name: str,
    lines: int = 0,
    tell: Callable[[float], None] | None = None,
) -> Clip:
    """Read a file; arguments as of `har_demo.clips.ingest.ingest`.

    Args:
        tell: shows the share that is done; "Reading the clip" by default.

    Raises:
        ClipError: as `ingest`.
        ChoiceError: too many files of the visitor wait already.
        Stopped: Stop was pressed, or whoever asked has gone.
    """
    tell = tell or (lambda share: job.tell(share, "Reading the clip"))
    return ingest(path, name=name, on_progress=tell, lines=lines, turn=lambda: job.turn(READING))
