"""What the Flow page does when something is pressed: computing, stepping, saving, asking two streams."""

import json
import logging
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip
from har_demo.errors import ChoiceError, UserError
from har_demo.flow import learned, save
from har_demo.flow.catalogue import EMBEDDED, Method, methods, offered
from har_demo.flow.look import FlowResult, look, told
from har_demo.flow.stack import stack
from har_demo.flow.views import METHOD
from har_demo.interface import stopping
from har_demo.interface.clip_input import ready
from har_demo.interface.gpu import on_gpu
from har_demo.interface.pages.flow.view import (
    FlowOnPage,
    as_network,
    fastest,
    one_pair,
    two_streams,
    when,
)
from har_demo.interface.render import fragment, notice
from har_demo.models.registry import card
from har_demo.recognize import two_streams as streaming
from har_demo.recognize.two_streams import Fusable
from har_demo.weights.files import megabytes

log = logging.getLogger(__name__)

BROKEN = "Something broke on our side, not yours: try again, or with another method."
ALONE = ""  # no second method
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


def show_motion(
    current: Clip | None,
    video: str | None,
    method: str,
    beside: str,
    start: float,
    seconds: float,
    without_camera: bool,
    seen_by: str,
    request: gr.Request,
    progress=gr.Progress(),  # noqa: B008
):
    """Compute flow along the span by the chosen methods.

    Yields updates of: notice, panel, pair, network, answered, reading, take_away, json_file, film, zip_file.
    """
    given = (current, video, method, beside, start, seconds, without_camera, seen_by)
    with stopping.work(request.session_hash):
        yield from _show(request.session_hash, *given, progress)


@on_gpu
def _show(session, current, video, method, beside, start, seconds, without, seen_by, progress):
    def tell(fraction: float, sentence: str) -> None:
        stopping.check(session)
        progress(fraction, desc=sentence)

    try:
        clip = ready(current, video, progress)
        if method and method == beside:
            raise ChoiceError(
                "Both methods are the same: choose another one beside it, or nothing."
            )
        chosen = [name for name in (method, beside) if name]
        found = look(clip, chosen, _number(start), _number(seconds), tell)
        shown = current.sha256 if current else clip.sha256
        on_page = FlowOnPage(found, shown, fastest(found), without)
        tell(1, "Drawing")
        network = _network(on_page, seen_by)
        stopping.check(session)
        with _json(on_page) as file:
            visible = gr.update(visible=True)
            panels = when(on_page), one_pair(on_page), network
            yield "", *panels, on_page, visible, visible, file, *_no_files()
    except stopping.Stopped:
        # `stopped` says so on the page; work that gives nothing at all would empty it.
        yield [gr.skip()] * 10
    except Exception as problem:
        yield notice(_sentence(problem, "computing flow failed")), *[gr.skip()] * 9


def _number(value: float | None) -> float:
    """An emptied field is nothing, which no span begins at."""
    if value is None:
        raise ChoiceError("Say where the span begins and how long it is, in seconds.")
    return float(value)


def _sentence(problem: Exception, what: str) -> str:
    """The page must never be left waiting; the log has what the reader cannot use."""
    if isinstance(problem, UserError):
        sentence = str(problem)
        return sentence[:1].upper() + sentence[1:]
    log.error(what, exc_info=problem)
    return BROKEN


def stopped(on_page: FlowOnPage | None) -> str:
    """Say so; what stood on the page stays."""
    return notice(f"Stopped.{' What stands below is as it was.' if on_page else ''}", "warn")


def take_off(on_page: FlowOnPage | None, without_camera: bool):
    """Show the same flow with or without the camera's motion.

    Returns updates of: notice, panel, pair, answered, film, zip_file.
    """
    if on_page is None:
        return [gr.skip()] * 6
    changed = replace(on_page, without_camera=without_camera)
    try:
        return "", when(changed), one_pair(changed), changed, *_no_files()
    except UserError as problem:
        return notice(str(problem), "warn"), *[gr.skip()] * 5


def show_pair(on_page: FlowOnPage | None, event: gr.EventData):
    """Another pair of frames.

    Returns updates of: notice, pair, answered.
    """
    try:
        number = event._data.get("pair")
        if on_page is None or number not in range(len(on_page.look.pairs)):
            raise ChoiceError("There is no such pair on the page: press Show the motion first.")
        _check_here(on_page)
        changed = replace(on_page, pair=number)
        return "", one_pair(changed), changed
    except UserError as problem:
        return notice(str(problem), "warn"), gr.skip(), gr.skip()


def see_as(on_page: FlowOnPage | None, seen_by: str):
    """The channels as another network is given them: notice, network."""
    if on_page is None:
        return gr.skip(), gr.skip()
    try:
        _check_here(on_page)
        return "", _network(on_page, seen_by)
    except UserError as problem:
        return notice(str(problem), "warn"), gr.skip()


