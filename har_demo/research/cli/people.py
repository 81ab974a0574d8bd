"""Clips of rendered people: single ones, contact sheets, data sets, the examples of the page."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from har_demo.cli.arguments import check_out, printable
from har_demo.cli.output import progress
from har_demo.errors import ChoiceError


def render(
    action: Annotated[str, typer.Option(help="What the person does; `sheet` shows them all.")],
    out: Annotated[str, typer.Option(help="The .mp4 file to write.")],
    seed: Annotated[int, typer.Option(help="Decides person, place, camera and motion.")] = 0,
    seconds: Annotated[float, typer.Option(help="How long, up to 60.")] = 2.0,
    fps: Annotated[float, typer.Option(help="Frames per second, up to 60.")] = 25,
    size: Annotated[str, typer.Option(help="Width x height in pixels, even.")] = "224x224",
    dark: Annotated[bool, typer.Option(help="The same scene with next to no light.")] = False,
    wild: Annotated[
        bool, typer.Option(help="As for training: any view, a shaking hand, things in the way.")
    ] = False,
    treadmill: Annotated[
        bool, typer.Option(help="The camera goes along, so the person stays in the middle.")
    ] = False,
    things: Annotated[
        bool, typer.Option(help="Leave out the stool, the ball ... with --no-things.")
    ] = True,
    truth: Annotated[
        str | None,
        typer.Option(help="Also write flow, visibility, depth, person and joints to this .npz."),
    ] = None,
) -> None:
    """Render a clip of one person doing something, with no camera and no data."""
    shape = _size(size)
    if not 0 < seconds <= 60 or not 1 <= fps <= 60 or seed < 0:
        raise ChoiceError(
            "Give up to 60 --seconds, 1 to 60 --fps and a --seed that is not negative."
        )
    for file in (out, truth):
        check_out(file)

    from har_demo.clips.writer import write_video
    from har_demo.research.people import shoot

    look = shoot.ShotSettings(
        dark=dark, calm=not wild, treadmill=treadmill, things=things, aspect=shape[0] / shape[1]
    )
    one = shoot.take(action, seed, seconds, fps, look)

    def shown():
        for number, frame in enumerate(shoot.pictures(one, shape)):
            progress(f"{number / len(one):4.0%}  Rendering")
            yield frame

    write_video(out, shown(), fps)
    if truth:
        progress("Writing what is known of every pixel")
        shoot.write_truth(one, shape, truth)
    progress("")
    typer.echo(f"{out}: {len(one)} frames of {shape[0]} × {shape[1]}, {action}, seed {seed}")


def sheet(
    out: Annotated[str, typer.Option(help="The .png file to write.")],
    seed: Annotated[int, typer.Option(help="Of the first row; the others follow.", min=0)] = 0,
    dark: Annotated[bool, typer.Option(help="The same scenes with next to no light.")] = False,
    wild: Annotated[bool, typer.Option(help="As for training, not for people to look at.")] = False,
) -> None:
    """Draw a contact sheet: every action a row of frames with its name."""
    check_out(out)
    import cv2

    from har_demo.research.people.sheet import sheet as draw

    picture = draw(seed=seed, dark=dark, calm=not wild)
    Path(out).write_bytes(cv2.imencode(".png", picture[..., ::-1])[1].tobytes())
    typer.echo(f"{out}: {picture.shape[1]} × {picture.shape[0]} pixels")


def dataset(
    out: Annotated[str, typer.Option(help="The folder to write.")],
    clips: Annotated[int, typer.Option(help="How many clips.", min=1)] = 2000,
    seed: Annotated[int, typer.Option(help="Another seed, another data set.", min=0)] = 0,
    device: Annotated[
        str, typer.Option(help="cpu, or cuda: much faster, but rounding may differ.")
    ] = "cpu",
) -> None:
    """Write a labelled data set of small clips, split so that nobody is in two splits."""
    folder = Path(out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ChoiceError(f"'{printable(out)}' exists already: give a new or an empty folder.")
    import torch

    from har_demo.research.people import dataset

    if device != "cpu" and not (device == "cuda" and torch.cuda.is_available()):
        raise ChoiceError(f"There is no device '{printable(device)}' here: use cpu.")
    entries = dataset.write(
        folder,
        clips,
        seed,
        device=device,
        on_progress=lambda done: progress(f"{done:4.0%}  Rendering"),
    )
    progress("")
    typer.echo(f"{out}: {len(entries)} clips in {len({e.file for e in entries})} files, index.csv")


def examples() -> None:
    """Render the example clips of the page again."""
    from har_demo.research.people.examples import write_all

    for path in write_all():
        typer.echo(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def render_frames(
    folder: Annotated[
        Path, typer.Argument(help="Where the .npy files go.", exists=True, file_okay=False)
    ],
) -> None:
    """Render frames of scenes that the standard input names, one JSON object a line."""
    from har_demo.research.people.on_request import answer_requests

    answer_requests(sys.stdin, folder, sys.stdout)


def _size(words: str) -> tuple[int, int]:
    """'320x240' becomes (320, 240)."""
    width, by, height = words.partition("x")
    if not (by and width.isdecimal() and height.isdecimal()):
        raise ChoiceError(f"A size is width x height, like 320x240, not '{printable(words)}'.")
    size = int(width), int(height)
    if not all(16 <= side <= 1280 and side % 2 == 0 for side in size):
        raise ChoiceError("Width and height are even numbers from 16 to 1280.")
    return size
