"""The Makefile's one step with a memory: a try to fetch weights that failed stands for the day."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def made(tmp_path):
    """Run `make .venv/weights` in a folder whose Python counts its calls and fails, or not."""
    if not shutil.which("make"):
        pytest.skip("there is no make")
    shutil.copy(ROOT / "Makefile", tmp_path)
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    (tmp_path / ".venv/installed").touch()

    def make(code: int) -> str:
        python.write_text(f'#!/bin/sh\necho "called: $*" >> calls\nexit {code}\n')
        python.chmod(0o755)
        command = ["make", "--no-print-directory", "-o", ".venv/installed", ".venv/weights"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr  # neither the demo nor the tests wait for them
        return done.stdout

    make.folder = tmp_path
    return make


def calls(folder: Path) -> int:
    file = folder / "calls"
    fetches = "called: -m har_demo weights --fetch i3d"
    return file.read_text().splitlines().count(fetches) if file.exists() else 0


def test_a_failed_try_is_remembered_for_the_day_and_still_said(made):
    folder = made.folder
    assert "Fetching the weights of I3D" in made(2) and calls(folder) == 1
    assert not (folder / ".venv/weights").exists()
    again = made(2)
    assert "could not be fetched earlier today" in again and calls(folder) == 1
    (tried,) = (folder / ".venv").glob("weights-tried-*")
    assert tried.name in again  # what to remove to try at once
    tried.rename(tried.with_name("weights-tried-2001-01-01"))  # another day's
    made(2)
    assert calls(folder) == 2
    assert [path.name for path in (folder / ".venv").glob("weights-tried-*")] == [tried.name]


def test_weights_that_came_are_not_fetched_again(made):
    made(0)
    assert (made.folder / ".venv/weights").exists()
    made(0)
    assert calls(made.folder) == 1
    assert not list((made.folder / ".venv").glob("weights-tried-*"))
