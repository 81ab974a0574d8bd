"""Time every tiny network: the median time of one view, the least of three rounds.

    python -m har_demo.research.training.recognition.timing results/measured/tiny_times.csv
    python -m har_demo.research.training.recognition.timing results/measured/tiny_times.csv --on cuda

Rows of other machines stay in the file.
"""

import argparse
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


def main() -> None:
    parser = argparse.ArgumentParser(description="Time all tiny networks.")
    parser.add_argument("file", type=Path, help="CSV to write")
    parser.add_argument("--models", nargs="+", default=list(trainable()))
    parser.add_argument("--on", choices=("cpu", "cuda"), default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(THREADS)
    rows = {_key(row): row for row in read_rows(arguments.file)} if arguments.file.exists() else {}
    cuda = arguments.on == "cuda"
    name = torch.cuda.get_device_name() if cuda else processor()
    least = dict.fromkeys(arguments.models, float("inf"))
    for number in range(ROUNDS):
        for model in arguments.models:
            taken = milliseconds(trainable()[model], torch.device(arguments.on))
            least[model] = min(least[model], taken)
            print(f"round {number + 1}: {model} on {name}: {taken:.1f} ms", flush=True)
    for model, taken in least.items():
        row = {
            "model": model,
            "machine": name,
            "threads": THREADS,
            "precision": "bfloat16" if cuda else "float32",
            "milliseconds": f"{taken:.2f}",
        }
        rows[_key(row)] = row
    write_rows(arguments.file, TIME_COLUMNS, (rows[key] for key in sorted(rows)))


def _key(row: dict) -> tuple[str, str]:
    return row["model"], row["machine"]


if __name__ == "__main__":
    main()
