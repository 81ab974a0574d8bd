"""Predictions become the right-hand side of the Recognise page."""

import json
from collections.abc import Sequence
from urllib.parse import urlencode

import numpy as np
from markupsafe import Markup

from har_demo.clips.clip import Clip
from har_demo.clips.transforms import crop_boxes
from har_demo.explain.film import MOST_SECONDS
from har_demo.flow.look import LONGEST
from har_demo.interface import formatting
from har_demo.interface.address import link
from har_demo.interface.pages.recognize.verdict import verdict
from har_demo.interface.render import data_uri, render
from har_demo.models.card import ModelCard
from har_demo.models.registry import card as find_card
from har_demo.recognize.agreement import agreement
from har_demo.recognize.open_set import doubt
from har_demo.recognize.prediction import ModelError, Prediction, SeenWindow
from har_demo.weights import accuracies

LANES = 6  # a timeline shows at most this many classes of a model
FOR_THE_PAGE = ("clip", "shown", "own")  # what is asked and is no setting of a link


def results(
    clip: Clip,
    asked: dict,
    answers: Sequence[tuple[Prediction | ModelError, Markup]],
    waiting: Sequence[str] = (),
    stopped: bool = False,
) -> str:
    """The whole panel: verdict, timeline, one card per model, agreement.

    Args:
        clip: what was shown.
        asked: the clip's hash, models and settings, and two facts for the page alone: 'shown', the hash of the
            clip under 'Your clip', and 'own', a model with the user's own weights, which no link has.
        answers: what each model said, with its strip of frames from `seen` ('' for a refusal).
        waiting: titles of the models that have not answered yet.
        stopped: those in `waiting` will never answer.
    """
    predictions = [a for a, _ in answers if isinstance(a, Prediction)]
    headline, subline = verdict(clip, predictions, len(answers), len(waiting), stopped)
    waiting = () if stopped else waiting
    return render(
        "recognize/results",
        clip=clip,
        asked=json.dumps({name: value for name, value in asked.items() if value}),
        link=json.dumps(link(clip, **{k: v for k, v in asked.items() if k not in FOR_THE_PAGE})),
        headline=headline,
        subline=subline,
        timelines=[_timeline(p, clip) for p in predictions if len(p.frames) > 1],
        ticks=ticks(clip.duration),
        words_link=f"prompts?{urlencode(link(clip))}" if predictions else "",
        cards=[_card(answer, strip, predictions) for answer, strip in answers],
        waiting=waiting,
        agreement=_agreement(predictions) if len(predictions) > 1 and not waiting else None,
    )


def _card(
    answer: Prediction | ModelError, strip: Markup, predictions: Sequence[Prediction]
) -> dict:
    if isinstance(answer, ModelError):
        return {"refused": True, "title": answer.title, "message": _capital(answer.message)}
    card = find_card(answer.model)
    windows, frames = answer.frames.shape
    times = answer.times
    return {
        "refused": False,
        "model": answer.model,
        "title": answer.title,
        "year": card.year,
        "family": card.family,
        "hue": formatting.hue(card.family),
        "top": [
            {"name": name, "percent": formatting.percent(p), "width": f"{max(p, 0.004) * 100:.1f}"}
            for name, p in answer.top(5)
        ],
        "doubt": doubt(answer, predictions),
        "note": answer.note,
        "seen": strip,
        "facts": [
            (
                "looked at",
                f"{formatting.count(windows, 'window')} of {formatting.count(frames, 'frame')}",
            ),
            (
                "time",
                f"{formatting.milliseconds(times.decode)} reading, "
                f"{formatting.milliseconds(times.transform)} preparing, "
                f"{formatting.milliseconds(times.forward)} network",
            ),
            ("on", answer.device),
        ],
        "knows": f"Can only answer one of {len(answer.classes)} actions ({answer.label_set})",
        "classes": ", ".join(answer.classes),
        "trust": _trust(answer, card),
    }


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _trust(answer: Prediction, card: ModelCard) -> str:
    """The origin of the parameters and their measured accuracy, in one line."""
    origin = {
        "user": "your own weights, accuracy unknown",
        "shipped": "weights shipped with this project",
        "hub": "public weights",
        "packaged": "weights from the package index",
    }[answer.provenance.source]
    line = f"{origin} ({answer.provenance.file}, sha256 {answer.provenance.sha256[:8]}…)"
    if answer.provenance.source != "user":
        measured = [f"{a.top1:.0f} % top-1 on {a.dataset}" for a in accuracies(card)]
        if measured:
            line += "; " + ", ".join(measured)
        if measured and answer.provenance.source == "shipped":
            line += ", with people and places never seen in training"
    return line


