"""Commands that render or measure: they run in a process of research, which nothing here loads."""

import subprocess
from collections.abc import Callable

import typer

from har_demo import child

FORWARD = {
    "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True},
    "add_help_option": False,  # the process itself explains its options
}


def run(*words: object) -> None:
    """Run a command of research; when it fails, end with its exit code.

    It writes to the same terminal.
    """
    done = subprocess.run(child.command("har_demo.research", *words), env=child.environment())
    if done.returncode:
        raise typer.Exit(done.returncode)


def forwarded(verb: str, summary: str) -> Callable[[typer.Context], None]:
    """Make a command that hands all its options to the command of research of the same name."""

    def command(context: typer.Context) -> None:
        run(verb, *context.args)

    command.__name__, command.__doc__ = verb, summary
    return command


render = forwarded(
    "render", "Render a clip of one person doing something, with no camera and no data."
)
sheet = forwarded("sheet", "Draw a contact sheet: every action a row of frames with its name.")
dataset = forwarded("dataset", "Write a labelled data set of small rendered clips.")
bench = forwarded("bench", "Measure time and memory against the plain way of doing the same.")
