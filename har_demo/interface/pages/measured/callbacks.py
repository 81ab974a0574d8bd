"""What the Measured page does when something takes a while: films of a confusion, and times."""

import logging

import gradio as gr

from har_demo.errors import ChoiceError, UserError
from har_demo.interface import formatting, plots, stopping
from har_demo.interface.gpu import on_gpu
from har_demo.interface.pages.measured.view import restore, whisker
from har_demo.interface.render import fragment, notice
from har_demo.profiling.timing import milliseconds, processor
from har_demo.recognize.confusions import MOST, Search, look_for
from har_demo.tables.datasets import TITLES
from har_demo.tables.measured import entries, entry, times
from har_demo.tables.pareto import front

log = logging.getLogger(__name__)

BROKEN = "Something broke on our side, not yours: try again, or another model."
SECONDS = 0.4
"""Each network is timed for at least so long."""
SIZE = 11  # of a point in the chart, in pixels


def examples_of(model: str, event: gr.EventData, request: gr.Request):
    """Films of one cell of the matrix, one after the other. Yields updates of: films, stop."""
    with stopping.work(request.session_hash):
        yield from _examples(request.session_hash, model, event._data.get("custom"))


@on_gpu
def _examples(session: str, model: str, pair):
    on, off = gr.update(visible=True), gr.update(visible=False)
    try:
        if not (isinstance(pair, list) and len(pair) == 2):
            raise ChoiceError("Press a cell of the matrix that is not empty.")
        true, wanted = map(str, pair)
        one = entry(model)
        if one.key != one.model:
            raise ChoiceError(
                f"{one.title} was measured, but shipped are the weights for another input: choose "
                "another model to see its mistakes."
            )
        yield fragment("measured/films", "waiting", shows=true, wanted=wanted, title=one.title), on
        for search in look_for(one.model, true, wanted):
            stopping.check(session)
            yield films(search), off if search.done else on
    except stopping.Stopped:
        yield notice("Stopped.", "warn"), off
    except Exception as problem:
        if not isinstance(problem, UserError):
            log.exception("looking for a confusion failed")
        sentence = str(problem) if isinstance(problem, UserError) else BROKEN
        yield notice(sentence, "warn"), off


def films(search: Search) -> str:
    """What a search has found so far, as HTML."""
    title = entry(search.model).title
    others = [
        f"{answer} ({count})" for answer, count in search.answers.items() if answer != search.wanted
    ]
    return fragment(
        "measured/films",
        "found",
        title=title,
        shows=search.true,
        wanted=search.wanted,
        right=search.true == search.wanted,
        done=search.done,
        tried=search.tried,
        most=MOST,
        found=search.found,
        others=formatting.sentence_list(others),
        examples=[
            {
                "url": f"/gradio_api/file={example.film}",
                "answered": example.answered,
                "share": formatting.percent(example.share),
                "seed": example.seed,
            }
            for example in search.examples
        ],
    )


def opened(request: gr.Request) -> tuple:
    """What a link names, and recorded times: updates of dataset, metric, model, scores, matrix,
    ablations, times.
    """
    shown = restore(request)
    return *shown, recorded_times(shown[0])


def recorded_times(dataset: str) -> str:
    """What views took on the machine that was timed first, and beside it on the others, as HTML."""
    known = {one.key for one in entries()}
    recorded = {
        machine: {model: ms for model, ms in taken.items() if model in known}
        for machine, taken in times().items()
    }
    if not recorded:
        return fragment("measured/times", "empty")
    machine, *others = recorded
    beside = {other: recorded[other] for other in others}
    return _times(recorded[machine], dataset, machine, beside=beside, recorded=True)


def stop_work(request: gr.Request) -> None:
    """End what this visitor has running; it says so itself, so that nothing comes after."""
    stopping.stop(request.session_hash)


def time_here(dataset: str, request: gr.Request):
    """Time every measured network on this machine. Yields updates of: times, enough."""
    with stopping.work(request.session_hash):
        yield from _time(request.session_hash, dataset)


@on_gpu
def _time(session: str, dataset: str):
    import torch

    found: dict[str, float] = {}
    try:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        machine = (
            torch.cuda.get_device_name()
            if device.type == "cuda"
            else f"{processor()}, {formatting.count(torch.get_num_threads(), 'thread')}"
        )
        asked = [one for one in entries() if one.gmacs is not None and one.model in _by_model()]
        for number, one in enumerate(asked):
            stopping.check(session)
            doing = f"{one.title}, {number + 1} of {len(asked)}"
            shown = _times(found, dataset, machine, doing, number / len(asked))
            yield shown, gr.update(visible=True)
            found[one.key] = milliseconds(one.card, device, SECONDS)
        yield _times(found, dataset, machine), gr.update(visible=False)
    except stopping.Stopped:
        yield notice("Stopped.", "warn"), gr.update(visible=False)
    except Exception:
        log.exception("timing failed")
        yield notice(BROKEN), gr.update(visible=False)


def _by_model() -> dict:
    """Entries whose network is the card's own: fusions of two have none."""
    return {one.model: one for one in entries() if "." not in one.model}


def _times(
    found: dict[str, float],
    dataset: str,
    machine: str,
    doing: str = "",
    share: float = 1.0,
    beside: dict[str, dict[str, float]] | None = None,
    recorded: bool = False,
) -> str:
    every = [(entry(key), taken) for key, taken in found.items()]
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
        machine=machine,
        recorded=recorded,
        chart=chart,
        beside=list(beside or {}),
        rows=[
            {
                "title": one.title,
                "time": _span(taken),
                "beside": [
                    (other, _span(found[one.key]))
                    for other, found in (beside or {}).items()
                    if one.key in found
                ],
            }
            for one, taken in sorted(every, key=lambda pair: pair[1])
        ],
    )


def _span(taken: float) -> str:
    return formatting.milliseconds(taken) if taken >= 10 else f"{taken:.1f} ms"


def _against_accuracy(scored: list, dataset: str) -> dict:
    values = [one.figures[dataset, "top1"] for one, _ in scored]
    points = [(taken, value.mean) for (_, taken), value in zip(scored, values, strict=True)]
    # Named is what nothing beats in both, the best first; a press or a pointer tells the others.
    best = front(points)
    labels = [
        {
            "text": scored[place][0].title if place in best else "",
            "x": points[place][0],
            "y": points[place][1],
            "size": SIZE,
            "whisker": whisker(values[place]),
        }
        for place in sorted(range(len(points)), key=lambda place: -points[place][1])
    ]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": [round(taken, 2) for _, taken in scored],
                "y": [round(value.mean, 2) for value in values],
                "error_y": {
                    "type": "data",
                    "array": [whisker(v) for v in values],
                    "width": 3,
                    "color": "var(--faint)",
                    "thickness": 1,
                },
                "marker": {
                    "size": SIZE,
                    "color": [f"hue({formatting.hue(one.family)})" for one, _ in scored],
                },
                "hovertext": [
                    f"<b>{one.title}</b><br>{taken:.1f} ms a view<br>{value.words()} %"
                    for (one, taken), value in zip(scored, values, strict=True)
                ],
                "hoverinfo": "text",
                "cliponaxis": False,
            }
        ],
        "layout": {
            "xaxis": {"type": "log", "title": {"text": "milliseconds a view"}},
            "yaxis": {
                "title": {"text": f"right at first, {TITLES[dataset]}"},
                "ticksuffix": " %",
            },
            "margin": {"l": 70, "r": 30, "t": 16, "b": 48},
            "meta": {"labels": labels},
        },
    }
