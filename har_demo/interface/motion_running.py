"""What the Motion page does when something is pressed: trying edits or samplings, playing one edit large."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr
import numpy as np

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip
from har_demo.clips.writer import write_video
from har_demo.errors import ChoiceError, UserError
from har_demo.explain import edits
from har_demo.explain.edits_export import grid_csv, grid_json
from har_demo.explain.film import MOST_SECONDS, Film, film
from har_demo.explain.samplings import Sampled, passes, samplings, ways
from har_demo.explain.samplings_export import samplings_csv, samplings_json
from har_demo.explain.sensitivity import Grid, grid
from har_demo.interface import motion_previews, stopping
from har_demo.interface.gpu import on_gpu
from har_demo.interface.motion_results import OnPage
from har_demo.interface.problems import explain_error
from har_demo.interface.render import data_uri, notice
from har_demo.interface.taking import ready

BETWEEN = 0.4  # seconds between two pictures of the grid while it fills
READING = 0.05  # the share of the work that reading takes
THUMBNAILS = 8
EDITS, SAMPLINGS = "edits", "samplings"  # the two halves of the page


def tried(
    clip: Clip, models: Sequence[str], wanted: Sequence[str], start: float, tell: Callable
) -> Iterator[Grid]:
    """The grid as it grows; what the page and the API ask alike.

    Raises:
        ChoiceError, ClipError: as `har_demo.explain`.
    """
    asked = edits.several(wanted)  # what cannot be asked is said before the clip is read
    _some(models)
    return grid(_film(clip, start, tell), models, asked, _after_reading(tell))


def sampled(
    clip: Clip,
    models: Sequence[str],
    kinds: Sequence[str],
    frames: Sequence[float],
    strides: Sequence[float],
    start: float,
    tell: Callable,
) -> tuple[Film, int, Iterator[Sampled]]:
    """The film, how many passes there will be, and the passes as they come.

    Raises:
        ChoiceError, ClipError: as `har_demo.explain`.
    """
    asked = ways(kinds, frames, strides)
    _some(models)
    taken = _film(clip, start, tell)
    return taken, passes(models, asked), samplings(taken, models, asked, _after_reading(tell))


def _some(models: Sequence[str]) -> None:
    if not models:
        raise ChoiceError("No model is ticked: tick at least one under 'Models'.")


def _film(clip: Clip, start: float, tell: Callable) -> Film:
    return film(clip, start or 0.0, lambda done: tell(READING * done, "Reading the clip"))


def _after_reading(tell: Callable) -> Callable:
    return lambda done, sentence: tell(READING + (1 - READING) * done, sentence)


def try_on_models(
    part: str,
    current: Clip | None,
    video: str | None,
    chosen: list[str],
    wanted: list[str],
    kinds: list[str],
    frames: list[int],
    strides: list[float],
    start: float,
    request: gr.Request,
    progress=gr.Progress(),  # noqa: B008
):
    """Try the chosen edits, or samplings, on the chosen models.

    Yields updates of: notice, style, panel, on_page, take_away, json_file, csv_file, played.
    """
    session = request.session_hash  # a request cannot travel to the process that has the GPU
    given = (part, current, video, chosen, wanted, kinds, frames, strides, start)
    with stopping.work(session):
        yield from _try(session, *given, progress)


@on_gpu
def _try(session, part, current, video, chosen, wanted, kinds, frames, strides, start, progress):
    on_page = None  # what the panel shows, should this end early

    def tell(fraction: float, sentence: str) -> None:
        stopping.check(session)
        progress(fraction, desc=sentence)

    try:
        clip = ready(current, video, progress)
        shown = current.sha256 if current else clip.sha256
        if part == SAMPLINGS:
            pages = _samplings(clip, shown, chosen, kinds, frames, strides, start, tell)
            style = ""
        else:
            pages = _grids(clip, shown, chosen, wanted, start, tell)
            style = motion_previews.style(clip, start or 0.0, edits.several(wanted), "#results")
        last = 0.0
        for page in pages:
            first, on_page = on_page is None, page
            if not first and time.monotonic() - last < BETWEEN:
                continue
            last = time.monotonic()
            yield (
                "",
                style if first else gr.skip(),
                on_page.panel(),
                on_page,
                *(_no_files() if first else [gr.skip()] * 4),
            )
        with _files(on_page) as files:
            yield "", gr.skip(), on_page.panel(), on_page, *files
    except stopping.Stopped:
        # `stopped` says so on the page; work that gives nothing at all would empty it.
        yield [gr.skip()] * 8
    except Exception as problem:
        # The page must never be left waiting.
        said = explain_error(problem, "trying edits or samplings failed")
        panel = on_page.panel(stopped=True) if on_page else gr.skip()
        yield notice(said), gr.skip(), panel, *[gr.skip()] * 5


def _grids(clip, shown, chosen, wanted, start, tell) -> Iterator[OnPage]:
    for now in tried(clip, chosen, wanted, start, tell):
        yield OnPage(shown, grid=now)


def _samplings(clip, shown, chosen, kinds, frames, strides, start, tell) -> Iterator[OnPage]:
    taken, wanted, found = sampled(clip, chosen, kinds, frames, strides, start, tell)
    last = len(taken.frames) - 1
    spread = np.linspace(0, last, min(THUMBNAILS, last + 1)).round().astype(int)
    small = tuple(data_uri(taken.frames[n], height=64) for n in spread)
    now = OnPage(shown, stretch=taken.stretch, wanted=wanted, thumbnails=small)
    yield now
    for one in found:
        now = replace(now, passes=(*now.passes, one))
        yield now


def stopped(on_page: OnPage | None):
    """Show what was answered until Stop was pressed.

    Yields updates of: notice, panel, take_away, json_file, csv_file, played.
    """
    if on_page is None:
        yield notice("Stopped.", "warn"), *[gr.skip()] * 5
        return
    with _files(on_page) as files:
        yield "", on_page.panel(stopped=True), *files


def _no_files() -> tuple:
    return gr.update(visible=False), None, None, gr.update(value=None, visible=False)


@contextmanager
def _files(on_page: OnPage):
    """Updates of take_away, json_file, csv_file, played; the files last as long as the with."""
    if on_page.grid is not None:
        part = on_page.grid.stretch
        told, table = grid_json(on_page.grid), grid_csv(on_page.grid)
    else:
        part = on_page.stretch
        told, table = (write(part, on_page.passes) for write in (samplings_json, samplings_csv))
    what = EDITS if on_page.grid is not None else SAMPLINGS
    with TemporaryDirectory() as folder:
        stem = f"{Path(part.source.source.name).stem or 'clip'}-{what}"
        json_path, csv_path = Path(folder) / f"{stem}.json", Path(folder) / f"{stem}.csv"
        json_path.write_text(json.dumps(told, indent=1), encoding="utf-8")
        csv_path.write_text(table, encoding="utf-8", newline="")
        yield gr.update(visible=True), str(json_path), str(csv_path), gr.skip()


def play_edit(on_page: OnPage | None, event: gr.EventData, progress=gr.Progress()):  # noqa: B008
    """The whole stretch with one edit, as an H.264 file to watch and keep.

    Yields updates of: played, notice.
    """
    try:
        if on_page is None or on_page.grid is None:
            raise ChoiceError("There is no edit on the page: press Try first.")
        part = on_page.grid.stretch
        if cached_clip(part.source.sha256) is None:
            raise ChoiceError("The clip of these answers is no longer here: press Try again.")
        text = str(event._data.get("edit", ""))
        one = edits.asked(text)
        with TemporaryDirectory() as folder:
            stem = f"{Path(part.source.source.name).stem or 'clip'}-{one.edit.name}"
            path = Path(folder) / f"{stem}.mp4"
            progress(0.1, desc=f"{one.title}: making the clip")
            write_edited(part.source, text, part.seconds[0], path)
            label = f"{part.source.source.name}: {one.title}"
            yield gr.update(value=str(path), visible=True, label=label), ""
    except UserError as problem:
        yield gr.skip(), notice(str(problem))


def write_edited(clip: Clip, text: str, start: float, path: Path) -> None:
    """One edit of a stretch as an H.264 file.

    Raises:
        ChoiceError, ClipError: as `har_demo.explain`.
    """
    one = edits.asked(text)
    taken = film(clip, start)
    write_video(path, edits.apply(taken.frames, one, clip.fps), clip.fps)


def preview(asked: dict) -> dict:
    """The strip of one edit at another strength: {address, count}, or {} when it cannot be had.

    Args:
        asked: the clip's hash, the edit as text and the start; a server function gets one argument.
    """
    try:
        clip = cached_clip(str(asked["clip"]))
        if clip is None:
            return {}
        one = edits.asked(str(asked["edit"]))
        address, count = motion_previews.strip(clip, float(asked["start"] or 0), one)
        return {"address": address, "count": count, "seconds": count / motion_previews.RATE}
    except (UserError, LookupError, TypeError, ValueError, OverflowError):
        return {}


def previews(current: Clip | None, wanted: list[str], start: float) -> tuple:
    """Previews of every edit for the clip that has come: style, and whether its start can be chosen."""
    if current is None:
        return "", gr.update(visible=False)
    long = current.duration > MOST_SECONDS
    try:
        style = motion_previews.style(current, start or 0.0, edits.several(wanted), "#edits")
    except UserError:
        style = ""
    return style, gr.update(visible=long)
