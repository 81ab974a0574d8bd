"""HTML and charts of the Measured page: scores, confusions, curves of training, ablations."""

from urllib.parse import urlencode

import gradio as gr

from har_demo.errors import UserError
from har_demo.interface import formatting, plots
from har_demo.interface.render import notice, render
from har_demo.recognize.defaults import default_models
from har_demo.tables.ablations import ABLATIONS, answers
from har_demo.tables.datasets import TEST_SETS, TITLES
from har_demo.tables.measured import (
    COUNTED,
    FOLDER,
    LOWER_IS_BETTER,
    METRICS,
    Confusion,
    Curve,
    Figure,
    MeasuredRow,
    confusion,
    curves,
    entries,
    entry,
    top1_of_seeds,
)
from har_demo.tables.rows import kept_rows
from har_demo.weights import shipped

START = "rendered"
"""The test set that is shown first: of its actions, some differ by the direction of time alone, and its clips may be played."""

GUESSING = {"order": 50.0}
"""Accuracy of guessing, in percent, where that is worth a line."""

ALL_SEEDS = "all"
SEED_COLOURS = ("var(--accent)", "hue(20)", "hue(262)", "hue(48)")

MOST_LISTED = 8


def choices() -> list[tuple[str, str]]:
    """Return the measured models as a dropdown offers them."""
    return [(row.title, row.key) for row in entries()]


def seeds() -> list[tuple[str, str]]:
    """Return the seeds of all trainings as a radio offers them."""
    known = sorted({seed for row in entries() for seed in row.seeds})
    return [("all seeds", ALL_SEEDS), *((f"seed {seed}", str(seed)) for seed in known)]


def restore(request: gr.Request) -> tuple:
    """Show what a link names: updates of dataset, metric, model, scores, matrix, curve, ablations."""
    query = dict(request.query_params)
    dataset = query["data"] if query.get("data") in TITLES else START
    metric = query["figure"] if query.get("figure") in METRICS else "top1"
    model, problem = query.get("model"), ""
    try:
        model = entry(model).key if model else None
    except UserError as wrong:
        model, problem = None, notice(str(wrong), "warn")
    model = model or _first()
    return (
        dataset,
        metric,
        gr.update(choices=choices(), value=model),
        problem + scores_shown(dataset, metric),
        confusion_shown(dataset, metric, model),
        curves_shown(model, ALL_SEEDS),
        ablations_shown(dataset),
    )


def _first() -> str | None:
    """Return the tiny model that is asked by default, or the first one whose weights are shipped."""
    known = [row.key for row in entries()]
    ready = {entry["model"] for entry in shipped.entries()}
    order = [key for key in (*reversed(default_models()), *known) if key in known]
    return next((key for key in order if key in ready), known[0] if known else None)


def scores_shown(dataset: str, metric: str) -> str:
    """Return every model's figure on a test set as HTML: a chart, and all figures in a table."""
    every = entries()
    scored = [
        (row, row.figures[dataset, metric]) for row in every if (dataset, metric) in row.figures
    ]
    name, what = METRICS[metric]
    if not scored:
        return notice(f"No model has a figure '{name}' on {TITLES[dataset]}.", "warn")
    # The best is drawn at the top, and bars are drawn from below.
    scored.sort(key=lambda pair: pair[1].mean, reverse=metric in LOWER_IS_BETTER)
    best = scored[-1]
    clips = best[1].clips
    seeded = sum(figure.seeds > 1 for _, figure in scored)
    columns = [m for m in METRICS if any((dataset, m) in row.figures for row in every)]
    low, high = best[1].interval
    return render(
        "measured/scores",
        title=TITLES[dataset],
        new=TEST_SETS[dataset].description,
        name=name,
        what=what,
        clips=formatting.count(clips, "clip"),
        seeds=_seeds(seeded, len(scored), metric in COUNTED),
        interval="Whiskers: 95 % confidence interval for so few clips; the best model's "
        f"{best[1].mean:.0f} % may be anything from {low:.0f} to {high:.0f} %. "
        f"One clip is worth {100 / clips:.1f} points."
        if metric in COUNTED
        else "",
        chart=plots.draw(
            _bars(scored, metric),
            f"{name} of every model, {TITLES[dataset]}",
            90 + 25 * len(scored),
        ),
        columns=[METRICS[m][0] for m in columns],
        rows=[
            {
                "title": row.title,
                "model": row.card.name,
                "seeds": len(row.seeds),
                "parameters": f"{row.parameters / 1e6:.2f} M",
                "gmacs": "" if row.gmacs is None else f"{row.gmacs:.2f}",
                "cells": [_cell(row.figures.get((dataset, m))) for m in columns],
            }
            for row, _ in reversed(scored)
        ],
    )


