"""Health of the shipped weights, at the page's foot: hashes against the manifest, accuracy measured again.

Nothing is looked up before the panel is opened. Measuring again takes the next few of the rendered
clips that the manifest's figures are about, so that pressing again adds to what is known.
"""

from dataclasses import dataclass, replace

import gradio as gr
from markupsafe import Markup

from har_demo.clips.rendered import Open, renderer
from har_demo.errors import UserError
from har_demo.interface.lanes import MODELS
from har_demo.interface.render import notice, render
from har_demo.interface.run import PRIVATE, Job, ends, on, press
from har_demo.models.registry import cards
from har_demo.recognize.eval_set import rendered_people
from har_demo.recognize.evaluate import EvalTarget, eval_target, evaluate
from har_demo.tables.datasets import TITLES
from har_demo.tables.statistics import confidence_interval
from har_demo.weights import shipped
from har_demo.weights.health import every_health

EVERY = ""  # in place of a model's name
CLIPS = (2, 5, 10)


@dataclass(frozen=True)
class Tally:
    """Counts over the first rendered clips of the test set: clips answered, and answered right."""

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
            measure = gr.Button("Measure again on rendered clips", elem_id="measure", min_width=260)
            stop = gr.Button("Stop", visible=False, elem_id="measure-stop", min_width=80)
        problems = gr.HTML("", elem_id="measure-problems")
        found = gr.HTML("", elem_id="remeasured")

    outputs = {
        "problems": problems,
        "found": found,
        "so_far": so_far,
        "measure": measure,
        "stop": stop,
    }
    panel.expand(show_health, None, report, api_name="health", show_progress_on=[report], **PRIVATE)
    measuring = on(
        measure.click,
        measure_again,
        [model, clips, so_far],
        outputs,
        show_progress="hidden",  # the panel shows it itself
    )
    ends(stop, [measuring], measure_again, stopped, [so_far], outputs)


def show_health() -> Markup:
    """A line for every shipped checkpoint."""
    try:
        every = every_health()
    except UserError as problem:
        return notice(str(problem))
    return render("recognize/health", every=every, sound=sum(one.ok for one in every))


@press(errors="problems", lane=MODELS)
def measure_again(job: Job, model: str, clips: int, so_far: dict[str, Tally]):
    """Ask one shipped model, or each, about its next rendered clips, one at a time.

    Yields updates of: problems, found, so_far, measure, stop.
    """
    names = [entry["model"] for entry in shipped.entries()] if model == EVERY else [model]
    yield {
        "problems": "",
        "found": _tallies(so_far, f"Getting ready for {clips} clips …", 0),
        "measure": gr.update(interactive=False),
        "stop": gr.update(visible=True),
    }
    try:
        targets, problems = [], []
        with renderer() as open_scene:
            for name in names:
                first = so_far.get(name, Tally()).asked
                try:
                    targets.append(_next(name, first, clips, open_scene))
                except UserError as problem:
                    problems.append(str(problem))
            for number in range(clips if targets else 0):
                for outcome in evaluate([_only(target, number) for target in targets]):
                    name = outcome.target.card.name
                    tally = so_far.get(name, Tally())
                    right = int(outcome.forwards[0].argmax() == outcome.clips[0].label)
                    so_far = so_far | {name: Tally(tally.right + right, tally.asked + 1)}
                share = f"{number + 1} of {clips} clips"
                yield {"found": _tallies(so_far, share, (number + 1) / clips), "so_far": so_far}
                job.check()
    except Exception:
        yield {"found": _tallies(so_far), **_idle()}
        raise
    yield {
        "problems": Markup("").join(map(notice, problems)),
        "found": _tallies(so_far),
        **_idle(),
    }


@press(errors="problems")
def stopped(job: Job, so_far: dict[str, Tally]):
    """Show the tallies until Stop was pressed. Yields updates of: found, measure, stop."""
    yield {"found": _tallies(so_far), **_idle()}


def _models() -> list[tuple[str, str]]:
    try:
        listed = [entry["model"] for entry in shipped.entries()]
    except UserError:
        listed = []  # the panel says why when it is opened
    known = [(cards()[name].title, name) for name in listed if name in cards()]
    return [("every shipped model", EVERY), *known]


def _idle() -> dict:
    return {"measure": gr.update(interactive=True), "stop": gr.update(visible=False)}


def _next(model: str, first: int, count: int, open_scene: Open) -> EvalTarget:
    """A model with the clips that come after the first ones."""
    target = eval_target(model, lambda classes: rendered_people(classes, first + count, open_scene))
    clips = target.eval_set.clips[first:]
    return replace(target, eval_set=replace(target.eval_set, clips=clips))


def _only(target: EvalTarget, number: int) -> EvalTarget:
    clip = target.eval_set.clips[number]
    return replace(target, eval_set=replace(target.eval_set, clips=(clip,)))


def _tallies(so_far: dict[str, Tally], doing: str = "", share: float = 1.0) -> Markup:
    """The tallies so far, and the progress of a measurement, as HTML."""
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
