"""Training of the tiny models that recognise actions, and its tables."""

from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from har_demo.cli.arguments import printable, split_names
from har_demo.errors import ChoiceError

Work = Annotated[Path, typer.Option(help="The folder of states and of finished runs.")]
Splits = Annotated[
    str,
    typer.Option(help="a trains on all folds; fold0 and so on leave one out. Separated by commas."),
]
Seeds = Annotated[str, typer.Option(help="Separated by commas; the protocol's by default.")]
ProtocolFile = Annotated[
    Path | None, typer.Option("--protocol", help="Another protocol.toml.", exists=True)
]
Results = Annotated[Path, typer.Option(help="The folder of the tables.")]


class Device(StrEnum):
    CPU = "cpu"
    CUDA = "cuda"


def prepare(
    data: Annotated[
        Path, typer.Argument(help="A folder with clips.tsv and the clips it names.", exists=True)
    ],
    prepared: Annotated[Path, typer.Argument(help="The folder to write.")],
) -> None:
    """Prepare labelled clips for training and measuring."""
    from har_demo.research.training.recognition.data import prepare as ingest_all

    typer.echo(f"{ingest_all(data, prepared)} clips in {prepared}")


def splits(
    data: Annotated[
        Path, typer.Argument(help="A folder with clips.tsv, or one of `prepare`.", exists=True)
    ],
) -> None:
    """Print who and where trains, validates and tests, and what the data cannot give."""
    from har_demo.research.training.recognition.data import split_report

    for line in split_report(data):
        typer.echo(line)


def train(
    data: Annotated[Path, typer.Option(help="A folder of `prepare`.")],
    models: Annotated[
        str, typer.Option(help="Names, separated by commas; without, all that is left to train.")
    ] = "",
    ablations: Annotated[
        str, typer.Option(help="Questions of the ablations, whose rows have inputs of their own.")
    ] = "",
    inputs: Annotated[str, typer.Option(help="own, other, rgb or difference.")] = "own",
    seeds: Seeds = "",
    splits: Splits = "a",
    fold: Annotated[
        int | None, typer.Option(help="Leave the places and people of this fold out.", min=0)
    ] = None,
    protocol: ProtocolFile = None,
    work: Work = Path(".scratch/training"),
    workers: Annotated[int, typer.Option(help="Processes side by side.", min=1)] = 1,
    done: Annotated[
        Path | None, typer.Option(help="A table of figures whose runs are left out.", exists=True)
    ] = None,
) -> None:
    """Train tiny models under one protocol; stopped and started again, it goes on where it was."""
    if models and ablations:
        raise ChoiceError("--models and --ablations exclude each other: give one of them.")
    if fold is not None:
        if splits != "a":
            raise ChoiceError("--fold and --splits exclude each other: give one of them.")
        splits = f"fold{fold}"
    from har_demo.recognize.splits import names as splits_known
    from har_demo.research.training.recognition.fitted import FITTED
    from har_demo.research.training.recognition.protocol import FILE, read_protocol
    from har_demo.research.training.recognition.run import train_all
    from har_demo.research.training.recognition.train import trainable
    from har_demo.research.training.recognition.variants import variants
    from har_demo.tables.ablations import ABLATIONS

    known = sorted([*trainable(), *FITTED, *variants()])
    train_all(
        data,
        _chosen(models, known, "--models"),
        _chosen(ablations, [one.name for one in ABLATIONS], "--ablations"),
        _chosen(inputs, ("own", "other", "rgb", "difference"), "--inputs"),
        _seeds(seeds),
        _chosen(splits, splits_known(), "--splits"),
        read_protocol(protocol or FILE),
        work,
        workers,
        done,
    )


def fuse(
    work: Work = Path(".scratch/training"),
    splits: Splits = "a",
    seeds: Seeds = "",
    protocol: ProtocolFile = None,
) -> None:
    """Fuse two streams that were trained apart, and measure both fusions."""
    import torch

    from har_demo.recognize.splits import names as splits_known
    from har_demo.research.training.recognition.fuse import fuse as fuse_streams
    from har_demo.research.training.recognition.protocol import FILE, read_protocol

    numbers = read_protocol(protocol or FILE)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for split in _chosen(splits, splits_known(), "--splits"):
        for seed in _seeds(seeds) or numbers.seeds:
            fuse_streams(work, split, seed, numbers, device)
            typer.echo(f"two_stream_lab.average and .svm of seed {seed}, split {split}")


