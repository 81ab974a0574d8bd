"""A shipped file is used only if it is the one that was shipped."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from har_demo import assets, labels
from har_demo.errors import WeightsError
from har_demo.flow import learned as flow
from har_demo.models import registry
from har_demo.prompts import embedded, kinetics, learned
from har_demo.weights import load
from har_demo.weights.state import sha256


def flip(file: Path, at: int = -100) -> None:
    """Change one bit of the file's tensors, which stays a readable file."""
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    """A copy of what is shipped for free text and flow, and one model."""
    for part in ("prompts", "flow"):
        shutil.copytree(assets.CHECKPOINTS / part, tmp_path / part)
    for name in ("manifest.json", "single_frame_lab.safetensors"):
        shutil.copy(assets.CHECKPOINTS / name, tmp_path)
    monkeypatch.setenv("HAR_CHECKPOINTS", str(tmp_path))
    kinetics.load.cache_clear()
    yield tmp_path
    kinetics.load.cache_clear()


def test_one_flipped_bit_in_any_kind_of_shipped_file_is_found(checkpoints):
    used = {
        embedded.FILE: embedded.load_joint,
        learned.FILE: learned.load,
        kinetics.FILE: kinetics.load,
        "flow/raft_small_people.safetensors": lambda: flow.network("raft-people"),
        "flow/flownet_lab_people.safetensors": lambda: flow.network("flownet-lab"),
        "single_frame_lab.safetensors": lambda: load(registry.card("single_frame_lab")),
    }
    shipped = {str(file.relative_to(checkpoints)) for file in checkpoints.rglob("*.safetensors")}
    assert shipped == set(used)
    for name, use in used.items():
        use()
        kinetics.load.cache_clear()
        flip(checkpoints / name)
        with pytest.raises(
            WeightsError, match=rf"{Path(name).name}\).*damaged.*fetch checkpoints/"
        ):
            use()


def test_what_cannot_be_checked_is_not_used(checkpoints):
    file = checkpoints / embedded.FILE
    note = file.with_suffix(".json")
    for text in ("{}", "[1]", "no JSON", '{"sha256": null}'):
        note.write_text(text)
        with pytest.raises(WeightsError, match="fetch checkpoints/ again"):
            assets.verified(file, "A file")
    note.unlink()
    with pytest.raises(WeightsError, match=r"embedded\.json is missing"):
        assets.verified(file, "A file")
    file.unlink()
    with pytest.raises(WeightsError, match=r"embedded\.safetensors is missing"):
        assets.verified(file, "A file", "0" * 64)


def test_a_changed_list_of_actions_is_not_used(tmp_path):
    """Two names that change places would put wrong names to right answers."""
    assert sha256(assets.LABELS) == labels.SHA256
    changed = json.loads(assets.LABELS.read_text(encoding="utf-8"))
    changed["classes"][:2] = changed["classes"][1::-1]
    (tmp_path / "labels.json").write_text(json.dumps(changed), encoding="utf-8")
    program = (
        "import pathlib, sys\nfrom har_demo import assets\nassets.LABELS = pathlib.Path(sys.argv[1])\n"
        "from har_demo.errors import WeightsError\n"
        "try:\n    import har_demo.labels\nexcept WeightsError as problem:\n    print(problem)"
    )
    asked = [sys.executable, "-c", program, str(tmp_path / "labels.json")]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert "The list of actions (labels.json) cannot be used" in done.stdout
