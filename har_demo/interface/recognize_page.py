"""The main page: a clip and some models in, what each model sees and says out."""

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr
from markupsafe import Markup

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip, ingest
from har_demo.clips.probe import limits
from har_demo.errors import ChoiceError, ClipError, UserError
from har_demo.interface import words
from har_demo.interface.answers import ask, questions, write_files
from har_demo.interface.examples import example, example_of, examples
from har_demo.interface.gpu import on_gpu
from har_demo.interface.picker import picker
from har_demo.interface.render import render
from har_demo.interface.results import best_window, results, seen
from har_demo.models.registry import card, cards
from har_demo.recognize.export import annotate
from har_demo.recognize.plan import plan
from har_demo.recognize.prediction import Prediction, Question, Refusal

log = logging.getLogger(__name__)

BROKEN = "Something broke on our side, not yours: try again, or with fewer models or windows."
OWN = 0  # the value of 'as the model was trained' in the settings
FRAMES, STRIDES, WINDOWS = (OWN, 4, 8, 16, 32, 64), (OWN, 1, 2, 4, 8), (OWN, 1, 5, 10, 30, 100)
CROPS = (1, 3)
OFFERED = {"frames": FRAMES, "stride": STRIDES, "windows": WINDOWS, "crops": CROPS}

# Sessions that pressed Stop: cancelling ends what Gradio shows, this ends the work.
_stopping: set[str] = set()

# A press on an example tells the server which one; a press on the timeline asks for that window.
EXAMPLES_SCRIPT = """
element.addEventListener('click', event => {
  const button = event.target.closest('[data-example]');
  if (button) trigger('pick', {file: button.dataset.example});
});
"""
RESULTS_SCRIPT = """
element.addEventListener('click', async event => {
  const cell = event.target.closest('[data-seek]');
  if (!cell) return;
  atlas.seek(Number(cell.dataset.seek));
  const {model, window} = cell.dataset;
  const place = element.querySelector(`[data-seen="${model}"]`);
  const answer = place && await server.window_seen({asked: atlas.asked(), model, window: Number(window)});
  if (answer) place.innerHTML = answer;
});
"""


class Stopped(Exception):
    """Stop was pressed while the models ran."""


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
    said: tuple[Prediction | Refusal, ...]
    strips: tuple[Markup, ...]
    waiting: tuple[str, ...]

    def panel(self, stopped: bool = False) -> str:
        """All of it as HTML."""
        answers = list(zip(self.said, self.strips, strict=True))
        return results(self.clip, self.asked, answers, self.waiting, stopped)


