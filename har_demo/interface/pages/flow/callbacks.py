"""Presses on the Flow page: computing, stepping, saving, asking two streams."""

import json
from dataclasses import replace
from pathlib import Path

import gradio as gr

from har_demo.clips.budget import duration
from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip
from har_demo.errors import ChoiceError
from har_demo.flow import learned, save
from har_demo.flow.catalogue import EMBEDDED, Method, methods, offered
from har_demo.flow.look import LONGEST, PAIRS, flow_json
from har_demo.flow.views import METHOD
from har_demo.interface import budget
from har_demo.interface.clip_input import ready
from har_demo.interface.lanes import MODELS, PICTURES
from har_demo.interface.links import linked_clip, one_of, seconds_of
from har_demo.interface.pages.flow.on_gpu import computed, stacked
from har_demo.interface.pages.flow.view import (
    FlowOnPage,
    as_network,
    fastest,
    one_pair,
    two_streams,
    when,
)
from har_demo.interface.render import fragment, notice
from har_demo.interface.run import Job, press
from har_demo.models.registry import card
from har_demo.recognize import two_streams as streaming
from har_demo.recognize.two_streams import Fusable
from har_demo.weights.state import megabytes

ALONE = ""  # no second method
SHORTEST = 0.2  # seconds of a span
AT_ONCE = 5.0  # seconds that a default may take; of what takes longer the page says how long
SEEN_BY = {
    "two_stream_temporal": "the paper's stream",
    "temporal_stream_lab": "our small stream",
    "i3d_flow_lab": "our small I3D",
}
"""Whose input the channels are; cards of models of flow."""

NO_STREAMS = (
    "No weights of a flow network are in this copy: train them with make train "
    "MODEL=temporal_stream_lab and make train MODEL=spatial_stream_lab"
)
ONLINE, OFFLINE = ", or fetch the public ones of I3D below.", ", or go online for those of I3D."
SLOW = (
    " They see 64 frames at a time and expect TV-L1, which is a minute's work for a processor "
    "without a GPU."
)


@press
def show_motion(
    job: Job,
    current: Clip | None,
    video: str | None,
    method: str,
    beside: str,
    start: float,
    seconds: float,
    without_camera: bool,
    seen_by: str,
):
    """Compute flow along the span by the chosen methods.

    Yields updates of: notice, panel, pair, network, answered, reading, take_away, json_file, film, zip_file.
    """
    clip = ready(job, current, video)
    if method and method == beside:
        raise ChoiceError(
            "Both methods are the same: choose another one to compare with, or nothing."
        )
    chosen = [name for name in (method, beside) if name]
    span = _number(start), _number(seconds)
    result = computed(job, clip, chosen, *span)
    shown = current.sha256 if current else clip.sha256
    on_page = FlowOnPage(result, shown, fastest(result, without_camera), without_camera, span)
    job.tell(1, "Drawing")
    network = _network(job, on_page, seen_by)
    job.check()
    path = job.folder / f"{_stem(on_page)}.json"
    path.write_text(json.dumps(flow_json(result), indent=1), encoding="utf-8")
    yield {
        "notice": "",
        "panel": when(on_page),
        "pair": one_pair(on_page),
        "network": network,
        "answered": on_page,
        "reading": gr.update(visible=True),
        "take_away": gr.update(visible=True),
        "json_file": str(path),
        **_no_files(),
    }


def _number(value: float | None) -> float:
    """An emptied field is nothing, which no span begins at."""
    if value is None:
        raise ChoiceError("Give the start and the duration of the span in seconds.")
    return float(value)


@press
def restore_flow(job: Job, query: dict):
    """Bring back the clip, the methods and the span that an address names.

    Yields updates of the clip, and of: method, beside, start, seconds, without_camera.
    """
    problems = []
    names = [one.name for one in offered()]
    settings = {
        **one_of(query, "method", names, problems),
        **one_of(query, "beside", names, problems),
        **seconds_of(query, "start", problems),
        **seconds_of(query, "seconds", problems, SHORTEST, LONGEST),
    }
    for name, value in one_of(query, "without_camera", ["0", "1"], problems).items():
        settings[name] = value == "1"
    yield linked_clip(query, problems) | settings


@press
def stopped(job: Job, on_page: FlowOnPage | None):
    """Say so; the flow before stays. Yields an update of: notice."""
    stays = " What stands below is as it was." if on_page else ""
    yield {"notice": notice(f"Stopped.{stays}", "warn")}


@press(lane=PICTURES)
def take_off(job: Job, on_page: FlowOnPage | None, without_camera: bool):
    """Show the same flow with or without the camera's motion; another pair where the fastest was shown.

    Yields updates of: notice, panel, pair, answered, film, zip_file.
    """
    if on_page is None:
        return
    pair, look = on_page.pair, on_page.look
    if pair == fastest(look, on_page.without_camera):
        pair = fastest(look, without_camera)
    changed = replace(on_page, pair=pair, without_camera=without_camera)
    yield {
        "notice": "",
        "panel": when(changed),
        "pair": one_pair(changed),
        "answered": changed,
        **_no_files(),
    }


@press(lane=PICTURES)
def show_pair(job: Job, on_page: FlowOnPage | None, event: dict):
    """Show another pair of frames. Yields updates of: notice, pair, answered."""
    number = event.get("pair")
    if on_page is None or number not in range(len(on_page.look.pairs)):
        raise ChoiceError("There is no such pair on the page: press Show the motion first.")
    _check_here(on_page)
    changed = replace(on_page, pair=number)
    yield {"notice": "", "pair": one_pair(changed), "answered": changed}


