"""Evaluation of models on labelled clips."""

from collections.abc import Callable, Sequence
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
    from har_demo.recognize.evaluate import EvalTarget, Measured, Outcome

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
        str | None,
        typer.Option(help="fold0, fold1, ...: who validates, in a prepared folder."),
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
    answers: Annotated[
        str | None,
        typer.Option(
            help="Keep every answer in this .parquet; of shards, each in a file of its own."
        ),
    ] = None,
    shard: Annotated[
        str | None, typer.Option(help="k/n: only every n-th clip, from the k-th on; see `merge`.")
    ] = None,
    device: Annotated[
        str, typer.Option(help="cpu, cuda, cuda:1, ...; the first GPU, if any.")
    ] = "",
    resume: Annotated[
        bool, typer.Option(help="Go on from the answers that a stopped call has kept.")
    ] = True,
    record: Annotated[
        str | None, typer.Option(help="A folder whose manifest.json also gets the figures.")
    ] = None,
) -> None:
    """Evaluate models on labelled clips, or on rendered people without any files."""
    if split == "a" and (Path(data) / "examples.json").is_file():
        raise ChoiceError(
            "Split a is the test, which only reports: open it with `python -m har_demo.research sealed-test`, "
            "which notes it, and validate with --split fold0 or another fold."
        )
    run_evaluation(**locals())


def run_evaluation(
    model: str,
    data: str,
    clips: int | None = None,
    split: str | None = None,
    listed: str | None = None,
    weights: str | None = None,
    weights_from: Sequence[str] | None = None,
    protocol: str = "",
    windows: int | None = None,
    crops: int | None = None,
    side: int | None = None,
    float32: bool = False,
    backwards: bool = False,
    out: str | None = None,
    answers: str | None = None,
    shard: str | None = None,
    device: str = "",
    resume: bool = True,
    record: str | None = None,
    on_targets: "Callable[[Sequence[EvalTarget]], None]" = lambda targets: None,
) -> None:
    """Do what `evaluate` says, also with the test split.

    Args:
        on_targets: called with models, weights and clips before the first clip is opened.
    """
    folder = _check_options(data, clips, split, listed)
    for file in (out, answers):
        check_out(file)
    if answers and Path(answers).suffix != ".parquet":
        raise ChoiceError("--answers writes Parquet: give a file that ends with .parquet.")
    if record and not (Path(record) / "manifest.json").is_file():
        raise ChoiceError(f"'{printable(record)}' holds no manifest.json: give checkpoints.")

    from har_demo.cli.record import entry_of, rows
    from har_demo.cli.record import record as write_to_manifest
    from har_demo.clips.rendered import renderer
    from har_demo.recognize import answer_table, eval_set
    from har_demo.recognize.evaluate import eval_target, measure
    from har_demo.recognize.evaluate import evaluate as evaluate_all
    from har_demo.recognize.plan import most_lines
    from har_demo.recognize.prediction import Request
    from har_demo.recognize.shards import device_of, shard_of
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
    own_part, on = shard_of(shard), device_of(device)
    if own_part and (out or record or not answers):
        raise ChoiceError(
            "A shard has no figures of its own: give --answers FILE.parquet, leave out --out and --record, and "
            "merge the files of all shards."
        )
    if answers:
        answer_table.arrow()

    requests = [
        Request(name, weights=weights, source=publishers.get(name, ""), **views) for name in names
    ]
    lines = most_lines(requests)

    with renderer() as open_scene:  # starts with the first rendered frame, if there is any

        def find_clips(classes: Sequence[str]) -> eval_set.EvalSet:
            if folder is None:
                return eval_set.rendered_people(classes, clips or EVALUATED, open_scene)
            if (folder / "examples.json").is_file():
                return eval_set.prepared(folder, classes, split)
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
        on_targets(targets)

        whole = {one.card.name: one.eval_set.clips for one in targets}
        kept = Path(answers) if answers else None
        if own_part:
            targets = own_part.of(targets)
            kept = own_part.file(kept)
        base = Path(out) if out else kept
        part = base.with_suffix(".part.csv") if base else None
        if part and not resume:
            part.unlink(missing_ok=True)
        outcomes = evaluate_all(
            targets,
            part,
            backwards,
            lambda done, total: progress(bar(done / (total or 1), f"{done} of {total} clips")),
            on,
            sharded=own_part is not None,
        )
    progress("")
    problems = list(dict.fromkeys(why for outcome in outcomes for why in outcome.problems))
    for problem in problems:
        typer.echo(problem, err=True)
    if kept:
        answer_table.write(kept, answer_table.of_outcomes(outcomes, whole))
    measured = [(outcome, measure(outcome)) for outcome in outcomes if outcome.clips]
    if out:
        write_rows(Path(out), COLUMNS, [row for pair in measured for row in rows(*pair)])
    if part:
        part.unlink()
    for pair in measured if record else ():
        write_to_manifest(Path(record), *pair)
    if own_part:
        typer.echo(
            f"{len(outcomes[0].clips)} clips answered in {kept}; merge it with the other shards."
        )
    else:
        typer.echo(_figures(measured))
    if problems:
        typer.echo(f"Not counted, as they could not be read: {len(problems)}.")


