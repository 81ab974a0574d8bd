"""What can go wrong: because of what a person gave, or because of us. Each is one sentence to that person."""

import errno
import os
from typing import TypeGuard

BROKEN = (
    "Something broke on our side, not yours: try again, and if it happens again, report what the "
    "log says."
)
"""What a person reads of every exception that is no UserError; its traceback goes to the log."""


class UserError(Exception):
    """The message is shown as it is: one sentence that says what is wrong and what to do."""


class ClipError(UserError):
    """The file is not a clip we can read, or it is over a limit."""


class ChoiceError(UserError):
    """A model, a setting or a combination of them does not exist."""


class WeightsError(UserError):
    """Weights are missing, cannot be fetched, or are not what they should be."""


class TableError(UserError):
    """A table of figures is not as it should be; the message names the line."""


class InternalError(Exception):
    """A fault of ours; a note of the exception tells the log what failed, such as a process's traceback.

    >>> str(InternalError("Traceback ..."))[:29]
    'Something broke on our side, '
    """

    def __init__(self, note: str):
        super().__init__(BROKEN)
        self.add_note(note)


DISK = {
    errno.ENOSPC: "there is no room left on the disk: free some",
    errno.EDQUOT: "the disk's quota is used up: free some of it",
    errno.EROFS: "it lies on a disk that can only be read: name another place",
    errno.EACCES: "this user may not: change its permissions or name another place",
    errno.EPERM: "this user may not: change its permissions or name another place",
    errno.ENOTDIR: "a part of its path is a file and no folder: name another place",
    errno.EEXIST: "a file of that name is in the way: move it, or name another place",
    errno.EISDIR: "it is a folder: name a file",
    errno.ENAMETOOLONG: "its name is too long: choose a shorter one",
}
"""What the system says of files and folders, and what to do; the rest is a fault of ours."""


def disk_sentence(error: Exception) -> str | None:
    """Return one sentence about a file or folder that cannot be used, or None for any other exception.

    >>> disk_sentence(OSError(errno.ENAMETOOLONG, "File name too long", "/tmp/" + 300 * "a"))
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…' cannot be used, because its name is too long: choose a shorter one."
    """
    if not isinstance(error, OSError) or error.errno not in DISK:
        return None
    name = os.path.basename(os.fsdecode(error.filename)) if _is_path(error.filename) else ""
    name = "".join(letter for letter in name if letter.isprintable())
    shown = f"'{name[:60]}{'…' * (len(name) > 60)}'" if name else "A file or folder"
    return f"{shown} cannot be used, because {DISK[error.errno]}."


def _is_path(name: object) -> TypeGuard[str | bytes]:
    return isinstance(name, str | bytes)
