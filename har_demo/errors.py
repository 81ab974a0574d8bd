"""What can go wrong: because of what a person gave, or because of us. Each is one sentence to that person."""

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
