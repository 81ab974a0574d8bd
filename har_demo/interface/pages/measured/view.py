"""What the Measured page shows: scores with their spread, confusions, and what changing one thing did."""

from urllib.parse import urlencode

import gradio as gr

from har_demo.errors import UserError
from har_demo.interface import formatting, plots
from har_demo.interface.render import notice, render
from har_demo.tables.ablations import ABLATIONS, answers
from har_demo.tables.datasets import TEST_SETS, TITLES
from har_demo.tables.measured import (
    COUNTED,
    FOLDER,
    LOWER_IS_BETTER,
    METRICS,
    Confusion,
    Figure,
    MeasuredRow,
    confusion,
    entries,
    entry,
)
from har_demo.tables.rows import kept_rows
from har_demo.weights import shipped

GUESSED = {"order": 50.0}
"""What guessing gets, in percent, where that is worth a line."""

MOST_LISTED = 8


def choices() -> list[tuple[str, str]]:
    """The measured models as a dropdown offers them."""
    return [(one.title, one.key) for one in entries()]


def restore(request: gr.Request) -> tuple:
    """What a link names: updates of dataset, metric, model, scores, matrix, ablations."""
    asked = dict(request.query_params)
    dataset = asked["data"] if asked.get("data") in TITLES else next(iter(TITLES))
    metric = asked["figure"] if asked.get("figure") in METRICS else "top1"
    model, problem = asked.get("model"), ""
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
        ablations_shown(dataset),
    )


def _first() -> str | None:
    """The first measured model whose mistakes can be played: its weights are shipped."""
    known = [one.key for one in entries()]
    ready = {one["model"] for one in shipped.entries()}
    return next((key for key in known if key in ready), known[0] if known else None)


def scores_shown(dataset: str, metric: str) -> str:
    """Every model's figure on a test set as HTML: a chart, and all figures in a table."""
    every = entries()
    found = [
        (one, one.figures[dataset, metric]) for one in every if (dataset, metric) in one.figures
    ]
    name, what = METRICS[metric]
    if not found:
        return notice(f"No model has a figure '{name}' on {TITLES[dataset]}.", "warn")
    # The best is drawn at the top, and bars are drawn from below.
    found.sort(key=lambda pair: pair[1].mean, reverse=metric in LOWER_IS_BETTER)
    best = found[-1]
    clips = best[1].clips
    seeded = sum(figure.seeds > 1 for _, figure in found)
    columns = [m for m in METRICS if any((dataset, m) in one.figures for one in every)]
    low, high = best[1].interval
    return render(
        "measured/scores",
        title=TITLES[dataset],
        new=TEST_SETS[dataset].description,
        name=name,
        what=what,
        clips=formatting.count(clips, "clip"),
        seeds=_seeds(seeded, len(found), metric in COUNTED),
        chance="Whiskers: where a figure could as well lie on many such clips, 19 cases in 20; "
        f"the best model's {best[1].mean:.0f} % anywhere from {low:.0f} to {high:.0f} %. "
        f"One clip is worth {100 / clips:.1f} points."
        if metric in COUNTED
        else "",
        chart=plots.draw(
            _bars(found, metric),
            f"{name} of every model, {TITLES[dataset]}",
            90 + 25 * len(found),
        ),
        columns=[METRICS[m][0] for m in columns],
        rows=[
            {
                "title": one.title,
                "hue": formatting.hue(one.family),
                "key": one.key,
                "model": one.card.name,
                "seeds": len(one.seeds),
                "parameters": f"{one.parameters / 1e6:.2f} M",
                "gmacs": "" if one.gmacs is None else f"{one.gmacs:.2f}",
                "cells": [_cell(one.figures.get((dataset, m))) for m in columns],
            }
            for one, _ in reversed(found)
        ],
    )


def _seeds(seeded: int, every: int, counted: bool) -> str:
    if not seeded:
        return "Each model was trained once, with one seed; a second training may differ by some points."
    whose = (
        "" if seeded == every else f", of the {seeded} of {every} models trained with two or more"
    )
    if counted:
        return f"The table has the deviation between seeds{whose}."
    return f"Whiskers: the deviation between seeds{whose}."


def whisker(figure: Figure) -> float | str:
    """Length of an error bar; where there is one seed no number, so that none is drawn."""
    return "none" if figure.spread is None else round(figure.spread, 2)


def _whiskers(figures: list[Figure], metric: str) -> dict:
    """Where figures could as well lie, for so few clips; of what is no share of clips, between seeds."""
    if metric not in COUNTED:
        return {"array": [whisker(figure) for figure in figures]}
    return {
        "symmetric": False,
        "array": [round(figure.interval[1] - figure.mean, 2) for figure in figures],
        "arrayminus": [round(figure.mean - figure.interval[0], 2) for figure in figures],
    }


def _cell(figure: Figure | None) -> str:
    return figure.words() if figure else ""


