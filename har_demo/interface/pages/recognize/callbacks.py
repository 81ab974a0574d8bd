"""Presses on the Recognise page: ask the models and show each answer as it comes, draw the answers."""

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import gradio as gr
from markupsafe import Markup

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip
from har_demo.errors import ChoiceError, UserError
from har_demo.interface import budget, service
from har_demo.interface.clip_input import ready
from har_demo.interface.lanes import PICTURES
from har_demo.interface.pages.recognize.on_gpu import recognized
from har_demo.interface.pages.recognize.view import results, seen
from har_demo.interface.run import Job, press
from har_demo.interface.visitor import visitor
from har_demo.models.registry import card
from har_demo.recognize.export import annotate
from har_demo.recognize.plan import most_lines, plan
from har_demo.recognize.prediction import ModelError, Prediction, Request
from har_demo.recognize.seen import see_again


@dataclass(frozen=True)
class Answers:
    """The right-hand side of the page; the clip under 'Your clip' may be another one by now.

    Attributes:
        clip: the one that the models were asked about.
        asked: the clip, models and settings, as `view.results` takes them.
        answers: one per model, in the order of asking.
        strips: the frames that each of those models saw, as HTML.
        waiting: titles of the models that have not answered.
    """

    clip: Clip
    asked: dict
    answers: tuple[Prediction | ModelError, ...]
    strips: tuple[Markup, ...]
    waiting: tuple[str, ...]

    def panel(self, stopped: bool = False) -> str:
        """All of it as HTML."""
        answers = list(zip(self.answers, self.strips, strict=True))
        return results(self.clip, self.asked, answers, self.waiting, stopped)


@press
def run_models(
    job: Job,
    current: Clip | None,
    video: str | None,
    chosen: list[str],
    frames: int,
    stride: float,
    windows: int,
    crops: int,
    own_model: str,
    own_file: str | None,
    published: bool = False,
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
    chosen = list(dict.fromkeys(chosen))
    in_link = settings | {"published": 1} if published else settings
    if published:  # what is left as it was is the protocol's
        settings = settings | {"published": True, "crops": None if crops == 1 else crops}
    requests = service.requests(chosen, settings, own_model, own_file)
    clip = ready(job, current, video, most_lines(requests))
    budget.check_models(clip, requests)
    asked = {"clip": clip.sha256, "models": ",".join(chosen), **in_link}
    asked["own"] = own_model if own_file else None
    asked["shown"] = current.sha256 if current else clip.sha256
    waiting = tuple(card(request.model).title for request in requests)
    on_page = Answers(clip, asked, (), (), waiting)
    yield {"notice": "", "panel": on_page.panel(), "answered": on_page, **_no_files()}
    try:
        with closing(recognized(job, clip, requests, seen=True)) as answers:
            for request, answer in zip(requests, answers, strict=True):
                strip = _strip(clip, request, answer)
                if isinstance(answer, Prediction):
                    answer = replace(answer, seen=None)  # drawn: what is kept of a page stays small
                on_page = Answers(
                    clip,
                    asked,
                    (*on_page.answers, answer),
                    (*on_page.strips, strip),
                    _without(on_page.waiting, answer.title),
                )
                if on_page.waiting:
                    yield {"panel": on_page.panel(), "answered": on_page}
        yield {"panel": on_page.panel(), "answered": on_page, **_files(on_page, job.folder)}
    except Exception:
        yield {"panel": on_page.panel(stopped=True)}
        raise


@press
def stopped(job: Job, on_page: Answers | None):
    """Show what was answered until Stop was pressed, and nothing that still waits.

    Yields updates of: panel, take_away, json_file, csv_file, annotated.
    """
    if on_page is not None:
        yield {"panel": on_page.panel(stopped=True), **_files(on_page, job.folder)}


def _without(titles: tuple[str, ...], title: str) -> tuple[str, ...]:
    at = titles.index(title)
    return titles[:at] + titles[at + 1 :]


def _no_files() -> dict:
    return {
        "take_away": gr.update(visible=False),
        "json_file": None,
        "csv_file": None,
        "annotated": gr.update(value=None, visible=False),
    }


def _files(on_page: Answers, folder: Path) -> dict:
    """Updates of take_away, json_file and csv_file, written into the folder."""
    if not on_page.answers:
        return _no_files()
    json_file, csv_file = service.write_files(on_page.clip, on_page.answers, folder)
    return {
        "take_away": gr.update(visible=True),
        "json_file": str(json_file),
        "csv_file": str(csv_file),
    }


def _strip(clip: Clip, request: Request, answer: Prediction | ModelError) -> str:
    if isinstance(answer, ModelError):
        return ""
    one = plan(clip, request)
    pictures = answer.seen or see_again(clip, one, answer.best_window)
    return seen(clip, one.card, answer.frames, len(answer.crops), pictures)


def window_seen(press: dict) -> str:
    """The strip of another window of an answer on the page; '' when it cannot be had any more.

    Args:
        press: what was asked, the model and the window; a server function gets one argument only.
    """
    try:
        asked, model, window = press["asked"], press["model"], press["window"]
        clip = cached_clip(str(asked["clip"]))
        settings = {name: asked.get(name) for name in ("frames", "stride", "windows")}
        published, crops = bool(asked.get("published")), asked.get("crops", 1)
        if published and crops == 1:
            crops = None
        request = Request(model, **settings, crops=crops, published=published)
        one = plan(clip, request) if clip else None
        if one is None:
            return ""
        with PICTURES.turn(visitor(), lambda before: None):
            return seen(clip, one.card, one.indices, one.crops, see_again(clip, one, int(window)))
    except (UserError, LookupError, TypeError, ValueError, OverflowError):
        return ""


@press(lane=PICTURES)
def annotated_clip(job: Job, on_page: Answers | None):
    """Draw the answers onto the clip they are about, as an H.264 file to watch and keep.

    Yields updates of: annotated, notice.
    """
    answers = on_page.answers if on_page else ()
    predictions = [answer for answer in answers if isinstance(answer, Prediction)]
    if not predictions:
        raise ChoiceError("There is nothing to draw yet: press Recognise first.")
    clip = on_page.clip
    if cached_clip(clip.sha256) is None:
        raise ChoiceError("The clip of these answers is no longer here: press Recognise again.")
    path = job.folder / f"{Path(clip.source.name).stem}-annotated.mp4"
    annotate(clip, predictions, path, on_progress=lambda share: job.tell(share, "Drawing the clip"))
    yield {"annotated": gr.update(value=str(path), visible=True), "notice": ""}
