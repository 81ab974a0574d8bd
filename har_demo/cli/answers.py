"""Recognise actions in a clip with one or more models."""

import json
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
    check_clip,
    check_out,
    is_published,
    own_files,
    split_names,
)
from har_demo.cli.output import BAR, progress
from har_demo.errors import WeightsError

if TYPE_CHECKING:
    from har_demo.clips.clip import Clip
    from har_demo.recognize.prediction import ModelError, Prediction

MODELS = "Names from `models`, separated by commas. Without any, I3D trained on Kinetics-400 and one tiny model answer."


def recognize(
    clip: Annotated[str, typer.Argument(help="A video file, in any common format.")],
    models: Annotated[str, typer.Option(help=MODELS)] = "",
    frames: Annotated[int | None, typer.Option(help="Frames per window.")] = None,
    stride: Annotated[float | None, typer.Option(help="Clip frames from one to the next.")] = None,
    windows: Annotated[int | None, typer.Option(help="Windows, spread over the clip.")] = None,
    crops: Annotated[int | None, typer.Option(help=CROPS)] = None,
    side: Annotated[int | None, typer.Option(help=SIDE)] = None,
    protocol: Annotated[str, typer.Option(help=PROTOCOL)] = "",
    float32: Annotated[bool, typer.Option("--float32", help=FLOAT32)] = False,
    weights: Annotated[
        list[str] | None, typer.Option(help="Your own parameters, as model=FILE; may be repeated.")
    ] = None,
    weights_from: Annotated[list[str] | None, typer.Option(help=WEIGHTS_FROM)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
    csv: Annotated[str | None, typer.Option(help="Write a table to this file.")] = None,
    annotated: Annotated[
        str | None, typer.Option(help="Write the clip with the answers drawn on to this .mp4 file.")
    ] = None,
) -> None:
    """Rank the actions in a clip with one or more models."""
    names = split_names(models)
    from har_demo.weights.sources import chosen_sources, named

    files = own_files(weights or [], names)
    publishers = chosen_sources(weights_from or [], names)
    published = is_published(protocol)
    for out in (csv, annotated):
        check_out(out)
    check_clip(clip)

    from har_demo.clips.ingest import ingest
    from har_demo.models import registry
    from har_demo.recognize import export
    from har_demo.recognize.defaults import default_models
    from har_demo.recognize.plan import most_lines
    from har_demo.recognize.prediction import Prediction, Request
    from har_demo.recognize.recognize import recognize

    names = names or list(default_models())
    questions = [
        Request(
            name,
            frames,
            stride,
            windows,
            crops if crops or published else 1,
            weights=files.get(name),
            source=publishers.get(name, ""),
            published=published,
            side=side,
            float32=float32,
        )
        for name in names
    ]
    for name in names:  # what is wrong is said before the clip is read
        named(registry.card(name), publishers[name]) if name in publishers else registry.card(name)

    found = ingest(
        clip,
        on_progress=lambda done: progress(f"{done:4.0%}  Reading the clip"),
        lines=most_lines(questions),
    )
    answers = list(
        recognize(found, questions, lambda done, words: progress(f"{done:4.0%}  {words}"))
    )
    predictions = [answer for answer in answers if isinstance(answer, Prediction)]
    if annotated and predictions:
        export.annotate(
            found, predictions, annotated, lambda done: progress(f"{done:4.0%}  Drawing")
        )
    if csv:
        # The table brings its own line ends.
        Path(csv).write_text(export.as_csv(found, answers), encoding="utf-8", newline="")
    progress("")

    if as_json:
        typer.echo(json.dumps(export.as_json(found, answers), indent=1))
    elif predictions:
        typer.echo(_answers_text(found, answers))
    if not predictions:
        if broken := [answer for answer in answers if answer.internal]:
            raise broken[0].as_error()
        raise WeightsError(" ".join(answer.message for answer in answers))


def _answers_text(clip: "Clip", answers: "Sequence[Prediction | ModelError]") -> str:
    """Return the five likeliest actions of every model as text."""
    from har_demo.clips.changes import changes
    from har_demo.recognize.open_set import doubt
    from har_demo.recognize.prediction import ModelError, Prediction

    source = clip.source
    predictions = [answer for answer in answers if isinstance(answer, Prediction)]
    head = f"{source.name}: {clip.duration:.1f} s, {source.width} × {source.height}"
    parts = ["\n".join([head, *(f"  {change}" for change in changes(clip))])]
    for answer in answers:
        if isinstance(answer, ModelError):
            parts.append(f"{answer.title}\n  {answer.message}")
            continue
        windows, frames = answer.frames.shape
        took = answer.times.transform + answer.times.forward
        lines = [
            f"{answer.title}  ({windows} window{'s' * (windows > 1)} of {frames} frames, "
            f"{took:.0f} ms on {answer.device}, {answer.provenance.source} weights)"
        ]
        top = answer.top(5)
        width = max(len(name) for name, _ in top)
        for name, probability in top:
            bar = "█" * round(probability * BAR)
            lines.append(f"  {probability:6.1%}  {name.ljust(width)}  {bar}".rstrip())
        lines += [f"  {note}" for note in (doubt(answer, predictions), answer.note) if note]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)
