"""The list of models as weights arrive: a Space fetches some after it has started."""

import gradio as gr

from har_demo.interface.formatting import sentence_list
from har_demo.interface.picker import picker
from har_demo.interface.render import notice
from har_demo.interface.run import Job, press
from har_demo.recognize.defaults import TWO_TINY, default_models
from har_demo.weights.package_index import being_fetched

SECONDS = 2.0  # between two looks at how much has arrived


@press(errors="fetching")
def offer_models(job: Job):
    """List the models that are here when the page is opened, the default ones ticked.

    Yields updates of: models, fetching, timer.
    """
    waits = being_fetched()
    yield {
        "models": picker(default_models()),
        "fetching": _progress(waits),
        "timer": gr.Timer(active=bool(waits)),
    }


@press(errors="fetching")
def follow_fetching(job: Job, ticked: list[str]):
    """Say how far it is; once everything has arrived, list the models anew.

    What the visitor has ticked stays, unless it is what was ticked for want of the rest.

    Yields updates of: models, fetching, timer.
    """
    if waits := being_fetched():
        yield {"fetching": _progress(waits)}
        return
    own = default_models() if sorted(ticked) == sorted(TWO_TINY) else ticked
    yield {"models": picker(own), "fetching": "", "timer": gr.Timer(active=False)}


def _progress(waits: dict[str, float]) -> str:
    if not waits:
        return ""
    parts = sentence_list([f"{title}: {share:.0%}" for title, share in waits.items()])
    return notice(f"Weights on their way: {parts.replace('%', ' %')}.", "warn")
