"""The settings a page offers, and the shared link that brings clip, models or prompts, and settings back."""

from har_demo.clips.clip import Clip
from har_demo.clips.ingest import cached_clip, ingest
from har_demo.errors import UserError
from har_demo.interface.clip_input import shown
from har_demo.interface.examples import example, example_of
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
    problems = []
    settings = {}
    for name, values in OFFERED.items():
        value = query.get(name, "")
        if value in map(str, values):
            settings[name] = int(value)
        elif value:
            problems.append(f"The link asks for {name}={value[:40]}, which does not exist.")
    unknown = [name for name in query.get("models", "").split(",") if name and name not in cards()]
    if unknown:
        problems.append(f"The link names models that do not exist here: {', '.join(unknown)[:80]}.")
    yield _clip(query, problems) | settings


@press
def restore_prompts(job: Job, query: dict):
    """Bring back the clip and the question that a shared link of the Prompts page names.

    Yields updates of the clip and of the question's fields.
    """
    problems = []
    question = {}
    if query.get("prompts"):
        question["prompts"] = query["prompts"][:LONGEST]
    if query.get("classes") in CLASS_LISTS:
        question["prompts"] = "\n".join(class_list(query["classes"]))[:LONGEST]
    elif query.get("classes"):
        problems.append(f"The link names a list that does not exist: {query['classes'][:40]}.")
    if query.get("tower"):
        try:
            question["tower"] = offered(query["tower"])
        except UserError as problem:
            problems.append(str(problem))
    if query.get("pooling") in POOLINGS:
        question["pooling"] = query["pooling"]
    elif query.get("pooling"):
        problems.append(f"The link asks for pooling={query['pooling'][:40]}, which does not exist.")
    if query.get("none") in ("0", "1"):
        question["none"] = query["none"] == "1"
    if query.get("templates"):
        question["templates"] = query["templates"][:LONGEST]
    yield _clip(query, problems) | question


def prompts_link(clip: Clip, answer: PromptAnswer) -> dict:
    """A question as a link names it; prompts that would make it too long are left out."""
    prompts = "\n".join(answer.prompts)
    name = next((n for n, names in CLASS_LISTS.items() if "\n".join(names) == prompts), "")
    link = {"clip": clip.sha256, "example": example_of(clip)}
    if name:
        link["classes"] = name
    elif len(prompts) <= LONGEST:
        link["prompts"] = prompts
    return link | {
        "none": str(int(bool(answer.background))),
        "tower": answer.model,
        "templates": "\n".join(answer.templates)[:LONGEST],
        "pooling": answer.pooling,
    }


def _clip(query: dict, problems: list[str]) -> dict:
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
