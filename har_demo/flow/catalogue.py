"""Every method of flow in a line: what its idea is, what it weighs, and whether it could answer now."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2

from har_demo import assets
from har_demo.flow import learned, scores
from har_demo.flow.field import TITLES
from har_demo.weights import hub
from har_demo.weights.state import megabytes

MEASURED = assets.MEASURED / "flow.csv"

IDEAS = {
    "dis": "Looks for small patches in the next frame, from coarse to fine. Quick, and sharp enough "
    "for limbs.",
    "farneback": "Fits a parabola to the surroundings of every pixel in both frames; what shifts one "
    "onto the other is the motion. Smooth, and blurred at the edges of what moves.",
    "tv-l1": "Finds by iteration the field that explains the next frame and changes as little as "
    "possible from place to place. Slow; most published networks of flow were trained on it.",
    "raft-people": "Compares every place with every other and corrects a guess eight times, in "
    "pictures made a quarter larger. Trained here on rendered people and sliding shapes.",
    "flownet-lab": "A small network sees both frames at once and gives the field, from coarse to fine. "
    "Trained here on rendered people and sliding shapes.",
    "raft-small": "Compares every place with every other and corrects a guess twelve times. Trained by "
    "torchvision on flying chairs and things.",
    "raft-large": "The same, five times as large, and trained on films and traffic too.",
    "flownet-s": "The first network of flow: both frames go in as six channels, the field comes out.",
    "flownet-c": "Sees the frames apart and then compares their features within 20 places.",
}


EMBEDDED = "raft-people"
"""The network that comes along, which is off least of all that need no download (see MEASURED)."""


@dataclass(frozen=True)
class Method:
    """One way to compute flow.

    Attributes:
        name, title: a key of TITLES, and what the field calls it.
        idea: a sentence or two.
        learned: whether it is a network.
        state: 'here', 'download' where weights are fetched at the first question, or 'missing'.
        bytes: of the weights, 0 where there are none.
        sentence: what the state means, '' where nothing need be said.
        errors: mean end-point error in pixels by the name of known pairs, as it was measured here.
    """

    name: str
    title: str
    idea: str
    learned: bool
    state: Literal["here", "download", "missing"]
    bytes: int
    sentence: str
    errors: dict[str, float]


def methods() -> list[Method]:
    """All of them, in the order of TITLES. Looks at file names and one small table: no network."""
    errors = measured()
    return [_method(name, errors.get(name, {})) for name in TITLES]


def offered() -> list[Method]:
    """Those that could answer, after a download if need be."""
    return [one for one in methods() if one.state != "missing"]


def measured(file: Path = MEASURED) -> dict[str, dict[str, float]]:
    """Return mean end-point errors in pixels, by method and name of the known pairs."""
    found: dict[str, dict[str, float]] = {}
    for row in scores.read(file) if file.is_file() else []:
        if row.metric == "epe":
            found.setdefault(row.method, {})[row.data] = row.value
    return found


def _method(name: str, errors: dict[str, float]) -> Method:
    if name not in learned.LEARNED:
        lacking = name == "tv-l1" and not hasattr(cv2, "optflow")
        sentence = "Install opencv-contrib-python-headless for it." if lacking else ""
        state = "missing" if lacking else "here"
        return Method(name, TITLES[name], IDEAS[name], False, state, 0, sentence, errors)
    one, sentence = learned.LEARNED[name], learned.at_hand(name)
    fetched = bool(one.sources) and not hub.offline()
    state = "here" if not sentence else "download" if fetched else "missing"
    if state == "download":
        host = one.sources[0].url.split("/")[2]
        sentence = (
            f"Its weights, {megabytes(one.bytes)}, are fetched from {host} at the first press."
        )
    return Method(name, one.title, IDEAS[name], True, state, one.bytes, sentence, errors)
