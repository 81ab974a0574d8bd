"""Where the files that come with the code lie: checkpoints, tables of results, labels, example clips.

In the repository, checkpoints/ and results/ stand beside the package; a wheel carries them inside it.
No other module looks for them by a path of its own.
"""

from pathlib import Path

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
