"""The cache of ingested copies, by the hash of the original file's content.

<cache>/clips/<sha256>.mp4 is the copy, which the page serves to whoever knows the hash. <cache>/facts/<sha256>.json
are its facts, which are not served and name nobody's file: who finds a clip by its hash has not seen
the file. The json is written last, so where there is one the copy is complete; its time of change says when
the clip was last wanted. A larger copy, of up to 400 lines say, lies beside it as <sha256>-400.mp4.
"""

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO

from har_demo import storage
from har_demo.clips.clip import Clip

# Kept in every entry. Raise it when copies come to be made differently: old ones are then remade.
VERSION = 4
A_DAY = 24 * 3600
LOOK = 0.1  # seconds between two tries to hold an entry
WHOLE = re.compile(r"[0-9a-f]{64}(-\d{3,4})?\.(json|mp4)")


def folder() -> Path:
    """The folder of ingested clips, made where missing."""
    return _made(storage.root() / "clips")


def served() -> list[Path]:
    """The folders that copies may lie in: this one, and that of a cache which can only be read."""
    return [folder(), *(place / "clips" for place in storage.places()[1:])]


def _facts() -> Path:
    return _made(storage.root() / "facts")


def _made(below: Path) -> Path:
    below.mkdir(exist_ok=True)
    return below


def name(sha256: str, lines: int = 0) -> str:
    """The name of a clip's files: its hash, with the lines of a copy that is larger than usual."""
    return f"{sha256}-{lines}" if lines else sha256


def cached_clip(sha256: str, lines: int = 0) -> Clip | None:
    """A clip ingested earlier, by the hash of its original content, named after that; None when it is not here.

    Anything may be asked, by a share link for one: what is not a hash is not here either.

    Args:
        sha256: the hash.
        lines: of a larger copy than usual; 0 for the usual one.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        return None
    stem = name(sha256, lines)
    for place in storage.places():
        copy, note = place / "clips" / f"{stem}.mp4", place / "facts" / f"{stem}.json"
        try:
            entry = json.loads(note.read_text())
            if entry["version"] != VERSION or entry["stamp"] != _stamp(copy):
                continue
            clip = _clip(copy, sha256, entry["clip"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            continue  # not there or damaged: either way it is to be made anew
        with contextlib.suppress(OSError):  # the disk may be read-only
            os.utime(note)
        return clip
    return None


def store(made: Path, sha256: str, facts: dict, lines: int = 0) -> Clip:
    """Move a finished copy into the cache, and drop what was not wanted for longest if it is full.

    Args:
        made: the copy, in the cache's folder.
        facts: the fields of Clip, but for path and sha256.
        lines: as in `cached_clip`.
    """
    stem = name(sha256, lines)
    copy, note = folder() / f"{stem}.mp4", _facts() / f"{made.name}.json"
    os.replace(made, copy)
    clip = _clip(copy, sha256, facts)
    kept = {key: value for key, value in asdict(clip).items() if key not in ("path", "sha256")}
    del kept["source"]["name"]
    note.write_text(json.dumps({"version": VERSION, "stamp": _stamp(copy), "clip": kept}))
    os.replace(note, note.with_name(f"{stem}.json"))
    prune(keep=stem)
    return clip


def _clip(copy: Path, sha256: str, facts: dict) -> Clip:
    """The clip of a copy and its facts, under a name that tells nothing of the file it came in."""
    source = {**facts["source"], "name": f"clip-{sha256[:8]}"}
    return Clip.of_facts(copy, {**facts, "sha256": sha256, "source": source})


def prune(keep: str = "") -> None:
    """Delete clips nobody wanted for a day, and the least wanted ones above HAR_CACHE_MB.

    The clip `keep` stays. Whatever a run that was killed left behind goes after a day too, and facts that earlier
    versions kept beside the copies, with the name of a visitor's file, at once.
    """
    room = float(os.environ.get("HAR_CACHE_MB", 2048)) * 1e6
    copies, notes = folder(), _facts()
    wanted = []
    for file in (*copies.iterdir(), *notes.iterdir()):
        with contextlib.suppress(OSError):  # another process may be pruning too
            changed, size = file.stat().st_mtime, file.stat().st_size
            whole = WHOLE.fullmatch(file.name) is not None
            if file.parent == copies and file.suffix == ".json":
                file.unlink()
            elif file.parent == notes and whole:
                wanted.append((changed, file))
            elif file.parent == notes or not (whole and (notes / f"{file.stem}.json").exists()):
                if time.time() - changed > A_DAY:
                    file.unlink()
                else:
                    room -= size
    for changed, note in sorted(wanted, reverse=True):
        copy = copies / f"{note.stem}.mp4"
        with contextlib.suppress(OSError):
            room -= copy.stat().st_size
        old = time.time() - changed > A_DAY
        if (room < 0 or old) and note.stem != keep:
            note.unlink(missing_ok=True)
            copy.unlink(missing_ok=True)


@contextlib.contextmanager
def alone(sha256: str, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold one clip's entry, so that two users with one file wait for one copy of it.

    Args:
        sha256: the entry's name.
        waiting: called now and then while another holds it; what it raises ends the waiting.
    """
    path = _facts() / f"{sha256}.lock"
    with path.open("w") as lock:
        while not _locked(lock):
            waiting()
            time.sleep(LOOK)
        try:
            yield
        finally:
            # Those already waiting hold the unlinked file and go on; they look at the cache first.
            path.unlink(missing_ok=True)


def _locked(file: IO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stamp(copy: Path) -> list[int]:
    """Size and time of change: a copy that was cut short or written over shows in them."""
    state = copy.stat()
    return [state.st_size, state.st_mtime_ns]
