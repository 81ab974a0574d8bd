"""What the Prompts page does when something is pressed: asking, reading again, showing where."""

import json
import logging
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.ingest import cached_clip
from har_demo.errors import ChoiceError, UserError
from har_demo.interface import stopping
from har_demo.interface.clip_input import ready
from har_demo.interface.gpu import on_gpu
from har_demo.interface.pages.prompts.view import (
    PromptsOnPage,
    answered_by,
    heat_shown,
    results,
    small,
)
from har_demo.interface.render import fragment, notice
from har_demo.prompts import (
    BACKGROUND,
    CLASS_LISTS,
    ImageTextCard,
    PromptAnswer,
    about,
    again,
    answer_json,
    ask,
    class_list,
    default,
    heat,
    image_text_models,
    tidy,
)
from har_demo.prompts.catalogue import card
from har_demo.weights.files import megabytes

log = logging.getLogger(__name__)

BROKEN = "Something broke on our side, not yours: try again, or with fewer prompts."
OWN_TEMPERATURE = 1.0
START = """a person walking
a person running
a person waving both hands
a person doing jumping jacks
a person sitting down
a person riding a bicycle
a person cooking"""


def question(
    clip: Clip,
    prompts: str | list[str],
    model: str,
    templates: list[str],
    none: bool,
    pooling: str,
    temperature: float | None,
    tell,
) -> PromptAnswer:
    """What the page and the API ask alike; `tell` is called with a share and a sentence.

    Raises:
        ChoiceError, WeightsError, ClipError: as `har_demo.prompts.ask`; models from a folder are for
            the command line alone.
    """
    return ask(
        clip,
        prompts,
        card(model or default()).name,
        pooling,
        templates,
        BACKGROUND if none else (),
        temperature=temperature,
        on_progress=tell,
    )


def ask_prompts(
    current: Clip | None,
    video: str | None,
    prompts: str,
    none: bool,
    model: str,
    templates: str,
    pooling: str,
    warmth: float,
    request: gr.Request,
    progress=gr.Progress(),  # noqa: B008
):
    """Ask the chosen model.

    Yields updates of: notice, panel, where, who, answered, reading, take_away, json_file.
    """
    given = (current, video, prompts, none, model, templates, pooling, warmth)
    with stopping.work(request.session_hash):
        yield from _ask(request.session_hash, *given, progress)


@on_gpu
def _ask(session, current, video, prompts, none, model, templates, pooling, warmth, progress):
    def tell(fraction: float, sentence: str) -> None:
        stopping.check(session)
        progress(fraction, desc=sentence)

    try:
        clip = ready(current, video, progress)
        tidy(prompts)  # what cannot be asked is said before anything is loaded
        own = question(clip, prompts, model, templates.splitlines(), none, pooling, None, tell)
        stopping.check(session)
        on_page = PromptsOnPage(
            clip=clip,
            shown=current.sha256 if current else clip.sha256,
            answer=_read(own, pooling, warmth),
            frames=tuple(small(frame) for frame in read_frames(clip, own.frames)),
        )
        with _file(on_page) as file:
            visible = gr.update(visible=True)
            yield "", results(on_page), "", answered_by(on_page), on_page, visible, visible, file
    except stopping.Stopped:
        # `stopped` says so on the page; work that gives nothing at all would empty it.
        yield [gr.skip()] * 8
    except Exception as problem:
        # The page must never be left waiting; the log has what the reader cannot use.
        if not isinstance(problem, UserError):
            log.exception("asking in words failed")
        sentence = str(problem) if isinstance(problem, UserError) else BROKEN
        yield notice(sentence), *[gr.skip()] * 7


def stopped(on_page: PromptsOnPage | None) -> str:
    """Say so; what stood on the page stays."""
    stays = " What stands below answers the question before." if on_page else ""
    return notice(f"Stopped.{stays}", "warn")


def read_again(on_page: PromptsOnPage | None, pooling: str, warmth: float):
    """Pool and share out the same similarities otherwise; no frame is read, no model asked.

    Yields updates of: notice, panel, who, answered, json_file.
    """
    if on_page is None:
        yield [gr.skip()] * 5
        return
    try:
        changed = on_page.with_answer(_read(on_page.answer, pooling, warmth))
    except UserError as problem:
        yield notice(str(problem), "warn"), *[gr.skip()] * 4
        return
    with _file(changed) as file:
        yield "", results(changed), answered_by(changed), changed, file


def _read(answer: PromptAnswer, pooling: str, warmth: float) -> PromptAnswer:
    return again(answer, pooling, max(0.001, answer.own_temperature(pooling) * warmth))


def where_it_matches(on_page: PromptsOnPage | None, event: gr.EventData):
    """A heat map of one prompt on its best frame."""
    try:
        number = event._data.get("prompt")
        if on_page is None or number not in range(len(on_page.answer.prompts)):
            raise ChoiceError("There is no such answer on the page: press Ask first.")
        clip, answer = on_page.clip, on_page.answer
        if cached_clip(clip.sha256) is None:
            raise ChoiceError("The clip of this answer is no longer here: press Ask again.")
        return _heat_shown(clip, answer, number)
    except UserError as problem:
        return notice(str(problem), "warn")


@on_gpu
def _heat_shown(clip: Clip, answer: PromptAnswer, number: int) -> str:
    frame = answer.best[number]
    found = heat(clip, answer.prompts[number], [frame], answer.model, answer.templates)
    return heat_shown(found, read_frames(clip, found.frames)[0], clip.fps)


def fill_in(name: str, typed: str, kept: str) -> tuple[str, str]:
    """A class list in place of what was typed, which is kept: prompts, kept."""
    lists = ["\n".join(names) for names in CLASS_LISTS.values()]
    return "\n".join(class_list(name)), kept if typed in lists or not typed.strip() else typed


def take_back(typed: str, kept: str) -> str:
    """What was typed before a class list took its place."""
    lists = ["\n".join(names) for names in CLASS_LISTS.values()]
    return kept if typed in lists or not typed.strip() else typed


def offer_models() -> dict:
    """Every image-text model there is; looked up when the page is opened, as it takes a moment."""
    return gr.update(choices=model_choices(image_text_models()))


def model_choices(cards: list[ImageTextCard]) -> list[tuple[str, str]]:
    """Titles that say what a choice costs, and names."""
    return [(f"{one.title} ({_cost(one)})", one.name) for one in cards]


def _cost(one: ImageTextCard) -> str:
    size = megabytes(one.bytes) if one.bytes else "size unknown"
    return {"here": "ready", "download": f"fetches {size}", "missing": f"{size}, not here"}[
        one.state
    ]


def describe_model(name: str) -> str:
    """What is known of an image-text model before it is asked."""
    try:
        one = card(name or default())
    except UserError as problem:
        return notice(str(problem))
    return fragment("prompts/parts", "image_text_model", card=one, able=about(one.name))


@contextmanager
def _file(on_page: PromptsOnPage):
    """The answer as a JSON file, which lasts as long as the with."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{Path(on_page.clip.source.name).stem or 'clip'}-prompts.json"
        told = answer_json(on_page.clip, on_page.answer)
        path.write_text(json.dumps(told, indent=1), encoding="utf-8")
        yield str(path)
