"""The press on Recognise: ask the models, show each answer as it comes, and end when told to."""

import logging
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr
from markupsafe import Markup

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip
from har_demo.errors import ChoiceError, UserError
from har_demo.interface import stopping
from har_demo.interface.clip_input import ready
from har_demo.interface.examples import example_of
from har_demo.interface.gpu import on_gpu
from har_demo.interface.pages.recognize.view import results, seen
from har_demo.interface.render import notice
from har_demo.interface.service import ask, questions, write_files
from har_demo.models.registry import card
from har_demo.recognize.export import annotate
from har_demo.recognize.plan import plan
from har_demo.recognize.prediction import ModelError, Prediction, Request
from har_demo.recognize.seen import see_again

log = logging.getLogger(__name__)

BROKEN = "Something broke on our side, not yours: try again, or with fewer models or windows."


@dataclass(frozen=True)
class Answers:
    """What the right-hand side shows; the clip under 'Your clip' may be another one by now.

    Attributes:
        clip: what the models were asked about.
        asked: the clip, models and settings as a shared link names them.
        said: one answer per model, in the order of asking.
        strips: what each of those models saw, as HTML.
        waiting: titles of the models that have not answered.
    """

    clip: Clip
    asked: dict
    said: tuple[Prediction | ModelError, ...]
    strips: tuple[Markup, ...]
    waiting: tuple[str, ...]

    def panel(self, stopped: bool = False) -> str:
        """All of it as HTML."""
        answers = list(zip(self.said, self.strips, strict=True))
        return results(self.clip, self.asked, answers, self.waiting, stopped)


def run_models(
    current: Clip | None,
    video: str | None,
    chosen: list[str],
    frames: int,
    stride: float,
    windows: int,
    crops: int,
    own_model: str,
    own_file: str | None,
    request: gr.Request,
    progress=gr.Progress(),  # noqa: B008
):
    """Ask every chosen model and show each answer as it comes.

    Yields updates of: notice, panel, answered, take_away, json_file, csv_file, annotated.
    """
    settings = {
        "frames": frames or None,
        "stride": stride or None,
        "windows": windows or None,
        "crops": crops,
    }
    session = request.session_hash  # a request cannot travel to the process that has the GPU
    given = (current, video, chosen, settings, own_model, own_file, progress)
    with stopping.work(session):
        yield from _run(session, *given)


@on_gpu
def _run(session, current, video, chosen, settings, own_model, own_file, progress):
    on_page = None  # what the panel shows, should this end early

    def tell(fraction: float, desc: str) -> None:
        stopping.check(session)
        progress(fraction, desc=desc)

    try:
        clip = ready(current, video, progress)
        asked = questions(chosen, settings, own_model, own_file)
        answers = ask(clip, asked, tell, seen=True)
        link = {"clip": clip.sha256, "example": example_of(clip), "models": ",".join(chosen)}
        link |= settings
        # Two facts for the page alone: weights that cannot travel, and which clip it showed.
        link["own"] = own_model if own_file else None
        link["shown"] = current.sha256 if current else clip.sha256
        waiting = tuple(card(q.model).title for q in asked)
        on_page = Answers(clip, link, (), (), waiting)

        yield "", on_page.panel(), on_page, *_no_files()
        for question, answer in zip(asked, answers, strict=True):
            strip = _strip(clip, question, answer)
            if isinstance(answer, Prediction):
                answer = replace(answer, seen=None)  # drawn: what is kept of a page stays small
            on_page = Answers(
                clip,
                link,
                (*on_page.said, answer),
                (*on_page.strips, strip),
                _without(on_page.waiting, answer.title),
            )
            if on_page.waiting:
                yield "", on_page.panel(), on_page, *[gr.skip()] * 4
        with _files(on_page) as files:
            yield "", on_page.panel(), on_page, *files
    except stopping.Stopped:
        # `stopped` says so on the page; work that gives nothing at all would empty it.
        yield [gr.skip()] * 7
    except Exception as problem:
        # The page must never be left waiting; the log has what the reader cannot use.
        if not isinstance(problem, UserError):
            log.exception("recognising failed")
        sentence = str(problem) if isinstance(problem, UserError) else BROKEN
        panel = on_page.panel(stopped=True) if on_page else gr.skip()
        yield notice(sentence), panel, *[gr.skip()] * 5


def stopped(on_page: Answers | None):
    """Show what was answered until Stop was pressed, and nothing that still waits.

    Yields updates of: panel, take_away, json_file, csv_file, annotated.
    """
    if on_page is None:
        yield [gr.skip()] * 5
        return
    with _files(on_page) as files:
        yield on_page.panel(stopped=True), *files


def _without(titles: tuple[str, ...], title: str) -> tuple[str, ...]:
    at = titles.index(title)
    return titles[:at] + titles[at + 1 :]


def _no_files() -> tuple:
    return gr.update(visible=False), None, None, gr.update(value=None, visible=False)


@contextmanager
def _files(on_page: Answers):
    """Updates of take_away, json_file, csv_file, annotated; the files last as long as the with."""
    if not on_page.said:
        yield _no_files()
        return
    with TemporaryDirectory() as folder:
        paths = write_files(on_page.clip, on_page.said, Path(folder))
        yield gr.update(visible=True), *map(str, paths), gr.skip()


def _strip(clip: Clip, question: Request, answer: Prediction | ModelError) -> str:
    if isinstance(answer, ModelError):
        return ""
    pictures = answer.seen or see_again(clip, plan(clip, question), answer.best_window)
    return seen(clip, card(answer.model), answer.frames, len(answer.crops), pictures)


def window_seen(press: dict) -> str:
    """The strip of another window of an answer on the page; '' when it cannot be had any more.

    Args:
        press: what was asked, the model and the window; a server function gets one argument only.
    """
    try:
        asked, model, window = press["asked"], press["model"], press["window"]
        clip = cached_clip(str(asked["clip"]))
        settings = {name: asked.get(name) for name in ("frames", "stride", "windows")}
        one = plan(clip, Request(model, **settings, crops=asked.get("crops", 1))) if clip else None
        if one is None:
            return ""
        return seen(clip, one.card, one.indices, one.crops, see_again(clip, one, int(window)))
    except (UserError, LookupError, TypeError, ValueError, OverflowError):
        return ""


def annotated_clip(on_page: Answers | None, progress=gr.Progress()):  # noqa: B008
    """Draw the answers onto the clip they are about, as an H.264 file to watch and keep."""
    try:
        predictions = [a for a in on_page.said if isinstance(a, Prediction)] if on_page else []
        if not predictions:
            raise ChoiceError("There is nothing to draw yet: press Recognise first.")
        clip = on_page.clip
        if cached_clip(clip.sha256) is None:
            raise ChoiceError("The clip of these answers is no longer here: press Recognise again.")
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"{Path(clip.source.name).stem}-annotated.mp4"
            annotate(
                clip,
                predictions,
                path,
                on_progress=lambda fraction: progress(fraction, desc="Drawing the clip"),
            )
            yield gr.update(value=str(path), visible=True), ""
    except UserError as problem:
        yield gr.skip(), notice(str(problem))
