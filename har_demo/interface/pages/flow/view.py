"""HTML of the right-hand side of the Flow page: motion over time, one pair of frames, input of a network."""

import json
import math
from dataclasses import dataclass

import numpy as np

from har_demo.flow.colour import FLOOR, arrows, coloured, heat, length, wheel
from har_demo.flow.look import STILL, FlowResult, notes
from har_demo.flow.stack import Stack, as_bytes, memory
from har_demo.flow.warp import fetched
from har_demo.interface import formatting
from har_demo.interface.address import link
from har_demo.interface.render import data_uri, render
from har_demo.models.card import ModelCard
from har_demo.models.registry import card
from har_demo.recognize.two_streams import Fusable

BRIGHTEST = 48.0  # grey levels of difference that are drawn as the brightest
ACTIONS = 5  # with a bar for each stream
QUALITY = 88


@dataclass(frozen=True)
class FlowOnPage:
    """The right-hand side of the page.

    Attributes:
        look: the flow.
        shown: hash of the clip that stood under 'Your clip'.
        pair: which pair of frames is shown.
        without_camera: camera motion is removed.
        span: (start, duration) that were asked for, seconds.
    """

    look: FlowResult
    shown: str
    pair: int
    without_camera: bool
    span: tuple[float | None, float | None] = (None, None)

    def link(self) -> dict[str, str]:
        """What a shared link names, and what `callbacks.restore_flow` brings back."""
        method, beside = (*(way.method for way in self.look.ways), "")[:2]
        start, duration = self.span
        return link(
            self.look.clip,
            method=method,
            beside=beside,
            start=start,
            seconds=duration,
            without_camera=self.without_camera,
        )


def fastest(look: FlowResult, without_camera: bool) -> int:
    """Return the pair in which most moves: the peak of the first method's line in the chart."""
    return int(_means(look, without_camera)[0].argmax())


def when(on_page: FlowOnPage) -> str:
    """The verdict, and motion over time."""
    look = on_page.look
    clip, without = look.clip, on_page.without_camera
    still = max(way.tops.max() for way in look.ways) < STILL
    moment = formatting.seconds(look.seconds()[fastest(look, without)])
    times = " · ".join(
        f"{w.title}: {formatting.milliseconds(w.milliseconds)} a pair" for w in look.ways
    )
    span = f"{formatting.seconds(look.seconds()[0])} to {formatting.seconds(_end(look))}"
    return render(
        "flow/when",
        asked=json.dumps({"clip": clip.sha256, "shown": on_page.shown}),
        link=json.dumps(on_page.link()),
        clip=clip,
        headline="Nothing moves here" if still else f"Most moves at {moment}",
        subline=f"{clip.source.name}, {span} · {formatting.count(len(look.pairs), 'pair')} of frames, "
        f"{look.size[1]} × {look.size[0]} pixels · {times}",
        notes=notes(look, without),
        chart=_chart(look, without),
        ticks=_ticks(look),
        start=f"{look.seconds()[0] / clip.duration:.6f}",
        share=f"{max(_end(look) - look.seconds()[0], 1e-3) / clip.duration:.6f}",
        whose="without the camera's" if without else "the camera's included",
    )


def _end(look: FlowResult) -> float:
    return float(look.pairs[-1, 1] / look.clip.fps)


def _means(look: FlowResult, without: bool) -> list[np.ndarray]:
    return [way.own_means if without else way.means for way in look.ways]


def _chart(look: FlowResult, without: bool) -> dict:
    """Mean length over time as lines in a box of 1000 × 100, and a press for every pair."""
    seconds, end = look.seconds(), _end(look)
    x = (seconds - seconds[0]) / max(end - seconds[0], 1e-3)
    means = _means(look, without)
    # A clip in which nothing moves has a flat line, not a mountain of noise.
    high = max(0.25, *(float(mean.max()) for mean in means)) * 1.06

    def path(values: np.ndarray) -> str:
        points = [
            f"{a * 1000:.1f},{100 - b / high * 100:.2f}" for a, b in zip(x, values, strict=True)
        ]
        return " ".join([*points, f"1000,{100 - values[-1] / high * 100:.2f}"])

    edges = [*x, 1.0]
    cells = []
    for pair, moment in enumerate(seconds):
        told = [
            f"{way.title} {mean[pair]:.2f} pixels"
            for way, mean in zip(look.ways, means, strict=True)
        ]
        cells.append(
            {
                "pair": pair,
                "seek": f"{moment:.3f}",
                "left": f"{edges[pair] * 100:.3f}",
                "width": f"{(edges[pair + 1] - edges[pair]) * 100:.3f}",
                "label": f"{moment:.2f} s: {', '.join(told)}",
            }
        )
    step = next(s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 1e9) if high / s <= 4)
    return {
        "lines": [
            {"colour": n, "name": way.title, "points": path(mean)}
            for n, (way, mean) in enumerate(zip(look.ways, means, strict=True))
        ],
        "cells": cells,
        "levels": [
            {"top": f"{100 - value / high * 100:.2f}", "text": f"{value:g}"}
            for value in np.arange(0, high, step).round(1)
        ],
    }


