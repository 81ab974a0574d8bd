"""Presses on the Prompts page: asking, rescoring, heat maps."""

import json
from dataclasses import replace
from pathlib import Path

import gradio as gr

from har_demo.clips.clip import Clip
from har_demo.clips.frames import read_frames
from har_demo.clips.ingest import cached_clip
from har_demo.errors import ChoiceError, UserError
from har_demo.interface import budget
from har_demo.interface.clip_input import ready
from har_demo.interface.lanes import MODELS, PICTURES
from har_demo.interface.pages.prompts.on_gpu import encode
from har_demo.interface.pages.prompts.view import (
    PromptsOnPage,
    answered_by,
    heat_shown,
    results,
    small,
)
from har_demo.interface.render import fragment, notice
from har_demo.interface.run import Job, press
from har_demo.prompts import (
    BACKGROUND,
    CLASS_LISTS,
    DEFAULT,
    ImageTextCard,
    PromptAnswer,
    about,
    answer_json,
    ask,
    class_list,
    default_model,
    heat,
    image_text_models,
    normalise_prompts,
    rescore,
)
from har_demo.prompts.answer import FRAMES
from har_demo.prompts.catalogue import card, offered
from har_demo.prompts.kinetics import WINDOWS
from har_demo.weights.state import megabytes

OWN_TEMPERATURE = 1.0
DEFAULT_CHOICE = ("Default (CLIP where it can be had)", DEFAULT)
START = """a person walking
a person running
a person waving both hands
a person doing jumping jacks
a person sitting down
a person riding a bicycle
a person cooking"""


def question(
    job: Job,
    clip: Clip,
    prompts: str | list[str],
    model: str,
    templates: list[str],
    none: bool,
    pooling: str,
    temperature: float | None,
) -> PromptAnswer:
    """What the page and the API ask alike.

    Raises:
        ChoiceError, WeightsError, ClipError: as `har_demo.prompts.ask`; models from a folder are for
            the command line alone.
    """
    name = offered(model or DEFAULT)
    budget.check_prompts(name, prompts, templates, FRAMES)
    with job.turn(MODELS):
        seen, machine = encode(job, job.tell, [clip], name, FRAMES, WINDOWS)
        answer = ask(
            clip,
            prompts,
            name,
            pooling,
            templates,
            BACKGROUND if none else (),
            temperature=temperature,
            on_progress=job.tell,
        )
    if frames := seen.get(clip.sha256):
        times = replace(answer.times, decode=frames.decode, image=frames.image)
        return replace(answer, times=times, device=machine)
    return answer


@press
def ask_prompts(
    job: Job,
    current: Clip | None,
    video: str | None,
    prompts: str,
    none: bool,
    model: str,
    templates: str,
    pooling: str,
    warmth: float,
):
    """Ask the chosen model.

    Yields updates of: notice, panel, where, who, which, answered, reading, take_away, json_file.
    """
    clip = ready(job, current, video)
    normalise_prompts(prompts)  # bad prompts are named before anything is loaded
    answer = question(job, clip, prompts, model, templates.splitlines(), none, pooling, None)
    job.check()
    on_page = PromptsOnPage(
        clip=clip,
        shown=current.sha256 if current else clip.sha256,
        answer=_read(answer, pooling, warmth),
        frames=tuple(small(frame) for frame in read_frames(clip, answer.frames)),
    )
    yield {
        "notice": "",
        "panel": results(on_page),
        "where": "",
        "who": answered_by(on_page),
        "which": which_answers(model),
        "answered": on_page,
        "reading": gr.update(visible=True),
        "take_away": gr.update(visible=True),
        "json_file": _file(on_page, job.folder),
    }


@press
def stopped(job: Job, on_page: PromptsOnPage | None):
    """Say so; the answer before stays. Yields an update of: notice."""
    stays = " What stands below answers the question before." if on_page else ""
    yield {"notice": notice(f"Stopped.{stays}", "warn")}


@press(lane=PICTURES)
def read_again(job: Job, on_page: PromptsOnPage | None, pooling: str, warmth: float):
    """Pool and share out the same similarities otherwise; no frame is read, no model asked.

    Yields updates of: notice, panel, who, answered, json_file.
    """
    if on_page is None:
        return
    changed = on_page.with_answer(_read(on_page.answer, pooling, warmth))
    yield {
        "notice": "",
        "panel": results(changed),
        "who": answered_by(changed),
        "answered": changed,
        "json_file": _file(changed, job.folder),
    }


def _read(answer: PromptAnswer, pooling: str, warmth: float) -> PromptAnswer:
    return rescore(answer, pooling, max(0.001, answer.own_temperature(pooling) * warmth))


@press(errors="where", lane=MODELS)
def where_it_matches(job: Job, on_page: PromptsOnPage | None, event: dict):
    """Show a heat map of one prompt on its best frame. Yields an update of: where."""
    number = event.get("prompt")
    if on_page is None or number not in range(len(on_page.answer.prompts)):
        raise ChoiceError("There is no such answer on the page: press Ask first.")
    clip, answer = on_page.clip, on_page.answer
    if cached_clip(clip.sha256) is None:
        raise ChoiceError("The clip of this answer is no longer here: press Ask again.")
    frame = answer.best[number]
    found = heat(clip, answer.prompts[number], [frame], answer.model, answer.templates)
    yield {"where": heat_shown(found, read_frames(clip, found.frames)[0], clip.fps)}


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
    return gr.update(choices=[DEFAULT_CHOICE, *model_choices(image_text_models())])


def model_choices(cards: list[ImageTextCard]) -> list[tuple[str, str]]:
    """Titles that say what a choice costs, and names."""
    return [(f"{one.title} ({_cost(one)})", one.name) for one in cards]


def _cost(one: ImageTextCard) -> str:
    size = megabytes(one.bytes) if one.bytes else "size unknown"
    return {"here": "ready", "download": f"fetches {size}", "missing": f"{size}, not here"}[
        one.state
    ]


def describe_model(name: str) -> tuple[str, str]:
    """Which model answers and why, and what is known of it before it is asked; both as HTML."""
    try:
        one = card(default_model().name if name == DEFAULT else name)
    except UserError as problem:
        return "", notice(str(problem))
    about_it = fragment("prompts/parts", "image_text_model", card=one, able=about(one.name))
    return which_answers(name), about_it


def which_answers(name: str) -> str:
    """A sentence that says which model answers and why, as HTML."""
    why = default_model().why if name == DEFAULT else f"{card(name).title} answers, as you chose."
    return fragment("prompts/parts", "which", sentence=why)


def _file(on_page: PromptsOnPage, folder: Path) -> str:
    """The answer as a JSON file in the folder."""
    path = folder / f"{Path(on_page.clip.source.name).stem or 'clip'}-prompts.json"
    answer = answer_json(on_page.clip, on_page.answer)
    path.write_text(json.dumps(answer, indent=1), encoding="utf-8")
    return str(path)
