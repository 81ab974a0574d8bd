"""Time every tiny network: the median time of one view, the least of three rounds.

    python -m har_demo.research timing results/measured/tiny_times.csv
    python -m har_demo.research timing results/measured/tiny_times.csv --on cuda

Rows of other machines stay in the file.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from har_demo.profiling.timing import milliseconds, processor
from har_demo.research.training.recognition.train import trainable
from har_demo.tables.measured import TIME_COLUMNS
from har_demo.tables.rows import read_rows, write_rows

ROUNDS = 3
"""All networks are measured one after the other, as often as this, and the least counts: other load on a
shared machine slows a network for some seconds, and seldom the same network again."""
THREADS = 2


def time_all(file: Path, models: Sequence[str], device: str) -> Iterator[str]:
    """Time networks on 'cpu' or 'cuda' and write the table; yield a line for each measurement."""
    torch.set_num_threads(THREADS)
    rows = {_key(row): row for row in read_rows(file)} if file.exists() else {}
    cuda = device == "cuda"
    name = torch.cuda.get_device_name() if cuda else processor()
    least = dict.fromkeys(models, float("inf"))
    for number in range(ROUNDS):
        for model in models:
            taken = milliseconds(trainable()[model], torch.device(device))
            least[model] = min(least[model], taken)
            yield f"round {number + 1}: {model} on {name}: {taken:.1f} ms"
    for model, taken in least.items():
        row = {
            "model": model,
            "machine": name,
            "threads": THREADS,
            "precision": "bfloat16" if cuda else "float32",
            "milliseconds": f"{taken:.2f}",
        }
        rows[_key(row)] = row
    write_rows(file, TIME_COLUMNS, (rows[key] for key in sorted(rows)))


def _key(row: dict) -> tuple[str, str]:
    return row["model"], row["machine"]
