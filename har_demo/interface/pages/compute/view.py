"""HTML of the Compute page: the layers of a network, and four convolutions beside each other."""

import csv
import io
from base64 import b64encode
from urllib.parse import urlencode

import gradio as gr

from har_demo.errors import UserError
from har_demo.interface import formatting, plots
from har_demo.interface.render import notice, render
from har_demo.models.card import ModelCard
from har_demo.models.registry import card, cards
from har_demo.profiling.convolutions import Convolution, convolutions
from har_demo.profiling.layers import Layer, table
from har_demo.profiling.what_if import FRAMES, SIDES, Explored, adjustable, explore, stages

START = "r2plus1d_18"
UNITS = {"multiply-adds (MACs)": "MAC", "FLOPs, two for each": "FLOP"}
PER_MAC = {"MAC": 1, "FLOP": 2}


def network_choices() -> list[tuple[str, str]]:
    """Return every network, tiny and of the papers, as a dropdown offers them."""
    return [
        (f"{one.title} · {one.year}", one.name) for one in cards().values() if one.gmacs is not None
    ]


def restore(request: gr.Request) -> tuple:
    """Show what a link names: updates of model, frames, side, unit, network, convolution."""
    query = dict(request.query_params)
    model, problem = query.get("model") or START, ""
    try:
        card(model)
    except UserError as wrong:
        model, problem = START, notice(str(wrong), "warn")
    unit = query["count"] if query.get("count") in PER_MAC else "MAC"
    own = card(model).input
    frames, side = _number(query.get("frames"), own.frames), _number(query.get("side"), own.crop[0])
    shown = layers_shown(model, frames, side, unit)
    return (
        model,
        *_sliders(model, frames, side),
        unit,
        problem + shown,
        convolutions_shown(64, 64, 3, 1, 8, 28, unit),
    )


def choose(model: str, unit: str) -> tuple:
    """Another network, at its own view: updates of frames, side, network."""
    own = card(model).input
    frames, side = own.frames, own.crop[0]
    return *_sliders(model, frames, side), layers_shown(model, frames, side, unit)


def _sliders(model: str, frames: int, side: int) -> tuple:
    other_frames, other_side = adjustable(model)
    fixed = "this network takes no other"
    return (
        gr.update(
            value=frames,
            maximum=FRAMES[1] if frames > 64 else 64,
            interactive=other_frames,
            info="" if other_frames else fixed,
        ),
        gr.update(
            value=side,
            maximum=SIDES[1] if side > 256 else 256,
            interactive=other_side,
            info="" if other_side else fixed,
        ),
    )


def layers_shown(model: str, frames: int, side: int, unit: str) -> str:
    """A network's layers as HTML: figures, bars, tables; or a sentence that says why not."""
    try:
        counted = explore(model, frames, side)
    except UserError as problem:
        return notice(str(problem), "warn")
    one, per = counted.card, PER_MAC[unit]
    link = {"model": one.name, "frames": counted.frames, "side": counted.side, "count": unit}
    return render(
        "compute/layers",
        title=one.title,
        hue=formatting.hue(one.family),
        card=one,
        view=_view_words(one, counted),
        link="?" + urlencode(link),
        facts=(
            ("parameters", thousands(counted.parameters), "what is learned"),
            (
                "multiply-adds" if unit == "MAC" else "FLOPs",
                thousands(counted.gmacs * per * 1e9),
                "of one view; convolutions and matrix products",
            ),
            (
                "activations",
                f"{counted.megabytes:,.0f} MB",
                "written by the layers below, 4 bytes a number",
            ),
        ),
        chart=plots.draw(
            _bars(counted, unit), f"Parameters, cost and memory of {one.title}, layer by layer", 460
        ),
        parts=[_row(name, inside, counted, per) for name, inside in stages(counted.layers)],
        every=[_line(layer, per) for layer in counted.layers],
        unit=unit,
        file=f"{one.name}_{counted.frames}x{counted.side}.csv",
        csv=_csv(counted),
    )


def _bars(counted: Explored, unit: str) -> dict:
    """Three rows of bars over the same layers."""
    parts = stages(counted.layers)
    starts, place = [], 0
    for name, inside in parts:
        starts.append((place, name))
        place += len(inside)
    # Layers of a part may lie apart, as where two paths take turns; here they stand together.
    layers = [layer for _, inside in parts for layer in inside]
    hover = [
        f"<b>{layer.name}</b><br>{layer.kind} {layer.window}<br>"
        f"gives out {_shape(layer)}<br>{layer.parameters:,} parameters<br>"
        f"{thousands(layer.gmacs * PER_MAC[unit] * 1e9)} {unit}s<br>{layer.megabytes:,.2f} MB"
        for layer in layers
    ]
    rows = (
        ("parameters", [layer.parameters for layer in layers], "hue(224)"),
        (f"{unit}s", [layer.gmacs * PER_MAC[unit] * 1e9 for layer in layers], "var(--accent)"),
        ("bytes", [layer.megabytes * 1e6 for layer in layers], "hue(28)"),
    )
    data = [
        {
            "type": "bar",
            "x": list(range(len(layers))),
            "y": values,
            "name": name,
            "marker": {"color": colour},
            "hovertext": hover,
            "hoverinfo": "text",
            "customdata": [layer.name for layer in layers],
            "xaxis": "x",
            "yaxis": axis,
        }
        for axis, (name, values, colour) in zip(("y", "y2", "y3"), rows, strict=True)
    ]
    axes = {
        key: {
            "domain": domain,
            "title": {"text": row[0], "standoff": 4},
            "tickformat": "~s",
            "nticks": 4,
            "rangemode": "tozero",
        }
        for key, domain, row in zip(
            ("yaxis", "yaxis2", "yaxis3"), ([0.7, 1], [0.36, 0.66], [0.02, 0.32]), rows, strict=True
        )
    }
    ticks = []  # a part's name stands where it begins, if there is room for it
    for at, name in starts:
        if not ticks or at - ticks[-1][0] >= len(layers) / 14:
            ticks.append((at, name.split(".")[-1] if len(name) > 14 else name))
    return {
        "data": data,
        "layout": {
            **axes,
            "xaxis": {
                "tickvals": [at for at, _ in ticks],
                "ticktext": [name for _, name in ticks],
                "anchor": "y3",
                "showgrid": False,
                "tickangle": -40,
            },
            "showlegend": False,
            "bargap": 0.15,
            "hovermode": "closest",
            "margin": {"l": 66, "r": 8, "t": 8, "b": 56},
        },
    }


