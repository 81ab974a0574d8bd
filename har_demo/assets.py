"""Where the files that come with the code lie: checkpoints, tables of results, labels, example clips.

In the repository, checkpoints/ and results/ stand beside the package; a wheel carries them inside it.
No other module looks for them by a path of its own.
"""

import hashlib
import json
from pathlib import Path

from har_demo.errors import WeightsError

PACKAGE = Path(__file__).resolve().parent
_IN_WHEEL = PACKAGE / "_assets"

ROOT = _IN_WHEEL if _IN_WHEEL.is_dir() else PACKAGE.parent
"""The folder of checkpoints/ and results/: the repository's, or the one inside an installed wheel."""

CHECKPOINTS = ROOT / "checkpoints"
LABELS = CHECKPOINTS / "labels.json"
RESULTS = ROOT / "results"
PUBLISHED = RESULTS / "published"
MEASURED = RESULTS / "measured"
EXAMPLES = PACKAGE / "interface" / "examples"


def verified(path: Path, what: str, sha256: str | None = None) -> Path:
    """Return the path of a shipped file whose content is the one it was shipped with.

    Every file of checkpoints/ passes here before it is used: a flipped bit in a tensor would answer, and wrongly.

    Args:
        path: of the file.
        what: it holds, for the sentence.
        sha256: hexadecimal; by default the one that the .json of the same name beside it states.

    Raises:
        WeightsError: the file, or what is stated of it, is missing or another one.
    """
    note = path.with_suffix(".json")
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        stated = sha256 or json.loads(note.read_text(encoding="utf-8"))["sha256"]
    except FileNotFoundError as error:
        name = Path(error.filename).name
        raise WeightsError(
            f"{what} ({path.name}) cannot be used: {name} is missing, so fetch checkpoints/ again."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{what} ({path.name}) cannot be read or checked: fetch checkpoints/ again."
        ) from error
    if found != stated:
        where = "expected here" if sha256 else f"stated in {note.name}"
        raise WeightsError(
            f"{what} ({path.name}) cannot be used: the file is damaged, as its hash is not the one {where}, "
            "so fetch checkpoints/ again."
        )
    return path
