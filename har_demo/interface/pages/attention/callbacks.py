"""Presses on the Attention page: a model, a place, a class, a file."""

from pathlib import Path

import gradio as gr

from har_demo.clips.clip import Clip
from har_demo.errors import ChoiceError
from har_demo.explain.attention import AttentionBlock, attended, blocks, difference
from har_demo.explain.export import (
    ExplainedAttention,
    ExplainedClass,
    attention_at,
    function_rows,
)
from har_demo.explain.look import ForwardTrace
from har_demo.interface.clip_input import ready
from har_demo.interface.lanes import MODELS, PICTURES
from har_demo.interface.links import linked_clip, one_of, seconds_of
from har_demo.interface.pages.attention.on_gpu import class_explained, traced
from har_demo.interface.pages.attention.view import (
    METHOD_CHOICES,
    block_choices,
    class_choices,
    class_map_shown,
    frames_shown,
    function_choices,
    head_choices,
    level_choices,
    missing_models,
    model_choices,
    overlay_shown,
    scores_shown,
    trust_shown,
    verdict_shown,
)
from har_demo.interface.render import notice
from har_demo.interface.run import Job, press

MIDDLE = (0.5, 0.5, 0.5)
MEAN = -1  # the head that stands for all
GONE = "There are no maps on the page any more: press Look again."


@press
def ask_model(
    job: Job,
    current: Clip | None,
    video: str | None,
    model: str | None,
    second: float | None,
):
    """Show the clip to a model, and draw both maps.

    Yields updates of: notice, verdict, look, at, where, block, head, level, function, difference,
    frames, overlay, scores, spoke, name, method, class_map, curves.
    """
    if not model:
        raise ChoiceError("No model with weights is here: fetch some, then open this page again.")
    clip = ready(job, current, video)
    trace, found = traced(job, clip, model, second)
    job.tell(0.6, "Attention of all positions")
    shown = current.sha256 if current else clip.sha256
    every = blocks(trace)
    where = {"where": gr.update(visible=bool(every))}
    if every:
        said = attention_at(trace, MIDDLE)
        of = said.result.block
        where |= {
            "block": gr.update(choices=block_choices(every), value=of.name),
            "frames": frames_shown(trace),
            **_selectors(of),
            **_drawn(said, 0, False),
        }
    yield {
        "notice": "",
        "verdict": verdict_shown(trace, shown, bool(every), second),
        "look": trace,
        "at": MIDDLE,
        **where,
        "spoke": gr.update(visible=True),
        "name": gr.update(
            choices=class_choices(trace), value=trace.card.classes[found.result.target]
        ),
        "method": gr.update(choices=METHOD_CHOICES, value=METHOD_CHOICES[0][1]),
        "class_map": class_map_shown(found),
        "curves": "",
    }


@press
def restore_attention(job: Job, query: dict):
    """Bring back the clip, the model and the moment that an address names.

    Yields updates of the clip, and of: model, second.
    """
    problems = []
    names = [name for _, name in model_choices()]
    settings = {**one_of(query, "model", names, problems), **seconds_of(query, "second", problems)}
    yield linked_clip(query, problems) | settings


@press
def stopped(job: Job, trace: ForwardTrace | None):
    """Say so; the maps before stay. Yields an update of: notice."""
    stays = " The maps below are those of the press before." if trace else ""
    yield {"notice": notice(f"Stopped.{stays}", "warn")}


@press(errors="scores", lane=PICTURES)
def ask_place(job: Job, trace, at, block, head, level, function, changes, lines, event: dict):
    """Let another place ask. Yields updates of: at, overlay, scores."""
    try:
        at = tuple(min(max(float(share), 0.0), 0.999999) for share in event.get("at"))
    except (TypeError, ValueError):
        return
    if len(at) == 3:
        yield {"at": at}
        yield _redrawn(trace, at, block, head, level, function, changes, lines)


@press(errors="scores", lane=PICTURES)
def redraw(job: Job, trace, at, block, head, level, function, changes, lines):
    """Draw the same place under other settings. Yields updates of: overlay, scores."""
    yield _redrawn(trace, at, block, head, level, function, changes, lines)


