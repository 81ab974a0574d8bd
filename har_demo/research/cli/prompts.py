"""Training of what is shipped for free text: around frozen image and text encoders."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from har_demo.errors import ChoiceError

Features = Annotated[
    Path, typer.Argument(help="A folder of `prompts-features`.", exists=True, file_okay=False)
]
Out = Annotated[Path, typer.Option(help="The folder to write.")]
Model = Annotated[str, typer.Option(help="embedded, or one of open_clip's CLIP models: model/tag.")]
Seed = Annotated[int, typer.Option(help="Of the order and the captions.")]


class Kind(StrEnum):
    PEOPLE = "people"
    CALM = "calm"
    REAL = "real"


def prompts_features(
    kind: Annotated[
        Kind, typer.Argument(help="Rendered people from any view, with a good view, or real clips.")
    ],
    source: Annotated[
        str, typer.Argument(help="Number of clips to render, or folder of real ones.")
    ],
    out: Annotated[Path, typer.Argument(help="The file to write, without a suffix.")],
    model: Model = "embedded",
) -> None:
    """Compute the image features of clips, once for all that is trained on top."""
    import torch

    from har_demo.prompts import catalogue, embedded
    from har_demo.research.training.prompts import features

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if kind is Kind.REAL:
        clips = features.real(Path(source))
    elif source.isdecimal():
        shown = features.people if kind is Kind.PEOPLE else features.calm
        clips = features.rendered(shown(int(source)), device)
    else:
        raise ChoiceError(f"Give a number of clips to render, not '{source}'.")
    encoder = None if model == embedded.NAME else catalogue.load(model, device)
    computed = features.compute(clips, device, encoder)
    computed.save(out)
    typer.echo(f"{len(computed.shown)} clips in {out}")


def prompts_train(
    features: Features, out: Out = Path("checkpoints"), epochs: int = 20, seed: Seed = 0
) -> None:
    """Train the embedded image-text model."""
    from har_demo.research.training.prompts.train import train

    _tell(*train(features, out, epochs, seed))


def prompts_learn(
    features: Features,
    out: Out = Path("checkpoints"),
    steps: int = 600,
    seed: Seed = 0,
    model: Model = "embedded",
) -> None:
    """Learn prompts and a temporal transformer around frozen encoders, the embedded ones or CLIP's."""
    from har_demo.research.training.prompts.learn import ship

    _tell(*ship(features, out, steps, seed, model))


def prompts_fewshot(
    features: Features,
    out: Annotated[Path, typer.Option(help="The .csv file to write.")],
    seeds: Annotated[int, typer.Option(help="Trainings of each kind.", min=1)] = 3,
) -> None:
    """Measure learned prompts against names and templates, with few clips a class."""
    from har_demo.research.training.prompts.fewshot import write

    for row in write(features, out, seeds):
        typer.echo(" ".join(map(str, row.values())))


def kinetics_features(
    data: Annotated[
        Path,
        typer.Argument(help="A folder with clips.tsv, more_clips.tsv and clips/.", exists=True),
    ],
    out: Annotated[Path, typer.Argument(help="The file to write, without a suffix.")],
) -> None:
    """Compute what I3D and the image encoder see of the validation clips of free text."""
    import torch

    from har_demo.research.training.prompts import kinetics

    device = "cuda" if torch.cuda.is_available() else "cpu"
    typer.echo(f"{kinetics.compute(data, out, device)} clips in {out}")


def kinetics_text(
    features: Annotated[Path, typer.Argument(help="The file of `kinetics-features`.")],
    checkpoints: Annotated[Path, typer.Option(help="The folder of weights.")] = Path("checkpoints"),
    results: Annotated[Path, typer.Option(help="The folder of tables.")] = Path("results/measured"),
) -> None:
    """Choose how Kinetics' I3D answers free text, on validation clips, and write what was chosen."""
    from har_demo.research.training.prompts import kinetics

    for name, value in kinetics.write(features, checkpoints, results).items():
        typer.echo(f"{name} {value:.3f}")


def _tell(file: Path, facts: dict) -> None:
    typer.echo(json.dumps(facts["accuracy"], indent=1))
    typer.echo(f"scale {facts['scale']}\n{file}")
