"""An upload becomes a Clip, once: the same content is found in the cache the next time.

The file is read in a process of its own (ingest_child), which may crash, hang or run out of memory
without harm; here it is only hashed, and the process is watched.
"""

import hashlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import IO

from har_demo import assets
from har_demo.clips import cache, probe
from har_demo.clips.cache import cached_clip
from har_demo.clips.clip import Clip
from har_demo.clips.picture import MOST_LINES, SHORT_SIDE
from har_demo.errors import ClipError, InternalError

__all__ = ["cached_clip", "ingest"]

OVER_TIME = (-signal.SIGXCPU, -signal.SIGALRM)  # how a process ends that `budget` limits
LOOK = 0.25  # seconds between two looks at whether somebody still waits for the clip
PATIENCE = 30.0  # seconds without a sign of life before the reading is given up


def ingest(
    path: Path | str,
    name: str | None = None,
    on_progress: Callable[[float], None] | None = None,
    lines: int = 0,
    turn: Callable[[], AbstractContextManager] = nullcontext,
) -> Clip:
    """Make any video ready for random access: upright, constant rate, H.264, at most 340 px.

    Args:
        path: a file in any container and codec that FFmpeg reads; it is not trusted.
        name: what to call it to people; the path's last part by default.
        on_progress: called some times a second with the fraction done, 0 to 1; what it raises ends the
            reading.
        lines: how many pixels the short side shall have, if the film has them; up to 340 the usual copy
            serves, for more a larger one is made beside it, of up to 1080.
        turn: entered where the file has to be read, and left when it has been.

    Returns:
        The Clip, from the cache when the same content was ingested before. A damaged file gives
        what could be decoded, with `source.truncated` set.

    Raises:
        ClipError: the file is refused; one sentence says why and what to do.
        InternalError: reading it failed for a reason that has nothing to do with the file.
    """
    on_progress = on_progress or (lambda fraction: None)
    name = probe.display_name(str(name or path))
    probe.check_size(path, name)
    with open(path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    more = min(lines, MOST_LINES) if lines > SHORT_SIDE else 0
    usual = cached_clip(sha256)
    if usual is not None and min(usual.source.width, usual.source.height) <= SHORT_SIDE:
        more = 0  # nothing would be gained
    clip = cached_clip(sha256, more) if more else usual
    if clip is None:
        clip = _read(path, sha256, name, on_progress, more, turn)
    on_progress(1.0)
    return replace(clip, source=replace(clip.source, name=name))


def _read(
    path,
    sha256: str,
    name: str,
    on_progress: Callable[[float], None],
    more: int,
    turn: Callable[[], AbstractContextManager],
) -> Clip:
    """Read a file that is not in the cache, unless somebody else has just done so."""
    with cache.alone(cache.name(sha256, more), lambda: on_progress(0.0)):
        clip = cached_clip(sha256, more)
        if clip is None:
            handle, copy = tempfile.mkstemp(".part.mp4", dir=cache.folder())
            os.close(handle)
            try:
                larger = (more,) if more else ()
                with turn():
                    facts = read_safely(path, copy, name, on_progress, *larger)
                clip = cache.store(Path(copy), sha256, facts, more)
            finally:
                Path(copy).unlink(missing_ok=True)
    return clip


def read_safely(
    source: Path | str,
    copy: Path | str,
    name: str,
    on_progress: Callable[[float], None],
    *most_lines: int,
) -> dict:
    """Have a process of its own write the copy, of `most_lines` or 340, and give the facts that it reports.

    A process that was killed by a signal met a file that crashes the decoder; one that ended by itself
    without a report met a fault of ours.

    Raises:
        ClipError, InternalError: as `ingest`.
    """
    modules = [str(assets.PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(
            command(source, copy, name, *most_lines),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, modules))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
        )
        with child:
            assert child.stdout is not None
            share = 0.0
            try:
                for line in lines(child.stdout, PATIENCE):
                    if line is None:
                        on_progress(share)
                        continue
                    message = json.loads(line)
                    if "clip" in message:
                        return message["clip"]
                    if "error" in message:
                        raise ClipError(message["error"])
                    share = message["progress"]
                    on_progress(share)
                child.wait(PATIENCE)  # killed below, it would look as if the file had crashed it
            except (TimeoutError, subprocess.TimeoutExpired) as error:
                raise ClipError(
                    f"Reading {name} came to a stop after {PATIENCE:g} seconds without a frame: "
                    "the file is damaged, so save it again as an mp4."
                ) from error
            finally:
                child.kill()
        if child.returncode in OVER_TIME:
            raise ClipError(
                f"Reading {name} took far longer than its size lets expect: save it again as an mp4, "
                "or cut out the part that matters."
            )
        if child.returncode >= 0:
            complaints.seek(0)
            raise InternalError(complaints.read().decode(errors="replace"))
    raise ClipError(f"Reading {name} failed: the file is damaged, so save it again as an mp4.")


def command(source: Path | str, copy: Path | str, name: str, *most_lines: int) -> list[str]:
    """Return the command that reads a file; -P keeps a file beside the server from posing as a module."""
    program = [sys.executable, "-P", "-m", "har_demo.clips.ingest_child"]
    return [*program, os.path.abspath(source), str(copy), name, *map(str, most_lines)]


def lines(pipe: IO[bytes], patience: float) -> Iterator[bytes | None]:
    """Lines from a process as they come, and None while none comes.

    Raises:
        TimeoutError: none has come for `patience` seconds.
    """
    rest = b""
    last = time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(min(LOOK, patience)):
                if time.monotonic() - last >= patience:
                    raise TimeoutError
                yield None
                continue
            data = os.read(pipe.fileno(), 65536)
            if not data:
                return
            last = time.monotonic()
            *whole, rest = (rest + data).split(b"\n")
            yield from whole
