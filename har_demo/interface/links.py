"""The settings a page offers, and the shared link that brings clip, models or prompts, and settings back."""

import gradio as gr

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip, ingest
from har_demo.errors import UserError
from har_demo.interface.clip_input import shown
from har_demo.interface.examples import example, example_of
from har_demo.interface.render import notice
from har_demo.models.registry import cards
from har_demo.prompts import CLASS_LISTS, POOLINGS, PromptAnswer, class_list
from har_demo.prompts.catalogue import card

OWN = 0  # 'as the model was trained'
FRAMES, STRIDES, WINDOWS = (OWN, 4, 8, 16, 32, 64), (OWN, 1, 2, 4, 8), (OWN, 1, 5, 10, 30, 100)
CROPS = (1, 3)
LONGEST = 3000  # letters of prompts in a link: browsers and servers cut longer addresses
OFFERED = {"frames": FRAMES, "stride": STRIDES, "windows": WINDOWS, "crops": CROPS}


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

    clip = _clip(asked, problems)
    page = shown(clip) if clip else [gr.skip()] * 5
    return *page[:3], _warning(problems), gr.skip(), *settings


def restore_prompts(request: gr.Request) -> tuple:
    """Bring back the clip and the question that a shared link of the Prompts page names.

    Updates what `ClipPart.taken` lists, then prompts, none, model, templates, pooling.
    """
    asked = dict(request.query_params)
    problems = []
    prompts = asked.get("prompts", "")
    if asked.get("classes") in CLASS_LISTS:
        prompts = "\n".join(class_list(asked["classes"]))
    elif asked.get("classes"):
        problems.append(f"The link names a list that does not exist: {asked['classes'][:40]}.")
    model = asked.get("tower", "")
    try:
        model = card(model).name if model else ""
    except UserError as problem:
        problems.append(str(problem))
        model = ""
    pooling = asked.get("pooling", "")
    if pooling and pooling not in POOLINGS:
        problems.append(f"The link asks for pooling={pooling[:40]}, which does not exist.")
    none = {"1": True, "0": False}.get(asked.get("none", ""), gr.skip())
    clip = _clip(asked, problems)
    page = shown(clip) if clip else [gr.skip()] * 5
    return (
        *page[:3],
        _warning(problems),
        gr.skip(),
        prompts[:LONGEST] or gr.skip(),
        none,
        model or gr.skip(),
        asked.get("templates", "")[:LONGEST] or gr.skip(),
        pooling if pooling in POOLINGS else gr.skip(),
    )


def prompts_link(clip: Clip, answer: PromptAnswer) -> dict:
    """A question as a link names it; prompts that would make it too long are left out."""
    prompts = "\n".join(answer.prompts)
    name = next((n for n, some in CLASS_LISTS.items() if "\n".join(some) == prompts), "")
    asked = {"clip": clip.sha256, "example": example_of(clip)}
    if name:
        asked["classes"] = name
    elif len(prompts) <= LONGEST:
        asked["prompts"] = prompts
    return asked | {
        "none": str(int(bool(answer.background))),
        "tower": answer.model,
        "templates": "\n".join(answer.templates)[:LONGEST],
        "pooling": answer.pooling,
    }


def _clip(asked: dict, problems: list[str]) -> Clip | None:
    """The clip that a link names; when it cannot be had, a problem comes first."""
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

    return clip


def _warning(problems: list[str]) -> str | dict:
    """What is wrong; else nothing is changed: who pressed a button meanwhile may have got a notice there."""
    return notice(" ".join(problems), "warn") if problems else gr.skip()
