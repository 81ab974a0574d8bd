"""An answer to prompts becomes the right-hand side of the Prompts page."""

import json
from dataclasses import dataclass, replace

import cv2
import numpy as np

from har_demo.clips.clip import Clip
from har_demo.interface import formatting
from har_demo.interface.links import prompts_link
from har_demo.interface.pages.recognize.view import ticks
from har_demo.interface.render import data_uri, fragment, render
from har_demo.prompts import SOFTMAX, HeatMap, PromptAnswer, about, embedded
from har_demo.prompts.heatmap import IMAGE_ENCODER

SURE = 0.5  # from here on a prompt 'fits'
BARS = 8  # prompts with a bar; the others are folded away
LINES = 6  # prompts with a line over time and a picture; style has as many colours
NOTES = 4  # remarks shown at once
NONE = "none of these"


@dataclass(frozen=True)
class PromptsOnPage:
    """What the right-hand side shows.

    Attributes:
        clip: what was asked about.
        shown: hash of the clip that stood under 'Your clip'.
        answer: as it is read now.
        frames: every frame that was looked at, as small pictures, so that nothing is read twice.
    """

    clip: Clip
    shown: str
    answer: PromptAnswer
    frames: tuple[str, ...]

    def with_answer(self, answer: PromptAnswer) -> "PromptsOnPage":
        return replace(self, answer=answer)


def small(frame: np.ndarray) -> str:
    """A frame uint8 [H, W, 3] as a small picture in a data: address."""
    return data_uri(frame, height=120)


def results(on_page: PromptsOnPage) -> str:
    """The whole panel: verdict, bars, similarity over time, best frames."""
    clip, answer = on_page.clip, on_page.answer
    headline, subline = _verdict(clip, answer)
    order = np.argsort(-answer.probabilities, kind="stable")
    lines = [int(i) for i in order[:LINES]]
    rows = _rows(answer, order, lines)
    more = [row for row in rows[BARS:] if not row["none"]]
    return render(
        "prompts/results",
        asked=json.dumps({"clip": clip.sha256, "shown": on_page.shown}),
        link=json.dumps(prompts_link(clip, answer)),
        clip=clip,
        headline=headline,
        subline=subline,
        notes=_notes(answer),
        shown_notes=NOTES,
        rows=[row for row in rows if row not in more],
        more=more,
        softmax=SOFTMAX,
        chart=_chart(clip, answer, lines),
        ticks=ticks(clip.duration),
        pictures=_pictures(on_page, lines),
    )


def answered_by(on_page: PromptsOnPage) -> str:
    """Name the model that answered, its abilities, and how the answer came about."""
    answer = on_page.answer
    return fragment(
        "prompts/parts",
        "answered",
        able=about(answer.model),
        title=answer.title,
        facts=_facts(on_page),
        provenance=[
            f"{one.note} ({one.file}, sha256 {one.sha256[:8] or 'unknown'}…)"
            for one in answer.provenance
        ],
    )


def _verdict(clip: Clip, answer: PromptAnswer) -> tuple[str, str]:
    best, share = answer.top(1)[0]
    if answer.nothing:
        headline = f"None of these, most likely; the nearest is '{_short(best)}'"
    elif share >= SURE or len(answer.prompts) == 1:
        headline = f"'{_short(best)}' fits best"
    else:
        headline = f"Not sure; '{_short(best)}' fits best"
    asked = formatting.count(len(answer.prompts), "prompt")
    frames = formatting.count(len(answer.frames), "frame")
    return headline, (
        f"{clip.source.name}, {formatting.seconds(clip.duration)} · {asked} in {frames} · {answer.title}"
    )


def _short(text: str) -> str:
    """A prompt that may be a page long, for a headline or a label."""
    return text if len(text) <= 80 else f"{text[:79]}…"


def _notes(answer: PromptAnswer) -> list[str]:
    alone = len(answer.prompts) == 1 and answer.none is None
    one = "There is one prompt alone, so its probability is 100 % whatever the clip shows."
    return [one] * alone + list(answer.notes)


def _rows(answer: PromptAnswer, order: np.ndarray, lines: list[int]) -> list[dict]:
    """Every prompt and 'none of these', the likeliest first."""
    rows = [
        _row(
            answer.prompts[i],
            float(answer.probabilities[i]),
            float(answer.pooled[i]),
            lines.index(i) if i in lines else None,
            f"read up to '…{answer.readings[i].read[-40:]}'" if answer.readings[i].cut else "",
        )
        for i in map(int, order)
    ]
    if answer.none is not None:
        row = _row(NONE, answer.none, answer.none_pooled, None) | {"none": True}
        row["name_title"] = "The best of: " + "; ".join(answer.background)
        rows.append(row)
        rows.sort(key=lambda one: -one["share"])
    return rows


def _row(name: str, share: float, similarity: float, line: int | None, remark: str = "") -> dict:
    return {
        "name": _short(name),
        "name_title": name,
        "share": share,
        "percent": formatting.percent(share),
        "width": f"{max(share, 0.004) * 100:.1f}",
        "similarity": formatting.signed(similarity),
        "line": line,
        "remark": remark,
        "none": False,
    }


