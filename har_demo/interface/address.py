"""The address of a page that asks about a clip: it names the clip and what is asked of it, and no file.

    flow?example=walking.mp4&method=dis&start=0&seconds=4
    ?clip=<hash of the file's content>&models=tsm_lab

A page keeps its session in its own address. `static/page.js` writes the clip, what is typed and chosen, and the
settings of the answers there (history.replaceState), so that reload, back and forward bring them back as a
shared link does (`har_demo.interface.links`); prompts of more than 3000 letters, as an address has them, are left
out. 'ask=0' stands in an address whose question was not asked yet: the page that opens with it fills in its fields
and asks nothing. The browser's sessionStorage has what no address may or can have, until the tab is closed: the
names of the visitor's files, and the last addresses of the other pages, to which the bar leads back.
"""

import json
from collections.abc import Mapping

from gradio.components import Component

from har_demo.clips.clip import Clip
from har_demo.interface.examples import example_of
from har_demo.interface.run import PRIVATE


def link(clip: Clip | None, **settings: object) -> dict[str, str]:
    """What an address says of a clip and of settings, by name; settings that are None or '' are left out.

    The clip is an example's file name or the hash of its content. Lists are joined by commas.
    """
    named = {}
    if clip is not None:
        shipped = example_of(clip)
        named = {"example": shipped} if shipped else {"clip": clip.sha256}
    given = {name: _text(value) for name, value in settings.items() if value is not None}
    return named | {name: text for name, text in given.items() if text}


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(_text, value))
    if isinstance(value, bool | float):
        return f"{value:g}"
    return str(value)


def keep(settings: Mapping[str, Component]) -> None:
    """Let the page's address follow what a visitor sets, under these names."""
    for name, control in settings.items():
        control.input(
            None,
            control,
            None,
            js=f"value => atlas.draft({json.dumps(name)}, value)",
            api_name=f"keep_{name}",
            **PRIVATE,
        )
