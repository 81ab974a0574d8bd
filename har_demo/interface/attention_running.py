"""What the Attention page does when something is pressed: a look, a place, a class, a file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr

from har_demo.clips.clip import Clip
from har_demo.errors import ChoiceError, UserError
from har_demo.explain.attention import attended, blocks, difference
from har_demo.explain.export import (
    ExplainedAttention,
    ExplainedClass,
    attention_at,
    explained_class,
    function_rows,
)
from har_demo.explain.look import Look, look
from har_demo.interface import stopping
from har_demo.interface.attention_results import (
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
from har_demo.interface.gpu import on_gpu
from har_demo.interface.problems import explain_error
from har_demo.interface.render import notice
from har_demo.interface.taking import ready

MIDDLE = (0.5, 0.5, 0.5)
MEAN = -1  # the head that stands for all
GONE = "There is no look on the page any more: press Look again."


def ask_model(
    current: Clip | None,
    video: str | None,
    model: str | None,
    second: float | None,
    request: gr.Request,
    progress=gr.Progress(),  # noqa: B008
):
    """Let a model look at the clip, and draw both maps.

    Yields updates of: notice, verdict, look, at, where, block, head, level, function, difference,
    frames, overlay, scores, spoke, name, method, class_map, curves.
    """
    with stopping.work(request.session_hash):
        yield from _ask(request.session_hash, current, video, model, second, progress)


@on_gpu
def _ask(session, current, video, model, second, progress):
    def tell(fraction: float, sentence: str) -> None:
        stopping.check(session)
        progress(fraction, desc=sentence)

    try:
        if not model:
            raise ChoiceError(
                "No model with weights is here: fetch some, then open this page again."
            )
        clip = ready(current, video, progress)
        one = look(clip, model, second, on_progress=lambda done, what: tell(0.5 * done, what))
        tell(0.5, "Asking all positions where they look")
        shown = current.sha256 if current else clip.sha256
        every = blocks(one)
        if every:
            said = attention_at(one, MIDDLE)
            of = said.found.block
            where = (
                gr.update(visible=True),
                gr.update(choices=block_choices(every), value=of.name),
                *_selectors(of),
                frames_shown(one),
                *_drawn(said, 0, False),
            )
        else:
            where = (gr.update(visible=False), *[gr.skip()] * 8)
        tell(0.9, "What spoke for the action")
        found = explained_class(one)
        yield (
            "",
            verdict_shown(one, shown, bool(every)),
            one,
            MIDDLE,
            *where,
            gr.update(visible=True),
            gr.update(choices=class_choices(one), value=one.card.classes[found.found.target]),
            gr.update(choices=METHOD_CHOICES, value=METHOD_CHOICES[0][1]),
            class_map_shown(found),
            "",
        )
    except stopping.Stopped:
        # `stopped` says so on the page; work that gives nothing at all would empty it.
        yield [gr.skip()] * 18
    except Exception as problem:
        # The page must never be left waiting.
        yield notice(explain_error(problem, "looking failed")), *[gr.skip()] * 17


def stopped(one: Look | None) -> str:
    """Say so; what stood on the page stays."""
    stays = " What stands below is the look before." if one else ""
    return notice(f"Stopped.{stays}", "warn")


def ask_place(one, at, block, head, level, function, changes, lines, event: gr.EventData):
    """Another place asks: at, overlay, scores."""
    given = event._data.get("at")
    try:
        at = tuple(min(max(float(share), 0.0), 0.999999) for share in given)
        if len(at) != 3:
            raise ValueError
    except (TypeError, ValueError):
        return gr.skip(), gr.skip(), gr.skip()
    return at, *redraw(one, at, block, head, level, function, changes, lines)


def redraw(one, at, block, head, level, function, changes, lines):
    """The same place under other settings: overlay, scores."""
    try:
        said = _said(one, at, block, head, function, lines)
        return _drawn(said, level or 0, changes)
    except UserError as problem:
        return gr.skip(), notice(str(problem), "warn")


def change_block(one, at, block, lines):
    """Another block, with its own heads, levels and functions: these, overlay, scores."""
    try:
        said = _said(one, at, block, MEAN, None, lines)
        return *_selectors(said.found.block), *_drawn(said, 0, False)
    except UserError as problem:
        return *[gr.skip()] * 5, notice(str(problem), "warn")


def change_class(one, name, method):
    """Another action or method: class map, and no curves any more."""
    try:
        return class_map_shown(_class(one, name, method)), ""
    except UserError as problem:
        return notice(str(problem), "warn"), ""


def trust_class(one, name, method, request: gr.Request, progress=gr.Progress()):  # noqa: B008
    """Deletion, insertion and shuffled parameters: curves."""
    try:
        return trust_shown(
            _class(
                one, name, method, True, lambda done: progress(done, desc="Greying out and back")
            )
        )
    except UserError as problem:
        return notice(str(problem), "warn")


def picture_of_attention(one, at, block, head, level, function, changes, lines):
    """The map as drawn, in a file."""
    with _problems():
        said = _said(one, at, block, head, function, lines)
        yield from _file(one, f"attention-{said.found.block.name}.png", said.png)


def array_of_attention(one, at, block, head, level, function, changes, lines):
    """The map's numbers, in a file."""
    with _problems():
        said = _said(one, at, block, head, function, lines)
        yield from _file(one, f"attention-{said.found.block.name}.npz", said.npz)


