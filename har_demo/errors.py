"""What can go wrong because of what a person gave us, said in one sentence to that person."""


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
