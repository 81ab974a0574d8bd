"""Commands of optical flow: of a clip, errors of the methods, and the two-stream networks."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from har_demo.cli.arguments import check_clip, printable, split_names
from har_demo.cli.output import progress, table
from har_demo.cli.research import run
from har_demo.errors import ChoiceError


def flow(
    clip: Annotated[
        str | None, typer.Argument(help="A video file, in any common format; or --evaluate.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="raft-people, dis, farneback, tv-l1 ... two separated by a comma.")
    ] = "raft-people",
    start: Annotated[float, typer.Option(help="Start of the span, in seconds.")] = 0.0,
    seconds: Annotated[
        float, typer.Option(help="Duration of the span in seconds, up to 10.")
    ] = 4.0,
    camera: Annotated[
        bool, typer.Option(help="Remove camera motion from what is written, with --no-camera.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Measure errors and times of the methods.")
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(help="Also on pairs of this folder: NAME_img1.ppm, _img2.ppm, _flow.flo."),
    ] = None,
    pairs: Annotated[int, typer.Option(help="Pairs of people to render.", min=0)] = 24,
    methods: Annotated[
        str, typer.Option(help="Separated by commas; all that are ready by default.")
    ] = "",
    out: Annotated[
        str | None,
        typer.Option(
            help="A folder for .flo files, video and table of a clip; with --evaluate the .csv that "
            "gets the figures, in place of older ones."
        ),
    ] = None,
) -> None:
    """Compute the optical flow of a clip, or measure methods where the flow is known."""
    if evaluate and clip:
        raise ChoiceError("--evaluate measures known pairs: leave out the clip.")
    if evaluate:
        options = {"--data": data, "--pairs": pairs, "--methods": methods, "--out": out}
        given = (word for pair in options.items() if pair[1] not in (None, "") for word in pair)
        run("flow-evaluate", *given)
    elif clip:
        wanted = split_names(method)
        _flow_of(clip, wanted, start, seconds, not camera, as_json, out)
    else:
        raise ChoiceError("Give a clip, or say --evaluate to measure the methods.")


def _flow_of(
    clip: str,
    methods: list[str],
    start: float,
    seconds: float,
    without_camera: bool,
    as_json: bool,
    out: str | None,
) -> None:
    check_clip(clip)
    if out and os.path.lexists(out) and not os.path.isdir(out):
        raise ChoiceError(f"'{printable(out)}' is a file: give a folder, new or not.")
    from har_demo.clips.ingest import ingest
    from har_demo.flow import save
    from har_demo.flow.look import flow_json, forget, look, notes

    source = ingest(clip, on_progress=lambda done: progress(f"{done:4.0%}  Reading the clip"))
    found = look(
        source, methods, start, seconds, lambda done, what: progress(f"{done:4.0%}  {what}")
    )
    if out:
        folder = Path(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files = save.write_fields(found, folder, without_camera)
            save.write_table(found, folder / "motion.csv")
        except OSError as error:
            raise ChoiceError(
                f"'{printable(out)}' cannot be written: give a folder that is yours."
            ) from error
        save.write_film(
            found,
            folder / "flow.mp4",
            without_camera,
            lambda done: progress(f"{done:4.0%}  Writing the video"),
        )
    forget(found)
    progress("")
    if as_json:
        typer.echo(json.dumps(flow_json(found), indent=1))
        return
    header = ("seconds", "method", "mean pixels", "fastest", "difference", "after warping")
    rows = [
        (f"{moment:.2f}", way.method, f"{mean:.2f}", f"{top:.2f}", f"{change:.1f}", f"{left:.1f}")
        for way in found.ways
        for moment, mean, top, change, left in zip(
            found.seconds(), way.means, way.tops, way.changes, way.left, strict=True
        )
    ]
    typer.echo(table([header, *rows]))
    for way in found.ways:
        height, width = found.size
        typer.echo(f"{way.title}: {way.milliseconds:.0f} ms a pair of {width} × {height} pixels")
    if out:
        typer.echo(f"{out}: {len(files)} .flo files, motion.csv, flow.mp4")
    for note in notes(found, without_camera):
        typer.echo(note)


def two_stream(
    clip: Annotated[str, typer.Argument(help="A video file, in any common format.")],
    streams: Annotated[str, typer.Option(help="lab, i3d-lab or i3d.")] = "lab",
    weight: Annotated[
        float,
        typer.Option(help="Of the temporal stream: 0 is the spatial one alone, 1 this alone."),
    ] = 0.5,
    flow: Annotated[
        str | None, typer.Option(help="Also with this flow, whatever the stream was trained with.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Ask the stream of frames and the stream of optical flow apart, and fuse their scores."""
    if not 0 <= weight <= 1:
        raise ChoiceError(f"The weight of the temporal stream is from 0 to 1, not {weight}.")
    check_clip(clip)
    from har_demo.clips.ingest import ingest
    from har_demo.recognize.two_streams import ask, streams_json

    source = ingest(clip, on_progress=lambda done: progress(f"{done:4.0%}  Reading the clip"))
    both = ask(source, streams, flow, lambda done, words: progress(f"{done:4.0%}  {words}"))
    progress("")
    answer = streams_json(both, weight)
    if as_json:
        typer.echo(json.dumps(answer, indent=1))
        return
    parts = ["fused", *answer["models"]]
    rows = [(row["class"], *(f"{row[part]:.1%}" for part in parts)) for row in answer["top"][:5]]
    header = ("action", *(part.replace("_", " ") for part in parts))
    typer.echo(table([header, *rows]))
    for note in answer["notes"]:
        typer.echo(note)
