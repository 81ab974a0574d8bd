"""The main page: a clip and some models in, what each model sees and says out."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip, ingest
from har_demo.clips.probe import limits
from har_demo.errors import ChoiceError, ClipError, UserError
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
  const place = element.querySelector(`[data-seen="${cell.dataset.model}"]`);
  const answer = place && await server.window_seen(atlas.asked(), cell.dataset.model, Number(cell.dataset.window));
  if (answer) place.innerHTML = answer;
});
"""


def build() -> None:
    """Lay out the page inside the current Blocks and connect its events."""
    clip_id = gr.State("")
    answered = gr.State([])

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
                    [("as trained", OWN), ("4", 4), ("8", 8), ("16", 16), ("32", 32), ("64", 64)],
                    value=OWN,
                    label="Frames in a window",
                    info="More frames show more of the action and cost more.",
                )
                stride = gr.Radio(
                    [("as trained", OWN), ("1", 1), ("2", 2), ("4", 4), ("8", 8)],
                    value=OWN,
                    label="Stride",
                    info="Steps between frames: 2 takes every second one.",
                )
                windows = gr.Radio(
                    [
                        ("cover the clip", OWN),
                        ("1", 1),
                        ("5", 5),
                        ("10", 10),
                        ("30", 30),
                        ("100", 100),
                    ],
                    value=OWN,
                    label="Windows",
                    info="Moments at which each model looks, spread evenly; covering stops at ten.",
                )
                crops = gr.Radio(
                    [("centre", 1), ("three across", 3)],
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

    taken = [video, clip_id, facts, clip_notice]
    settings = [frames, stride, windows, crops]
    shown = [notice, panel, answered, take_away, json_file, csv_file, annotated]
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
    video.clear(forget_clip, None, [clip_id, facts, clip_notice], api_name="forget_clip", **private)
    example_strip.pick(take_example, None, taken, api_name="take_example", **private)

    running = run.click(
        run_models,
        [clip_id, video, chosen, *settings, own_model, own_file],
        shown,
        js="(clip, video, chosen, ...rest) => { atlas.started(); return [clip, video, atlas.chosen(), ...rest]; }",
        api_name="run_models",
        concurrency_limit=1,
        concurrency_id="models",
        show_progress_on=[status],
        **private,
    )
    stop.click(None, None, None, cancels=[running], api_name="stop", **private)
    make_video.click(
        annotated_clip,
        [clip_id, answered],
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


# ---- from a file to a clip ------------------------------------------------------------------


def _shown(clip: Clip) -> tuple:
    """What the page shows of a clip: its copy, its id, its facts, and no notice."""
    return str(clip.path), clip.sha256, render("clip_facts", clip=clip), ""


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
        return None, "", "", _notice(str(problem))


def take_example(event: gr.EventData) -> tuple:
    """Show one of the shipped clips."""
    found = example(str(event._data.get("file", "")))
    if found is None:
        return gr.skip(), gr.skip(), gr.skip(), _notice("That example does not exist.")
    return _shown(ingest(found.path, name=found.title))


def forget_clip() -> tuple:
    """No clip any more: id, facts and notice are empty."""
    return "", "", ""


def _reader(progress):
    return lambda fraction: progress(fraction, desc="Reading the clip")


# ---- from a clip to answers -----------------------------------------------------------------


@on_gpu
def run_models(
    clip_id: str,
    video: str | None,
    chosen: list[str],
    frames: int,
    stride: float,
    windows: int,
    crops: int,
    own_model: str,
    own_file: str | None,
    progress=gr.Progress(),  # noqa: B008
):
    """Ask every chosen model and show each answer as it comes.

    Yields updates of: notice, panel, answered, take_away, json_file, csv_file, annotated.
    """
    same = [gr.skip()] * 7
    panel = gr.skip  # what to leave on the page should this end early
    try:
        clip = cached_clip(clip_id) if clip_id else None
        if clip is None:
            if not video:
                raise ClipError(
                    "There is no clip yet: drop a video, record one or take an example."
                )
            clip = ingest(video, name=Path(video).name, on_progress=_reader(progress))
        settings = {
            "frames": frames or None,
            "stride": stride or None,
            "windows": windows or None,
            "crops": crops,
        }
        asked = questions(chosen, settings, own_model, own_file)
        answers = ask(clip, asked, progress)
        link = {"clip": clip.sha256, "example": example_of(clip), "models": ",".join(chosen)}
        link |= settings
        waiting = [card(q.model).title for q in asked]
        said: list[Prediction | Refusal] = []
        strips: list[str] = []

        def panel() -> str:
            return results(clip, link, list(zip(said, strips, strict=True)), waiting)

        hidden = [gr.update(visible=False), None, None, gr.update(value=None, visible=False)]
        yield "", panel(), [], *hidden
        for answer in answers:
            waiting.remove(answer.title)
            said.append(answer)
            strips.append(_strip(clip, answer))
            if waiting:
                yield gr.skip(), panel(), *same[2:]
        with TemporaryDirectory() as folder:
            json_path, csv_path = write_files(clip, said, Path(folder))
            files = (str(json_path), str(csv_path))
            yield "", panel(), said, gr.update(visible=True), *files, gr.skip()
    except Exception as problem:
        # The page must never be left waiting; the log has what the reader cannot use.
        if not isinstance(problem, UserError):
            log.exception("recognising failed")
        waiting = []
        sentence = str(problem) if isinstance(problem, UserError) else BROKEN
        yield _notice(sentence), panel(), *same[2:]


def _strip(clip: Clip, answer: Prediction | Refusal) -> str:
    if isinstance(answer, Refusal):
        return ""
    return seen(clip, card(answer.model), answer.frames, len(answer.crops), best_window(answer))


def window_seen(asked: dict, model: str, window: int) -> str:
    """The strip of another window of an answer on the page; '' when it cannot be had any more."""
    try:
        clip = cached_clip(str(asked["clip"]))
        settings = {name: asked.get(name) for name in ("frames", "stride", "windows")}
        one = plan(clip, Question(model, **settings, crops=asked.get("crops", 1))) if clip else None
        return seen(clip, one.card, one.indices, one.crops, int(window)) if one else ""
    except (UserError, KeyError, IndexError, TypeError, ValueError):
        return ""


def annotated_clip(clip_id: str, said: list, progress=gr.Progress()):  # noqa: B008
    """Draw the answers onto the clip, as an H.264 file to watch and keep."""
    try:
        clip = cached_clip(clip_id)
        predictions = [a for a in said if isinstance(a, Prediction)]
        if clip is None or not predictions:
            raise ChoiceError("There is nothing to draw yet: press Recognise first.")
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
    """Bring back the clip and the settings that a shared link names."""
    asked = dict(request.query_params)
    settings = [_setting(asked, name) for name in ("frames", "stride", "windows", "crops")]
    if asked.get("example"):
        found = example(asked["example"])
        if found:
            return *_shown(ingest(found.path, name=found.title)), *settings
    elif asked.get("clip"):
        clip = cached_clip(asked["clip"])
        if clip:
            return *_shown(clip), *settings
    else:
        return *[gr.skip()] * 4, *settings
    gone = _notice(
        "The clip of this link is no longer on this server; please add it again.", "warn"
    )
    return gr.skip(), gr.skip(), gr.skip(), gone, *settings


def _setting(asked: dict, name: str):
    value = asked.get(name, "")
    return int(value) if value.isdigit() else gr.skip()
