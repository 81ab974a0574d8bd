"""List the models, and fetch or check their weights."""

import json
from typing import Annotated

import typer

from har_demo.cli.output import bar, progress, table
from har_demo.errors import ChoiceError, WeightsError


def models(
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """List the models and whether their weights are here."""
    from har_demo.recognize.catalogue import catalogue

    known = catalogue()
    if as_json:
        typer.echo(json.dumps(known, indent=1))
        return
    header = ("name", "title", "year", "parameters", "GMACs", "classes", "weights")
    rows = [
        (
            row["name"],
            row["title"],
            str(row["year"]),
            f"{row['parameters'] / 1e6:.1f} M" if row["parameters"] else "",
            f"{row['gmacs']:.1f}" if row["gmacs"] else "",
            row["label_set"],
            row["weights"]["state"],
        )
        for row in known
    ]
    typer.echo(table([header, *rows]))


def weights(
    fetch: Annotated[
        str, typer.Option(help="Download the weights of this model, or of `all`.")
    ] = "",
    check: Annotated[
        bool, typer.Option(help="Check the shipped files; exit code 1 when one is wrong.")
    ] = False,
) -> None:
    """List where the weights of each model are, fetch them, or check the shipped ones."""
    if check:
        if fetch:
            raise ChoiceError("--check looks at shipped weights: leave out --fetch.")
        _check_shipped()
        return
    from har_demo.models import registry
    from har_demo.weights import availability, load

    if not fetch:
        rows = [
            (c.name, s.state, s.sentence)
            for c in registry.cards().values()
            for s in [availability(c)]
        ]
        typer.echo(table([("model", "state", "weights"), *rows]))
        return
    wanted = list(registry.cards().values()) if fetch == "all" else [registry.card(fetch)]
    failed = 0
    for card in wanted:
        try:
            _, provenance = load(
                card, None, lambda done, card=card: progress(bar(done, card.title))
            )
            progress("")
            typer.echo(f"{card.name}: {provenance.file} is here ({provenance.note}).")
        except WeightsError as problem:
            progress("")
            typer.echo(str(problem), err=True)
            failed += 1
    if failed:
        raise typer.Exit(2)


def _check_shipped() -> None:
    from har_demo.weights.health import every_health

    found = every_health()
    rows = [
        (one.model, check.question, "ok" if check.ok else "WRONG", check.sentence)
        for one in found
        for check in one.checks
    ]
    typer.echo(table([("model", "question", "", "what was found"), *rows]))
    wrong = sum(not one.ok for one in found)
    typer.echo(f"\n{len(found) - wrong} of {len(found)} shipped checkpoints are in order.")
    if wrong:
        raise typer.Exit(1)
