"""Answers as JSON and as a table, for the page's downloads, the API and the command line alike."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from har_demo.clips.changes import changes
from har_demo.clips.clip import Clip
from har_demo.recognize.agreement import agreement
from har_demo.recognize.annotate import annotate
from har_demo.recognize.open_set import doubt
from har_demo.recognize.prediction import ModelError, Prediction

__all__ = ["annotate", "as_csv", "as_json", "cell_text", "clip_json"]

PLACES = 6
RANKS = 10
SOFTWARE = ("torch", "torchvision", "decord", "av", "numpy")
COLUMNS = ("clip", "model", "window", "start_s", "end_s", "rank", "class", "probability", "note")

Answers = Sequence[Prediction | ModelError]


def as_json(clip: Clip, answers: Answers) -> dict:
    """Return everything there is to know about the answers, in plain JSON types.

    Probabilities are rounded to six places. `predictions` and `refusals` keep the answers' order;
    the clip's path on this machine is left out. `agreement` compares the predictions with one
    another, in their order; null where their classes differ. `doubt` warns of a prediction that I3D contradicts.
    """
    predictions = [answer for answer in answers if isinstance(answer, Prediction)]
    return {
        "clip": clip_json(clip),
        "predictions": [
            _prediction(answer) | {"doubt": doubt(answer, predictions)} for answer in predictions
        ],
        "refusals": [asdict(a) for a in answers if isinstance(a, ModelError)],
        "agreement": [
            [None if np.isnan(share) else _rounded(share) for share in row]
            for row in agreement(predictions)
        ],
        "software": {name: found for name in SOFTWARE if (found := _version(name))},
    }


def clip_json(clip: Clip) -> dict:
    """Return the facts of a clip as JSON, but for its path on this machine.

    `changes` says in a sentence each what was done to the file.
    """
    return {
        "sha256": clip.sha256,
        "frames": clip.frames,
        "fps": _rounded(clip.fps),
        "duration": _rounded(clip.duration),
        "width": clip.width,
        "height": clip.height,
        "source": asdict(clip.source),
        "changes": changes(clip),
    }


def as_csv(clip: Clip, answers: Answers) -> str:
    """Return CSV with a row per model, window and rank (the ten likeliest), then the model's 'overall' rows.

    RFC 4180: comma-separated, CRLF. A model that could not answer has one row with its reason as the note.
    """
    sheet = io.StringIO()
    table = csv.writer(sheet)
    table.writerow(COLUMNS)
    name = cell_text(clip.source.name)
    for answer in answers:
        model = cell_text(answer.model)
        if isinstance(answer, ModelError):
            table.writerow((name, model, "", "", "", "", "", "", cell_text(answer.message)))
            continue
        spans = answer.seconds()
        rows = [(number, *span) for number, span in enumerate(spans)]
        rows.append((None, spans[:, 0].min(), spans[:, 1].max()))
        for window, start, end in rows:
            label = "overall" if window is None else window
            for rank, (label_name, probability) in enumerate(answer.top(RANKS, window), start=1):
                table.writerow(
                    (
                        *(name, model, label, _rounded(start), _rounded(end)),
                        *(
                            rank,
                            cell_text(label_name),
                            f"{probability:.{PLACES}f}",
                            cell_text(answer.note),
                        ),
                    )
                )
    return sheet.getvalue()


def _prediction(prediction: Prediction) -> dict:
    windows = zip(prediction.seconds(), prediction.frames, prediction.windows, strict=True)
    return {
        "model": prediction.model,
        "title": prediction.title,
        "label_set": prediction.label_set,
        "classes": list(prediction.classes),
        "top": [
            {"class": name, "probability": _rounded(probability)}
            for name, probability in prediction.top(5)
        ],
        "overall": [_rounded(value) for value in prediction.overall],
        "windows": [
            {
                "start": _rounded(start),
                "end": _rounded(end),
                "frames": frames.tolist(),
                "probabilities": [_rounded(value) for value in scores],
            }
            for (start, end), frames, scores in windows
        ],
        "sampling": {
            "frames": prediction.frames.shape[1],
            "stride": prediction.stride,
            "windows": len(prediction.frames),
            "distinct_frames": prediction.distinct_frames,
            "crops": prediction.crops.tolist(),
            "fps": _rounded(prediction.fps),
        },
        "times_ms": {name: round(value, 3) for name, value in asdict(prediction.times).items()},
        "flow": prediction.flow or None,
        "device": prediction.device,
        "provenance": asdict(prediction.provenance),
        "note": prediction.note,
    }


def _rounded(value: float) -> float:
    return round(float(value), PLACES)


def cell_text(value: str) -> str:
    """A spreadsheet runs a cell that begins like a formula; a quote in front makes it text."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else value


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
