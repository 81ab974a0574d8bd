"""Numbers: published, counted and measured here."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from har_demo.cli.arguments import check_out
from har_demo.cli.output import progress, table
from har_demo.errors import ChoiceError

if TYPE_CHECKING:
    from har_demo.models.card import ModelCard
    from har_demo.tables.measured import MeasuredRow


def results(
    data_set: Annotated[str, typer.Option(help="One data set, such as Kinetics-400.")] = "",
    metric: Annotated[str, typer.Option(help="One metric, such as top-1.")] = "",
    search: Annotated[str, typer.Option(help="Words that must all stand in a row.")] = "",
    csv: Annotated[str | None, typer.Option(help="Write the whole rows to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """List what is published or was measured here: accuracies, with cost and source."""
    check_out(csv)
    from har_demo.tables import published, tiny

    rows = published.find_rows((*published.load(), *tiny.load()), data_set, metric, search)
    if csv:
        Path(csv).write_text(published.as_csv(rows), encoding="utf-8", newline="")
    if as_json:
        typer.echo(json.dumps(published.as_records(rows), indent=1))
    else:
        columns = ("method", "data set", "metric", "value", "parameters (M)", "cost (G)", "place")
        typer.echo(table([columns, *([row[column] for column in columns] for row in rows)]))


def costs(
    model: Annotated[str, typer.Option(help="Only this model, by its name in `models`.")] = "",
    check: Annotated[
        bool, typer.Option(help="Only what must not be; exit code 1 when there is anything.")
    ] = False,
    layers: Annotated[str, typer.Option(help="Layer by layer, of the model of this name.")] = "",
    frames: Annotated[int | None, typer.Option(help="Of the view, with --layers.")] = None,
    side: Annotated[int | None, typer.Option(help="Pixels of the view, with --layers.")] = None,
    out: Annotated[str | None, typer.Option(help="Also write the table to this .csv file.")] = None,
) -> None:
    """Count parameters and multiply-adds again, and set them beside the published figures.

    A verified figure is 'equal' within 0.1 % (parameters) and 0.5 % (GMACs), else 'OFF'; a printed
    or recalled one is 'close' within 2 %, else it 'differs'.
    """
    if layers and (model or check):
        raise ChoiceError("--layers stands alone: leave out --model and --check.")
    if (frames or side) and not layers:
        raise ChoiceError("--frames and --side are for --layers: name a model with it.")
    if check and out:
        raise ChoiceError("--check keeps only what is wrong: leave out --out, or write without it.")
    check_out(out)
    from har_demo.models import registry
    from har_demo.profiling import published_costs

    if layers:
        _layers(registry.card(layers), frames, side, out)
        return
    wanted = [registry.card(model)] if model else list(registry.cards().values())
    found = []
    for card in wanted:
        progress(f"Counting {card.title}")
        found += published_costs.faults(card) if check else published_costs.rows(card)
    progress("")
    if out:
        published_costs.write(found, out)
    if check and not found:
        typer.echo("Every verified figure holds, and every card states what is counted.")
        return
    typer.echo(table([published_costs.COLUMNS, *(row.words() for row in found)]))
    if check:
        raise typer.Exit(1)


def lecture(
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Tell the lecture's story in order, with what was measured here, and list its data sets."""
    import textwrap

    from har_demo.tables import lecture as told

    if as_json:
        typer.echo(json.dumps(told.as_json(), indent=1))
        return
    for number, one in enumerate(told.CHAPTERS, start=1):
        typer.echo(f"{number}. {one.title}")
        for words in (one.question, one.text, one.open_question):
            typer.echo(textwrap.fill(words, 100, initial_indent="   ", subsequent_indent="   "))
        for system in one.systems:
            entry = told.measured_of(system)
            typer.echo(f"   - {system.card.title}, {system.card.year} ({system.card.name})")
            for limit in told.limits(entry) if entry else ():
                typer.echo(f"       {limit.words}")
        typer.echo("")
    rows = [
        (one.name, str(one.year), str(one.classes), f"{one.clips:,}", one.scale, one.status)
        for one in told.data_sets()
    ]
    typer.echo(table([("data set", "year", "classes", "clips", "scale", "status"), *rows]))


