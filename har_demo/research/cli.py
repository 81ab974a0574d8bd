"""Every command of research: python -m har_demo.research VERB ...

Everything heavy is imported inside the commands, so that --help answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Render people, prepare data, train, and measure for the tables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _verbs() -> None:
    """Render people, prepare data, train, and measure for the tables."""


@app.command("render-frames")
def render_frames(
    folder: Annotated[Path, typer.Argument(help="Where the .npy files go.", exists=True)],
) -> None:
    """Render frames of scenes that are named on the standard input, one JSON object a line."""
    from har_demo.research.people.on_request import answer_requests

    answer_requests(sys.stdin, folder, sys.stdout)


@app.command()
def docs() -> None:
    """Write docs/systems.md and docs/measured.md from the tables."""
    from har_demo.research import docs

    for file in docs.write():
        typer.echo(f"{file} written")
