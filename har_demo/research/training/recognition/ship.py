"""A finished run as files, and the shipped checkpoint made of it.

    python -m har_demo.research ship RUN          RUN is WORK/done/NAME of `train`

copies the weights to checkpoints/ and their entry into manifest.json. What the shipped file scores is
then measured by recognition itself:

    python -m har_demo evaluate --model NAME --data PREPARED --record checkpoints
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
from har_demo.research.training.groups import HELD_OUT, held_out
from har_demo.research.training.recognition.report import read_rows, start_of
from har_demo.research.training.recognition.train import Run
from har_demo.research.training.recognition.variants import card_of
from har_demo.weights.files import sha256

CHECKPOINTS = assets.CHECKPOINTS

DATA = [
    {
        "name": "Weizmann",
        "citation": "Blank et al., Actions as Space-Time Shapes, ICCV 2005; Gorelick et al., PAMI 2007",
        "use": "60 clips of 10 actions by 6 people; split by person",
    },
    {
        "name": "ARID",
        "citation": "Xu et al., ARID: A New Dataset for Recognizing Action in the Dark, 2021",
        "use": "150 clips of 6 actions in 9 places; split by place",
    },
    {
        "name": "Workout",
        "citation": "calimiro-ai/WorkoutTracker, after Kaggle's workoutfitness-video; no licence stated",
        "use": "56 clips of 3 actions; split by source video, as told by looking at them",
    },
    {
        "name": "Rendered people",
        "citation": "har_demo.research.people, made here",
        "use": "invented motions of all actions, seen from all sides",
    },
    {
        "name": "UTD-MHAD",
        "citation": "Chen et al., UTD-MHAD: A Multimodal Dataset for Human Action Recognition, "
        "ICIP 2015",
        "use": "skeleton recordings by 8 people, rendered; two of the people for testing alone",
    },
]

TITLES = {
    "arid6": ("ARID", "places never seen in training ({})"),
    "weizmann": ("Weizmann", "people never seen in training ({})"),
    "workout4": ("Workout", "videos never seen in training ({})"),
    "rendered": ("Rendered people", "people, places and motions never seen in training"),
}
"""For each test set: its name in the manifest, and what is new to a model there; the most telling first."""

TESTED_ON = "Rendered people and recordings"
"""What training is tested on besides film; `evaluate --data people` has no recordings to replay."""

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
        "data": DATA,
        "protocol": PROTOCOL.format(start_of(card), ", ".join(sorted(HELD_OUT[run.split]))),
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
    """As float16; as it is where it counts, or where float16 ends: running variances pass 65,504."""
    half = value.half() if value.is_floating_point() else value
    return half if half.isfinite().all() else value


def ship(folder: Path, checkpoints: Path = CHECKPOINTS) -> Path:
    """Put a run's weights among the shipped ones; the file they are in.

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
    """A run's figures as the manifest's `accuracy`: an item for each test set."""
    figures: dict[str, dict[str, dict]] = {}
    for row in read_rows(folder / "metrics.csv"):
        figures.setdefault(row["dataset"], {})[row["metric"]] = row
    items = []
    for dataset, (title, split) in TITLES.items():
        if rows := figures.get(dataset):
            items.append(
                {
                    "dataset": TESTED_ON if dataset == "rendered" else title,
                    "split": split.format(", ".join(held_out(dataset, entry["split"]))),
                    **{
                        m: round(float(rows[m]["value"]), 1) for m in ("top1", "top5", "class_mean")
                    },
                    "clips": int(rows["top1"]["clips"]),
                    "date": entry["date"],
                    "machine": entry["machine"],
                }
            )
    return items


def write_entry(folder: Path, entry: dict) -> None:
    """Put an entry into manifest.json, in place of what it said of the same model."""
    path = folder / "manifest.json"
    listed = json.loads(path.read_text(encoding="utf-8"))["checkpoints"] if path.exists() else []
    listed = [one for one in listed if one["model"] != entry["model"]] + [entry]
    listed.sort(key=lambda one: one["model"])
    text = json.dumps({"checkpoints": listed}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
