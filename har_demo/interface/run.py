"""A press on a page: work that reports progress, can be stopped, says errors as sentences and shows results.

    @press
    def run_models(job, current, video, models):
        clip = ready(current, video, job.tell)
        for answer in recognized(job, clip, models):
            yield {"panel": shown(answer)}

    connect(run, stop, run_models, [current, video, models], {"notice": notice, "panel": panel}, ...)

An update names the outputs that change; all others stay as they are.
"""

import functools
import inspect
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from har_demo import device, threads
from har_demo.errors import UserError
from har_demo.interface import stopping
from har_demo.interface.lanes import Lane, Ticket
from har_demo.interface.pace import Pace
from har_demo.interface.problems import explain_error
from har_demo.interface.render import notice
from har_demo.interface.visitor import Visitor, gone, visitor

PRIVATE = {"api_visibility": "undocumented"}

Outputs = Mapping[str, Component]
"""The components that a press may change, by name."""
Work = Callable[..., Iterator[dict]]


@dataclass(frozen=True)
class Job:
    """The tools of a piece of work while it runs.

    Attributes:
        key: names the work for `stopping`.
        folder: a place for files, which is removed when the work has ended and Gradio has copied them.
        progress: a gr.Progress, or called like one.
        visitor: who asks.
    """

    key: str
    folder: Path
    progress: Callable[..., object]
    visitor: Visitor
    _turns: list[tuple[Lane, Ticket]] = field(default_factory=list)
    _pace: Pace = field(default_factory=Pace)

    @property
    def flag(self) -> int | None:
        """The number by which other processes see that the work shall end; None where nothing stops it."""
        return stopping.flag(self.key)

    def tell(self, share: float, sentence: str) -> None:
        """Show how far the work has come, 0 to 1, what it does now, and the time left if that is long.

        Raises:
            Stopped: Stop was pressed, or whoever asked has gone.
        """
        self.check()
        self.progress(share, desc=sentence + self._pace.words(share, time.monotonic()))

    def check(self) -> None:
        """Go on, once those have had their turn who had less.

        Raises:
            Stopped: Stop was pressed, or whoever asked has gone.
        """
        stopping.check(self.key)
        if not device.zero_gpu():  # a GPU that is lent would wait meanwhile
            for lane, ticket in self._turns:
                lane.let_others(ticket, self._waiting)

    @contextmanager
    def turn(self, lane: Lane) -> Iterator[None]:
        """Wait for a turn in a lane, saying how many come first, and have it until this is left.

        Raises:
            ChoiceError: too many questions of the visitor wait already.
            Stopped: as `check`.
        """
        with lane.turn(self.visitor, self._waiting) as ticket:
            self._turns.append((lane, ticket))
            try:
                yield
            finally:
                self._turns.remove((lane, ticket))
                threads.give_back()

    def _waiting(self, before: int) -> None:
        stopping.check(self.key)
        self.progress(0.0, desc=f"Waiting: {before} come{'s' if before == 1 else ''} first")


def press(work: Work | None = None, *, errors: str = "notice", lane: Lane | None = None):
    """Decorate a generator of updates, so that whatever goes wrong in it becomes a sentence on the page.

    The decorated function is called with the key and the progress of a Job in place of the job.

    Args:
        errors: the output that shows the sentence.
        lane: where all of the work takes its turn; work that reads a clip first takes its turns itself.
    """
    if work is None:
        return functools.partial(press, errors=errors, lane=lane)

    @functools.wraps(work)
    def guarded(key: str, progress: Callable, *given, **named):
        with TemporaryDirectory() as folder:
            try:
                job = Job(key, Path(folder), progress, visitor())
                with job.turn(lane) if lane else nullcontext():
                    yield from work(job, *given, **named)
            except stopping.Stopped:
                return  # the press on Stop says so, or nobody is there any more
            except UserError as problem:
                yield {errors: notice(str(problem))}
            except Exception as fault:
                # The page must never be left waiting.
                yield {errors: notice(explain_error(fault, f"{work.__name__} failed"))}

    return guarded


def on(
    event: Callable[..., Dependency],
    work: Work,
    inputs: Sequence[Component],
    outputs: Outputs,
    api_name: str | None = None,
    **options,
) -> Dependency:
    """Let an event, such as `button.click`, do work that `press` decorates.

    Work with a parameter `event` is given the data that the page's script sends with the event, and
    work with a parameter `query` that of the page's address.
    """
    parameters = inspect.signature(work).parameters

    def handle(request: gr.Request, data: gr.EventData, progress=gr.Progress(), *given):  # noqa: B008
        key = key_of(request, work)
        named = {"event": data._data or {}, "query": dict(request.query_params)}
        named = {name: value for name, value in named.items() if name in parameters}
        update = None
        with stopping.work(key, gone()):
            for update in work(key, progress, *given, **named):
                yield {outputs[name]: value for name, value in update.items()} or gr.skip()
        if update is None:
            yield gr.skip()  # work that gives nothing at all would empty every output

    return event(
        handle,
        inputs,
        list(outputs.values()),
        api_name=api_name or work.__name__,
        **PRIVATE,
        **options,
    )


def key_of(request: gr.Request, work: Work) -> str:
    """Names one kind of work of one visitor."""
    return f"{request.session_hash} {work.__name__}"


def connect(
    run: gr.Button,
    stop: gr.Button,
    work: Work,
    inputs: Sequence[Component],
    outputs: Outputs,
    status: gr.HTML,
    stopped: Work,
    answered: gr.State,
    given: str = "(...given) => given",
) -> None:
    """Let a press on Run do the work, and a press on Stop end it.

    Args:
        status: where progress is shown.
        stopped: work of its own, given what is `answered` when Stop is pressed.
        given: JavaScript that makes of the inputs what `work` is given, where the page knows better.
    """
    running = on(
        run.click,
        work,
        inputs,
        outputs,
        js=f"(...all) => {{ atlas.started(); return ({given})(...all); }}",
        trigger_mode="multiple",  # 'once' would swallow a press soon after Stop; the script guards
        show_progress_on=[status],
    )
    running.then(None, None, None, js="() => atlas.ended()", api_name="ended", **PRIVATE)
    ending = ends(
        *(stop, [running], work, stopped, [answered], outputs), js="() => atlas.stopping()"
    )
    ending.then(None, None, None, js="() => atlas.stopped()", api_name="stopped", **PRIVATE)


def ends(
    stop: gr.Button,
    running: Sequence[Dependency],
    work: Work,
    stopped: Work,
    inputs: Sequence[Component],
    outputs: Outputs,
    js: str | None = None,
) -> Dependency:
    """Let a press on Stop end what is running, and show `stopped` when nothing more can come of it.

    Gradio cancels beside the press, not before it: what said so at once would sometimes be overtaken
    by an answer that was on its way. The inputs are read afterwards for the same reason.
    """

    def end(request: gr.Request):
        key = key_of(request, work)
        stopping.stop(key)
        yield gr.update(value="Stopping …", interactive=False)
        stopping.wait(key)
        yield gr.update(value=stop.value, interactive=True)

    pressed = stop.click(
        end,
        None,
        stop,
        js=js,
        cancels=list(running),
        api_name=f"stop_{work.__name__}",
        show_progress="hidden",
        **PRIVATE,
    )
    return on(
        pressed.then,
        stopped,
        inputs,
        outputs,
        api_name=f"stopped_{work.__name__}",
        show_progress="hidden",
    )