def build() -> None:
    """Lay out the page inside the current Blocks and connect its events."""
    current = gr.State(None)  # the Clip under 'Your clip'
    answered = gr.State(None)  # the Answers on the right

    gr.HTML(render("header"), elem_id="header")
    with gr.Row(elem_id="bench", equal_height=False):
        with gr.Column(scale=5, min_width=320, elem_id="ask"):
            gr.HTML(render("step", number=1, title="Your clip"))
            video = gr.Video(
                sources=["upload", "webcam"],
                # Left and right stay what they are; more pixels than this no model looks at.
                webcam_options=gr.WebcamOptions(
                    mirror=False,
                    constraints={"video": {"width": {"ideal": 640}, "height": {"ideal": 480}}},
                ),
                show_label=False,
                label="Clip",
                height=300,
                elem_id="clip",
            )
            gr.HTML(render("too_big", megabytes=limits().megabytes))
            clip_notice = gr.HTML("", elem_id="clip-notice")
            facts = gr.HTML("", elem_id="facts")
            example_strip = gr.HTML(
                render("examples", examples=examples()),
                js_on_load=EXAMPLES_SCRIPT,
                elem_id="examples",
            )
            gr.HTML(render("step", number=2, title="Models"))
            chosen = gr.HTML(picker(), elem_id="models", js_on_load=None)
            with gr.Accordion("How they look at it", open=False, elem_id="settings"):
                frames = gr.Radio(
                    _numbers("as trained", FRAMES),
                    value=OWN,
                    label="Frames in a window",
                    info="More frames show more of the action and cost more.",
                )
                stride = gr.Radio(
                    _numbers("as trained", STRIDES),
                    value=OWN,
                    label="Stride",
                    info="Steps between frames: 2 takes every second one.",
                )
                windows = gr.Radio(
                    _numbers("cover the clip", WINDOWS),
                    value=OWN,
                    label="Windows",
                    info="Moments at which each model looks, spread evenly; covering stops at ten.",
                )
                crops = gr.Radio(
                    list(zip(("centre", "three across"), CROPS, strict=True)),
                    value=1,
                    label="Crop",
                    info="The part of the picture a model sees; three views are averaged.",
                )
                own_model = gr.Dropdown(
                    [("none", "")] + [(c.title, c.name) for c in cards().values()],
                    value="",
                    label="Your own weights for",
                    info="A safetensors file, or a PyTorch file of plain tensors.",
                )
                own_file = gr.File(
                    show_label=False,
                    label="Weights",
                    file_types=[".safetensors", ".pt", ".pth", ".ckpt"],
                    height=150,
                )
            with gr.Row(elem_id="go"):
                run = gr.Button("Recognise", variant="primary", size="lg", elem_id="run")
                stop = gr.Button("Stop", size="lg", elem_id="stop", min_width=80, scale=0)

        with gr.Column(scale=7, min_width=320, elem_id="answer"):
            notice = gr.HTML("", elem_id="notice")
            status = gr.HTML("", elem_id="status")  # where progress shows, beside nothing it hides
            panel = gr.HTML(
                render("empty"),
                js_on_load=RESULTS_SCRIPT,
                server_functions=[window_seen],
                elem_id="results",
            )
            with gr.Row(visible=False, elem_id="take-away") as take_away:
                json_file = gr.DownloadButton("JSON", size="sm", elem_id="json")
                csv_file = gr.DownloadButton("CSV", size="sm", elem_id="csv")
                make_video = gr.Button("Annotated clip", size="sm", elem_id="annotate")
                share = gr.Button("Copy link", size="sm", elem_id="share")
            annotated = gr.Video(
                visible=False, label="Annotated clip", interactive=False, elem_id="annotated"
            )

    taken = [video, current, facts, clip_notice, notice]
    settings = [frames, stride, windows, crops]
    files = [take_away, json_file, csv_file, annotated]
    shown = [notice, panel, answered, *files]
    private = {"api_visibility": "undocumented"}

    for event, take in ((video.upload, take_upload), (video.stop_recording, take_recording)):
        event(
            take,
            video,
            taken,
            api_name=take.__name__,
            concurrency_limit=2,  # each decodes and encodes a whole file
            concurrency_id="ingest",
            show_progress_on=[video],
            **private,
        )
    video.clear(forget_clip, None, taken[1:], api_name="forget_clip", **private)
    example_strip.pick(take_example, None, taken, api_name="take_example", **private)

    for part in (facts, panel):
        part.change(None, None, None, js="() => atlas.compare()", api_name="compare", **private)
    own_model.input(
        None, own_model, None, js="name => atlas.tick(name)", api_name="tick", **private
    )

    running = run.click(
        run_models,
        [current, video, chosen, *settings, own_model, own_file],
        shown,
        js="(clip, video, chosen, ...rest) => { atlas.started(); return [clip, video, atlas.chosen(), ...rest]; }",
        api_name="run_models",
        concurrency_limit=1,
        concurrency_id="models",
        show_progress_on=[status],
        **private,
    )
    running.then(None, None, None, js="() => atlas.ended()", api_name="ended", **private)
    stop.click(
        stopped,
        answered,
        [panel, *files],
        js="answers => { atlas.ended(); return [answers]; }",
        cancels=[running],
        api_name="stop",
        show_progress="hidden",
        **private,
    )
    make_video.click(
        annotated_clip,
        answered,
        [annotated, notice],
        api_name="annotated_clip",
        show_progress_on=[annotated],
        **private,
    )
    share.click(None, None, None, js="() => atlas.copyLink()", api_name="copy_link", **private)

    page = gr.context.Context.root_block
    page.load(restore, None, [*taken, *settings], api_name="restore", **private).then(
        None, None, None, js="() => atlas.restored()", api_name="restored", **private
    )


def _numbers(own: str, values: tuple[int, ...]) -> list[tuple[str, int]]:
    """Choices of a setting: the card's own first, then plain numbers."""
    return [(own if value == OWN else str(value), value) for value in values]


# ---- from a file to a clip ------------------------------------------------------------------


def _shown(clip: Clip) -> tuple:
    """What the page shows of a clip: its copy, itself, its facts, and no notices."""
    return str(clip.path), clip, _facts(clip), "", ""


def _facts(clip: Clip) -> str:
    return render("clip_facts", clip=clip, duration=words.seconds(clip.duration))


def _notice(sentence: str, kind: str = "error") -> str:
    return render("notice", sentence=sentence, kind=kind)


def take_upload(video: str | None, progress=gr.Progress()) -> tuple:  # noqa: B008
    """Ingest a file and show the copy that every browser can play."""
    return _take(video, Path(video or "").name, progress)


def take_recording(video: str | None, progress=gr.Progress()) -> tuple:  # noqa: B008
    """Ingest what the webcam recorded, a WebM that does not know how long it is."""
    return _take(video, "your recording", progress)


def _take(video: str | None, name: str, progress: gr.Progress) -> tuple:
    if not video:
        return None, *forget_clip()
    try:
        return _shown(ingest(video, name=name, on_progress=_reader(progress)))
    except UserError as problem:
        return None, None, "", _notice(str(problem)), ""


def take_example(event: gr.EventData) -> tuple:
    """Show one of the shipped clips."""
    found = example(str(event._data.get("file", "")))
    if found is None:
        return *[gr.skip()] * 3, _notice("That example does not exist."), ""
    return _shown(ingest(found.path, name=found.title))


