"""The buttons Run and Stop, which do the same on every page that asks models."""

from collections.abc import Callable, Sequence

import gradio as gr
from gradio.components import Component


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
    private = {"api_visibility": "undocumented"}
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
        **private,
    )
    running.then(None, None, None, js="() => atlas.ended()", api_name="ended", **private)
    stop.click(
        stopped,
        answered,
        mended,
        js="answered => { atlas.ended(); return [answered]; }",
        cancels=[running],
        api_name=f"stop_{work.__name__}",
        show_progress="hidden",
        **private,
    )
