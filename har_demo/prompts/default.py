"""The image-text model that answers when none is chosen by name: CLIP where it can be had.

    CLIP's weights are here              CLIP
    the hub answers within 3 seconds     CLIP, fetched at the first question
    else, or where fetching failed       the embedded recogniser

The hub is asked in a thread of its own and what it did is remembered, so that only the very first question
may wait for it. An answer that is too old is used once more while the hub is asked again.
"""

import threading
import time
from dataclasses import dataclass, field

from har_demo.prompts import embedded, online
from har_demo.weights import hub
from har_demo.weights.state import megabytes

NAME = "default"
"""Chosen in place of a model's name."""

REMEMBER_SECONDS = 300.0
"""How long the hub's answer or a failed fetch stands."""


@dataclass(frozen=True)
class DefaultModel:
    """The model that answers now when none is chosen.

    Attributes:
        name: of its card.
        why: a sentence that says which it is, and for what reason.
        replaces: whether it stands in for CLIP, which was to be fetched and could not be.
    """

    name: str
    why: str
    replaces: bool = False


@dataclass
class _Inquiry:
    """One time of asking the hub."""

    begun: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)


_lock = threading.Lock()
_inquiry: _Inquiry | None = None
_answers: bool | None = None
_failed = -REMEMBER_SECONDS


def default_model() -> DefaultModel:
    """Say which model answers when none is chosen. Loads nothing."""
    if online.here(online.DEFAULT):
        return DefaultModel(online.DEFAULT, "CLIP answers: its weights are here.")
    if time.monotonic() - _failed < REMEMBER_SECONDS:
        return _instead("CLIP's weights could not be fetched", replaces=True)
    if hub.offline():
        return _instead("CLIP's weights are not here and HF_HUB_OFFLINE is set")
    if not _hub_answers():
        return _instead(f"{online.host()} does not answer")
    size = megabytes(online.size(online.DEFAULT))
    return DefaultModel(
        online.DEFAULT,
        f"CLIP answers: its weights (about {size}) are fetched at the first question.",
    )


def ask_hub() -> None:
    """Begin to ask whether the hub answers, unless that is known or forbidden. Does not wait."""
    global _inquiry
    if hub.offline():
        return
    with _lock:
        if _inquiry and time.monotonic() - _inquiry.begun < REMEMBER_SECONDS:
            return
        _inquiry = _Inquiry()
    threading.Thread(target=_inquire, args=(_inquiry,), daemon=True).start()


def fetching_failed() -> DefaultModel:
    """Remember that CLIP's weights could not be fetched, and return the model that answers in its place."""
    global _failed
    _failed = time.monotonic()
    return _instead("CLIP's weights could not be fetched", replaces=True)


def forget() -> None:
    """Forget what the hub did."""
    global _inquiry, _answers, _failed
    with _lock:
        _inquiry, _answers, _failed = None, None, -REMEMBER_SECONDS


def _instead(reason: str, replaces: bool = False) -> DefaultModel:
    why = f"The embedded recogniser answers, because {reason}."
    return DefaultModel(embedded.NAME, why, replaces)


def _hub_answers() -> bool:
    ask_hub()
    if _answers is None and _inquiry:
        _inquiry.ended.wait(online.ANSWER_SECONDS)
    return bool(_answers)


def _inquire(inquiry: _Inquiry) -> None:
    global _answers
    found = online.hub_answers()
    with _lock:
        if inquiry is _inquiry:
            _answers = found
    inquiry.ended.set()