def tabulate(
    runs: Annotated[Path, typer.Argument(help="WORK/done of `train`.", exists=True)],
    results: Results = Path("results/measured"),
) -> None:
    """Put the figures of finished runs into the tables."""
    from har_demo.research.training.recognition import tables

    typer.echo(f"{tables.tabulate(runs, results)} runs in {results}")


def ablations(results: Results = Path("results/measured")) -> None:
    """Print the ablations: scores of every row, and rows that are not trained yet."""
    from har_demo.research.training.recognition import ablations as told
    from har_demo.tables.rows import read_rows

    table = results / "tiny.csv"
    typer.echo(told.text(read_rows(table) if table.exists() else []))


def timing(
    file: Annotated[Path, typer.Argument(help="The .csv file to write.")],
    models: Annotated[str, typer.Option(help="Separated by commas; all by default.")] = "",
    on: Annotated[Device, typer.Option(help="The device.")] = Device.CPU,
) -> None:
    """Time one view of every tiny network; rows of other machines stay in the file."""
    from har_demo.research.training.recognition.timing import time_all
    from har_demo.research.training.recognition.train import trainable

    known = list(trainable())
    for line in time_all(file, _chosen(models, known, "--models") or known, on.value):
        typer.echo(line)


def ship(
    runs: Annotated[list[Path], typer.Argument(help="Folders WORK/done/NAME.", exists=True)],
) -> None:
    """Put the weights of finished runs among the shipped checkpoints."""
    from har_demo.research.training.recognition.ship import ship as publish

    for folder in runs:
        file = publish(folder)
        typer.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


def sealed_test(
    data: Annotated[Path, typer.Option(help="A folder of `prepare`.", exists=True)],
    model: Annotated[str, typer.Option(help="Names, separated by commas, or `shipped` for all.")],
    answers: Annotated[Path, typer.Option(help="Keep every answer in this .parquet.")],
    weights: Annotated[str | None, typer.Option(help="Your own parameters for the model.")] = None,
    record: Annotated[
        str | None, typer.Option(help="A folder whose manifest.json also gets the figures.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...")] = "",
    results: Results = Path("results/measured"),
) -> None:
    """Open the test: evaluate on the people and places that nothing was chosen on, and note that it was done."""
    from har_demo.cli.evaluation import run_evaluation
    from har_demo.recognize.splits import TEST
    from har_demo.research.training.recognition.sealed import note_opening

    run_evaluation(
        model=model,
        data=str(data),
        split=TEST,
        weights=weights,
        answers=str(answers),
        device=device,
        record=record,
        on_targets=lambda targets: note_opening(results / "test_log.csv", targets, answers),
    )


def calibration_predict(
    data: Annotated[Path, typer.Argument(help="A folder with more_clips.tsv.", exists=True)],
    out: Annotated[Path, typer.Argument(help="The file to write, .npz.")],
) -> None:
    """Ask every shipped tiny model about the clips that calibrate them; a GPU helps."""
    from har_demo.research.training.recognition.calibration import predict

    typer.echo(f"{predict(data, out)} clips in {out.with_suffix('.npz')}")


def calibrate(
    predictions: Annotated[Path, typer.Argument(help="What calibration-predict has written.")],
    checkpoints: Annotated[Path, typer.Option(help="The folder of the manifest.")] = Path(
        "checkpoints"
    ),
    results: Results = Path("results/measured"),
) -> None:
    """Choose each tiny model's temperature, and write them into the manifest and a table."""
    from har_demo.research.training.recognition.calibration import write

    table = write(predictions, checkpoints, results)
    typer.echo(f"{len(table)} temperatures in {checkpoints / 'manifest.json'}")


def _chosen(names: str, known: Collection[str], option: str) -> list[str]:
    chosen = split_names(names)
    for name in chosen:
        if name not in known:
            raise ChoiceError(f"{option} has no '{printable(name)}': choose {', '.join(known)}.")
    return chosen


def _seeds(words: str) -> list[int]:
    if not all(word.isdecimal() for word in split_names(words)):
        raise ChoiceError(f"--seeds are whole numbers, not '{printable(words)}'.")
    return [int(word) for word in split_names(words)]
