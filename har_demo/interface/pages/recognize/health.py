"""At the page's foot: are the shipped weights what they claim to be, and what do they score now?

Nothing is looked up before the panel is opened. Measuring again takes the next few of the rendered
clips that the manifest's figures are about, so that pressing again adds to what is known.
"""

import logging
from dataclasses import dataclass, replace

import gradio as gr
from markupsafe import Markup

from har_demo.errors import UserError
from har_demo.interface import run_controls, stopping
from har_demo.interface.gpu import on_gpu
from har_demo.interface.render import notice, render
from har_demo.models.registry import cards
from har_demo.research.training.recognition.evaluate import EvalTarget, evaluate, subject
from har_demo.research.training.recognition.material import people
from har_demo.tables.datasets import TITLES
from har_demo.tables.intervals import confidence_interval
from har_demo.weights import shipped
from har_demo.weights.health import every_health

log = logging.getLogger(__name__)

EVERY = ""  # in place of a model's name
CLIPS = (2, 5, 10)
BROKEN = "Something broke on our side, not yours: try again, or with fewer clips."


@dataclass(frozen=True)
class Tally:
    """How many of the first rendered clips a model was asked about, and how many it got right."""

    right: int = 0
    asked: int = 0


def build() -> None:
    """Lay out the panel inside the current Blocks and connect its events."""
    so_far = gr.State({})  # model → Tally
    with gr.Accordion("Health of the shipped weights", open=False, elem_id="health") as panel:
        report = gr.HTML("", elem_id="health-report")
        with gr.Row(elem_id="again"):
            model = gr.Dropdown(_models(), value=EVERY, label="Whose accuracy", min_width=220)
            clips = gr.Radio(CLIPS, value=CLIPS[1], label="On how many clips", min_width=160)
        with gr.Row(elem_id="again-go"):
            press = gr.Button("Measure again on rendered clips", elem_id="measure", min_width=260)
            stop = gr.Button("Stop", visible=False, elem_id="measure-stop", min_width=80)
        found = gr.HTML("", elem_id="remeasured")

    private = {"api_visibility": "undocumented"}
    panel.expand(show_health, None, report, api_name="health", show_progress_on=[report], **private)
    measuring = press.click(
        measure_again,
        [model, clips, so_far],
        [found, so_far, press, stop],
        api_name="measure_again",
        concurrency_limit=1,
        concurrency_id="measure",
        show_progress="hidden",  # the panel tells it itself
        **private,
    )
    run_controls.ends(
        *(stop, [measuring], stopped, so_far, [found, press, stop]), "measure_again", key=_own
    )


def show_health() -> Markup:
    """A line for every shipped checkpoint."""
    try:
        every = every_health()
    except UserError as problem:
        return notice(str(problem))
    return render("recognize/health", every=every, sound=sum(one.ok for one in every))


def measure_again(model: str, clips: int, so_far: dict[str, Tally], request: gr.Request):
    """Ask one shipped model, or each, about its next rendered clips, one at a time.

    Yields updates of: found, so_far, press, stop.
    """
    key = _own(request.session_hash)
    with stopping.work(key):
        yield from _measure(key, model, clips, so_far)


def _own(session: str) -> str:
    """Measuring goes on beside the question above it, and is stopped apart from it."""
    return f"{session} measuring"


@on_gpu
def _measure(key: str, model: str, clips: int, so_far: dict[str, Tally]):
    busy, idle = (gr.update(interactive=False), gr.update(visible=True)), _idle()
    try:
        names = [entry["model"] for entry in shipped.entries()] if model == EVERY else [model]
        yield _tallies(so_far, f"Getting ready for {clips} clips …", 0), so_far, *busy
        subjects, problems = [], []
        for name in names:
            first = so_far.get(name, Tally()).asked
            try:
                subjects.append(_next(name, first, clips))
            except UserError as problem:
                problems.append(str(problem))
        for number in range(clips if subjects else 0):
            for outcome in evaluate([_only(one, number) for one in subjects]):
                name = outcome.subject.card.name
                tally = so_far.get(name, Tally())
                right = int(outcome.forwards[0].argmax() == outcome.clips[0].label)
                so_far = so_far | {name: Tally(tally.right + right, tally.asked + 1)}
            words = f"{number + 1} of {clips} clips"
            yield _tallies(so_far, words, (number + 1) / clips), so_far, *busy
            stopping.check(key)
        said = Markup("").join(notice(problem) for problem in problems)
        yield said + _tallies(so_far), so_far, *idle
    except stopping.Stopped:
        return  # `stopped` says so on the page
    except Exception as problem:
        # The page must never be left waiting; the log has what the reader cannot use.
        if not isinstance(problem, UserError):
            log.exception("measuring again failed")
        sentence = str(problem) if isinstance(problem, UserError) else BROKEN
        yield notice(sentence) + _tallies(so_far), so_far, *idle


def stopped(so_far: dict[str, Tally]) -> tuple:
    """What was found until Stop was pressed: found, press, stop."""
    return _tallies(so_far), *_idle()


def _models() -> list[tuple[str, str]]:
    try:
        listed = [entry["model"] for entry in shipped.entries()]
    except UserError:
        listed = []  # the panel says why when it is opened
    known = [(cards()[name].title, name) for name in listed if name in cards()]
    return [("every shipped model", EVERY), *known]


def _idle() -> tuple:
    return gr.update(interactive=True), gr.update(visible=False)


def _next(model: str, first: int, count: int) -> EvalTarget:
    """A model with the clips that come after the first ones."""
    one = subject(model, lambda classes: people(classes, first + count))
    return replace(one, material=replace(one.material, clips=one.material.clips[first:]))


def _only(one: EvalTarget, number: int) -> EvalTarget:
    clip = one.material.clips[number]
    return replace(one, material=replace(one.material, clips=(clip,)))


def _tallies(so_far: dict[str, Tally], doing: str = "", share: float = 1.0) -> Markup:
    """What was found so far, and how far a measurement has come, as HTML."""
    rows = [_row(model, tally) for model, tally in so_far.items()]
    return render("recognize/remeasured", rows=rows, doing=doing, share=f"{share:.2f}")


def _row(model: str, tally: Tally) -> dict:
    title = TITLES["rendered"]
    listed = (shipped.entry(model) or {}).get("accuracy", ())
    stated = next((row["top1"] for row in listed if row["dataset"] == title), None)
    low, high = confidence_interval(tally.right, tally.asked)
    span = f"from {low:.0f} to {high:.0f} %"
    if stated is None:
        words = (
            f"After so few clips its accuracy may be anything {span}; no figure to compare with."
        )
    elif low <= stated <= high:
        words = f"That agrees: after so few clips its accuracy may be anything {span}."
    else:
        words = (
            f"That does not agree: its accuracy should be {span}. Chance alone does this once in "
            "twenty times, so measure more clips."
        )
    return {
        "title": cards()[model].title,
        "right": f"{tally.right} of {tally.asked} right",
        "stated": "" if stated is None else f"manifest says {stated:.0f} %",
        "low": f"{low:.1f}",
        "width": f"{high - low:.1f}",
        "share": f"{100 * tally.right / tally.asked:.1f}",
        "mark": "" if stated is None else f"{stated:.1f}",
        "words": words,
    }
