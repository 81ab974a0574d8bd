"""Presses on the Motion page: trying edits or samplings, playing one edit large."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip
from har_demo.clips.writer import write_video
from har_demo.errors import ChoiceError, UserError
from har_demo.explain import edits
from har_demo.explain.edits_export import grid_csv, grid_json
from har_demo.explain.film import MOST_SECONDS, Excerpt, film
from har_demo.explain.samplings import FRAMES, KINDS, Sampled, passes, ways
from har_demo.explain.samplings_export import samplings_csv, samplings_json
from har_demo.explain.sensitivity import Grid
from har_demo.interface import budget
from har_demo.interface.address import link
from har_demo.interface.clip_input import ready
from har_demo.interface.lanes import PICTURES
from har_demo.interface.links import linked_clip, one_of, seconds_of, several_of, unknown_models
from har_demo.interface.pages.motion import previews as motion_previews
from har_demo.interface.pages.motion.on_gpu import edited_grids, excerpt, sampled_passes
from har_demo.interface.pages.motion.view import MotionOnPage
from har_demo.interface.render import data_uri, notice
from har_demo.interface.run import Job, press
from har_demo.interface.visitor import visitor

BETWEEN = 0.4  # seconds between two pictures of the grid while it fills
THUMBNAILS = 8
STRIDES = (1.0, 2.0, 4.0, 8.0)  # offered
EDITS, SAMPLINGS = "edits", "samplings"  # the two halves of the page


def tried(
    job: Job, clip: Clip, models: Sequence[str], wanted: Sequence[str], start: float
) -> Iterator[Grid]:
    """The grid as it grows; what the page and the API ask alike.

    Raises:
        ChoiceError, ClipError: as `har_demo.explain`.
    """
    asked = edits.several(wanted)  # what cannot be asked is said before the clip is read
    _some(models)
    budget.check_edits(clip, models, len(asked))
    return edited_grids(job, clip, models, asked, start or 0.0)


def sampled(
    job: Job,
    clip: Clip,
    models: Sequence[str],
    kinds: Sequence[str],
    frames: Sequence[float],
    strides: Sequence[float],
    start: float,
) -> tuple[Excerpt, int, Iterator[Sampled]]:
    """The film, how many passes there will be, and the passes as they come.

    Raises:
        ChoiceError, ClipError: as `har_demo.explain`.
    """
    asked = ways(kinds, frames, strides)
    _some(models)
    budget.check_samplings(models, asked)
    taken = excerpt(job, clip, start or 0.0)
    return taken, passes(models, asked), sampled_passes(job, taken, models, asked, start or 0.0)


def _some(models: Sequence[str]) -> None:
    if not models:
        raise ChoiceError("No model is ticked: tick at least one under 'Models'.")


@press
def try_on_models(
    job: Job,
    part: str,
    current: Clip | None,
    video: str | None,
    chosen: list[str],
    wanted: list[str],
    kinds: list[str],
    frames: list[int],
    strides: list[float],
    start: float,
):
    """Try the chosen edits, or samplings, on the chosen models.

    Yields updates of: notice, style, panel, on_page, take_away, json_file, csv_file, played.
    """
    clip = ready(job, current, video)
    shown = current.sha256 if current else clip.sha256
    named = {"part": part, "models": chosen, "start": start or None}
    if part == SAMPLINGS:
        named |= {"kinds": kinds, "frames": frames, "strides": strides}
    else:
        named |= {"edits": wanted}
    address = json.dumps(link(clip, **named))
    if part == SAMPLINGS:
        pages = _samplings(job, clip, shown, chosen, kinds, frames, strides, start)
        style = ""
    else:
        pages = _grids(job, clip, shown, chosen, wanted, start)
        style = motion_previews.style(clip, start or 0.0, edits.several(wanted), "#results")
    on_page = None
    last = 0.0
    try:
        for page in pages:
            first, on_page = on_page is None, replace(page, link=address)
            if not first and time.monotonic() - last < BETWEEN:
                continue
            last = time.monotonic()
            opened = {"notice": "", "style": style, **_no_files()} if first else {}
            yield {"panel": on_page.panel(), "on_page": on_page, **opened}
        yield {"panel": on_page.panel(), "on_page": on_page, **_files(on_page, job.folder)}
    except Exception:
        if on_page is not None:
            yield {"panel": on_page.panel(stopped=True)}
        raise


def _grids(job, clip, shown, chosen, wanted, start) -> Iterator[MotionOnPage]:
    for now in tried(job, clip, chosen, wanted, start):
        yield MotionOnPage(shown, grid=now)


def _samplings(job, clip, shown, chosen, kinds, frames, strides, start) -> Iterator[MotionOnPage]:
    taken, wanted, found = sampled(job, clip, chosen, kinds, frames, strides, start)
    last = len(taken.frames) - 1
    spread = np.linspace(0, last, min(THUMBNAILS, last + 1)).round().astype(int)
    small = tuple(data_uri(taken.frames[n], height=64) for n in spread)
    now = MotionOnPage(shown, stretch=taken.stretch, wanted=wanted, thumbnails=small)
    yield now
    for one in found:
        now = replace(now, passes=(*now.passes, one))
        yield now


@press
def restore_motion(job: Job, query: dict):
    """Bring back the clip, the half of the page and its settings; the page's script ticks models and edits.

    Yields updates of the clip, and of: part, what, start, kinds, frames, strides.
    """
    problems = []
    unknown_models(query, problems)
    if query.get("edits"):
        try:
            edits.several(query["edits"].split(","))
        except UserError as problem:
            problems.append(str(problem))
    settings = one_of(query, "part", [EDITS, SAMPLINGS], problems)
    if settings:
        settings["what"] = gr.update(selected=settings["part"])
    settings |= several_of(query, "kinds", KINDS, problems)
    for name, offered in (("frames", FRAMES), ("strides", STRIDES)):
        chosen = several_of(query, name, [f"{value:g}" for value in offered], problems)
        settings |= {n: [type(offered[0])(v) for v in values] for n, values in chosen.items()}
    settings |= seconds_of(query, "start", problems)
    yield linked_clip(query, problems) | settings


@press
def stopped(job: Job, on_page: MotionOnPage | None):
    """Show what was answered until Stop was pressed.

    Yields updates of: notice, panel, take_away, json_file, csv_file.
    """
    if on_page is None:
        yield {"notice": notice("Stopped.", "warn")}
        return
    yield {"notice": "", "panel": on_page.panel(stopped=True), **_files(on_page, job.folder)}


def _no_files() -> dict:
    return {
        "take_away": gr.update(visible=False),
        "json_file": None,
        "csv_file": None,
        "played": gr.update(value=None, visible=False),
    }


def _files(on_page: MotionOnPage, folder: Path) -> dict:
    """Updates of take_away, json_file and csv_file, written into the folder."""
    if on_page.grid is not None:
        kind, stretch = EDITS, on_page.grid.stretch
        content, table = grid_json(on_page.grid), grid_csv(on_page.grid)
    else:
        kind, stretch = SAMPLINGS, on_page.stretch
        content, table = (
            write(stretch, on_page.passes) for write in (samplings_json, samplings_csv)
        )
    stem = f"{Path(stretch.source.source.name).stem or 'clip'}-{kind}"
    json_path, csv_path = folder / f"{stem}.json", folder / f"{stem}.csv"
    json_path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    csv_path.write_text(table, encoding="utf-8", newline="")
    return {
        "take_away": gr.update(visible=True),
        "json_file": str(json_path),
        "csv_file": str(csv_path),
    }


@press(lane=PICTURES)
def play_edit(job: Job, on_page: MotionOnPage | None, event: dict):
    """Write the whole stretch with one edit, as an H.264 file to watch and keep.

    Yields updates of: played, notice.
    """
    if on_page is None or on_page.grid is None:
        raise ChoiceError("There is no edit on the page: press Try first.")
    clip, start = on_page.grid.stretch.source, on_page.grid.stretch.seconds[0]
    if cached_clip(clip.sha256) is None:
        raise ChoiceError("The clip of these answers is no longer here: press Try again.")
    text = str(event.get("edit", ""))
    one = edits.asked(text)
    path = job.folder / f"{Path(clip.source.name).stem or 'clip'}-{one.edit.name}.mp4"
    job.tell(0.1, f"{one.title}: making the clip")
    write_edited(clip, text, start, path)
    label = f"{clip.source.name}: {one.title}"
    yield {"played": gr.update(value=str(path), visible=True, label=label), "notice": ""}


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
        with PICTURES.turn(visitor(), lambda before: None):
            address, count = motion_previews.strip(clip, float(asked["start"] or 0), one)
        return {"address": address, "count": count, "seconds": count / motion_previews.RATE}
    except (UserError, LookupError, TypeError, ValueError, OverflowError):
        return {}


@press(lane=PICTURES)
def previews(job: Job, current: Clip | None, wanted: list[str], start: float):
    """Show previews of every edit for the clip that has come, and its start if that can be chosen.

    Yields updates of: style, start.
    """
    if current is None:
        yield {"style": "", "start": gr.update(visible=False)}
        return
    long = current.duration > MOST_SECONDS
    try:
        style = motion_previews.style(current, start or 0.0, edits.several(wanted), "#edits")
    except UserError:
        style = ""  # the press on Try says why
    yield {"style": style, "start": gr.update(visible=long)}
