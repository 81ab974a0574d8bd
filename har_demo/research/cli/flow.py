"""Optical flow: errors of the methods, and training of the small networks."""

from pathlib import Path
from typing import Annotated

import typer

from har_demo.cli.arguments import check_out, printable, split_names
from har_demo.cli.output import bar, progress, table
from har_demo.errors import ChoiceError


def flow_evaluate(
    data: Annotated[
        str | None,
        typer.Option(help="Also pairs of this folder: NAME_img1.ppm, _img2.ppm, _flow.flo."),
    ] = None,
    pairs: Annotated[int, typer.Option(help="Pairs of people to render.", min=0)] = 24,
    methods: Annotated[
        str, typer.Option(help="Separated by commas; all that are ready by default.")
    ] = "",
    out: Annotated[
        str | None, typer.Option(help="The .csv that gets the figures, in place of older ones.")
    ] = None,
) -> None:
    """Measure errors and times of the methods of optical flow, where the flow is known."""
    check_out(out)
    from har_demo.flow.field import TITLES
    from har_demo.flow.files import known_pairs
    from har_demo.research.benchmarks import flow_errors as measuring

    wanted = split_names(methods)
    for name in wanted:
        if name not in TITLES:
            raise ChoiceError(
                f"No optical flow is called '{printable(name)}': choose {', '.join(TITLES)}."
            )
    known = {printable(Path(data).name): known_pairs(data)} if data else {}
    if not wanted:
        wanted, left_out = measuring.ready()
        for sentence in left_out:
            typer.echo(sentence, err=True)
    if pairs:
        progress("Rendering people")
        known[measuring.PEOPLE] = measuring.people(pairs)
    rows = measuring.measure(
        wanted, known, on_progress=lambda done, what: progress(bar(done, what))
    )
    progress("")
    if out:
        measuring.write(Path(out), rows)
    typer.echo(
        table(
            [("method", "data", "metric", "", "pairs", "machine"), *(row.words() for row in rows)]
        )
    )


def flow_train(
    out: Annotated[Path, typer.Option(help="The folder of states and results.")],
    seconds: Annotated[float, typer.Option(help="Length of this call.", min=1)],
    calls: Annotated[int, typer.Option(help="Calls of that length in all.", min=1)] = 1,
    model: Annotated[str, typer.Option(help="raft_small or flownet_lab.")] = "raft_small",
) -> None:
    """Train a small network of optical flow on rendered pairs; called again, it goes on."""
    import torch

    from har_demo.research.training.flow.train import SPECS, train

    if model not in SPECS:
        raise ChoiceError(
            f"There is no network '{printable(model)}' to train: choose {', '.join(SPECS)}."
        )
    out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train(model, out, seconds, calls, SPECS[model].plan, device)


def flow_sizes() -> None:
    """Measure the embedded network at several picture sizes and numbers of corrections."""
    from har_demo.research.benchmarks.flow_sizes import lines

    for line in lines():
        typer.echo(line)