def _ticks(look: FlowResult) -> list[dict]:
    """Round moments along the span."""
    start, end = look.seconds()[0], _end(look)
    long = max(end - start, 1e-3)
    step = next(s for s in (0.05, 0.1, 0.2, 0.5, 1, 2) if long / s <= 6)
    first = max(0, math.ceil(start / step - 1e-6))  # a whole number, which has no negative zero
    moments = np.arange(first * step, start + 0.97 * long, step)
    return [
        {
            "left": f"{(t - start) / long * 100:.2f}",
            "text": f"{t:.2f}".rstrip("0").rstrip(".") + " s",
        }
        for t in moments
    ]


def one_pair(on_page: FlowOnPage) -> str:
    """Everything that is drawn of one pair of frames, method by method.

    Raises:
        ClipError: its frames or fields are no longer kept.
    """
    look, pair, without = on_page.look, on_page.pair, on_page.without_camera
    frames, scale = look.frames(pair), look.scale(without)
    fields = [look.field(way, pair, without) for way in range(len(look.ways))]
    return render(
        "flow/pair",
        number=pair,
        count=len(look.pairs),
        frames=look.pairs[pair].tolist(),
        time=f"{look.seconds()[pair]:.2f} s",
        seeks=[f"{one:.3f}" for one in look.seconds()],
        frame=_uri(frames[0]),
        following=_uri(frames[1]),
        wheel=_uri(wheel(160)),
        scale=f"{scale:.1f}",
        floor=scale == FLOOR,
        brightest=f"{BRIGHTEST:.0f}",
        whose="Without the camera's motion. " if without else "",
        ways=[_way(look, n, pair, frames, field, scale) for n, field in enumerate(fields)],
        apart=_apart(look, fields, scale) if len(fields) == 2 else None,
    )


def _way(
    look: FlowResult, number: int, pair: int, frames: np.ndarray, field: np.ndarray, scale: float
) -> dict:
    way = look.ways[number]
    # Warping needs all of the motion, the camera's too.
    back = fetched(frames, look.field(number, pair))
    lengths = np.linalg.norm(field, axis=0)
    shown = np.where(back.inside[..., None], back.picture, 128).astype(np.uint8)
    return {
        "title": way.title,
        "took": formatting.milliseconds(way.milliseconds),
        "mean": f"{lengths.mean():.2f}",
        "cut": round(100 * _middle(lengths)),
        "flow": _uri(coloured(field, scale)),
        "arrows": _uri(arrows(frames[0], field, scale)),
        "length": _uri(length(field, scale)),
        "back": _uri(shown),
        "error": _uri(heat(back.error / BRIGHTEST)),
        "before": f"{back.before:.1f}",
        "after": f"{back.after:.1f}",
        "provenance": f"{way.provenance.file}, {way.provenance.note}" if way.provenance else "",
    }


def _middle(lengths: np.ndarray) -> float:
    """The place of the motion between left and right, 0 to 1, so that the frame covers half of what moves."""
    total = lengths.sum()
    across = (np.arange(lengths.shape[1]) + 0.5) / lengths.shape[1]
    return float(lengths.sum(axis=0) @ across / total) if total > 0 else 0.5