def _bars(found: list[tuple[MeasuredRow, Figure]], metric: str) -> dict:
    hover = [
        f"<b>{one.title}</b><br>{one.family}<br>{figure.words()} % of {figure.clips} clips<br>"
        f"{formatting.count(figure.seeds, 'seed')}, {one.parameters / 1e6:.2f} M parameters"
        for one, figure in found
    ]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [one.title for one, _ in found],
        "x": [round(figure.mean, 2) for _, figure in found],
        "error_x": _whiskers([figure for _, figure in found], metric)
        | {"type": "data", "color": "var(--ink)", "thickness": 1.2, "width": 3},
        "text": [f"{figure.mean:.0f}" for _, figure in found],
        "textposition": "inside",
        "textangle": 0,
        "insidetextanchor": "start",
        "marker": {"color": [f"hue({formatting.hue(one.family)})" for one, _ in found]},
        "textfont": {"color": "var(--paper)"},
        "hovertext": hover,
        "hoverinfo": "text",
        "customdata": [one.key for one, _ in found],
    }
    shapes = []
    if metric in GUESSED:
        at = GUESSED[metric]
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
    """The confusions of a model on a test set as HTML: a matrix to press, and the worst as a list."""
    if not model:
        return notice("No model was measured yet.", "warn")
    try:
        one = entry(model)
        found = confusion(one, dataset)
    except UserError as problem:
        return notice(str(problem), "warn")
    if found is None:
        return notice(f"The confusions of {one.title} on {TITLES[dataset]} were not kept.", "warn")
    mistakes = found.mistakes()
    wrong, every = sum(m[2] for m in mistakes), int(found.counts.sum())
    link = urlencode({"data": dataset, "figure": metric, "model": one.key})
    return render(
        "measured/confusion",
        title=one.title,
        data=TITLES[dataset],
        link=f"?{link}",
        summary=f"{every - wrong} of {every} answers right"
        + (f", over {found.seeds} seeds" if found.seeds > 1 else ""),
        chart=plots.draw(
            _matrix(found),
            f"Confusions of {one.title} on {TITLES[dataset]}",
            max(300, min(760, 150 + 17 * len(found.true) + 4 * len(found.predicted))),
        ),
        width=150 + 13 * len(found.predicted),  # a phone moves it sideways
        mistakes=[
            {
                "true": true,
                "answered": answered,
                "count": f"{count} of {total}",
                "pair": [true, answered],
            }
            for true, answered, count, total in mistakes[:MOST_LISTED]
        ],
        real=dataset != "rendered",
    )


def _matrix(found: Confusion) -> dict:
    """Two layers: right answers in the accent's colour, mistakes in another; what never came is empty."""
    totals = found.counts.sum(1).clip(min=1)
    layers = []
    for right, colour in ((True, "var(--accent)"), (False, "hue(20)")):
        shares, texts, pairs = [], [], []
        for r, true in enumerate(found.true):
            cells = [
                int(found.counts[r, c]) if (true == name) == right else 0
                for c, name in enumerate(found.predicted)
            ]
            shares.append([round(n / totals[r], 3) if n else None for n in cells])
            texts.append(
                [
                    f"<b>{true}</b> answered as <b>{name}</b><br>{n} of {totals[r]} clips"
                    if n
                    else ""
                    for n, name in zip(cells, found.predicted, strict=True)
                ]
            )
            pairs.append(
                [
                    [true, name] if n else None
                    for n, name in zip(cells, found.predicted, strict=True)
                ]
            )
        layers.append(
            {
                "type": "heatmap",
                "z": shares,
                "x": list(found.predicted),
                "y": list(found.true),
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
            "xaxis": {**small, "tickangle": -60, "title": {"text": "answered"}},
            "yaxis": {**small, "autorange": "reversed"},
            "margin": {"l": 120, "r": 8, "t": 6, "b": 120},
            "dragmode": False,
        },
    }


def ablations_shown(dataset: str) -> str:
    """What one change did, a question each, as HTML; what is not trained yet is said.

    Of every row a bar on the chosen test set and one on rendered people, the largest set, which the
    sentences speak of most.
    """
    measured = kept_rows(FOLDER / "tiny.csv")
    clips = {row["dataset"]: int(row["clips"]) for row in measured if row["metric"] == "top1"}
    sets = list(dict.fromkeys((dataset, "rendered")))
    rows = iter(answers(measured))
    said = (
        sentences((FOLDER / "ablations.md").read_text(encoding="utf-8"))
        if (FOLDER / "ablations.md").exists()
        else {}
    )
    questions = []
    for question in ABLATIONS:
        answered = [_ablation(next(rows), sets, clips) for _ in question.rows]
        questions.append(
            {
                "name": question.name.replace("_", " "),
                "asks": question.question,
                "rows": answered,
                "known": any(row["figures"] for row in answered),
                "said": said.get(question.name, ()),
            }
        )
    asked = {question.name for question in ABLATIONS}
    general = [line for name, lines in said.items() if name not in asked for line in lines]
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
    """The paragraphs of ablations.md under each heading, by the heading's last word in backquotes or all.

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
