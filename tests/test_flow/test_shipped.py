"""Networks of flow that come with the repository are what their notes say, and find motion."""

import json

import numpy as np
import pytest

from har_demo.flow import learned
from har_demo.flow.field import flow
from har_demo.weights import shipped
from har_demo.weights.files import sha256
from tests.test_flow.conftest import motion_of, moved, texture

FOLDER = shipped.folder() / "flow"
HERE = [name for name, one in learned.LEARNED.items() if one.shipped and not learned.at_hand(name)]
SHIFT = np.array([[1.0, 0.0, 5.0], [0.0, 1.0, -3.0]])


def test_every_file_belongs_to_a_method_and_has_a_note():
    known = {one.shipped for one in learned.LEARNED.values() if one.shipped}
    files = {path.stem for path in FOLDER.glob("*.safetensors")}
    assert files <= known
    assert {path.stem for path in FOLDER.glob("*.json")} == files


@pytest.mark.parametrize("name", HERE)
def test_the_note_is_true(name):
    path = learned.shipped_file(learned.LEARNED[name])
    note = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert note["file"] == path.name and note["bytes"] == path.stat().st_size < shipped.LARGEST
    assert note["sha256"] == sha256(path)
    network, _ = learned.network(name)
    assert note["parameters"] == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("name", HERE)
def test_a_known_motion_is_recovered(name):
    """Better than half of it, a picture of noise being nothing that was trained on."""
    frames = np.stack([texture(), moved(texture(), SHIFT)])
    found = flow(frames, name, device="cpu").pixels[0]
    error = np.linalg.norm(found - motion_of(SHIFT), axis=0)[20:-20, 20:-20]
    assert error.mean() < 0.5 * np.hypot(5, 3)
