"""Delete what visitors left, when the app starts and every hour: clips, uploads, answers, unfinished files.

Gradio deletes what it knows of, which is nothing after a restart, and no upload that was broken off.
"""

import contextlib
import logging
import math
import os
import re
import tempfile
import threading
import time
from collections.abc import Collection
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from har_demo import storage
from har_demo.clips import cache

HOUR = 3600
IN_USE = 1800
"""Seconds after its last change in which no file goes for want of room: its event may still wait for its turn."""
UPLOADS = 5000
"""Megabytes that uploads and answers may have together, unless HAR_UPLOADS_MB says other."""
HASH = re.compile(r"[0-9a-f]{64}")

log = logging.getLogger(__name__)


def start(demo: gr.Blocks) -> None:
    """Sweep now and every hour beside the app, whose temporary files go into a folder that is swept too."""
    with contextlib.suppress(OSError):
        os.environ["TMPDIR"] = tempfile.tempdir = str(storage.work())
    threading.Thread(target=_sweep_hourly, args=[demo], daemon=True, name="sweeper").start()


def _sweep_hourly(demo: gr.Blocks) -> None:
    while True:
        sweep(set().union(*demo.temp_file_sets))
        time.sleep(HOUR)


def sweep(known: Collection[str] = ()) -> None:
    """Delete files that nobody wanted for a day, and the oldest above HAR_CACHE_MB and HAR_UPLOADS_MB.

    Args:
        known: paths of files that Gradio ages itself, by when it last handed them out.
    """
    for step in (
        cache.prune,
        lambda: _clear(_files(storage.root() / "flow")),
        lambda: _clear(_files(_kept_from_cleaners(storage.work()))),
        lambda: _clear(_uploads(), _most(), known=known),
    ):
        try:
            step()
        except Exception as problem:
            log.warning("Old files cannot be deleted: %s", problem)


def make_room(wanted: float) -> float:
    """Delete the oldest uploads and answers that are in nobody's use, until `wanted` bytes more have room.

    Returns:
        The bytes that there is room for, which may be fewer.
    """
    return _most() - _clear(_uploads(), _most() - wanted, age=math.inf)


def _most() -> float:
    return float(os.environ.get("HAR_UPLOADS_MB") or UPLOADS) * 1e6


def _uploads() -> list[Path]:
    folder = Path(get_upload_folder())
    if folder.resolve() == storage.uploads().resolve():
        return _files(folder)
    # A folder that a person named may hold files of other programs.
    held = list(folder.iterdir()) if folder.is_dir() else []
    parts = [part for part in held if HASH.fullmatch(part.name) and not part.is_symlink()]
    return [file for part in parts for file in _files(part)]


def _kept_from_cleaners(folder: Path) -> Path:
    """Make the folder if it is gone, and touch it: systems delete what lies in their temporary folder for days."""
    folder.mkdir(mode=0o700, exist_ok=True)
    os.utime(folder)
    return folder


def _files(folder: Path) -> list[Path]:
    """All files below a folder; empty folders that nobody changed for an hour are removed. Links are not followed."""
    files = []
    for place, folders, names in os.walk(folder, topdown=False):
        files += [Path(place, name) for name in names]
        if not names and not folders and Path(place) != folder:
            with contextlib.suppress(OSError):  # gone meanwhile, or filled
                if time.time() - os.stat(place).st_mtime > HOUR:
                    os.rmdir(place)
    return files


def _clear(
    files: list[Path],
    most: float = math.inf,
    age: float = cache.A_DAY,
    known: Collection[str] = (),
) -> float:
    """Delete files that were not changed for `age` seconds and, above `most` bytes, the oldest not in use.

    Returns:
        The bytes that stay.
    """
    states = []
    for file in files:
        with contextlib.suppress(OSError):
            state = file.lstat()
            states.append((state.st_mtime, state.st_size, file))
    kept, now = 0.0, time.time()
    for changed, size, file in sorted(states, reverse=True):
        old = now - changed > age and str(file) not in known
        if old or (kept + size > most and now - changed > IN_USE):
            with contextlib.suppress(OSError):
                file.unlink()
                continue
        kept += size
    return kept
