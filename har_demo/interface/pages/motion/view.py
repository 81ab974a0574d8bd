"""A grid of edits, or a list of samplings, becomes the right-hand side of the Motion page."""

import json
from collections import Counter
from dataclasses import dataclass

from har_demo.explain import samplings, sensitivity
from har_demo.explain.film import Stretch
from har_demo.explain.samplings import KINDS, Sampled, SamplingChoice
from har_demo.explain.sensitivity import Cell, Grid, SensitivityRow
from har_demo.interface import formatting
from har_demo.interface.render import render
from har_demo.recognize.prediction import ModelError, Prediction

GROUPS = (("time", "Edits of time"), ("picture", "Edits of the picture"))


@dataclass(frozen=True)
class MotionOnPage:
    """The right-hand side of the page.

    Attributes:
        shown: hash of the clip under 'Your clip' when it was asked.
        grid: the edits and their answers, or None before any.
        stretch, passes, wanted: the samplings that were carried out by now, of which stretch, and how many
            were asked for.
        link: what was asked, as an address names it, JSON.
        thumbnails: of the stretch, evenly spread, as data: addresses.
    """

    shown: str
    grid: Grid | None = None
    stretch: Stretch | None = None
    passes: tuple[Sampled, ...] = ()
    wanted: int = 0
    thumbnails: tuple[str, ...] = ()
    link: str = "{}"

    def panel(self, stopped: bool = False) -> str:
        """All of it as HTML."""
        if self.grid is not None:
            return grid_shown(self.grid, self.shown, stopped, self.link)
        return samplings_shown(self, stopped)


def grid_shown(grid: Grid, shown: str, stopped: bool = False, link: str = "{}") -> str:
    """The grid with its sensitivities, the sentences and a picture of every edit."""
    rows, part = grid.rows, grid.stretch
    groups = []
    for name, title in GROUPS:
        lines = [
            {
                "edit": str(one),
                "name": one.edit.name,
                "title": one.title,
                "cells": [_cell(row, row.cells[column], stopped) for row in rows],
            }
            for column, one in enumerate(grid.asked)
            if one.edit.group == name
        ]
        if lines:
            groups.append({"title": title, "rows": lines})
    return render(
        "motion/grid",
        **_about(part, shown),
        link=link,
        complete=grid.complete,
        headline=_headline(grid, stopped),
        subline=f"{_where(part)} · {formatting.count(len(rows), 'model')}, "
        f"{formatting.count(len(grid.asked), 'edit')}",
        models=[_model(row, stopped) for row in rows],
        groups=groups,
        said=sensitivity.verdict(grid),
    )


def _about(part: Stretch, shown: str) -> dict:
    return {
        "asked": json.dumps({"clip": part.source.sha256, "shown": shown}),
        "duration": part.source.duration,
        "clip": part.source.sha256,
        "name": part.source.source.name,
    }


def _where(part: Stretch) -> str:
    start, end = part.seconds
    name = part.source.source.name
    if part.count == part.source.frames:
        return f"{name}, {formatting.seconds(end)}"
    return f"{name}, {formatting.seconds(start)} to {formatting.seconds(end)}"


def _headline(grid: Grid, stopped: bool) -> str:
    known = [row for row in grid.rows if isinstance(row.plain, Prediction)]
    if not grid.complete:
        cells = [one for row in grid.rows for one in (row.plain, *row.cells)]
        done = sum(one is not None for one in cells)
        return f"{'Stopped after' if stopped else 'Asked so far:'} {done} of {len(cells)} answers"
    if not known:
        return "No model could answer"
    timed = [row for row in known if row.temporal is not None]
    if not timed:
        moved = max(known, key=lambda row: row.picture or 0)
        return f"{moved.title}: picture sensitivity {moved.picture or 0:.2f}"
    if len(timed) == 1:
        (one,) = timed
        picture = "" if one.picture is None else f", picture sensitivity {one.picture:.2f}"
        return f"{one.title}: temporal sensitivity {one.temporal:.2f}{picture}"
    ranked = sensitivity.ranking(grid)
    if ranked is None:
        low, high = (pick(row.temporal for row in timed) for pick in (min, max))
        return f"All have the same temporal sensitivity here ({low:.2f} to {high:.2f})"
    return f"Highest temporal sensitivity: {ranked[0].title}; lowest: {ranked[1].title}"


def _model(row: SensitivityRow, stopped: bool) -> dict:
    bars = [
        {
            "kind": kind,
            "words": title,
            "value": None if value is None else f"{value:.2f}",
            "width": f"{(value or 0) * 100:.1f}",
        }
        for kind, title, value in (
            ("time", "time", row.temporal),
            ("picture", "picture", row.picture),
        )
    ]
    return {"title": row.title, "plain": _plain(row, stopped), "bars": bars}


def _plain(row: SensitivityRow, stopped: bool) -> dict:
    if not isinstance(row.plain, Prediction):
        return _no_cell(row.plain, stopped)
    name, share = row.plain.top(1)[0]
    return _told(name, share, 0.0, True, "", f"{row.title}: {name}, {formatting.percent(share)}")