def _redrawn(trace, at, block, head, level, function, changes, lines) -> dict:
    return _drawn(_said(trace, at, block, head, function, lines), level or 0, changes)


@press(errors="scores", lane=PICTURES)
def change_block(job: Job, trace, at, block, lines):
    """Show another block, with its own heads, levels and functions.

    Yields updates of: head, level, function, difference, overlay, scores.
    """
    said = _said(trace, at, block, MEAN, None, lines)
    yield _selectors(said.result.block) | _drawn(said, 0, False)


@press(errors="class_map", lane=PICTURES)
def change_class(job: Job, trace, name, method):
    """Show another action or method, and no curves any more. Yields updates of: class_map, curves."""
    yield {"curves": ""}
    yield {"class_map": class_map_shown(_class(job, trace, name, method))}


@press(errors="curves", lane=MODELS)
def trust_class(job: Job, trace, name, method):
    """Measure deletion, insertion and shuffled parameters. Yields an update of: curves."""
    explained = _class(job, trace, name, method, trust=True)
    yield {"curves": trust_shown(explained)}


@press(lane=PICTURES)
def picture_of_attention(job: Job, trace, at, block, head, level, function, changes, lines):
    """Write the map as drawn. Yields an update of: file."""
    said = _said(trace, at, block, head, function, lines)
    yield {"file": _file(job, trace, f"attention-{said.result.block.name}.png", said.png())}


@press(lane=PICTURES)
def array_of_attention(job: Job, trace, at, block, head, level, function, changes, lines):
    """Write the map's numbers. Yields an update of: file."""
    said = _said(trace, at, block, head, function, lines)
    yield {"file": _file(job, trace, f"attention-{said.result.block.name}.npz", said.npz())}


@press(lane=PICTURES)
def picture_of_class(job: Job, trace, name, method):
    """Write the class's map as drawn. Yields an update of: file."""
    yield {"file": _file(job, trace, f"{method}.png", _class(job, trace, name, method).png())}


@press(lane=PICTURES)
def array_of_class(job: Job, trace, name, method):
    """Write the numbers of the class's map. Yields an update of: file."""
    yield {"file": _file(job, trace, f"{method}.npz", _class(job, trace, name, method).npz())}


def offer_models(chosen: str | None):
    """The models whose weights are here now, and the names of the others."""
    choices = model_choices()
    names = [name for _, name in choices]
    value = chosen if chosen in names else (names[0] if names else None)
    return gr.update(choices=choices, value=value), missing_models()


def _said(one, at, block, head, function, lines) -> ExplainedAttention:
    if one is None:
        raise ChoiceError(GONE)
    head = None if head in (None, MEAN) else int(head)
    return attention_at(one, at or MIDDLE, block or None, head, function or None, int(lines))


def _class(job: Job, one, name, method, trust=False) -> ExplainedClass:
    if one is None:
        raise ChoiceError(GONE)
    return class_explained(job, one, name or None, method, trust)


def _drawn(said: ExplainedAttention, level: int, changes: bool) -> dict:
    one, found = said.trace, said.result
    level = min(level, len(found.levels) - 1)
    values = found.maps(said.head)
    if changes and found.function != found.block.function:
        values = difference(attended(one, found.block, said.at), found, said.head)
    else:
        changes = False
    rows = function_rows(one, found, said.at, said.head)
    return {
        "overlay": overlay_shown(said, values, level),
        "scores": scores_shown(said, values[level], rows, changes),
    }


def _selectors(of: AttentionBlock) -> dict:
    """Updates of head, level, function and difference for a block."""
    heads, levels, functions = head_choices(of), level_choices(of), function_choices(of)
    return {
        "head": gr.update(choices=heads, value=MEAN, visible=len(heads) > 1),
        "level": gr.update(choices=levels, value=0, visible=len(levels) > 1),
        "function": gr.update(
            choices=functions, value=of.function or None, visible=bool(functions)
        ),
        "difference": gr.update(value=False, visible=bool(functions)),
    }


def _file(job: Job, trace: ForwardTrace, name: str, content: bytes) -> str:
    clip = Path(trace.clip.source.name).stem or "clip"
    path = job.folder / f"{clip}-{trace.card.name}-{name.replace(':', '-')}"
    path.write_bytes(content)
    return str(path)