@press(lane=PICTURES)
def see_as(job: Job, on_page: FlowOnPage | None, seen_by: str):
    """Show the channels as another network is given them. Yields updates of: notice, network."""
    if on_page is None:
        return
    _check_here(on_page)
    yield {"notice": "", "network": _network(job, on_page, seen_by)}


def _check_here(on_page: FlowOnPage) -> None:
    if cached_clip(on_page.look.clip.sha256) is None:
        raise ChoiceError("The clip of this flow is no longer here: press Show the motion again.")


def _network(job: Job, on_page: FlowOnPage, seen_by: str) -> str:
    found, model = on_page.look, card(seen_by if seen_by in SEEN_BY else next(iter(SEEN_BY)))
    way = found.ways[0]
    # Networks are given the camera's motion too; the fastest moment is in the middle of what is shown.
    first = int(found.pairs[fastest(found, without_camera=False), 0])
    reach = model.input.flow_frames * found.clip.fps / model.input.fps
    one = stacked(job, found.clip, model.input, round(first - reach / 2), way.method)
    return as_network(one, model, way.title, found.clip.fps)


@press(lane=PICTURES)
def make_files(job: Job, on_page: FlowOnPage | None):
    """Write the coloured video to watch and keep, and the fields in one archive.

    Yields updates of: notice, film, zip_file.
    """
    if on_page is None:
        raise ChoiceError("There is no flow yet: press Show the motion first.")
    _check_here(on_page)
    result, without = on_page.look, on_page.without_camera
    stem = job.folder / _stem(on_page)
    film, archive = stem.with_suffix(".mp4"), stem.with_suffix(".zip")
    save.write_film(result, film, without, lambda share: job.tell(share, "Drawing"))
    job.tell(1, "Packing .flo files")
    save.write_zip(result, archive, without)
    label = f".flo files, {megabytes(archive.stat().st_size)}"
    yield {
        "notice": "",
        "film": gr.update(value=str(film), visible=True),
        "zip_file": gr.update(value=str(archive), label=label, visible=True),
    }


def _stem(on_page: FlowOnPage) -> str:
    return f"{Path(on_page.look.clip.source.name).stem or 'clip'}-flow"


def _no_files() -> dict:
    """Updates of film and zip_file when they would be those of something else."""
    return {
        "film": gr.update(value=None, visible=False),
        "zip_file": gr.update(value=None, visible=False),
    }


@press
def ask_streams(
    job: Job, current: Clip | None, video: str | None, name: str, flow: str, weight: float
):
    """Ask both streams of a pair about the clip.

    Yields updates of: notice, streams_panel, both, weighing.
    """
    clip = ready(job, current, video)
    budget.check_models(clip, streaming.requests_of(name, flow or None))
    with job.turn(MODELS):
        both = streaming.ask(clip, name, flow or None, job.tell)
    yield {
        "notice": "",
        "streams_panel": two_streams(both, weight),
        "both": both,
        "weighing": gr.update(visible=True),
    }


@press(lane=PICTURES)
def weigh(job: Job, both: Fusable | None, weight: float):
    """Fuse the same scores with another weight; no network is asked. Yields an update of: streams_panel."""
    if both is not None:
        yield {"streams_panel": two_streams(both, weight)}


def first_beside() -> str:
    """Return the shipped network as a second method where this machine computes every pair at once, or ALONE."""
    quick = PAIRS * budget.field_seconds(EMBEDDED) <= AT_ONCE
    return EMBEDDED if quick and not learned.at_hand(EMBEDDED) else ALONE


def offer() -> tuple:
    """Offer the methods and streams there are now; looked up when the page is opened.

    Updates of: method, beside, about, streams, other flow, streams' row, no-streams sentence.
    """
    able = offered()
    names = streaming.ready()
    choices = [(_label(one), one.name) for one in able]
    pairs = [(_streams_label(name), name) for name in names]
    beside = first_beside()
    return (
        gr.update(choices=choices, value=METHOD),
        gr.update(choices=[("nothing", ALONE), *choices], value=beside),
        about(METHOD, beside),
        gr.update(choices=pairs, value=names[0] if names else None),
        gr.update(choices=[("what it was trained with", ALONE), *choices], value=ALONE),
        gr.update(visible=bool(names)),
        _about_streams(names),
    )


def _about_streams(names: list[str]) -> str:
    """A notice where no weights of a stream of flow are here yet."""
    if not names:
        return notice(NO_STREAMS + OFFLINE, "warn")
    here = ("shipped", "cached")
    if any(streaming.state(streaming.STREAMS[name]).state in here for name in names):
        return ""
    return notice(NO_STREAMS + ONLINE + SLOW, "warn")


def _label(one: Method) -> str:
    return f"{one.title} (fetches {megabytes(one.bytes)})" if one.state == "download" else one.title


def _streams_label(name: str) -> str:
    streams = streaming.STREAMS[name]
    state = streaming.state(streams)
    fetched = f" (fetches {megabytes(state.bytes)} and more)" if state.state == "download" else ""
    return streams.title + fetched


def about(method: str, beside: str) -> str:
    """The ideas, errors, times and downloads of the chosen methods, before anything is computed."""
    chosen = [one for name in (method, beside) for one in methods() if one.name == name]
    took = {one.name: PAIRS * budget.field_seconds(one.name) for one in chosen}
    slow = {name: duration(seconds) for name, seconds in took.items() if seconds > AT_ONCE}
    return fragment("flow/parts", "about", methods=chosen, pairs=PAIRS, slow=slow)