def _cell(row: SensitivityRow, cell: Cell | ModelError | None, stopped: bool) -> dict:
    if not isinstance(cell, Cell):
        return _no_cell(cell, stopped)
    own = row.plain.top(1)[0][0]
    points = round(cell.change * 100)
    change = f"{'+' if points > 0 else '−' if points < 0 else '±'}{abs(points)}"
    title = (
        f"{row.title}, {cell.edit.title}: {cell.answer}, {formatting.percent(cell.probability)}. "
        f"{own}: {change} points. Distance from the answer to the clip: {cell.distance:.2f}."
    )
    small = f"{change} · {cell.distance:.2f}"
    return _told(cell.answer, cell.probability, cell.distance, cell.same, small, title)


def _told(name: str, share: float, far: float, same: bool, small: str, title: str) -> dict:
    return {
        "kind": "told",
        "name": name,
        "percent": formatting.percent(share),
        "far": f"{far:.3f}",
        "same": same,
        "small": small,
        "title": title,
    }


def _no_cell(answer: ModelError | None, stopped: bool) -> dict:
    if answer is None:
        return {"kind": "missing" if stopped else "waiting", "title": ""}
    return {"kind": "refused", "title": answer.message}


def samplings_shown(on_page: MotionOnPage, stopped: bool = False) -> str:
    """A line for every sampling: where its frames lie, what each model says and what it costs."""
    found, part = on_page.passes, on_page.stretch
    models = list(dict.fromkeys((one.model, one.title) for one in found))
    usual = {model: _usual(found, model) for model, _ in models}
    lines: dict[SamplingChoice, dict[str, Sampled]] = {}
    for one in found:
        lines.setdefault(one.way, {})[one.model] = one
    groups: dict[str, list[dict]] = {}
    ordered = sorted(lines, key=lambda w: (KINDS.index(w.kind), w.stride or 0, w.frames))
    for way in ordered:
        mine = lines[way]
        first = next(iter(mine.values()))
        groups.setdefault(way.title, []).append(
            {
                "frames": way.frames,
                "ticks": [f"{(n + 0.5) / part.count * 1000:.1f}" for n in first.indices],
                "where": f"frames {', '.join(str(part.start + n) for n in first.indices)}",
                "cells": [_pass(mine.get(model), usual[model]) for model, _ in models],
            }
        )
    complete = len(found) == on_page.wanted
    return render(
        "motion/samplings",
        **_about(part, on_page.shown),
        link=on_page.link,
        complete=complete,
        headline=_samplings_headline(on_page, usual, stopped),
        subline=f"{_where(part)} · {formatting.count(len(models), 'model')}, one view a sampling"
        + (f" · {found[0].answer.device}" if _answered(found[:1]) else ""),
        said=samplings.verdict(found) if complete else [],
        models=[title for _, title in models],
        groups=[{"title": title, "rows": rows} for title, rows in groups.items()],
        thumbnails=on_page.thumbnails,
    )


def _samplings_headline(on_page: MotionOnPage, usual: dict[str, str], stopped: bool) -> str:
    found = on_page.passes
    if len(found) < on_page.wanted:
        so_far = f"{len(found)} of {on_page.wanted} answers"
        return f"Stopped after {so_far}" if stopped else f"Asked so far: {so_far}"
    answered = _answered(found)
    if not answered:
        return "No model could answer"
    told = {one.answer.top(1)[0][0] for one in answered}
    if len(told) == 1:
        return f"'{told.pop()}', however the clip is sampled"
    agreeing = sum(one.answer.top(1)[0][0] == usual[one.model] for one in answered)
    return (
        f"{len(told)} different answers to one clip; "
        f"{agreeing} of {len(answered)} samplings agree with their model's usual one"
    )


def _answered(found: tuple[Sampled, ...]) -> list[Sampled]:
    return [one for one in found if isinstance(one.answer, Prediction)]


def _usual(found: tuple[Sampled, ...], model: str) -> str:
    names = [one.answer.top(1)[0][0] for one in _answered(found) if one.model == model]
    return Counter(names).most_common(1)[0][0] if names else ""


def _pass(one: Sampled | None, usual: str) -> dict:
    if one is None:
        return {"kind": "missing", "title": ""}
    if not isinstance(one.answer, Prediction):
        return _no_cell(one.answer, stopped=False)
    name, share = one.answer.top(1)[0]
    cost = formatting.gmacs(one.gmacs)
    took = formatting.milliseconds(one.forward)
    title = (
        f"{one.title}: {name}, {formatting.percent(share)}; {cost}; the pass took {took}, "
        f"preparing its frames {formatting.milliseconds(one.prepare)}. {one.answer.note}"
    )
    return _told(
        name, share, 0.0 if name == usual else 0.6, name == usual, f"{cost} · {took}", title
    )
