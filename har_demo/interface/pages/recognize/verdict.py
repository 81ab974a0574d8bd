"""The two lines above the answers on the Recognise page: what the clip shows, and who says so.

Models of Kinetics speak first, as they know most actions a visitor's clip may show. Where none of them is sure,
the tiny models of everyday actions speak, and where nobody is, the page says that.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from har_demo.clips.clip import Clip
from har_demo.interface import formatting
from har_demo.labels import LABEL_SET
from har_demo.recognize.open_set import contradiction
from har_demo.recognize.prediction import Prediction

CONFIDENT = 0.5  # from here on a model 'says' something
MANY = 100  # a model of fewer classes knows few of the actions that a clip may show


def verdict(
    clip: Clip, predictions: Sequence[Prediction], answered: int, waiting: int, stopped: bool
) -> tuple[str, str]:
    """Return headline and subline.

    Args:
        clip: what was shown.
        predictions: those that came.
        answered: how many models answered or refused.
        waiting: how many have not.
        stopped: those that have not never will.
    """
    if not predictions:
        if stopped:
            return "Stopped", "No model had answered yet; press Recognise to start again"
        if waiting:
            return "Looking at the clip …", f"{formatting.count(waiting, 'model')} still to answer"
        return "No answer", "None of the chosen models could answer; each card says why."
    speaking = _speaking(predictions)
    several = _sure_moments(speaking)
    sure = any(p.overall.max() >= CONFIDENT for p in speaking)
    more = len(several) > 1 and not sure
    parts = [f"{clip.source.name}, {formatting.seconds(clip.duration)}"]
    if waiting:
        parts.append(
            f"stopped before {formatting.count(waiting, 'more model')} answered"
            if stopped
            else f"{formatting.count(waiting, 'model')} still to answer"
        )
    parts += _silent(predictions, speaking)
    known = max(len(p.classes) for p in predictions)
    if not sure and not more and known < MANY:
        parts.append(f"they know {known} actions; this may be none of them")
    if answered > len(predictions):
        parts.append(f"{formatting.count(answered - len(predictions), 'model')} could not answer")
    return _headline(speaking, several if more else [], sure), " · ".join(parts)


def _speaking(predictions: Sequence[Prediction]) -> list[Prediction]:
    """Return the models that the headline is about: of many classes where one is sure, else of everyday actions."""
    many = [p for p in predictions if len(p.classes) >= MANY]
    few = [p for p in predictions if len(p.classes) < MANY]
    if not many or not few:
        return list(predictions)
    contradicted = any(contradiction(p, predictions) for p in few)
    sure_many = any(p.overall.max() >= CONFIDENT for p in many)
    sure_few = any(p.overall.max() >= CONFIDENT for p in few)
    return few if sure_few and not sure_many and not contradicted else many


def _silent(predictions: Sequence[Prediction], speaking: Sequence[Prediction]) -> list[str]:
    """Return what the other models say, in a few words each."""
    parts = []
    for p in predictions:
        if any(p is one for one in speaking):
            continue
        name, share = p.top(1)[0]
        text = f"{p.title} says {name}" if share >= CONFIDENT else f"{p.title} is not sure"
        if contradiction(p, predictions):
            text += ", but" if share >= CONFIDENT else " and"
            text += f" this is probably none of its {len(p.classes)} actions"
        elif share < CONFIDENT and p.label_set == LABEL_SET:
            text += f": it knows {len(p.classes)} actions"
        parts.append(text)
    return parts


def _headline(predictions: Sequence[Prediction], several: Sequence[str], sure: bool) -> str:
    if several:
        return f"More than one action: {formatting.sentence_list(several)}"
    votes = Counter(p.top(1)[0][0] for p in predictions)
    name, most = votes.most_common(1)[0]
    if len(predictions) == 1:
        says = "says" if sure else "is not sure; its best guess is"
        return f"{predictions[0].title} {says} {name}"
    if most == 1:
        return "Every model says something else"
    who = f"{most} of {len(predictions)}"
    if most == len(predictions):
        who = {2: "Both"}.get(most, f"All {most}")
    return f"{who} models {'say' if sure else 'are unsure; their best guess is'} {name}"


def _sure_moments(predictions: Sequence[Prediction]) -> list[str]:
    """Classes that at least half of the models are sure of at some moment, in order of time."""
    first: dict[str, list[float]] = {}
    for prediction in predictions:
        starts = prediction.seconds()[:, 0]
        for i in np.flatnonzero(prediction.windows.max(axis=0) >= CONFIDENT):
            moment = starts[(prediction.windows[:, i] >= CONFIDENT).argmax()]
            first.setdefault(prediction.classes[i], []).append(moment)
    several = {name: np.mean(t) for name, t in first.items() if 2 * len(t) >= len(predictions)}
    return sorted(several, key=lambda name: several[name])
