"""How long every lab-size network takes for one view: the median of many, the least of three such rounds.

    python -m har_demo.research.training.recognition.timing results/measured/lab_times.csv
    python -m har_demo.research.training.recognition.timing results/measured/lab_times.csv --on cuda

Time does not depend on what was learned, so fresh networks do. Rows of other machines stay in the file.
"""

import argparse
import platform
import time
from pathlib import Path

import torch

from har_demo.models.card import ModelCard
from har_demo.research.training.recognition.report import read_rows, write_rows
from har_demo.research.training.recognition.train import trainable

COLUMNS = ("model", "machine", "threads", "precision", "milliseconds")
SECONDS = 0.3  # for each network and round, at least
ROUNDS = 3
"""All networks are measured one after the other, as often as this, and the least counts: what else runs on a
shared machine slows whatever is measured for some seconds, and seldom the same network again."""
THREADS = 2


@torch.inference_mode()
def milliseconds(card: ModelCard, device: torch.device, seconds: float = SECONDS) -> float:
    """The median time of one view, a batch of one, ready on the device; bf16 on a GPU.

    Args:
        seconds: to go on measuring, at least.
    """
    network = card.build(len(card.classes)).eval().to(device)
    inputs = [torch.randn(shape, device=device) for shape in card.input.shapes()]
    cuda = device.type == "cuda"

    def once() -> float:
        began = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=cuda):
            network(*inputs)
        if cuda:
            torch.cuda.synchronize()
        return time.perf_counter() - began

    for _ in range(3):
        once()
    times = []
    while sum(times) < seconds:
        times.append(once())
    return 1000 * sorted(times)[len(times) // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time all lab-size networks.")
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
    write_rows(arguments.file, COLUMNS, (rows[key] for key in sorted(rows)))


def _key(row: dict) -> tuple[str, str]:
    return row["model"], row["machine"]


def processor() -> str:
    """What Linux calls the processor, or its architecture."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    return next((x.split(": ")[1] for x in lines if x.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
