"""HTML of the Lecture page: chapters with their systems, and data sets through time."""

import math
from urllib.parse import urlencode

import gradio as gr

from har_demo.interface import formatting, plots
from har_demo.interface.pages.lecture.pictures import drawn as drawn_lanes
from har_demo.interface.pages.lecture.pictures import picture
from har_demo.interface.render import render
from har_demo.models.registry import card
from har_demo.profiling.shapes import prompting_lanes
from har_demo.prompts import embedded
from har_demo.tables.datasets import TITLES
from har_demo.tables.lecture import (
    CHAPTERS,
    SCALES,
    Chapter,
    System,
    data_sets,
    limits,
    measured_of,
    prompting,
    scores,
)
from har_demo.weights import availability
from har_demo.weights.state import megabytes

INPUTS = {
    "rgb": "frames",
    "difference": "differences of frames",
    "flow": "optical flow",
    "rgb+flow": "frames and optical flow",
}


def story() -> list[str]:
    """Return every chapter as HTML, its pictures still to come."""
    return [_chapter(number, one, False) for number, one in enumerate(CHAPTERS, start=1)]


def pictures():
    """Draw the chapters again, with pictures, one after another: updates of all of them."""
    for number, one in enumerate(CHAPTERS, start=1):
        updates = [gr.skip()] * len(CHAPTERS)
        updates[number - 1] = _chapter(number, one, True)
        yield updates


def _chapter(number: int, one: Chapter, drawn: bool) -> str:
    return render(
        "lecture/chapter",
        number=number,
        one=one,
        systems=[_system(system, drawn) for system in one.systems],
        picture=drawn_lanes(prompting_lanes(), formatting.hue("Language"))
        if not one.systems
        else "",
        measured=prompting() if not one.systems else (),
        tower=embedded.TITLE if not one.systems else "",
    )


def _system(system: System, drawn: bool) -> dict:
    shown, entry = system.card, measured_of(system)
    hue = formatting.hue(shown.family)
    return {
        "title": shown.title,
        "year": shown.year,
        "hue": hue,
        "idea": shown.idea,
        "note": shown.note,
        "picture": picture(shown.name, hue) if drawn else "",
        "drawn": drawn,
        "scores": [
            {"name": TITLES[dataset], "text": f"{value:.0f} %", "width": f"{value:.0f}"}
            for dataset, value in (scores(entry) if entry else {}).items()
        ],
        "measured": f"The tiny size, {entry.parameters / 1e6:.1f} million parameters, on "
        f"{INPUTS[entry.input]}, {formatting.count(len(entry.seeds), 'training')}"
        if entry
        else "",
        "limits": limits(entry) if entry else (),
        "links": _links(system, entry),
        "paper": shown.paper,
        "paper_url": shown.paper_url,
    }


def _links(system: System, entry) -> list[dict]:
    """Return links to other pages; a model that cannot be run is not offered."""
    links = []
    for name in filter(None, (system.tiny, system.paper)):
        one = card(name)
        weights = availability(one)
        if weights.state == "missing":
            continue
        more = f", fetches {megabytes(weights.bytes)}" if weights.state == "download" else ""
        title = one.title if one.size == "tiny" else f"{one.title} of the paper"
        links.append({"to": f"./?models={name}", "words": f"Run {title}{more}"})
    links.append({"to": f"./compute?model={system.card.name}", "words": "Layers and cost"})
    if entry:
        links.append(
            {"to": f"./measured?data=rendered&model={entry.key}", "words": "Its confusions"}
        )
    mark = urlencode({"mark": system.card.title.split(" (")[0]})
    links.append({"to": f"./compare?{mark}", "words": "Compare"})
    return links


def data_sets_shown() -> str:
    """Return data sets through time as HTML: a chart and a table."""
    sets = data_sets()
    return render(
        "lecture/data",
        chart=plots.draw(_time_chart(sets), "Data sets through time", 460),
        rows=[
            {
                "name": one.name,
                "year": one.year,
                "classes": one.classes,
                "clips": f"{one.clips:,}",
                "scale": one.scale,
                "scenes": one.scenes,
                "lecture": "yes" if one.in_lecture else "",
                "source": one.source,
                "link": one.source if one.source.startswith("https://") else "",
                "unverified": one.status == "unverified",
                "note": one.note,
            }
            for one in sets
        ],
    )


def _time_chart(sets) -> dict:
    """Year against clips, the area of a point its classes, its colour the lecture's scale."""
    hues = dict(zip(SCALES, (28, 48, 172, 224, 292), strict=True))
    beside = _beside(sets)
    traces = []
    for scale in SCALES:
        some = [one for one in sets if one.scale == scale]
        if not some:
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "name": scale,
                "x": [one.year for one in some],
                "y": [one.clips for one in some],
                "text": [one.name for one in some],
                "textposition": [beside[one.name] for one in some],
                "textfont": {"size": 11},
                "marker": {
                    "size": [round(6 + 1.1 * math.sqrt(one.classes)) for one in some],
                    "color": f"hue({hues[scale]})",
                    "opacity": [0.85 if one.status == "documented" else 0.45 for one in some],
                    "line": {"width": 0},
                },
                "hovertext": [
                    f"<b>{one.name}</b>, {one.year}<br>{one.classes} classes, {one.clips:,} clips<br>"
                    f"{one.scenes}"
                    + ("<br>recalled, not checked" if one.status == "unverified" else "")
                    for one in some
                ],
                "hoverinfo": "text",
                "cliponaxis": False,
            }
        )
    return {
        "data": traces,
        "layout": {
            "xaxis": {"tickvals": [2004, 2008, 2012, 2016, 2020, 2024], "range": [1999, 2032]},
            "yaxis": {"type": "log", "title": {"text": "clips"}, "dtick": 1},
            "legend": {"orientation": "h", "y": -0.16, "x": 0},
            "margin": {"l": 64, "r": 12, "t": 10, "b": 60},
        },
    }


def _beside(sets) -> dict[str, str]:
    """Return the side of each point that its name stands on: apart from those of the years beside, and of its own year in turns."""
    sides = {}
    for year in sorted({one.year for one in sets}):
        same = sorted((one for one in sets if one.year == year), key=lambda one: -one.clips)
        after = any(one.year == year + 1 for one in sets)
        before = any(one.year == year - 1 for one in sets)
        first = "middle left" if after and not before else "middle right"
        alone = len(same) == 1 and not after and not before
        for number, one in enumerate(same):
            turned = {"middle left": "middle right", "middle right": "middle left"}[first]
            sides[one.name] = "top center" if alone else turned if number % 2 else first
    return sides
