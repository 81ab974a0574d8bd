"""Commands that explain a model: attention, class activation, changed clips, other samplings."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from har_demo.cli.arguments import (
    check_clip,
    check_out,
    named_models,
    printable,
    split_names,
    split_numbers,
)
from har_demo.cli.output import bar, progress, table
from har_demo.errors import ChoiceError

if TYPE_CHECKING:
    from har_demo.explain.samplings import Sampled
    from har_demo.explain.sensitivity import Grid


def edits(
    clip: Annotated[str, typer.Argument(help="A video file, in any common format.")] = "",
    model: Annotated[
        str, typer.Option(help="Names from `models`, separated by commas, or `shipped` for all.")
    ] = "",
    which: Annotated[
        str,
        typer.Option(
            "--edits", help="Separated by commas, as reverse,darken=0.1; all of them by default."
        ),
    ] = "",
    start: Annotated[float, typer.Option(help="From this second on, ten of them at most.")] = 0.0,
    out: Annotated[
        str | None, typer.Option(help="Write the grid of scores to this .csv or .json file.")
    ] = None,
    video: Annotated[
        str | None, typer.Option(help="Write the clip, edited by the one edit given, to this .mp4.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Change a clip in many ways and measure how much the answers change: temporal or picture sensitivity.

    Without a clip the edits are listed.
    """
    for file in (out, video):
        check_out(file)
    from har_demo.explain import edits as ways

    if not clip:
        typer.echo(_edits_text())
        return
    if out and Path(out).suffix not in (".csv", ".json"):
        raise ChoiceError(f"'{printable(out)}' says neither .csv nor .json: end it in one of them.")
    chosen = ways.several(split_names(which) or list(ways.EDITS))
    if video and len(chosen) != 1:
        raise ChoiceError("A video shows one edit: name one with --edits.")
    if not model and not video:
        raise ChoiceError("No model is chosen: name some with --model, or write a --video.")
    check_clip(clip)
    names = named_models(model) if model else []

    from har_demo.clips.ingest import ingest
    from har_demo.clips.writer import write_video
    from har_demo.explain.edits_export import grid_csv, grid_json
    from har_demo.explain.film import film
    from har_demo.explain.sensitivity import grid

    found = ingest(clip, on_progress=lambda done: progress(f"{done:4.0%}  Reading the clip"))
    taken = film(found, start)
    if video:
        write_video(video, ways.apply(taken.frames, chosen[0], found.fps), found.fps)
    if not names:
        return
    *_, last = grid(taken, names, chosen, lambda done, words: progress(bar(done, words)))
    progress("")
    if out:
        text = grid_csv(last) if out.endswith(".csv") else json.dumps(grid_json(last), indent=1)
        Path(out).write_text(text, encoding="utf-8", newline="")
    typer.echo(json.dumps(grid_json(last), indent=1) if as_json else _grid_text(last))


