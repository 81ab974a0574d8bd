"""The checkpoints that come with the repository, and their manifest.

checkpoints/manifest.json says of every file what it is, on what it was trained and how, what it
scored, and its hash:

    {"checkpoints": [{"model": "c3d_lab", "file": "c3d_lab.safetensors", "sha256": "...",
                      "bytes": 6118346, "classes": ["bending", ...], "data": [{"name": ...}], ...}]}
"""

import json
import os
from pathlib import Path

from har_demo import assets
from har_demo.errors import WeightsError

LARGEST = 10_000_000
"""Bytes a shipped file may have, so that the repository can be hosted without large-file storage."""


def folder() -> Path:
    """checkpoints/ beside the package, or the folder that HAR_CHECKPOINTS names."""
    return Path(os.environ.get("HAR_CHECKPOINTS") or assets.CHECKPOINTS)


def entries(at: Path | None = None) -> list[dict]:
    """What the manifest lists, of `folder()` or another one; nothing when there is no manifest.

    Raises:
        WeightsError: the manifest cannot be read.
    """
    path = (at or folder()) / "manifest.json"
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["checkpoints"]
        return [dict(entry, model=str(entry["model"]), file=str(entry["file"])) for entry in listed]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"The list of shipped weights ({path.name}) cannot be read: fetch checkpoints/ again."
        ) from error


def entry(model: str) -> dict | None:
    """What the manifest says of a model's checkpoint, or None when it lists none."""
    return next((found for found in entries() if found["model"] == model), None)


def path(entry: dict) -> Path:
    """The file of a manifest's entry, whether it exists or not."""
    return folder() / entry["file"]