def picture_of_class(one, name, method):
    """The class's map as drawn, in a file."""
    with _problems():
        yield from _file(one, f"{method}.png", _class(one, name, method).png)


def array_of_class(one, name, method):
    """The class's map's numbers, in a file."""
    with _problems():
        yield from _file(one, f"{method}.npz", _class(one, name, method).npz)


def offer_models(chosen: str | None):
    """The models whose weights are here now, and the names of the others."""
    choices = model_choices()
    names = [name for _, name in choices]
    value = chosen if chosen in names else (names[0] if names else None)
    return gr.update(choices=choices, value=value), missing_models()


@on_gpu
def _said(one, at, block, head, function, lines) -> ExplainedAttention:
    if one is None:
        raise ChoiceError(GONE)
    head = None if head in (None, MEAN) else int(head)
    return attention_at(one, at or MIDDLE, block or None, head, function or None, int(lines))


@on_gpu
def _class(one, name, method, trust=False, on_progress=None) -> ExplainedClass:
    if one is None:
        raise ChoiceError(GONE)
    return explained_class(one, name or None, method, trust, on_progress)


@on_gpu
def _drawn(said: ExplainedAttention, level: int, changes: bool) -> tuple[str, str]:
    one, found = said.look, said.found
    level = min(level, len(found.levels) - 1)
    values = found.maps(said.head)
    if changes and found.function != found.block.function:
        values = difference(attended(one, found.block, said.at), found, said.head)
    else:
        changes = False
    rows = function_rows(one, found, said.at, said.head)
    return overlay_shown(said, values, level), scores_shown(said, values[level], rows, changes)


def _selectors(of) -> tuple:
    """Updates of head, level, function and difference for a block."""
    heads, levels, functions = head_choices(of), level_choices(of), function_choices(of)
    return (
        gr.update(choices=heads, value=MEAN, visible=len(heads) > 1),
        gr.update(choices=levels, value=0, visible=len(levels) > 1),
        gr.update(choices=functions, value=of.function or None, visible=bool(functions)),
        gr.update(value=False, visible=bool(functions)),
    )


@contextmanager
def _problems() -> Iterator[None]:
    """A file that cannot be made is said in Gradio's own manner."""
    try:
        yield
    except UserError as problem:
        raise gr.Error(str(problem), print_exception=False) from None


def _file(one: Look, name: str, make: Callable[[], bytes]):
    """A file that lasts until Gradio has its own copy."""
    clip = Path(one.clip.source.name).stem or "clip"
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{clip}-{one.card.name}-{name.replace(':', '-')}"
        path.write_bytes(make())
        yield str(path)