def _apart(look: FlowResult, fields: list[np.ndarray], scale: float) -> dict:
    """The difference of two methods."""
    distance = np.linalg.norm(fields[0] - fields[1], axis=0)
    quick, slow = sorted(look.ways, key=lambda way: way.milliseconds)
    times = slow.milliseconds / max(quick.milliseconds, 1e-3)
    return {
        "picture": _uri(heat(distance / scale)),
        "mean": f"{distance.mean():.2f}",
        "most": f"{np.percentile(distance, 99):.1f}",
        "times": f"{slow.title} takes {times:.1f} times as long as {quick.title}: "
        f"{formatting.milliseconds(slow.milliseconds)} a pair against "
        f"{formatting.milliseconds(quick.milliseconds)}.",
    }


def as_network(one: Stack, card: ModelCard, title: str, fps: float) -> str:
    """The channels of a temporal stream as small pictures, and the memory they take.

    Args:
        one: from har_demo.flow.stack.
        card: of the stream.
        title: of the method.
        fps: of the clip.
    """
    levels = as_bytes(one.channels)
    rows = memory(one)
    count = len(one.pixels)
    height, width = one.channels.shape[1:]
    return render(
        "flow/network",
        title=title,
        card=card,
        span=f"{formatting.seconds(one.frames[0] / fps)} to {formatting.seconds(one.frames[-1] / fps)}",
        count=count,
        channels=2 * count,
        height=height,
        width=width,
        limit=f"{one.limit:g}",
        clipped=formatting.percent(one.clipped) if one.clipped else "none",
        right=[data_uri(picture, height=112) for picture in levels[0::2]],
        down=[data_uri(picture, height=112) for picture in levels[1::2]],
        frame=data_uri(one.pictures[0], height=112),
        rows=[
            {
                "what": row.what,
                "shape": row.shape,
                "size": f"{row.bytes / 1e6:.2f} MB",
                "times": f"{row.times:.2f} ×",
                "width": f"{100 * row.bytes / max(one.bytes for one in rows):.1f}",
            }
            for row in rows
        ],
        ratio=f"{rows[1].times:.1f}",
        frames=len(one.frames),
        repeats=len(one.frames) - len(np.unique(one.frames)),
    )


def two_streams(both: Fusable, weight: float) -> str:
    """The answers of each stream, their fusion, and the effect of another flow."""
    fused = both.fused(weight)
    parts = {"frame": both.spatial.overall, "flow": both.temporal.overall, "fused": fused}
    # The actions that anyone of them thinks likely, the fused answer's first.
    likely = np.max(list(parts.values()), axis=0) + fused
    order = sorted(np.argsort(-likely, kind="stable")[:ACTIONS], key=lambda i: -fused[i])
    classes = both.spatial.classes
    best = {name: int(scores.argmax()) for name, scores in parts.items()}
    return render(
        "flow/streams",
        title=both.streams.title,
        clip=both.clip.source.name,
        weight=f"{weight:.2f}",
        best=[(name, classes[i], formatting.percent(parts[name][i])) for name, i in best.items()],
        rows=[
            {
                "name": classes[i],
                "parts": [
                    {
                        "part": name,
                        "percent": formatting.percent(scores[i]),
                        "width": f"{max(scores[i], 0.004) * 100:.1f}",
                    }
                    for name, scores in parts.items()
                ],
            }
            for i in order
        ],
        flow=both.temporal.flow,
        changes=card(both.streams.spatial).input.modality == "difference",
        windows=[formatting.count(len(a.frames), "look") for a in (both.spatial, both.temporal)],
        notes=[a.note for a in (both.spatial, both.temporal) if a.note],
        other=_other(both, weight) if both.other else None,
    )


def _other(both: Fusable, weight: float) -> dict:
    """Answers of the temporal stream and the fusion on a flow that it was not trained with."""
    known, other = both.temporal.overall, both.other.overall
    fused, fused_other = both.fused(weight), both.fused(weight, other=True)
    classes, best = both.temporal.classes, int(known.argmax())
    return {
        "flow": both.other.flow,
        "known": both.temporal.flow,
        "rows": [
            {
                "who": who,
                "name": classes[i],
                "known": formatting.percent(a[i]),
                "other": formatting.percent(b[i]),
                "then": classes[int(b.argmax())],
            }
            for who, a, b, i in (
                ("temporal stream", known, other, best),
                ("fused", fused, fused_other, int(fused.argmax())),
            )
        ],
        "moved": formatting.percent(float(np.abs(known - other).sum() / 2)),
    }


def _uri(picture: np.ndarray) -> str:
    return data_uri(picture, quality=QUALITY)