def samplings(
    clip: Annotated[str, typer.Argument(help="A video file, in any common format.")],
    model: Annotated[
        str, typer.Option(help="Names from `models`, separated by commas, or `shipped` for all.")
    ],
    kinds: Annotated[str, typer.Option(help="dense, uniform, segments; all by default.")] = "",
    frames: Annotated[str, typer.Option(help="Numbers from 1 to 64.")] = "4,8,16,32,64",
    strides: Annotated[str, typer.Option(help="Of dense sampling, in frames.")] = "1,4",
    start: Annotated[float, typer.Option(help="From this second on, ten of them at most.")] = 0.0,
    out: Annotated[str | None, typer.Option(help="Write a table to this .csv file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Ask models about a clip sampled in many ways, and list answers and costs."""
    check_out(out)
    check_clip(clip)
    from har_demo.clips.ingest import ingest
    from har_demo.explain import samplings as explain
    from har_demo.explain.film import film
    from har_demo.explain.samplings_export import samplings_csv, samplings_json

    chosen = explain.ways(
        split_names(kinds) or explain.KINDS,
        split_numbers(frames, "--frames"),
        split_numbers(strides, "--strides"),
    )
    names = named_models(model)
    found = ingest(clip, on_progress=lambda done: progress(f"{done:4.0%}  Reading the clip"))
    taken = film(found, start)
    passes = explain.samplings(taken, names, chosen, lambda done, words: progress(bar(done, words)))
    samples = list(passes)
    progress("")
    if out:
        Path(out).write_text(samplings_csv(taken.stretch, samples), encoding="utf-8", newline="")
    if as_json:
        typer.echo(json.dumps(samplings_json(taken.stretch, samples), indent=1))
    else:
        typer.echo(_samplings_text(samples))


def explain(
    clip: Annotated[str, typer.Argument(help="A video file, in any common format.")],
    model: Annotated[str, typer.Option(help="A name from `models` whose weights are here.")],
    at: Annotated[
        str | None,
        typer.Option(
            help="x,y,frame: a pixel of the clip, and which of the sampled frames, from 0. Shows where "
            "that place attends; without it, the class activation map."
        ),
    ] = None,
    out: Annotated[str | None, typer.Option(help="Write the map as a picture, .png.")] = None,
    array: Annotated[str | None, typer.Option(help="Write the numbers, .npz.")] = None,
    second: Annotated[
        float | None, typer.Option(help="The moment to explain; the clip's middle by default.")
    ] = None,
    block: Annotated[str | None, typer.Option(help="Of attention; the last by default.")] = None,
    head: Annotated[int | None, typer.Option(help="Of attention; the mean by default.")] = None,
    function: Annotated[
        str | None,
        typer.Option(help="gaussian, embedded_gaussian, dot_product or concatenation."),
    ] = None,
    lines: Annotated[int, typer.Option(help="Strongest connections to draw.", min=0)] = 8,
    of: Annotated[str | None, typer.Option("--class", help="The likeliest by default.")] = None,
    method: Annotated[
        str, typer.Option(help="grad-cam, grad-cam++, hirescam, layercam or rollout.")
    ] = "grad-cam",
    trust: Annotated[
        bool, typer.Option(help="Also measure the faithfulness of the map: deletion and insertion.")
    ] = False,
    weights: Annotated[str | None, typer.Option(help="Your own parameters for the model.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Draw the attention map of a place (--at), or the class activation map of a class."""
    place = _place(at) if at is not None else None
    if place and (of or trust or method != "grad-cam"):
        raise ChoiceError("--class, --method and --trust go without --at: ask for one of the two.")
    if not place and (block or head is not None or function):
        raise ChoiceError("--block, --head and --function need a place: add --at.")
    for file in (out, array):
        check_out(file)
    check_clip(clip)

    from har_demo.clips.ingest import ingest
    from har_demo.explain.export import explained_attention, explained_class
    from har_demo.explain.look import look
    from har_demo.models import registry

    registry.card(model)  # a wrong name is said before the clip is read
    found = ingest(clip, on_progress=lambda done: progress(f"{done:4.0%}  Reading the clip"))
    one = look(found, model, second, weights, lambda done, words: progress(f"{done:4.0%}  {words}"))
    if place:
        result = explained_attention(one, place, block, head, function, lines)
    else:
        result = explained_class(
            one, of, method, trust, lambda done: progress(f"{done:4.0%}  Deletion and insertion")
        )
    if out:
        Path(out).write_bytes(result.png())
    if array:
        Path(array).write_bytes(result.npz())
    progress("")
    if as_json:
        typer.echo(json.dumps(result.json(), indent=1))
        return
    name, probability = one.top(1)[0]
    typer.echo(f"{one.card.title}: {name}, {probability:.0%}\n{result.title}")
    for sentence in result.words:
        typer.echo(sentence)


def _edits_text() -> str:
    """Return every edit, its setting and its effect as a table."""
    from har_demo.explain.edits import EDITS

    rows = [("edit", "strength", "usual", "what it does")]
    for one in EDITS.values():
        of = one.strength
        rows.append(
            (
                one.name,
                f"{of.low:g} to {of.high:g}, {of.words}" if of else "",
                f"{of.usual:g}" if of else "",
                one.does,
            )
        )
    return table(rows)


def _grid_text(grid: "Grid") -> str:
    """Return a table with a row for every edit and a column for every model, and a summary."""
    from har_demo.explain.sensitivity import Cell, verdict
    from har_demo.recognize.prediction import Prediction

    def shown(cell: object) -> str:
        if not isinstance(cell, Cell):
            return "no answer"
        return f"{cell.answer} {cell.probability:.0%} ({cell.distance:.2f})"

    def mean(value: float | None) -> str:
        return "" if value is None else f"{value:.2f}"

    rows = [("edit", *(row.title for row in grid.rows))]
    plain = [
        row.plain.top(1)[0] if isinstance(row.plain, Prediction) else None for row in grid.rows
    ]
    rows.append(("the clip", *(f"{p[0]} {p[1]:.0%}" if p else "no answer" for p in plain)))
    for column, one in enumerate(grid.asked):
        rows.append((one.title, *(shown(row.cells[column]) for row in grid.rows)))
    rows.append(("temporal sensitivity", *(mean(row.temporal) for row in grid.rows)))
    rows.append(("picture sensitivity", *(mean(row.picture) for row in grid.rows)))
    refused = [
        answer.message
        for row in grid.rows
        for answer in (row.plain, *row.cells)
        if not isinstance(answer, Cell | Prediction)
    ]
    meaning = (
        "In brackets: the total variation distance from the answer to the clip, 0 to 1; the "
        "sensitivities are its means over the edits of time and of the picture."
    )
    return "\n".join([table(rows), "", meaning, *verdict(grid), *dict.fromkeys(refused)])


def _samplings_text(found: "Sequence[Sampled]") -> str:
    """Return a table with a row for every sampling, and a summary."""
    from har_demo.explain.samplings import verdict
    from har_demo.recognize.prediction import Prediction

    rows = [("model", "sampling", "frames", "answer", "", "GMACs", "forward")]
    for one in found:
        known = isinstance(one.answer, Prediction)
        name, share = one.answer.top(1)[0] if known else (one.answer.message, None)
        rows.append(
            (
                *(one.model, one.way.title, str(one.way.frames), name),
                "" if share is None else f"{share:.0%}",
                "" if one.gmacs is None else f"{one.gmacs:.2f}",
                f"{one.forward:.0f} ms" if known else "",
            )
        )
    return "\n".join([table(rows), *verdict(found)])


def _place(words: str) -> tuple[float, float, int]:
    """'40,60,3' becomes (40.0, 60.0, 3)."""
    try:
        x, y, frame = words.split(",")
        return float(x), float(y), int(frame)
    except ValueError:
        raise ChoiceError(
            f"A place is x,y,frame, like 40,60,3, not '{printable(words)}'."
        ) from None
