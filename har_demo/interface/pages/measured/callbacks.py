"""Work behind the buttons of the Measured page: clips of a confusion, and times on this machine."""

import time

import gradio as gr
import torch

from har_demo.device import device
from har_demo.errors import ChoiceError
from har_demo.interface import formatting, plots
from har_demo.interface.lanes import MODELS
from har_demo.interface.pages.measured.view import restore, whisker
from har_demo.interface.render import data_uri, fragment, notice
from har_demo.interface.run import Job, press
from har_demo.profiling.timing import milliseconds, processor
from har_demo.recognize.confusions import MOST, Search, look_for
from har_demo.tables.datasets import TITLES
from har_demo.tables.measured import MeasuredRow, entries, entry, times
from har_demo.tables.pareto import front

SECONDS = 0.4
"""Each network is timed for at least so long."""
SIZE = 11  # of a point in the chart, in pixels
SHOWN, HIDDEN = gr.update(visible=True), gr.update(visible=False)


@press(errors="films")
def examples_of(job: Job, model: str, event: dict):
    """Show clips of one cell of the matrix, one after the other: updates of films, stop."""
    pair = event.get("custom")
    if not (isinstance(pair, list) and len(pair) == 2):
        raise ChoiceError("Press a cell of the matrix that is not empty.")
    true, predicted = map(str, pair)
    row = entry(model)
    if row.key != row.model:
        raise ChoiceError(
            f"{row.title} was measured, but shipped are the weights for another input: choose "
            "another model to see its mistakes."
        )
    waiting = fragment(
        "measured/films", "waiting", action=true, predicted=predicted, title=row.title
    )
    yield {"films": waiting, "stop": SHOWN}
    began = time.monotonic()
    with job.turn(MODELS):
        for search in look_for(row.model, true, predicted):
            job.check()
            shown = films(search, time.monotonic() - began)
            yield {"films": shown, "stop": HIDDEN if search.done else SHOWN}


@press(errors="films")
def examples_stopped(job: Job):
    """Say that no more clips come: updates of films, stop."""
    yield {"films": notice("Stopped.", "warn"), "stop": HIDDEN}


def films(search: Search, spent: float) -> str:
    """Return the clips that a search has found so far as HTML; it has taken `spent` seconds."""
    pending = search.pending
    others = [
        f"{name} ({count})" for name, count in search.answers.items() if name != search.wanted
    ]
    return fragment(
        "measured/films",
        "clips",
        title=entry(search.model).title,
        action=search.true,
        predicted=search.wanted,
        correct=search.true == search.wanted,
        done=search.done,
        tried=search.tried,
        spent=f"{spent:.1f}",
        pending=pending
        and {
            "url": data_uri(pending.frame),
            "predicted": pending.answered,
            "share": formatting.percent(pending.share),
            "seed": pending.seed,
            "hit": pending.answered == search.wanted,
        },
        most=MOST,
        count=search.found,
        others=formatting.sentence_list(others),
        examples=[
            {
                "url": f"/gradio_api/file={example.film}",
                "predicted": example.answered,
                "share": formatting.percent(example.share),
                "seed": example.seed,
            }
            for example in search.examples
        ],
    )


def opened(request: gr.Request) -> tuple:
    """Show what a link names, and recorded times: updates of dataset, metric, model, scores, matrix,
    curve, ablations, times.
    """
    shown = restore(request)
    return *shown, recorded_times(shown[0])


def recorded_times(dataset: str) -> str:
    """Return times of one view on the machine that was timed first, and on the others, as HTML."""
    known = {row.key for row in entries()}
    recorded = {
        machine: {model: ms for model, ms in measured.items() if model in known}
        for machine, measured in times().items()
    }
    if not recorded:
        return fragment("measured/times", "empty")
    machine, *others = recorded
    beside = {other: recorded[other] for other in others}
    return _times(recorded[machine], dataset, machine, beside=beside, recorded=True)