def measured(
    data: Annotated[str, typer.Option(help="arid6, weizmann, workout4 or rendered.")] = "arid6",
    confusions: Annotated[
        str, typer.Option(help="Classes that the model of this name predicts for others.")
    ] = "",
    curves: Annotated[
        str, typer.Option(help="Loss over the steps of training of the model of this name.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="All figures (or curves) as JSON, and nothing else.")
    ] = False,
) -> None:
    """Print the scores of the tiny models, from results/measured."""
    from har_demo.tables import measured as scores

    scores.check_dataset(data)
    if confusions and curves:
        raise ChoiceError("--confusions and --curves are two tables: ask for one of them.")
    if curves:
        _curves(scores.entry(curves), as_json)
        return
    if confusions:
        confusion = scores.confusion(scores.entry(confusions), data)
        mistakes = confusion.mistakes() if confusion else []
        rows = [(true, predicted, f"{count} of {of}") for true, predicted, count, of in mistakes]
        typer.echo(table([("true", "predicted", "clips"), *rows]))
        return
    if as_json:
        typer.echo(json.dumps(scores.as_json(scores.entries()), indent=1))
        return
    times = scores.times()
    rows = [
        (
            row.model,
            row.input,
            str(len(row.seeds)),
            *(
                row.figures[data, metric].words() if (data, metric) in row.figures else ""
                for metric in scores.METRICS
            ),
            *(f"{ms[row.model]:.1f}" if row.model in ms else "" for ms in times.values()),
        )
        for row in scores.entries()
    ]
    machines = (f"ms a view, {machine}" for machine in times)
    typer.echo(table([("model", "input", "seeds", *scores.METRICS, *machines), *rows]))


def _curves(row: "MeasuredRow", as_json: bool) -> None:
    """Print the curves of a model's trainings."""
    from har_demo.tables import measured as scores

    if as_json:
        typer.echo(json.dumps(scores.curves_json(row), indent=1))
        return
    points = [
        (str(curve.seed), stage, str(step), f"{loss:.4f}", f"{seconds:.1f}")
        for curve in scores.curves(row)
        for stage, step, loss, seconds in curve.points
    ]
    typer.echo(table([("seed", "stage", "step", "loss", "seconds"), *points]))


def convolution(
    inputs: Annotated[int, typer.Option(help="Channels that come in.")] = 64,
    outputs: Annotated[int, typer.Option(help="Channels that go out.")] = 64,
    kernel: Annotated[int, typer.Option(help="Its side k: 1, 3, 5 or 7.")] = 3,
    groups: Annotated[int, typer.Option(help="Of the ordinary one.")] = 1,
    frames: Annotated[int, typer.Option(help="T of what goes out.")] = 8,
    side: Annotated[int, typer.Option(help="H and W of what goes out.")] = 28,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Count an ordinary, a (2+1)D and two separated convolutions by the lecture's formulas."""
    from dataclasses import asdict

    from har_demo.profiling.convolutions import convolutions

    found = convolutions(inputs, outputs, kernel, groups, frames, side)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=1))
        return
    rows = [
        (one.name, f"{one.parameters:,}", f"{one.macs:,}", f"{one.interactions:,}", one.idea)
        if one.parts
        else (one.name, "", "", "", one.idea)
        for one in found
    ]
    typer.echo(table([("way", "parameters", "multiply-adds", "interactions", "idea"), *rows]))


def _layers(card: "ModelCard", frames: int | None, side: int | None, out: str | None) -> None:
    """The layers of a network; for C3D also the table that the lecture prints of them."""
    from har_demo.profiling import layers
    from har_demo.profiling.what_if import explore
    from har_demo.tables import errata

    rows = layers.table(explore(card.name, frames, side).layers)
    if out:
        layers.write(rows, out)
    typer.echo(table(rows))
    if card.name == "c3d" and frames is None and side is None:
        typer.echo("\nThe same in the lecture, for the 487 classes that its FC8 fits:\n")
        typer.echo(table(layers.beside_the_lecture(card)))
        typer.echo("\n" + layers.remarks(errata.load(), range(1, 8)))
