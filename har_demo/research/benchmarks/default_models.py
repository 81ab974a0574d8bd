"""How long each of the models that Recognise ticks takes for a clip of ten seconds, one beside the other."""

import csv
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from har_demo.clips.ingest import ingest
from har_demo.recognize.prediction import Prediction, Request
from har_demo.recognize.recognize import recognize
from har_demo.research.benchmarks.ways import write_clip

COLUMNS = ("model", "windows", "frames", "median_s", "shortest_s", "longest_s", "ratio")
SIZE = (640, 360)
SECONDS = 10
ROUNDS = 7


def measure(
    models: Sequence[str], rounds: int = ROUNDS, say: Callable[[str], None] = lambda words: None
) -> list[tuple]:
    """Ask the models in turn, their networks loaded, and return a row of COLUMNS for each.

    The clip is read beforehand and stays in the cache; the last column is the median beside the first model's.

    Raises:
        UserError: a model does not answer.
    """
    taken: dict[str, list[float]] = {model: [] for model in models}
    shapes = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clip.mp4"
        write_clip(file, *SIZE, SECONDS)
        clip = ingest(file)
        for number in range(rounds + 1):  # the first round loads the networks
            for model in models:
                say(f"Round {number} of {rounds}: {model}")
                begun = time.perf_counter()
                (answer,) = recognize(clip, [Request(model)])
                seconds = time.perf_counter() - begun
                if not isinstance(answer, Prediction):
                    raise answer.as_error()
                shapes[model] = answer.frames.shape
                if number:
                    taken[model].append(seconds)
    medians = {model: statistics.median(seconds) for model, seconds in taken.items()}
    return [
        (
            model,
            *map(str, shapes[model]),
            *(f"{value:.2f}" for value in (medians[model], min(seconds), max(seconds))),
            f"{medians[model] / medians[models[0]]:.2f}",
        )
        for model, seconds in taken.items()
    ]


def write(rows: Sequence[tuple], path: Path | str) -> None:
    """Write the table as CSV."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