def _chart(clip: Clip, answer: PromptAnswer, lines: list[int]) -> dict:
    """Similarities over time as lines in a box of 1000 × 100, and a press for every frame."""
    seconds = answer.seconds() + 0.5 / answer.fps
    x = seconds / clip.duration
    behind = answer.none_similarity
    every = [answer.similarity[:, i] for i in lines] + ([] if behind is None else [behind])
    low, high = min(map(np.min, every)), max(map(np.max, every))
    room = max(high - low, 0.02) * 0.06
    low, high = float(low - room), float(high + room)

    def path(values: np.ndarray) -> str:
        y = (high - values) / (high - low)
        points = [f"{a * 1000:.1f},{b * 100:.2f}" for a, b in zip(x, y, strict=True)]
        if len(points) == 1:  # a clip of one moment has one value all along
            points = [f"0,{y[0] * 100:.2f}", f"1000,{y[0] * 100:.2f}"]
        return " ".join(points)

    edges = np.concatenate([[0.0], (x[1:] + x[:-1]) / 2, [1.0]])
    cells = []
    for t, moment in enumerate(answer.seconds()):
        told = [
            f"{_short(answer.prompts[i])} {formatting.signed(answer.similarity[t, i])}"
            for i in sorted(lines, key=lambda i: -answer.similarity[t, i])[:3]
        ]
        cells.append(
            {
                "seek": f"{moment:.3f}",
                "left": f"{edges[t] * 100:.3f}",
                "width": f"{(edges[t + 1] - edges[t]) * 100:.3f}",
                "label": f"{formatting.seconds(moment)}: {'; '.join(told)}",
            }
        )
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1) if (high - low) / s <= 5)
    levels = np.arange(np.ceil(low / step) * step, high, step)
    return {
        "lines": [
            {
                "colour": n,
                "name": _short(answer.prompts[i]),
                "points": path(answer.similarity[:, i]),
            }
            for n, i in enumerate(lines)
        ],
        "none": "" if behind is None else path(behind),
        "cells": cells,
        "levels": [
            {"top": f"{(high - value) / (high - low) * 100:.2f}", "text": formatting.signed(value)}
            for value in levels
        ],
        "hidden": len(answer.prompts) - len(lines),
    }


def _pictures(on_page: PromptsOnPage, lines: list[int]) -> list[dict]:
    """The best frame of each prompt that has a line."""
    answer = on_page.answer
    found = []
    for colour, i in enumerate(lines):
        t = int(answer.similarity[:, i].argmax())
        moment = answer.seconds()[t]
        found.append(
            {
                "prompt": i,
                "colour": colour,
                "name": _short(answer.prompts[i]),
                "image": on_page.frames[t],
                "seek": f"{moment:.3f}",
                "time": formatting.seconds(moment),
                "similarity": formatting.signed(answer.similarity[t, i]),
            }
        )
    return found


def _facts(on_page: PromptsOnPage) -> list[tuple[str, str]]:
    answer = on_page.answer
    times = answer.times
    looked = (
        f"{formatting.milliseconds(times.decode)} reading, {formatting.milliseconds(times.image)} image encoder"
        if times.image
        else "frames known from before"
    )
    own = np.isclose(answer.temperature, answer.own_temperature(answer.pooling))
    asked_as = "; ".join(answer.templates)
    if answer.pooling == "transformer":
        asked_as = f"learned vectors around each prompt; over time: {asked_as}"
    return [
        ("time", f"{looked}, {formatting.milliseconds(times.text)} text encoder"),
        ("on", answer.device),
        ("temperature", f"{answer.temperature:.3g}" + (", the model's own" if own else "")),
        ("asked as", asked_as),
    ]


def heat_shown(found: HeatMap, frame: np.ndarray, fps: float) -> str:
    """One prompt's heat map over its frame, beside the frame itself.

    Args:
        found: of one frame.
        frame: uint8 [H, W, 3], RGB.
        fps: of the clip.
    """
    rows, columns = found.grid
    low, high = float(found.values.min()), float(found.values.max())
    shares = found.overlay()[0]
    gain = found.kind == "relevance"
    return fragment(
        "prompts/parts",
        "heat",
        prompt=_short(found.prompt),
        time=formatting.seconds(found.frames[0] / fps),
        frame=data_uri(frame, height=300),
        overlay=data_uri(_blend(frame, shares), height=300),
        low="none" if gain else formatting.signed(low),
        high="most" if gain else formatting.signed(high),
        ramp=_ramp(),
        sentence=f"The last grid of {found.grid_of} has {rows} × {columns} cells, and each is shown as "
        "it is. "
        + (
            "Brighter cells would raise the similarity more."
            if gain
            else "Brighter cells resemble the prompt more, compared with the other cells of this "
            "frame; the brightest may still resemble it little."
        )
        + _motion_counts(found)
        + (" What is dark lies outside its picture." if np.isnan(shares).any() else ""),
    )


def _motion_counts(found: HeatMap) -> str:
    if found.model != embedded.NAME:
        return ""
    if found.grid_of == IMAGE_ENCODER:
        return " Motion counts in the answer but not here."
    return (
        " A number is the probability that the action recognised there, in about a second around this "
        "frame, is one that the prompt means."
    )


def _blend(frame: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Colours over a frame; where the model does not look, the frame is dark."""
    looked = np.isfinite(shares)
    levels = (np.where(looked, shares, 0) * 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)
    mixed = np.where(looked[..., None], 0.45 * frame + 0.55 * colours, 0.35 * frame)
    return mixed.round().astype(np.uint8)


def _ramp() -> str:
    levels = np.linspace(0, 255, 64).astype(np.uint8)[None].repeat(8, axis=0)
    return data_uri(
        cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)
    )