def merge(
    files: Annotated[
        list[Path], typer.Argument(help="The .parquet files of all shards.", exists=True)
    ],
    answers: Annotated[
        Path | None, typer.Option(help="Write all answers to this .parquet.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the figures to this .csv.")] = None,
) -> None:
    """Merge the answers of all shards of an evaluation; none may be missing or double."""
    for file in (answers, out):
        check_out(str(file) if file else None)
    from har_demo.recognize import answer_table, comparison
    from har_demo.tables.rows import write_rows

    whole = answer_table.merge([answer_table.read(file) for file in files])
    if answers:
        answer_table.write(answers, whole)
    found = comparison.figures(whole)
    if out:
        write_rows(out, comparison.COLUMNS, found)
    header = ("model", "data", "clips", "not read", "top-1", "by clip", "by group", "guessing")
    lines = []
    for row in found:
        low, high = (f"{row.get(one, 0):.1f}" for one in ("low", "high"))
        lines.append(
            (
                *(str(row[one]) for one in ("model", "dataset", "clips", "unread")),
                f"{row['top1']:.1f} %" if "top1" in row else "",
                f"{low} to {high}" if "low" in row else "",
                f"{row['group_low']:.1f} to {row['group_high']:.1f}" if "group_low" in row else "",
                f"{row['guessing']:.1f} %" if "guessing" in row else "",
            )
        )
    typer.echo(table([header, *lines]))


def compare(
    file: Annotated[Path, typer.Argument(help="A .parquet file of answers.", exists=True)],
    data: Annotated[str, typer.Option(help="The data set; the only one by default.")] = "",
) -> None:
    """Say which models these clips do not tell apart from the best."""
    from har_demo.recognize import answer_table, comparison

    answers = answer_table.read(file)
    known = sorted({row["dataset"] for row in answers.rows})
    if data not in known and (data or len(known) != 1):
        raise ChoiceError(f"Name one of the data sets with --data: {', '.join(known)}.")
    rows = comparison.compared(answers, data or known[0])
    header = ("model", "correct", "p by clip", "p by group", "")
    lines = [
        (
            row.model,
            str(row.correct),
            f"{row.p:.3f}",
            f"{row.p_groups:.3f}",
            "told apart" if row.apart else ("best" if row is rows[0] else "not told apart"),
        )
        for row in rows
    ]
    typer.echo(table([header, *lines]))
    typer.echo(
        "p: McNemar's exact test against the best, and flipped signs of whole places or people; both by Holm."
    )


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
    if prepared:
        from har_demo.recognize.splits import fold_names, names

        if split not in names():
            raise ChoiceError(
                f"There is no split '{printable(split or '')}': give --split {' or '.join(fold_names())}."
            )
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
