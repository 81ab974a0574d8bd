"""The one folder that is written to between runs: ingested clips, fetched weights and computed flow.

HAR_CACHE                                        wherever it says
/data/har_demo                                   on a Hugging Face Space with permanent storage
the user's own cache folder                      e.g. ~/.cache/har_demo
a folder of this user's in the temporary folder  where that cannot be written, as in many containers
"""

import contextlib
import logging
import os
import stat
import tempfile
from functools import cache
from pathlib import Path

import platformdirs

PERMANENT = Path("/data")
"""Where a Space's permanent storage is mounted; its other disk is empty after every restart."""

log = logging.getLogger(__name__)


def root() -> Path:
    """The cache folder, made where missing."""
    chosen = _chosen()
    # Without HOME, and for a user whom the system does not know, '~' stays as it is.
    if chosen.parts[0] != "~" and writable(chosen):
        return chosen
    return _temporary(chosen)


def places() -> tuple[Path, ...]:
    """The folders where files of earlier runs may lie: the cache folder, and the one that should be it but cannot be written."""
    return tuple(dict.fromkeys((root(), _chosen())))


def _chosen() -> Path:
    named = os.environ.get("HAR_CACHE")
    if not named and permanent():
        return PERMANENT / "har_demo"
    return Path(named or platformdirs.user_cache_dir("har_demo"))


def uploads() -> Path:
    """The folder of what visitors send and are sent, and of nothing else; made where missing."""
    return _uploads(root())


@cache
def _uploads(below: Path) -> Path:
    folder = below / "gradio"
    return folder if writable(folder) else Path(tempfile.mkdtemp(prefix="gradio-", dir=below))


@cache  # the system's temporary folder, before this one takes its place
def work() -> Path:
    """The folder of files that last as long as one piece of work of the page; made where missing."""
    return own_folder(Path(tempfile.gettempdir()) / f"har_demo-{os.getuid()}-work")


def own_folder(path: Path) -> Path:
    """Make a folder that only this user can enter, or another one where somebody else has taken its name."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    facts = path.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
        # Anybody may have put this name into a folder that everybody can write.
        return Path(tempfile.mkdtemp(prefix="har_demo-"))
    return path


def permanent() -> bool:
    """Whether this is a Space with permanent storage that can be written."""
    return "SPACE_ID" in os.environ and PERMANENT.is_dir() and writable(PERMANENT / "har_demo")


def writable(folder: Path) -> bool:
    """Whether files can be written into a folder, which is made where missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


@cache  # so that the note is logged once
def _temporary(chosen: Path) -> Path:
    folder = own_folder(Path(tempfile.gettempdir()) / f"har_demo-{os.getuid()}")
    log.warning(
        "The cache folder %s cannot be written: clips and weights are kept in %s, which may not "
        "outlive a restart. HAR_CACHE names another one.",
        chosen,
        folder,
    )
    return folder
