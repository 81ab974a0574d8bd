"""The same verbs as the pages, without a browser: python -m har_demo recognize clip.mp4 ...

A mistake in what was given is one sentence on the standard error and exit code 2; a fault of ours is
logged there with its traceback, then said in one sentence, with exit code 1. Everything heavy is imported
inside the commands, so that --help answers at once.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from har_demo.cli.answers import recognize
from har_demo.cli.catalogue import models, weights
from har_demo.cli.evaluation import compare, evaluate, merge
from har_demo.cli.explaining import edits, explain, samplings
from har_demo.cli.figures import convolution, costs, lecture, measured, results
from har_demo.cli.motion import flow, two_stream
from har_demo.cli.output import progress
from har_demo.cli.prompting import ask, image_text_models, search
from har_demo.cli.research import FORWARD, bench, dataset, render, sheet
from har_demo.cli.serving import serve
from har_demo.errors import BROKEN, UserError, disk_sentence
from har_demo.installed import required

log = logging.getLogger(__name__)

COMMANDS = (
    serve,
    recognize,
    ask,
    search,
    image_text_models,
    explain,
    edits,
    samplings,
    flow,
    two_stream,
    models,
    weights,
    evaluate,
    merge,
    compare,
    results,
    lecture,
    measured,
    costs,
    convolution,
)
"""In the order of --help."""

OF_PEOPLE = (render, sheet, dataset)


@contextmanager
def plainly() -> Iterator[None]:
    """Whatever goes wrong ends the program with a sentence; the log has the traceback of what is ours."""
    try:
        with required():
            yield
    except UserError as problem:
        progress("")
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise
    except Exception as fault:
        progress("")
        if sentence := disk_sentence(fault):
            typer.echo(sentence, err=True)
            raise typer.Exit(2) from None
        log.error("the command failed", exc_info=fault)
        typer.echo(BROKEN, err=True)
        raise typer.Exit(1) from None


app = typer.Typer(
    help="Recognise actions in video clips, with many models side by side.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
people = typer.Typer(
    help="Render clips of people doing things, with everything known of every pixel.",
    no_args_is_help=True,
)
for command in COMMANDS:
    app.command()(plainly()(command))
for command in OF_PEOPLE:
    people.command(**FORWARD)(command)
app.command(**FORWARD)(bench)
app.command("towers", hidden=True)(plainly()(image_text_models))  # its name of before
app.add_typer(people, name="people")
