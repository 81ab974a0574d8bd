"""Requests from the choices of a person, and files of the answers: shared by the page and the API."""

import json
from collections.abc import Sequence
from pathlib import Path

from har_demo.clips.clip import Clip
from har_demo.errors import ChoiceError
from har_demo.recognize.export import as_csv, as_json
from har_demo.recognize.prediction import ModelError, Prediction, Request


def requests(
    chosen: Sequence[str], settings: dict, own_model: str = "", own_file: str | None = None
) -> list[Request]:
    """One request per chosen model, however often it is named.

    Args:
        chosen: names of model cards.
        settings: frames, stride, windows, crops and others of a Request; None means the card's own.
        own_model, own_file: the model that shall use the person's own weights, and their file.

    Raises:
        ChoiceError: no model is chosen, or own weights have no model or no file.
    """
    if not chosen:
        raise ChoiceError("No model is ticked: tick at least one under 'Models'.")
    if own_file and own_model not in chosen:
        raise ChoiceError(
            "Your own weights belong to no ticked model: choose the model they are for and tick it."
        )
    if own_model and not own_file:
        raise ChoiceError(
            "The file of your own weights is missing: add it, or set 'Your own weights for' to none."
        )
    return [
        Request(name, **settings, weights=own_file if name == own_model else None)
        for name in dict.fromkeys(chosen)
    ]


def write_files(
    clip: Clip, answers: Sequence[Prediction | ModelError], folder: Path
) -> tuple[Path, Path]:
    """The answers as JSON and CSV, named after the clip."""
    stem = Path(clip.source.name).stem or "clip"
    json_path, csv_path = folder / f"{stem}-answers.json", folder / f"{stem}-answers.csv"
    json_path.write_text(json.dumps(as_json(clip, answers), indent=1), encoding="utf-8")
    csv_path.write_text(as_csv(clip, answers), encoding="utf-8")
    return json_path, csv_path