def _seeds(seeded: int, every: int, counted: bool) -> str:
    if not seeded:
        return "Each model was trained once, with one seed; a second training may differ by some points."
    whose = (
        "" if seeded == every else f", of the {seeded} of {every} models trained with two or more"
    )
    if counted:
        return f"The table has the standard deviation between seeds{whose}."
    return f"Whiskers: the standard deviation between seeds{whose}."


def whisker(figure: Figure) -> float | str:
    """Return the length of an error bar; where there is one seed no number, so that none is drawn."""
    return "none" if figure.spread is None else round(figure.spread, 2)


def _whiskers(figures: list[Figure], metric: str) -> dict:
    """Return confidence intervals of shares of clips; of other metrics, the deviation between seeds."""
    if metric not in COUNTED:
        return {"array": [whisker(figure) for figure in figures]}
    return {
        "symmetric": False,
        "array": [round(figure.interval[1] - figure.mean, 2) for figure in figures],
        "arrayminus": [round(figure.mean - figure.interval[0], 2) for figure in figures],
    }


def _cell(figure: Figure | None) -> str:
    return figure.words() if figure else ""


def _bars(scored: list[tuple[MeasuredRow, Figure]], metric: str) -> dict:
    hover = [
        f"<b>{row.title}</b><br>{row.family}<br>{figure.words()} % of {figure.clips} clips<br>"
        f"{formatting.count(figure.seeds, 'seed')}, {row.parameters / 1e6:.2f} M parameters"
        for row, figure in scored
    ]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [row.title for row, _ in scored],
        "x": [round(figure.mean, 2) for _, figure in scored],
        "error_x": _whiskers([figure for _, figure in scored], metric)
        | {"type": "data", "color": "var(--ink)", "thickness": 1.2, "width": 3},
        "text": [f"{figure.mean:.0f}" for _, figure in scored],
        "textposition": "inside",
        "textangle": 0,
        "insidetextanchor": "start",
        "marker": {"color": [f"hue({formatting.hue(row.family)})" for row, _ in scored]},
        "textfont": {"color": "var(--paper)"},
        "hovertext": hover,
        "hoverinfo": "text",
        "customdata": [row.key for row, _ in scored],
    }
    shapes = []
    if metric in GUESSING:
        at = GUESSING[metric]
        line = {"color": "var(--warn)", "width": 1.5, "dash": "dot"}
        shapes = [
            {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line}
        ]
    return {
        "data": [bars],
        "layout": {
            "xaxis": {
                "range": [0, 100] if metric not in LOWER_IS_BETTER else None,
                "rangemode": "tozero",
                "ticksuffix": " %",
                "fixedrange": True,
            },
            "yaxis": {"fixedrange": True, "tickfont": {"size": 12}},
            "shapes": shapes,
            "bargap": 0.25,
            "margin": {"l": 130, "r": 12, "t": 4, "b": 34},
        },
    }


def confusion_shown(dataset: str, metric: str, model: str | None) -> str:
    """Return the confusions of a model on a test set as HTML: a matrix to press, and the most frequent as a list."""
    if not model:
        return notice("No model was measured yet.", "warn")
    try:
        row = entry(model)
        table = confusion(row, dataset)
    except UserError as problem:
        return notice(str(problem), "warn")
    if table is None:
        return notice(f"The confusions of {row.title} on {TITLES[dataset]} were not kept.", "warn")
    mistakes = table.mistakes()
    wrong, every = sum(m[2] for m in mistakes), int(table.counts.sum())
    link = urlencode({"data": dataset, "figure": metric, "model": row.key})
    return render(
        "measured/confusion",
        title=row.title,
        data=TITLES[dataset],
        link=f"?{link}",
        summary=f"{every - wrong} of {every} correct"
        + (f", over {table.seeds} seeds" if table.seeds > 1 else ""),
        chart=plots.draw(
            _matrix(table),
            f"Confusions of {row.title} on {TITLES[dataset]}",
            max(300, min(760, 150 + 17 * len(table.true) + 4 * len(table.predicted))),
        ),
        width=150 + 13 * len(table.predicted),  # a phone moves it sideways
        mistakes=[
            {
                "true": true,
                "predicted": predicted,
                "count": f"{count} of {total}",
                "times": count,
                "total": total,
                "pair": [true, predicted],
            }
            for true, predicted, count, total in mistakes[:MOST_LISTED]
        ],
        real=dataset != "rendered",
    )