def _timeline(prediction: Prediction, clip: Clip) -> dict:
    """Lanes of the classes that were likely at some moment, in the order in which they peak.

    Where windows overlap they share the time between their centres; where they leave a gap the
    lane does too, since nobody looked there.
    """
    spans = prediction.seconds()
    centres = spans.mean(axis=1)
    between = (centres[1:] + centres[:-1]) / 2
    left = np.maximum(spans[:, 0], np.concatenate([[0.0], between]))
    right = np.minimum(spans[:, 1], np.concatenate([between, [clip.duration]]))
    peak = prediction.windows.max(axis=0)
    likely = np.argsort(-peak, kind="stable")[:LANES]
    likely = [i for i in likely if peak[i] >= min(0.25, peak.max())]
    lanes = []
    for i in sorted(likely, key=lambda i: prediction.windows[:, i].argmax()):
        name = prediction.classes[i]
        lanes.append(
            {
                "name": name,
                "cells": [
                    {
                        "seek": f"{start:.3f}",
                        "window": w,
                        "left": f"{left[w] / clip.duration * 100:.3f}",
                        "width": f"{(right[w] - left[w]) / clip.duration * 100:.3f}",
                        "p": f"{prediction.windows[w, i]:.3f}",
                        "label": f"{name}, {formatting.percent(float(prediction.windows[w, i]))}, "
                        f"{formatting.seconds(start)} to {formatting.seconds(end)}",
                    }
                    for w, (start, end) in enumerate(spans)
                ],
            }
        )
    return {"model": prediction.model, "title": prediction.title, "rows": lanes}


def ticks(duration: float, most: int = 5) -> list[dict]:
    """Round moments along the time axis."""
    step = next(s for s in (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 1e9) if duration / s <= most)
    return [
        {
            "left": f"{t / duration * 100:.2f}",
            "text": formatting.seconds(t).removesuffix(".0 s")
            + (" s" if t < 60 and t % 1 == 0 else ""),
        }
        for t in np.arange(0, duration * 0.97, step)
    ]


def _agreement(predictions: list[Prediction]) -> dict:
    matrix = agreement(predictions)
    rows = []
    for a, values in zip(predictions, matrix, strict=True):
        cells = []
        for b, value in zip(predictions, values, strict=True):
            none = bool(np.isnan(value))
            text = "–" if none else formatting.percent(value)
            label = (
                f"{a.title} knows {a.label_set}, {b.title} knows {b.label_set}"
                if none
                else f"{a.title} and {b.title}: {text}"
            )
            cells.append(
                {"p": f"{0 if none else value:.3f}", "text": text, "none": none, "label": label}
            )
        rows.append({"title": a.title, "cells": cells})
    note = (
        "A dash: the two models were taught different lists of actions, so their answers "
        "cannot be compared number by number."
        if np.isnan(matrix).any()
        else ""
    )
    return {"titles": [p.title for p in predictions], "rows": rows, "note": note}


def seen(
    clip: Clip, card: ModelCard, indices: np.ndarray, crops: int, pictures: SeenWindow
) -> Markup:
    """The strip of one window: its frames as filmed, with the crop, and as the network got them.

    Args:
        clip: the ingested clip.
        card: the model's card.
        indices: int64 [windows, frames], every window the model looked at.
        crops: 1 or 3.
        pictures: those of the window to show.
    """
    spec = card.input
    frames = indices[pictures.window]
    kept = f", {len(pictures.frames)} of them shown" if len(pictures.frames) < len(frames) else ""
    height, width = spec.crop
    number = pictures.given_count
    what = {
        "difference": formatting.count(number, "difference") + " between frames",
        "flow": formatting.count(number, "field") + " of optical flow",
        "rgb+flow": f"{number} RGB frames and fields of optical flow",
    }.get(spec.modality, formatting.count(number, "RGB frame"))
    start, end = frames.min() / clip.fps, (frames.max() + 1) / clip.fps
    return render(
        "recognize/seen",
        model=card.name,
        span=f"window {pictures.window + 1} of {len(indices)}, "
        f"{formatting.seconds(start)} to {formatting.seconds(end)}",
        moments=_moments(clip, card, start, end),
        filmed=[
            {"image": data_uri(image), "time": formatting.seconds(frame / clip.fps)}
            for frame, image in zip(pictures.frames, pictures.filmed, strict=True)
        ],
        inputs=[data_uri(image) for image in pictures.given],
        boxes=[
            {
                "left": f"{left / clip.width * 100:.2f}",
                "top": f"{top / clip.height * 100:.2f}",
                "width": f"{(right - left) / clip.width * 100:.2f}",
                "height": f"{(bottom - top) / clip.height * 100:.2f}",
            }
            for left, top, right, bottom in crop_boxes(spec, clip.width, clip.height, crops)
        ],
        input_label=f"Input of the network: {what}, {width} × {height} pixels",
        sentence=f"{formatting.count(len(np.unique(frames)), 'different frame')}{kept}; the network "
        f"receives {what} of {width} × {height} pixels.",
    )


def _moments(clip: Clip, card: ModelCard, start: float, end: float) -> list[tuple[str, str]]:
    """Titles of other pages, and their addresses with this window of the clip (seconds) and this model."""
    middle = (start + end) / 2
    # Flow and Motion look at a span, which is to have the window in it.
    span = min(max(end - start, 1.0), LONGEST, clip.duration)
    first = min(max(middle - span / 2, 0.0), clip.duration - span)
    film = min(max(middle - MOST_SECONDS / 2, 0.0), max(clip.duration - MOST_SECONDS, 0.0))
    pages = {
        "flow": {"start": round(first, 2), "seconds": round(span, 2)},
        "attention": {"model": card.name, "second": round(middle, 2)},
        "motion": {"models": card.name, "start": round(film, 2)},
    }
    if card.gmacs is None:  # no single network, so there is nothing to look into
        del pages["attention"]
    return [
        (page.capitalize(), f"{page}?{urlencode(link(clip, **settings))}")
        for page, settings in pages.items()
    ]
