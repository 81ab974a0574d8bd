"""Evaluation of models on labelled clips."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from har_demo.cli.arguments import (
    CROPS,
    FLOAT32,
    PROTOCOL,
    SIDE,
    WEIGHTS_FROM,
    check_out,
    is_published,
    named_models,
    printable,
)
from har_demo.cli.output import bar, progress, table
from har_demo.errors import ChoiceError

if TYPE_CHECKING:
    from har_demo.recognize.evaluate import Measured, Outcome

OWN_VIEWS = {"windows": None, "crops": 1, "side": None, "float32": False, "published": False}
EVALUATED = 390  # rendered clips, as many as a training is tested on: ten of every action


def evaluate(
    model: Annotated[
        str, typer.Option(help="Names from `models`, separated by commas, or `shipped` for all.")
    ],
    data: Annotated[
        str,
        typer.Option(help="A folder of class folders, UCF101's or a prepared one, or `people`."),
    ],
    clips: Annotated[
        int | None, typer.Option(help="How many to render, 390 by default.", min=1, max=10_000)
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="a or b: who is tested, in a prepared folder.")
    ] = None,
    listed: Annotated[
        str | None, typer.Option("--list", help="Only the clips of this list, as testlist01.txt.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="Your own parameters for the model.")] = None,
    weights_from: Annotated[list[str] | None, typer.Option(help=WEIGHTS_FROM)] = None,
    protocol: Annotated[str, typer.Option(help=PROTOCOL)] = "",
    windows: Annotated[int | None, typer.Option(help="Windows, spread over the clip.")] = None,
    crops: Annotated[int | None, typer.Option(help=CROPS)] = None,
    side: Annotated[int | None, typer.Option(help=SIDE)] = None,
    float32: Annotated[bool, typer.Option("--float32", help=FLOAT32)] = False,
    backwards: Annotated[
        bool, typer.Option("--reversed", help="Also with every clip backwards: twice as long.")
    ] = False,
    out: Annotated[
        str | None,
        typer.Option(help="Write the figures to this .csv; stopped and called again, it goes on."),
    ] = None,
    record: Annotated[
        str | None, typer.Option(help="A folder whose manifest.json also gets the figures.")
    ] = None,
) -> None:
    """Evaluate models on labelled clips, or on rendered people without any files."""
    folder = _check_options(data, clips, split, listed)
    check_out(out)
    if record and not (Path(record) / "manifest.json").is_file():
        raise ChoiceError(f"'{printable(record)}' holds no manifest.json: give checkpoints.")

    from har_demo.cli.record import entry_of, rows
    from har_demo.cli.record import record as write_to_manifest
    from har_demo.clips.rendered import renderer
    from har_demo.recognize import eval_set
    from har_demo.recognize.evaluate import eval_target, measure
    from har_demo.recognize.evaluate import evaluate as evaluate_all
    from har_demo.recognize.plan import most_lines
    from har_demo.recognize.prediction import Request
    from har_demo.tables.measured import COLUMNS
    from har_demo.tables.rows import write_rows
    from har_demo.weights.sources import chosen_sources

    names = named_models(model)
    publishers = chosen_sources(weights_from or [], names)
    views = {
        "windows": windows,
        "crops": crops if crops or protocol else 1,
        "side": side,
        "float32": float32,
        "published": is_published(protocol),
    }
    if record and views != OWN_VIEWS:
        raise ChoiceError(
            "checkpoints/manifest.json is for figures of what everybody sees: leave out --record, or the "
            "protocol, windows, crops, side and precision."
        )
    if weights and len(names) > 1:
        raise ChoiceError("Your own weights are for one model: name it alone with --model.")

    requests = [
        Request(name, weights=weights, source=publishers.get(name, ""), **views) for name in names
    ]
    lines = most_lines(requests)

    with renderer() as open_scene:  # starts with the first rendered frame, if there is any

        def find_clips(classes: Sequence[str]) -> eval_set.EvalSet:
            if folder is None:
                return eval_set.rendered_people(classes, clips or EVALUATED, open_scene)
            if (folder / "examples.json").is_file():
                return eval_set.prepared(folder, classes, split or "a")
            return eval_set.class_folders(folder, classes, Path(listed) if listed else None, lines)

        targets = []
        for name, request in zip(names, requests, strict=True):
            progress(f"Finding the clips and weights of {name}")
            target = eval_target(
                name,
                find_clips,
                weights,
                lambda done, name=name: progress(bar(done, f"fetching {name}")),
                request,
            )
            if record:
                entry_of(Path(record), target)
            targets.append(target)
        for note in dict.fromkeys(filter(None, (one.eval_set.note() for one in targets))):
            progress("")
            typer.echo(note, err=True)

        part = Path(out).with_suffix(".part.csv") if out else None
        outcomes = evaluate_all(
            targets,
            part,
            backwards,
            lambda done, total: progress(bar(done / total, f"{done} of {total} clips")),
        )
    progress("")
    measured = [(outcome, measure(outcome)) for outcome in outcomes]
    problems = list(dict.fromkeys(why for outcome in outcomes for why in outcome.problems))
    for problem in problems:
        typer.echo(problem, err=True)
    if out:
        write_rows(Path(out), COLUMNS, [row for pair in measured for row in rows(*pair)])
        part.unlink()
    for pair in measured if record else ():
        write_to_manifest(Path(record), *pair)
    typer.echo(_figures(measured))
    if problems:
        typer.echo(f"Not counted, as they could not be read: {len(problems)}.")


def _check_options(
    data: str, clips: int | None, split: str | None, listed: str | None
) -> Path | None:
    """Return the folder of the clips, None for rendered people; refuse options that do not go with it."""
    folder = Path(data)
    rendered, prepared = data == "people", (folder / "examples.json").is_file()
    if clips and not rendered:
        raise ChoiceError("--clips says how many people to render: leave it out for a folder.")
    if split and not prepared:
        raise ChoiceError(
            "--split is for a folder that `python -m har_demo.research prepare` has written."
        )
    if split not in (None, "a", "b"):
        raise ChoiceError(f"There is no split '{printable(split)}': give a or b.")
    if listed and (rendered or prepared):
        raise ChoiceError("--list is for a folder of class folders: leave it out.")
    if rendered:
        return None
    if not folder.is_dir():
        raise ChoiceError(
            f"There is no folder '{printable(data)}': give one with a folder for each class, or people."
        )
    return folder


def _figures(measured: "Sequence[tuple[Outcome, list[Measured]]]") -> str:
    """A row for each model and data set; what was not measured is left empty."""
    columns = ("top1", "top5", "class_mean", "top1_among", "ece", "order", "reversed_top1")
    header = ("model", "data", "clips", *columns)
    lines = []
    for outcome, parts in measured:
        for part in parts:
            values = [f"{part.figures[c][0]:.1f} %" if c in part.figures else "" for c in columns]
            lines.append((outcome.target.card.name, part.dataset, str(len(part.right)), *values))
    return table([header, *lines])
