"""Restore what an address names: the clip, models or prompts, and settings that a page offers."""

from collections.abc import Collection

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip, ingest
from har_demo.errors import UserError
from har_demo.interface.address import link
from har_demo.interface.clip_input import shown
from har_demo.interface.examples import example
from har_demo.interface.render import notice
from har_demo.interface.run import Job, press
from har_demo.models.registry import cards
from har_demo.prompts import CLASS_LISTS, POOLINGS, PromptAnswer, class_list
from har_demo.prompts.catalogue import offered

OWN = 0  # 'as the model was trained'
FRAMES, STRIDES, WINDOWS = (OWN, 4, 8, 16, 32, 64), (OWN, 1, 2, 4, 8), (OWN, 1, 5, 10, 30, 100)
CROPS = (1, 3)
LONGEST = 3000  # letters of prompts in a link: browsers and servers cut longer addresses
OFFERED = {
    "frames": FRAMES,
    "stride": STRIDES,
    "windows": WINDOWS,
    "crops": CROPS,
    "published": (0, 1),
}


@press
def restore(job: Job, query: dict):
    """Bring back the clip and the settings that a shared link names, and warn of what cannot be had."""
    problems: list[str] = []
    settings: dict[str, int] = {}
    for name, values in OFFERED.items():
        chosen = one_of(query, name, [str(value) for value in values], problems)
        settings |= {name: int(value) for name, value in chosen.items()}
    unknown_models(query, problems)
    yield linked_clip(query, problems) | settings


@press
def restore_prompts(job: Job, query: dict):
    """Bring back the clip and the question that a shared link of the Prompts page names.

    Yields updates of the clip and of the question's fields.
    """
    problems: list[str] = []
    question = {}
    if query.get("prompts"):
        question["prompts"] = query["prompts"][:LONGEST]
    if query.get("classes") in CLASS_LISTS:
        question["prompts"] = "\n".join(class_list(query["classes"]))
    elif query.get("classes"):
        problems.append(f"The link names a list that does not exist: {query['classes'][:40]}.")
    if query.get("tower"):
        try:
            question["tower"] = offered(query["tower"])
        except UserError as problem:
            problems.append(str(problem))
    question |= one_of(query, "pooling", POOLINGS, problems)
    if query.get("none") in ("0", "1"):
        question["none"] = query["none"] == "1"
    if query.get("templates"):
        question["templates"] = query["templates"][:LONGEST]
    yield linked_clip(query, problems) | question


def prompts_link(clip: Clip, answer: PromptAnswer) -> dict:
    """A question as a link names it; prompts that would make it too long are left out."""
    prompts = "\n".join(answer.prompts)
    name = next((n for n, names in CLASS_LISTS.items() if "\n".join(names) == prompts), "")
    question = {}
    if name:
        question["classes"] = name
    elif len(prompts) <= LONGEST:
        question["prompts"] = prompts
    return link(
        clip,
        **question,
        none=bool(answer.background),
        tower=answer.model,
        templates="\n".join(answer.templates)[:LONGEST],
        pooling=answer.pooling,
    )


def one_of(query: dict, name: str, values: Collection[str], problems: list[str]) -> dict[str, str]:
    """The setting as {name: value} where it is offered; {} and perhaps a problem otherwise."""
    value = query.get(name, "")
    if value in values:
        return {name: value}
    if value:
        problems.append(f"The link asks for {name}={value[:40]}, which is not offered here.")
    return {}


def several_of(
    query: dict, name: str, values: Collection[str], problems: list[str]
) -> dict[str, list[str]]:
    """Settings that commas part, as {name: values}; {} where none is named or one is not offered."""
    chosen = [value for value in query.get(name, "").split(",") if value]
    if chosen and all(value in values for value in chosen):
        return {name: chosen}
    if chosen:
        problems.append(
            f"The link asks for {name}={query[name][:40]}, not all of which is offered here."
        )
    return {}


def seconds_of(
    query: dict, name: str, problems: list[str], low: float = 0.0, high: float = 1e6
) -> dict[str, float]:
    """A time in seconds as {name: value}; {} and perhaps a problem where it is none."""
    value = query.get(name, "")
    try:
        if value and low <= float(value) <= high:
            return {name: float(value)}
    except ValueError:
        pass
    if value:
        problems.append(
            f"The link asks for {name}={value[:40]}, which is no number of seconds that is possible here."
        )
    return {}


def unknown_models(query: dict, problems: list[str]) -> None:
    """Add a problem where the link names models that do not exist; the page's script ticks the others."""
    unknown = [name for name in query.get("models", "").split(",") if name and name not in cards()]
    if unknown:
        problems.append(f"The link names models that do not exist here: {', '.join(unknown)[:80]}.")


def linked_clip(query: dict, problems: list[str]) -> dict:
    """Updates that show the clip which a link names, and all problems with the link.

    What is not named is not touched: a press that was quicker may have put a notice there.
    """
    clip = None
    if query.get("example"):
        shipped = example(query["example"])
        clip = ingest(shipped.path, name=shipped.title) if shipped else None
    elif query.get("clip"):
        clip = cached_clip(query["clip"])
    updates = {}
    if clip is not None:
        updates = shown(clip)
        del updates["clip_notice"], updates["notice"]
    elif query.get("example") or query.get("clip"):
        lost = "The clip of this link is no longer on this server; please add it again."
        problems = [lost, *problems]
    if problems:
        updates["clip_notice"] = notice(" ".join(problems), "warn")
    return updates