def forget_clip() -> tuple:
    """No clip any more: nothing is current, facts and notices are empty."""
    return None, "", "", ""


def _reader(progress):
    return lambda fraction: progress(fraction, desc="Reading the clip")


# ---- from a clip to answers -----------------------------------------------------------------


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
    yield from _run(session, current, video, chosen, settings, own_model, own_file, progress)


@on_gpu
def _run(session, current, video, chosen, settings, own_model, own_file, progress):
    on_page = None  # what the panel shows, should this end early
    _stopping.discard(session)

    def tell(fraction: float, desc: str) -> None:
        if session in _stopping:
            raise Stopped
        progress(fraction, desc=desc)

    try:
        clip = _ready(current, video, progress)
        asked = questions(chosen, settings, own_model, own_file)
        answers = ask(clip, asked, tell)
        link = {"clip": clip.sha256, "example": example_of(clip), "models": ",".join(chosen)}
        link |= settings
        # Two facts for the page alone: weights that cannot travel, and which clip it showed.
        link["own"] = own_model if own_file else None
        link["shown"] = current.sha256 if current else clip.sha256
        waiting = tuple(card(q.model).title for q in asked)
        on_page = Answers(clip, link, (), (), waiting)

        yield "", on_page.panel(), on_page, *_no_files()
        for answer in answers:
            on_page = Answers(
                clip,
                link,
                (*on_page.said, answer),
                (*on_page.strips, _strip(clip, answer)),
                _without(on_page.waiting, answer.title),
            )
            if on_page.waiting:
                yield "", on_page.panel(), on_page, *[gr.skip()] * 4
        with _files(on_page) as files:
            yield "", on_page.panel(), on_page, *files
    except Stopped:
        return  # `stopped` says so on the page
    except Exception as problem:
        # The page must never be left waiting; the log has what the reader cannot use.
        if not isinstance(problem, UserError):
            log.exception("recognising failed")
        sentence = str(problem) if isinstance(problem, UserError) else BROKEN
        panel = on_page.panel(stopped=True) if on_page else gr.skip()
        yield _notice(sentence), panel, *[gr.skip()] * 5


def stopped(on_page: Answers | None, request: gr.Request):
    """End the work, show what was answered until Stop was pressed, and nothing that still waits.

    Yields updates of: panel, take_away, json_file, csv_file, annotated.
    """
    _stopping.add(request.session_hash)
    if on_page is None:
        yield [gr.skip()] * 5
        return
    with _files(on_page) as files:
        yield on_page.panel(stopped=True), *files


def _ready(current: Clip | None, video: str | None, progress: gr.Progress) -> Clip:
    """The clip under 'Your clip', read again when its copy has left the cache."""
    if current is not None and cached_clip(current.sha256) is not None:
        return current
    if not video:
        raise ClipError("There is no clip yet: drop a video, record one or take an example.")
    name = current.source.name if current else Path(video).name
    return ingest(video, name=name, on_progress=_reader(progress))


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


def _strip(clip: Clip, answer: Prediction | Refusal) -> str:
    if isinstance(answer, Refusal):
        return ""
    return seen(clip, card(answer.model), answer.frames, len(answer.crops), best_window(answer))


def window_seen(press: dict) -> str:
    """The strip of another window of an answer on the page; '' when it cannot be had any more.

    Args:
        press: what was asked, the model and the window; a server function gets one argument only.
    """
    try:
        asked, model, window = press["asked"], press["model"], press["window"]
        clip = cached_clip(str(asked["clip"]))
        settings = {name: asked.get(name) for name in ("frames", "stride", "windows")}
        one = plan(clip, Question(model, **settings, crops=asked.get("crops", 1))) if clip else None
        return seen(clip, one.card, one.indices, one.crops, int(window)) if one else ""
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
        yield gr.skip(), _notice(str(problem))


# ---- links ----------------------------------------------------------------------------------


def restore(request: gr.Request) -> tuple:
    """Bring back the clip and the settings that a shared link names, and say what cannot be had."""
    asked = dict(request.query_params)
    problems = []
    settings = []
    for name, offered in OFFERED.items():
        value = asked.get(name, "")
        fits = value in map(str, offered)
        settings.append(int(value) if fits else gr.skip())
        if value and not fits:
            problems.append(f"The link asks for {name}={value[:40]}, which does not exist.")
    unknown = [name for name in asked.get("models", "").split(",") if name and name not in cards()]
    if unknown:
        problems.append(f"The link names models that do not exist here: {', '.join(unknown)[:80]}.")

    clip = None
    if asked.get("example"):
        found = example(asked["example"])
        clip = ingest(found.path, name=found.title) if found else None
    elif asked.get("clip"):
        clip = cached_clip(asked["clip"])
    if clip is None and (asked.get("example") or asked.get("clip")):
        problems.insert(
            0, "The clip of this link is no longer on this server; please add it again."
        )

    page = _shown(clip) if clip else [gr.skip()] * 5
    warning = _notice(" ".join(problems), "warn") if problems else ""
    return *page[:3], warning, "", *settings