def _matrix(table: Confusion) -> dict:
    """Draw two layers: correct predictions in the accent's colour, mistakes in another; counts of 0 are empty."""
    totals = table.counts.sum(1).clip(min=1)
    layers = []
    for right, colour in ((True, "var(--accent)"), (False, "hue(20)")):
        shares, texts, pairs = [], [], []
        for r, true in enumerate(table.true):
            cells = [
                int(table.counts[r, c]) if (true == name) == right else 0
                for c, name in enumerate(table.predicted)
            ]
            shares.append([round(n / totals[r], 3) if n else None for n in cells])
            texts.append(
                [
                    f"<b>{true}</b> predicted as <b>{name}</b><br>{n} of {totals[r]} clips"
                    if n
                    else ""
                    for n, name in zip(cells, table.predicted, strict=True)
                ]
            )
            pairs.append(
                [
                    [true, name] if n else None
                    for n, name in zip(cells, table.predicted, strict=True)
                ]
            )
        layers.append(
            {
                "type": "heatmap",
                "z": shares,
                "x": list(table.predicted),
                "y": list(table.true),
                "text": texts,
                "hoverinfo": "text",
                "customdata": pairs,
                "colorscale": [[0, "var(--sunk)"], [1, colour]],
                "zmin": -0.15,
                "zmax": 1,
                "showscale": False,
                "hoverongaps": False,
                "xgap": 1,
                "ygap": 1,
            }
        )
    small = {"tickfont": {"size": 10.5}, "fixedrange": True, "showgrid": False, "dtick": 1}
    return {
        "data": layers,
        "layout": {
            "xaxis": {**small, "tickangle": -60, "title": {"text": "predicted"}},
            "yaxis": {**small, "autorange": "reversed"},
            "margin": {"l": 120, "r": 8, "t": 6, "b": 120},
            "dragmode": False,
        },
    }


def curves_shown(model: str | None, seed: str) -> str:
    """Return the loss over the steps of a model's trainings as HTML, of all seeds or of one."""
    try:
        row = entry(model) if model else None
    except UserError as problem:
        return notice(str(problem), "warn")
    if row is None:
        return notice("No model was measured yet.", "warn")
    kept = curves(row)
    if not kept:
        return notice(f"{row.title} was not trained step by step, so that it has no curve.", "warn")
    chosen = [curve for curve in kept if seed in (ALL_SEEDS, str(curve.seed))]
    if not chosen:
        known = formatting.sentence_list([str(curve.seed) for curve in kept])
        return notice(f"{row.title} was trained with seed {known}: choose one of them.", "warn")
    scores = top1_of_seeds(row)
    return render(
        "measured/curves",
        title=row.title,
        chart=plots.draw(_curves(chosen), f"Loss of {row.title} over the steps of training", 320),
        trainings=[
            {
                "seed": curve.seed,
                "minutes": f"{curve.points[-1][3] / 60:.1f}",
                "scores": [
                    f"{TITLES[name]} {value:.1f} %"
                    for name, value in scores.get(curve.seed, {}).items()
                    if name in TITLES
                ],
            }
            for curve in chosen
        ],
    )


