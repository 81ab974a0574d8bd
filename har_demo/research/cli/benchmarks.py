"""Time and memory of a request, and the speed of the renderer."""

import json
import os
from typing import Annotated

import typer

from har_demo.cli.arguments import check_out
from har_demo.cli.output import progress, table


def bench(
    quick: Annotated[bool, typer.Option(help="Shorter clips, for a first look.")] = False,
    out: Annotated[str | None, typer.Option(help="Also write the table to this .csv file.")] = None,
) -> None:
    """Measure time and memory against the plain way of doing the same."""
    check_out(out)
    from har_demo.research.benchmarks import bench as measuring

    rows = measuring.measure(quick, say=progress)
    progress("")
    typer.echo(table([measuring.COLUMNS, *rows]))
    if out:
        measuring.write(rows, out)


def bench_job(
    job: Annotated[str, typer.Argument(help="prepare, plain, ours or sliding.")],
    options: Annotated[str, typer.Argument(help="Of the job, as JSON.")],
) -> None:
    """Run one job of `bench`, which starts each in a process of its own; print its result as JSON."""
    from har_demo.research.benchmarks import ways

    typer.echo(json.dumps(ways.JOBS[job](json.loads(options))))


def bench_renderer(
    device: Annotated[str | None, typer.Option(help="cuda where there is one, else cpu.")] = None,
    clips: Annotated[int | None, typer.Option(help="2000 on a GPU, else 32.", min=1)] = None,
    batch: Annotated[int | None, typer.Option(help="100 on a GPU, else 16.", min=1)] = None,
    workers: Annotated[int, typer.Option(help="Processes that draw scenes ahead.", min=0)] = min(
        8, (os.cpu_count() or 2) - 1
    ),
) -> None:
    """Measure how many clips a second the renderer gives."""
    import torch

    from har_demo.research.benchmarks import rendering

    chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    cuda = chosen.type == "cuda"
    amounts = (clips or (2000 if cuda else 32), batch or (100 if cuda else 16))
    for line in rendering.measure(chosen, *amounts, workers):
        typer.echo(line)


def visitors(
    numbers: Annotated[list[int], typer.Argument(help="How many visitors, one run for each.")],
    minutes: Annotated[float, typer.Option(help="How long each run lasts.", min=0.5)] = 10,
    out: Annotated[str | None, typer.Option(help="Also write the table to this .csv file.")] = None,
) -> None:
    """Measure how long many visitors wait for the app at once, and what fails."""
    check_out(out)
    from har_demo.research.benchmarks import visitors as measuring

    rows = [row for number in numbers for row in measuring.measure(number, minutes, progress)]
    progress("")
    typer.echo(table([measuring.COLUMNS, *rows]))
    if out:
        measuring.write(rows, out)


def default_models(
    out: Annotated[str | None, typer.Option(help="Also write the table to this .csv file.")] = None,
) -> None:
    """Measure how long the models that Recognise ticks take, beside the best tiny model."""
    check_out(out)
    from har_demo.research.benchmarks import default_models as measuring

    rows = measuring.measure(("mfnet_pnl_lab", "i3d"), say=progress)
    progress("")
    typer.echo(table([measuring.COLUMNS, *rows]))
    if out:
        measuring.write(rows, out)


def docs() -> None:
    """Write docs/systems.md and docs/measured.md from the tables."""
    from har_demo.research import docs as tables

    for file in tables.write():
        typer.echo(f"{file} written")
