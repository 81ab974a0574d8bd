"""Samplings and their answers as JSON and as a table, for the page, the API and the command line."""

import csv
import io
from collections.abc import Sequence

from har_demo.explain.film import Stretch
from har_demo.explain.samplings import Sampled, verdict
from har_demo.recognize.export import cell_text, clip_json
from har_demo.recognize.prediction import Prediction

COLUMNS = (
    *("clip", "model", "kind", "frames", "stride", "answer", "probability"),
    *("gmacs", "prepare_ms", "forward_ms", "frame_numbers", "note"),
)


def samplings_json(stretch: Stretch, found: Sequence[Sampled]) -> dict:
    """Everything there is to know, in plain JSON types; frames are numbered in the whole clip."""
    start, end = stretch.seconds
    return {
        "clip": clip_json(stretch.source),
        "start": round(start, 6),
        "end": round(end, 6),
        "passes": [_pass(stretch, one) for one in found],
        "verdict": verdict(found),
    }


def _pass(stretch: Stretch, one: Sampled) -> dict:
    way = {"kind": one.way.kind, "frames": one.way.frames, "stride": one.way.stride}
    told = {"model": one.model, "title": one.title} | way
    told["frame_numbers"] = (stretch.start + one.indices).tolist()
    if not isinstance(one.answer, Prediction):
        return told | {"message": one.answer.message}
    return told | {
        "top": [
            {"class": name, "probability": round(share, 6)} for name, share in one.answer.top(5)
        ],
        "gmacs": None if one.gmacs is None else round(one.gmacs, 4),
        "prepare_ms": round(one.prepare, 3),
        "forward_ms": round(one.forward, 3),
        "device": one.answer.device,
        "note": one.answer.note,
    }


def samplings_csv(stretch: Stretch, found: Sequence[Sampled]) -> str:
    """A row for every pass. RFC 4180."""
    sheet = io.StringIO()
    table = csv.writer(sheet)
    table.writerow(COLUMNS)
    for told in (_pass(stretch, one) for one in found):
        best = told.get("top", [{"class": "", "probability": ""}])[0]
        table.writerow(
            (
                *(cell_text(stretch.source.source.name), cell_text(told["model"])),
                *(told["kind"], told["frames"], told["stride"]),
                *(cell_text(best["class"]), best["probability"]),
                *(told.get(name) for name in ("gmacs", "prepare_ms", "forward_ms")),
                " ".join(map(str, told["frame_numbers"])),
                cell_text(told.get("message", told.get("note", ""))),
            )
        )
    return sheet.getvalue()
