"""The buttons Run and Stop, which do the same on every page that asks models."""

from collections.abc import Callable, Sequence

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from har_demo.interface import stopping

PRIVATE = {"api_visibility": "undocumented"}


def connect(
    run: gr.Button,
    stop: gr.Button,
    work: Callable,
    inputs: Sequence[Component],
    outputs: Sequence[Component],
    status: gr.HTML,
    stopped: Callable,
    answered: gr.State,
    mended: Sequence[Component] | Component,
    given: str = "(...given) => given",
) -> None:
    """Let a press on Run do `work`, and a press on Stop end it.

    Models answer one visitor after another, whichever page asks.

    Args:
        work: a generator of updates of `outputs`.
        status: where progress is shown.
        stopped: told what is `answered` when Stop is pressed, gives updates of `mended`.
        given: JavaScript that makes of the inputs what `work` is given, where the page knows better.
    """
    running = run.click(
        work,
        inputs,
        outputs,
        js=f"(...all) => {{ atlas.started(); return ({given})(...all); }}",
        api_name=work.__name__,
        trigger_mode="multiple",  # 'once' would swallow a press soon after Stop; the script guards
        concurrency_limit=1,
        concurrency_id="models",
        show_progress_on=[status],
        **PRIVATE,
    )
    running.then(None, None, None, js="() => atlas.ended()", api_name="ended", **PRIVATE)
    said = ends(stop, [running], stopped, answered, mended, work.__name__, "() => atlas.stopping()")
    said.then(None, None, None, js="() => atlas.stopped()", api_name="stopped", **PRIVATE)


def ends(
    stop: gr.Button,
    running: Sequence[Dependency],
    stopped: Callable,
    answered: gr.State | None,
    mended: Sequence[Component] | Component,
    name: str,
    js: str | None = None,
    key: Callable[[str], str] = str,
) -> Dependency:
    """Let a press on Stop end what is running, and say so when nothing more can come of it.

    Gradio cancels beside the press, not before it: what said so at once would sometimes be overtaken
    by an answer that was on its way. The state is read afterwards for the same reason.

    Args:
        name: of the work, whose API names these are.
        js: run at the press.
        key: makes of a session what the work is known by in `stopping`, where it is not the session.
    """

    def end(request: gr.Request):
        stopping.stop(key(request.session_hash))
        yield gr.update(value="Stopping …", interactive=False)
        stopping.wait(key(request.session_hash))
        yield gr.update(value=stop.value, interactive=True)

    pressed = stop.click(
        end,
        None,
        stop,
        js=js,
        cancels=list(running),
        concurrency_limit=None,  # one visitor's waiting must not hold up another's
        api_name=f"stop_{name}",
        show_progress="hidden",
        **PRIVATE,
    )
    return pressed.then(
        stopped, answered, mended, api_name=f"stopped_{name}", show_progress="hidden", **PRIVATE
    )