@press(errors="times", lane=MODELS)
def time_here(job: Job, dataset: str):
    """Time every measured network on this machine: updates of times, stop."""
    where = device()
    machine = (
        torch.cuda.get_device_name()
        if where.type == "cuda"
        else f"{processor()}, {formatting.count(torch.get_num_threads(), 'thread')}"
    )
    networks = [row for row in entries() if row.gmacs is not None and row.key == row.model]
    measured: dict[str, float] = {}
    began = time.monotonic()
    for number, row in enumerate(networks):
        job.check()
        doing = f"{row.title}, {number + 1} of {len(networks)}"
        spent = time.monotonic() - began
        shown = _times(measured, dataset, machine, doing, number / len(networks), spent)
        yield {"times": shown, "stop": SHOWN}
        measured[row.key] = milliseconds(row.card, where, SECONDS)
    yield {"times": _times(measured, dataset, machine), "stop": HIDDEN}


@press(errors="times")
def timing_stopped(job: Job):
    """Say that no more networks are timed: updates of times, stop."""
    yield {"times": notice("Stopped.", "warn"), "stop": HIDDEN}


def _times(
    measured: dict[str, float],
    dataset: str,
    machine: str,
    doing: str = "",
    share: float = 1.0,
    spent: float = 0.0,
    beside: dict[str, dict[str, float]] | None = None,
    recorded: bool = False,
) -> str:
    every = [(entry(key), ms) for key, ms in measured.items()]
    scored = [pair for pair in every if (dataset, "top1") in pair[0].figures]
    chart = ""
    if scored and not doing:
        chart = plots.draw(
            _against_accuracy(scored, dataset), f"Accuracy against time, {machine}", 420
        )
    return fragment(
        "measured/times",
        "measured",
        doing=doing,
        share=f"{share:.2f}",
        spent=f"{spent:.1f}",
        machine=machine,
        recorded=recorded,
        chart=chart,
        beside=list(beside or {}),
        rows=[
            {
                "title": row.title,
                "time": _span(ms),
                "beside": [
                    (other, _span(there[row.key]))
                    for other, there in (beside or {}).items()
                    if row.key in there
                ],
            }
            for row, ms in sorted(every, key=lambda pair: pair[1])
        ],
    )


def _span(ms: float) -> str:
    return formatting.milliseconds(ms) if ms >= 10 else f"{ms:.1f} ms"


def _against_accuracy(scored: list[tuple[MeasuredRow, float]], dataset: str) -> dict:
    figures = [row.figures[dataset, "top1"] for row, _ in scored]
    points = [(ms, figure.mean) for (_, ms), figure in zip(scored, figures, strict=True)]
    # Named is what nothing beats in both, the best first; a press or a pointer tells the others.
    best = front(points)
    labels = [
        {
            "text": scored[place][0].title if place in best else "",
            "x": points[place][0],
            "y": points[place][1],
            "size": SIZE,
            "whisker": whisker(figures[place]),
        }
        for place in sorted(range(len(points)), key=lambda place: -points[place][1])
    ]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": [round(ms, 2) for _, ms in scored],
                "y": [round(figure.mean, 2) for figure in figures],
                "error_y": {
                    "type": "data",
                    "array": [whisker(figure) for figure in figures],
                    "width": 3,
                    "color": "var(--faint)",
                    "thickness": 1,
                },
                "marker": {
                    "size": SIZE,
                    "color": [f"hue({formatting.hue(row.family)})" for row, _ in scored],
                },
                "hovertext": [
                    f"<b>{row.title}</b><br>{ms:.1f} ms a view<br>{figure.words()} %"
                    for (row, ms), figure in zip(scored, figures, strict=True)
                ],
                "hoverinfo": "text",
                "cliponaxis": False,
            }
        ],
        "layout": {
            "xaxis": {"type": "log", "title": {"text": "milliseconds a view"}},
            "yaxis": {"title": {"text": f"top-1, {TITLES[dataset]}"}, "ticksuffix": " %"},
            "margin": {"l": 70, "r": 30, "t": 16, "b": 48},
            "meta": {"labels": labels},
        },
    }
