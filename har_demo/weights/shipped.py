"""The checkpoints that come with the repository, and their manifest.

checkpoints/manifest.json says of every file what it is, on what it was trained and how, what it
scored, and its hash:

    {"classes": {"Everyday 39": ["bending down", ...]},
     "checkpoints": [{"model": "c3d_lab", "file": "c3d_lab.safetensors", "sha256": "...",
                      "bytes": 6118346, "classes": "Everyday 39", "data": [{"name": ...}], ...}]}

An entry names its list of classes, or holds the list itself, as manifests did before.
"""

import json
import os
from functools import lru_cache
from pathlib import Path

from har_demo import assets
from har_demo.errors import WeightsError
from har_demo.models.card import Accuracy, ModelCard

LARGEST = 10_000_000
"""Bytes a shipped file may have, so that the repository can be hosted without large-file storage."""


def folder() -> Path:
    """Return checkpoints/ beside the package, or the folder that HAR_CHECKPOINTS names."""
    return Path(os.environ.get("HAR_CHECKPOINTS") or assets.CHECKPOINTS)


def entries(at: Path | None = None) -> list[dict]:
    """Return what the manifest lists, of `folder()` or another one; nothing when there is no manifest.

    Every entry has its classes as a list. The file is parsed once, and again when it has changed;
    lists inside the entries are shared between calls and must not be changed.

    Raises:
        WeightsError: the manifest cannot be read.
    """
    path = (at or folder()) / "manifest.json"
    try:
        state = path.stat()
        return [
            dict(entry) for entry in _read(path, state.st_mtime_ns, state.st_size, state.st_ino)
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(
            f"The list of shipped weights ({path.name}) cannot be read: fetch checkpoints/ again."
        ) from error


@lru_cache(8)
def _read(path: Path, *state: int) -> tuple[dict, ...]:
    """Parse a manifest whose file has this state; each entry's name of a list becomes the list."""
    manifest = json.loads(path.read_text(encoding="utf-8"))
    lists = manifest.get("classes", {})
    listed = []
    for entry in manifest["checkpoints"]:
        entry = dict(entry, model=str(entry["model"]), file=str(entry["file"]))
        if isinstance(entry.get("classes"), str):
            entry["classes"] = lists[entry["classes"]]
        listed.append(entry)
    return tuple(listed)


def entry(model: str) -> dict | None:
    """Return what the manifest says of a model's checkpoint, or None when it lists none."""
    return next((listed for listed in entries() if listed["model"] == model), None)


def has(model: str) -> bool:
    """Return whether the manifest lists a checkpoint of the model; False where it cannot be read."""
    try:
        return entry(model) is not None
    except WeightsError:
        return False


def path(entry: dict) -> Path:
    """Return the file of a manifest's entry, whether it exists or not."""
    return folder() / entry["file"]


def accuracies(card: ModelCard) -> tuple[Accuracy, ...]:
    """Return measured accuracies of the shipped checkpoint, or the published ones of the public weights."""
    listed = entry(card.name)
    if listed is None:
        return card.accuracy
    return tuple(
        Accuracy(
            dataset=row["dataset"],
            top1=row["top1"],
            top5=row.get("top5"),
            protocol=f"{row['split']}, {row['clips']} clips",
            source="checkpoints/manifest.json",
        )
        for row in listed.get("accuracy", ())
    )


def write_entry(folder: Path, entry: dict) -> None:
    """Put an entry into manifest.json, in place of what it said of the same model.

    Lists of classes are written once each, under the names of their sets of labels.
    """
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    lists = manifest.get("classes", {})
    listed = [one for one in manifest.get("checkpoints", []) if one["model"] != entry["model"]]
    listed = sorted([*listed, dict(entry)], key=lambda one: one["model"])
    for one in listed:
        if isinstance(one.get("classes"), list) and "label_set" in one:
            known = lists.setdefault(one["label_set"], one["classes"])
            if known == one["classes"]:
                one["classes"] = one["label_set"]
    manifest = {"classes": lists, "checkpoints": listed}
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
