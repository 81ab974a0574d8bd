"""The settings a page offers, and the shared link that brings clip, models and settings back."""

import gradio as gr

from har_demo.clips.ingest import cached_clip, ingest
from har_demo.interface.examples import example
from har_demo.interface.render import notice
from har_demo.interface.taking import shown
from har_demo.models.registry import cards

OWN = 0  # 'as the model was trained'
FRAMES, STRIDES, WINDOWS = (OWN, 4, 8, 16, 32, 64), (OWN, 1, 2, 4, 8), (OWN, 1, 5, 10, 30, 100)
CROPS = (1, 3)
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

    page = shown(clip) if clip else [gr.skip()] * 5
    warning = notice(" ".join(problems), "warn") if problems else ""
    return *page[:3], warning, "", *settings
