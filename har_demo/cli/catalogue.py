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
    verify: Annotated[
        str,
        typer.Option(help="Check the public weights of this model that are here, and ask it once."),
    ] = "",
    sources: Annotated[
        bool, typer.Option("--sources", help="List every public file of each model.")
    ] = False,
    weights_from: Annotated[
        str, typer.Option(help="Of --fetch and --verify: whose file, as --sources names them.")
    ] = "",
) -> None:
    """List where the weights of each model are, fetch them, or check them."""
    if check + bool(fetch) + bool(verify) + sources > 1:
        raise ChoiceError("--check, --fetch, --verify and --sources are four things: give one.")
    if weights_from and (not (fetch or verify) or fetch == "all"):
        raise ChoiceError("--weights-from goes with --fetch or --verify and the name of a model.")
    if check:
        _check_shipped()
        return
    if verify:
        _verify(verify, weights_from)
        return
    from har_demo.models import registry
    from har_demo.weights import availability, load
    from har_demo.weights.sources import of_request

    if sources:
        typer.echo(_sources())
        return

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
        card = of_request(card, name=weights_from) if weights_from else card
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


def _sources() -> str:
    """Every public file as a table: whose it is, its accuracy and how that was measured."""
    from har_demo.models.registry import cards
    from har_demo.weights.state import megabytes

    rows = [
        (
            card.name,
            source.name,
            f"{accuracy.top1:g} %" if accuracy else "",
            f"{accuracy.dataset}; {accuracy.protocol}" if accuracy else "",
            source.licence,
            megabytes(source.bytes),
            source.date,
            source.url,
        )
        for card in cards().values()
        for source in card.sources
        for accuracy in source.accuracy or (None,)
    ]
    header = ("model", "source", "top-1", "measured on", "licence", "size", "date", "address")
    return table([header, *rows])


def _verify(model: str, source: str) -> None:
    from har_demo.recognize.verify import verify

    found = verify(model, source)
    words = {"ok": "ok", "wrong": "WRONG", "open": "not checked"}
    rows = [(check.question, words[check.result], check.sentence) for check in found]
    typer.echo(table([("question", "", "what was found"), *rows]))
    if any(check.result == "wrong" for check in found):
        raise typer.Exit(1)


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
