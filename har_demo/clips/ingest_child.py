"""The part of ingest that reads a stranger's file, run as a process of its own.

    python -m har_demo.clips.ingest_child SOURCE COPY NAME [LINES]

Decoders are large C programs, and a damaged file may crash one or keep it busy for ever. Here that
ends this process and not the server. One JSON object a line goes to the standard output:

    {"progress": 0.25}                          now and then
    {"clip": {"fps": 30.0, "frames": 300, ...}} at the end, or
    {"error": "..."}                            when the file is refused

Whatever else goes wrong is a fault of ours: it ends this process with a traceback on the standard error
and exit code 1.
"""

import errno
import json
import os
import resource
import sys
import time

import av

from har_demo.clips import budget
from har_demo.clips.picture import SHORT_SIDE
from har_demo.clips.transcode import transcode
from har_demo.errors import ClipError

NICE = 10  # whoever waits for a page or an answer comes before whoever brings a long film
MEMORY = 4 << 30  # bytes of address space, for what one video may need at most


def main(source: str, copy: str, name: str, lines: str = str(SHORT_SIDE)) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICE)
    budget.limit_process(0)
    av.logging.set_level(av.logging.PANIC)
    last = 0.0

    def on_progress(fraction: float) -> None:
        nonlocal last
        if time.monotonic() - last > 0.1:
            last = time.monotonic()
            report({"progress": fraction})

    try:
        done = transcode(source, copy, name, on_progress, int(lines), budget.limit_process)
        report({"clip": done})
    except ClipError as error:
        report({"error": str(error)})
    except MemoryError:
        report({"error": f"{name} needs more memory than a video may: save it smaller."})
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        report({"error": f"There is no room left on this machine for {name}: try again later."})
    except av.FFmpegError:
        report(
            {"error": f"Reading {name} failed: the file is damaged, so save it again as an mp4."}
        )


def report(message: dict) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