def _curves(chosen: list[Curve]) -> dict:
    """Draw a line for each seed, its stages one after the other, and a line where the second begins."""
    traces, starts = [], set()
    for number, curve in enumerate(chosen):
        steps, hover, offset = [], [], 0
        for place, (stage, step, loss, seconds) in enumerate(curve.points):
            if place and stage != curve.points[place - 1][0]:
                offset = steps[-1] + 1
                starts.add(offset)
            steps.append(offset + step)
            hover.append(
                f"<b>seed {curve.seed}</b>, {stage}<br>step {step}: loss {loss:.2f}<br>"
                f"after {seconds / 60:.1f} minutes"
            )
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"seed {curve.seed}",
                "x": steps,
                "y": [loss for _, _, loss, _ in curve.points],
                "hovertext": hover,
                "hoverinfo": "text",
                "line": {"color": SEED_COLOURS[number % len(SEED_COLOURS)], "width": 1.6},
            }
        )
    line = {"color": "var(--faint)", "width": 1.2, "dash": "dot"}
    label = {
        "text": "real clips join",
        "textposition": "end",
        "textangle": 0,
        "xanchor": "left",
        "font": {"size": 11},
    }
    return {
        "data": traces,
        "layout": {
            "xaxis": {"title": {"text": "step"}, "fixedrange": True},
            "yaxis": {
                "title": {"text": "loss on a batch"},
                "rangemode": "tozero",
                "fixedrange": True,
            },
            "shapes": [
                {
                    "type": "line",
                    "x0": x,
                    "x1": x,
                    "y0": 0,
                    "y1": 1,
                    "yref": "paper",
                    "line": line,
                    "label": label,
                }
                for x in sorted(starts)
            ],
            "legend": {"orientation": "h", "y": 1.08, "x": 0},
            "showlegend": len(traces) > 1,
            "margin": {"l": 56, "r": 12, "t": 22, "b": 44},
        },
    }


def ablations_shown(dataset: str) -> str:
    """Return the ablations as HTML, a question each, with the rows that are not trained yet.

    Every row has a bar on the chosen test set and one on rendered people, the largest set, which the
    sentences speak of most.
    """
    measured = kept_rows(FOLDER / "tiny.csv")
    clips = {row["dataset"]: int(row["clips"]) for row in measured if row["metric"] == "top1"}
    sets = list(dict.fromkeys((dataset, "rendered")))
    rows = iter(answers(measured))
    file = FOLDER / "ablations.md"
    conclusions = sentences(file.read_text(encoding="utf-8")) if file.exists() else {}
    questions = []
    for ablation in ABLATIONS:
        answered = [_ablation(next(rows), sets, clips) for _ in ablation.rows]
        questions.append(
            {
                "name": ablation.name.replace("_", " "),
                "question": ablation.question,
                "rows": answered,
                "known": any(row["figures"] for row in answered),
                "conclusions": conclusions.get(ablation.name, ()),
            }
        )
    names = {ablation.name for ablation in ABLATIONS}
    general = [line for name, lines in conclusions.items() if name not in names for line in lines]
    return render(
        "measured/ablations",
        questions=[q for q in questions if q["known"]],
        waiting=[q["name"] for q in questions if not q["known"]],
        sets=[TITLES[name] for name in sets],
        general=general,
    )


def _ablation(row: dict, sets: list[str], clips: dict[str, int]) -> dict:
    figures = [
        Figure(row[name], row.get(f"{name}_spread"), row["seeds"], clips[name])
        for name in sets
        if name in row
    ]
    return {
        "label": row["label"],
        "figures": figures,
        "note": f"{formatting.count(row['seeds'], 'seed')}, {formatting.gmacs(row['gmacs'])}"
        if figures
        else "not trained yet",
    }


def sentences(text: str) -> dict[str, tuple[str, ...]]:
    """Return the paragraphs of ablations.md under each heading, by its name in backquotes or by all of it.

    >>> sentences("# Ablations\\n\\n## `frames`\\n\\nEight are enough.\\nMostly.\\n")
    {'frames': ('Eight are enough. Mostly.',)}
    """
    found: dict[str, list[str]] = {}
    name, paragraph = "", []
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            name = (
                line.lstrip("# ").split("`")[1]
                if line.count("`") > 1
                else line.lstrip("# ").strip()
            )
            name = name.split(":")[0].strip().replace(" ", "_")
        elif line.strip() and not line.lstrip().startswith("|"):
            paragraph.append(line.strip())
            continue
        if paragraph:
            found.setdefault(name, []).append(" ".join(paragraph))
            paragraph = []
    return {name: tuple(parts) for name, parts in found.items() if name}
