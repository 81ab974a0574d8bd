"""Write a finished run as files, and make the shipped checkpoint of it.

    python -m har_demo.research ship RUN          RUN is WORK/done/NAME of `train`

copies the weights to checkpoints/ and their entry into manifest.json. The accuracy of the shipped file is
then measured by recognition itself:

    python -m har_demo.research sealed-test --model NAME --data PREPARED --answers FILE --record checkpoints
    python -m har_demo evaluate --model NAME --data people --record checkpoints
"""

import datetime
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from har_demo import assets
from har_demo.errors import WeightsError
from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models import registry
from har_demo.recognize.splits import held_out
from har_demo.research.training.recognition.train import Run
from har_demo.research.training.recognition.variants import card_of
from har_demo.tables.datasets import RENDERED_AND_RECORDED, TEST_SETS, TRAINING_DATA
from har_demo.tables.measured import start_of
from har_demo.tables.rows import read_rows
from har_demo.weights.shipped import write_entry
from har_demo.weights.state import sha256

CHECKPOINTS = assets.CHECKPOINTS

PROTOCOL = (
    "trained from {} without these people and places: {}. Frame rate, camera motion and the "
    "kinds of jumps were chosen while looking at clips of them, so expect a little less elsewhere. "
    "The same people may appear in several of ARID's places."
)


def save(network: nn.Module, run: Run, folder: Path) -> None:
    """Write weights.safetensors, in half precision, and entry.json, what there is to say of them."""
    state = {name: halved(value).contiguous().cpu() for name, value in network.state_dict().items()}
    save_file(state, folder / "weights.safetensors")
    card = card_of(run.model)
    entry = {
        "model": run.model,
        "input": run.input,
        "classes": list(EVERYDAY),
        "label_set": LABEL_SET,
        "parameters": sum(p.numel() for p in network.parameters()),
        "gmacs": card.gmacs,
        "data": list(TRAINING_DATA),
        "protocol": PROTOCOL.format(start_of(card), ", ".join(sorted(held_out(run.split)))),
        "split": run.split,
        "seed": run.seed,
        "command": f"python -m har_demo.research train --data PREPARED --models {run.model} "
        f"--inputs {run.input} --seeds {run.seed} --splits {run.split}",
        "date": datetime.date.today().isoformat(),
        "machine": torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU",
    }
    text = json.dumps(entry, indent=2, ensure_ascii=False)
    (folder / "entry.json").write_text(text + "\n", encoding="utf-8")


def halved(value: Tensor) -> Tensor:
    """Return float16; the tensor itself where it counts, or passes 65,504, as running variances do."""
    half = value.half() if value.is_floating_point() else value
    return half if half.isfinite().all() else value


def ship(folder: Path, checkpoints: Path = CHECKPOINTS) -> Path:
    """Put a run's weights among the shipped ones; return their file.

    Raises:
        WeightsError: the card says another input or other classes than they were trained with.
    """
    entry = json.loads((folder / "entry.json").read_text(encoding="utf-8"))
    card = registry.card(entry["model"])
    trained = (entry.pop("input"), tuple(entry["classes"]))
    if trained != (card.input.modality, card.classes):
        raise WeightsError(
            f"{folder.name} takes {trained[0]} and knows {len(trained[1])} classes; "
            f"the card of {card.name} says {card.input.modality} and {len(card.classes)}."
        )
    file = checkpoints / f"{card.name}.safetensors"
    shutil.copyfile(folder / "weights.safetensors", file)
    facts = {
        "file": file.name,
        "sha256": sha256(file),
        "bytes": file.stat().st_size,
    }
    write_entry(checkpoints, entry | facts | {"accuracy": tested(folder, entry)})
    return file


def tested(folder: Path, entry: dict) -> list[dict]:
    """Return a run's figures as the manifest's `accuracy`: an item for each test set."""
    figures: dict[str, dict[str, dict]] = {}
    for row in read_rows(folder / "metrics.csv"):
        figures.setdefault(row["dataset"], {})[row["metric"]] = row
    items = []
    for dataset, test_set in TEST_SETS.items():
        if rows := figures.get(dataset):
            items.append(
                {
                    "dataset": RENDERED_AND_RECORDED if dataset == "rendered" else test_set.title,
                    "split": test_set.split.format(
                        ", ".join(sorted(held_out(entry["split"], dataset)))
                    ),
                    **{
                        m: round(float(rows[m]["value"]), 1) for m in ("top1", "top5", "class_mean")
                    },
                    "clips": int(rows["top1"]["clips"]),
                    "date": entry["date"],
                    "machine": entry["machine"],
                }
            )
    return items