def _check_here(on_page: FlowOnPage) -> None:
    if cached_clip(on_page.look.clip.sha256) is None:
        raise ChoiceError("The clip of this flow is no longer here: press Show the motion again.")


@on_gpu
def _network(on_page: FlowOnPage, seen_by: str) -> str:
    found, model = on_page.look, card(seen_by if seen_by in SEEN_BY else next(iter(SEEN_BY)))
    way = found.ways[0]
    first = int(found.pairs[fastest(found), 0])
    # The fastest moment is in the middle of what is shown.
    reach = model.input.flow_frames * found.clip.fps / model.input.fps
    one = stack(found.clip, model.input, round(first - reach / 2), way.method)
    return as_network(one, model, way.title, found.clip.fps)


def make_files(on_page: FlowOnPage | None, progress=gr.Progress()):  # noqa: B008
    """The coloured video to watch and keep, and the fields in one archive.

    Yields updates of: notice, film, zip_file.
    """
    try:
        if on_page is None:
            raise ChoiceError("There is no flow yet: press Show the motion first.")
        _check_here(on_page)
        found, without = on_page.look, on_page.without_camera
        with TemporaryDirectory() as folder:
            stem = Path(folder) / f"{Path(found.clip.source.name).stem or 'clip'}-flow"
            film, archive = stem.with_suffix(".mp4"), stem.with_suffix(".zip")
            save.write_film(found, film, without, lambda done: progress(done, desc="Drawing"))
            progress(1, desc="Packing .flo files")
            save.write_zip(found, archive, without)
            label = f".flo files, {megabytes(archive.stat().st_size)}"
            yield (
                "",
                gr.update(value=str(film), visible=True),
                gr.update(value=str(archive), label=label, visible=True),
            )
    except UserError as problem:
        yield notice(str(problem)), gr.skip(), gr.skip()


def _no_files() -> tuple:
    """Updates of film and zip_file when they would be those of something else."""
    return gr.update(value=None, visible=False), gr.update(value=None, visible=False)


def ask_streams(
    current: Clip | None,
    video: str | None,
    name: str,
    flow: str,
    weight: float,
    request: gr.Request,
    progress=gr.Progress(),  # noqa: B008
):
    """Ask both streams of a pair about the clip.

    Yields updates of: notice, streams_panel, both, weight's row.
    """
    with stopping.work(request.session_hash):
        yield from _ask(request.session_hash, current, video, name, flow, weight, progress)


@on_gpu
def _ask(session, current, video, name, flow, weight, progress):
    def tell(fraction: float, sentence: str) -> None:
        stopping.check(session)
        progress(fraction, desc=sentence)

    try:
        clip = ready(current, video, progress)
        both = streaming.ask(clip, name, flow or None, tell)
        yield "", two_streams(both, weight), both, gr.update(visible=True)
    except stopping.Stopped:
        # `stopped` says so on the page; work that gives nothing at all would empty it.
        yield [gr.skip()] * 4
    except Exception as problem:
        yield notice(_sentence(problem, "asking two streams failed")), *[gr.skip()] * 3


def weigh(both: Fusable | None, weight: float):
    """Fuse the same scores with another weight; no network is asked."""
    return gr.skip() if both is None else two_streams(both, weight)


def first_method() -> str:
    """What is asked unless the visitor chooses: the network that comes along, if it is here."""
    return METHOD if learned.at_hand(EMBEDDED) else EMBEDDED


def offer() -> tuple:
    """What can be chosen now, looked up when the page is opened.

    Updates of: method, beside, about, streams, other flow, streams' row, no-streams sentence.
    """
    able = offered()
    names = streaming.ready()
    choices = [(_label(one), one.name) for one in able]
    pairs = [(_streams_label(name), name) for name in names]
    first = first_method()
    return (
        gr.update(choices=choices, value=first),
        gr.update(choices=[("nothing", ALONE), *choices], value=ALONE),
        about(first, ALONE),
        gr.update(choices=pairs, value=names[0] if names else None),
        gr.update(choices=[("what it was trained with", ALONE), *choices], value=ALONE),
        gr.update(visible=bool(names)),
        _about_streams(names),
    )


def _about_streams(names: list[str]) -> str:
    """What has to be said where no stream of flow is here yet."""
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
    """What is known of the chosen methods, and what they fetch, before anything is computed."""
    chosen = [one for name in (method, beside) for one in methods() if one.name == name]
    return fragment("flow/parts", "about", methods=chosen)


@contextmanager
def _json(on_page: FlowOnPage):
    """The figures as a JSON file, which lasts as long as the with."""
    with TemporaryDirectory() as folder:
        found: FlowResult = on_page.look
        path = Path(folder) / f"{Path(found.clip.source.name).stem or 'clip'}-flow.json"
        path.write_text(json.dumps(told(found), indent=1), encoding="utf-8")
        yield str(path)
