"""The folder of a Hugging Face Space, and how fast the app starts."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

PLACE = Path(".scratch/space")


def space(
    folder: Annotated[Path, typer.Option(help="Where the folder is made.")] = PLACE,
    name: Annotated[
        str | None, typer.Option(help="USER/SPACE, for its thumbnail's address.")
    ] = None,
    dry: Annotated[bool, typer.Option(help="Install nothing: start it with what is here.")] = False,
) -> None:
    """Build the folder of a Hugging Face Space, check it, start it once and print how to upload it."""
    from huggingface_hub import SpaceCard

    from har_demo import assets
    from har_demo.research.space import folder as making
    from har_demo.research.space import rules, trial

    making.build(assets.ROOT, folder, name)
    every = making.files(folder)
    size = sum(path.stat().st_size for path in every) / 1e6
    typer.echo(f"{folder}: {len(every)} files, {size:.0f} MB")

    findings = rules.check(folder)
    for one in findings:
        state = "not checked" if one.unchecked else "refused" if one.problems else "ok"
        typer.echo(f"  {state:<12}{one.rule}{f': {one.unchecked}' * bool(one.unchecked)}")
        for problem in one.problems:
            typer.echo(f"{'':14}{problem}")
    if any(one.problems for one in findings):
        raise typer.Exit(1)

    cores = rules.hub()["cpu_basic"]["cores"]
    try:
        if dry:
            with trial.with_ranges(folder, assets.ROOT / "requirements.txt") as copy:
                seen = trial.ask(copy, Path(sys.executable), cores)
        else:
            version = SpaceCard.load(folder / "README.md").data.python_version
            place = folder.with_name("space-environment")
            python = trial.environment(folder, version, place, typer.echo)
            seen = trial.ask(folder, python, cores)
    except RuntimeError as problem:
        typer.echo(f"  refused     {problem}")
        raise typer.Exit(1) from problem
    typer.echo(
        f"Started with Python {seen.python}: the page after {seen.started:.0f} s, the first answer of an "
        f"example ('{seen.answer}') after {seen.page:.0f} s, the same through the API in {seen.api:.1f} s, "
        f"{seen.memory / 2**30:.1f} GiB of memory at most."
    )
    if not trial.fits(seen):
        typer.echo("  refused     That is more memory than the smallest hardware has.")
        raise typer.Exit(1)
    typer.echo("Upload it with:")
    typer.echo(
        f"  cd {os.path.relpath(folder)} && hf upload {name or 'USER/SPACE'} . --repo-type space"
    )


def cold_start(
    times: Annotated[int, typer.Option(help="How often.", min=1)] = 3,
) -> None:
    """Measure seconds from `python app.py` to the first page and to the first answer of an example."""
    from har_demo import assets
    from har_demo.research.space import trial

    cores = os.cpu_count() or 1
    for _ in range(times):
        seen = trial.ask(assets.ROOT, Path(sys.executable), cores)
        typer.echo(
            f"page {seen.started:.1f} s, first answer {seen.page:.1f} s, the next {seen.api:.2f} s, "
            f"{seen.memory / 2**30:.2f} GiB, Python {seen.python}, {cores} cores"
        )
