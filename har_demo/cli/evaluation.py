"""Models measured again on labelled clips."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from har_demo.cli.arguments import check_out, named_models, printable
from har_demo.cli.output import bar, progress, table
from har_demo.errors import ChoiceError

if TYPE_CHECKING:
    from har_demo.research.training.recognition.evaluate import Measured, Outcome

EVALUATED = 390  # rendered clips, as many as a training is tested on: ten of every action


def evaluate(
    model: Annotated[
        str, typer.Option(help="Names from `models`, with commas between, or `shipped` for all.")
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
    """Measure models again on labelled clips, or on rendered people without any files."""
    folder = _check_material(data, clips, split, listed)
    check_out(out)
    if record and not (Path(record) / "manifest.json").is_file():
        raise ChoiceError(f"'{printable(record)}' holds no manifest.json: give checkpoints.")

    from har_demo.research.training.recognition import material
    from har_demo.research.training.recognition.evaluate import evaluate, measure, subject
    from har_demo.research.training.recognition.record import entry_of, rows
    from har_demo.research.training.recognition.record import record as put_down
    from har_demo.tables.measured import COLUMNS
    from har_demo.tables.rows import write_rows

    names = named_models(model)
    if weights and len(names) > 1:
        raise ChoiceError("Your own weights are for one model: name it alone with --model.")

    def gather(classes: Sequence[str]) -> material.EvalSet:
        if folder is None:
            return material.people(classes, clips or EVALUATED)
        if (folder / "examples.json").is_file():
            return material.prepared(folder, classes, split or "a")
        return material.class_folders(folder, classes, Path(listed) if listed else None)

    subjects = []
    for name in names:
        progress(f"Finding the clips and weights of {name}")
        one = subject(
            name, gather, weights, lambda done, name=name: progress(bar(done, f"fetching {name}"))
        )
        if record:
            entry_of(Path(record), one)
        subjects.append(one)
    for note in dict.fromkeys(filter(None, (one.material.note() for one in subjects))):
        progress("")
        typer.echo(note, err=True)

    part = Path(out).with_suffix(".part.csv") if out else None
    outcomes = evaluate(
        subjects,
        part,
        backwards,
        lambda done, total: progress(bar(done / total, f"{done} of {total} clips")),
    )
    progress("")
    measured = [(outcome, measure(outcome)) for outcome in outcomes]
    unread = list(dict.fromkeys(why for outcome in outcomes for why in outcome.problems))
    for problem in unread:
        typer.echo(problem, err=True)
    if out:
        write_rows(Path(out), COLUMNS, [row for pair in measured for row in rows(*pair)])
        part.unlink()
    for pair in measured if record else ():
        put_down(Path(record), *pair)
    typer.echo(_figures(measured))
    if unread:
        typer.echo(f"Not counted, as they could not be read: {len(unread)}.")


def _check_material(
    data: str, clips: int | None, split: str | None, listed: str | None
) -> Path | None:
    """The folder of the clips, None for rendered people; options that do not go with it are refused."""
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
            lines.append((outcome.subject.card.name, part.dataset, str(len(part.right)), *values))
    return table([header, *lines])
