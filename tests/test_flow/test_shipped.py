"""Networks of flow that come with the repository are what their notes say, and find motion."""

import json

import numpy as np
import pytest

from har_demo.flow import learned
from har_demo.flow.catalogue import measured
from har_demo.flow.field import flow
from har_demo.flow.look import STILL
from har_demo.research.benchmarks.flow_errors import PEOPLE
from har_demo.weights import shipped
from har_demo.weights.state import sha256
from tests.test_flow.conftest import INSIDE, MOTIONS, motion_of, moved, texture

FOLDER = shipped.folder() / "flow"
HERE = [name for name, one in learned.LEARNED.items() if one.shipped and not learned.at_hand(name)]
PIXELS = {"raft-people": (0.3, 0.75), "flownet-lab": (1.5, 3.0)}
"""How far off they may be on average, and at 99 % of the points."""


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
@pytest.mark.parametrize("motion", MOTIONS)
def test_a_known_motion_is_recovered(name, motion):
    """In a picture of noise, which is nothing that was trained on; classical methods come closer."""
    frames = np.stack([texture(), moved(texture(), MOTIONS[motion])])
    found = flow(frames, name, device="cpu").pixels[0]
    error = np.linalg.norm(found - motion_of(MOTIONS[motion]), axis=0)[INSIDE]
    mean, nearly_all = PIXELS[name]
    assert error.mean() < mean
    assert np.percentile(error, 99) < nearly_all


def test_nothing_moves_in_a_still_clip():
    found = flow(np.stack([texture()] * 2), "raft-people", device="cpu").pixels[0]
    assert np.percentile(np.linalg.norm(found, axis=0), 99) < STILL


def test_the_embedded_network_is_better_than_the_classical_methods_it_has_to_beat():
    """As measured on the same pairs in the same run, by the table that the README quotes."""
    errors = measured()
    for data in ("FlyingChairs", PEOPLE):
        own = errors["raft-people"][data]
        assert own < errors["dis"][data] and own < errors["farneback"][data]