def _row(name: str, inside: tuple[Layer, ...], counted: Explored, per: int) -> dict:
    gmacs = sum(layer.gmacs for layer in inside)
    return {
        "name": name,
        "layers": formatting.count(len(inside), "layer"),
        "output": _shape(inside[-1]),
        "parameters": thousands(sum(layer.parameters for layer in inside)),
        "cost": thousands(gmacs * per * 1e9),
        "share": f"{100 * gmacs / counted.gmacs:.0f}" if counted.gmacs else "0",
        "memory": f"{sum(layer.megabytes for layer in inside):,.1f}",
    }


def _line(layer: Layer, per: int) -> dict:
    return {
        "name": layer.name,
        "kind": f"{layer.kind} {layer.window}"
        + (f", {layer.runs} times" if layer.runs > 1 else ""),
        "output": _shape(layer),
        "parameters": f"{layer.parameters:,}" if layer.parameters else "",
        "cost": thousands(layer.gmacs * per * 1e9) if layer.gmacs else "",
        "memory": f"{layer.megabytes:,.2f}" if layer.numbers else "",
    }


def _shape(layer: Layer) -> str:
    size = " × ".join(map(str, layer.output)) or "nothing by itself"
    return f"{layer.together} of {size}" if layer.together > 1 else size


def _view_words(one: ModelCard, counted: Explored) -> str:
    own = (one.input.frames, one.input.crop[0])
    view = f"{formatting.count(counted.frames, 'frame')} of {counted.side} × {counted.side} pixels"
    if one.input.modality == "flow":
        view = view.replace("frame", "field of flow" if counted.frames == 1 else "field")
        view = view.replace("fields of", "fields of flow of")
    if (counted.frames, counted.side) == own:
        return f"One view of {view}, as it is published or trained here."
    return f"One view of {view}; its own is {own[0]} of {own[1]} × {own[1]}."


def convolutions_shown(
    inputs: int, outputs: int, kernel: int, groups: int, frames: int, side: int, unit: str
) -> str:
    """Four convolutions for the same channels as HTML, with the formulas filled in."""
    try:
        counted = convolutions(inputs, outputs, kernel, groups, frames, side)
    except UserError as problem:
        return notice(str(problem), "warn")
    per = PER_MAC[unit]
    most = {
        name: max(getattr(one, name) for one in counted) or 1
        for name in ("parameters", "macs", "interactions")
    }
    return render(
        "compute/convolutions",
        n={
            "inputs": inputs,
            "outputs": outputs,
            "k": kernel,
            "groups": groups,
            "inside": inputs // groups,
            "frames": frames,
            "side": side,
            "parameters": f"{counted[0].parameters:,}",
            "macs": f"{counted[0].macs * per:,}",
            "interactions": f"{counted[0].interactions:,}",
        },
        flop=unit == "FLOP",
        unit=unit,
        rows=[_way(one, most, per) for one in counted],
    )


def _way(one: Convolution, most: dict[str, int], per: int) -> dict:
    def cell(name: str, factor: int = 1) -> dict:
        value = getattr(one, name)
        return {
            "exact": f"{value * factor:,}",
            "text": thousands(value * factor),
            "width": f"{100 * value / most[name]:.1f}",
        }

    return {
        "name": one.name,
        "idea": one.idea,
        "possible": bool(one.parts),
        "parts": [_part(part) for part in one.parts],
        "cells": [cell("parameters"), cell("macs", per), cell("interactions")],
    }


def _part(part) -> str:
    size = "×".join(map(str, part.kernel))
    groups = f", {part.groups} groups" if part.groups > 1 else ""
    return f"{size}, {part.inputs} → {part.outputs}{groups}"


def thousands(value: float) -> str:
    """A large number with three digits: '31.5 M', '40.7 G', '960'.

    >>> thousands(31_505_325)
    '31.5 M'
    """
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return (
                f"{value / size:.3g} {letter}"
                if value < 1000 * size
                else f"{value / size:,.0f} {letter}"
            )
    return f"{value:.0f}"


def _csv(counted: Explored) -> str:
    """The table as a data: address; it is small, and no file has to be kept for it."""
    text = io.StringIO()
    csv.writer(text).writerows(table(counted.layers))
    return "data:text/csv;base64," + b64encode(text.getvalue().encode()).decode()


def _number(text: str | None, own: int) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 5 else own
