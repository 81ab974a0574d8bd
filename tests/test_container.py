"""As a container runs it: another user, nothing to write but the temporary folder, and no home."""

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

from tests.media import numbered_frames, write

ROOT = Path(__file__).resolve().parent.parent
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.fixture(scope="module")
def python() -> list[str]:
    """The command that starts a Python of ours as another user, with all packages."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    if shutil.which("setpriv") is None:
        pytest.skip("there is no setpriv to become another user with")
    # Root's own Python may lie where nobody else can go; the system's of the same version does not.
    system = f"/usr/bin/python3.{sys.version_info.minor}"
    packages = ["env", f"PYTHONPATH={Path(torch.__file__).parents[1]}"]
    for able in ([sys.executable], [*packages, system]):
        asked = [*NOBODY, "env", *able, "-c", "import numpy"]
        if subprocess.run(asked, capture_output=True).returncode == 0:
            return [*NOBODY, "env", *able]
    pytest.skip("another user cannot run this Python with its packages")


@pytest.fixture(scope="module")
def folder(python) -> Iterator[Path]:
    """A folder that everybody can enter, which pytest's own are not."""
    with TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def variables(folder) -> dict:
    """The environment of a user without a home, with a temporary folder that everybody can write."""
    temporary = folder / "temporary"
    temporary.mkdir()
    temporary.chmod(0o1777)
    without = dict.fromkeys(["HOME", "HAR_CACHE", "XDG_CACHE_HOME", "HF_HOME", "GRADIO_TEMP_DIR"])
    return without | {"TMPDIR": str(temporary)}


@pytest.fixture(scope="module")
def project(folder) -> Path:
    """A copy of the project that nobody but root can write."""
    copy = folder / "project"
    for name in ("har_demo", "checkpoints", "results"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, copy)
    subprocess.run(["chmod", "-R", "a+rX,go-w", copy], check=True)
    return copy


def environment(variables: dict) -> dict:
    every = os.environ | variables
    return {name: value for name, value in every.items() if value is not None}


@pytest.mark.slow
def test_a_clip_is_recognised(python, project, variables):
    clip = write(project / "clip.mp4", numbered_frames(40))
    done = subprocess.run(
        [*python, "-m", "har_demo", "recognize", clip, "--models", "c3d_lab"],
        cwd=project,
        env=environment(variables),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "C3D" in done.stdout and "%" in done.stdout
    kept = Path(variables["TMPDIR"]) / "har_demo-65534"
    assert done.stderr.count("cannot be written") == 1 and str(kept) in done.stderr
    assert len(list((kept / "clips").glob("*.mp4"))) == 1 and kept.stat().st_uid == 65534


@pytest.mark.nightly
@pytest.mark.slow
def test_the_page_starts(python, project, variables, serving, tmp_path):
    log = tmp_path / "app.log"
    command = [*python, "app.py"]
    with serving(log, variables, command, project) as url, urllib.request.urlopen(url) as page:
        assert page.status == 200
        assert b"Action Atlas" in page.read()
    assert log.read_text().count("cannot be written") == 1
    assert "Traceback" not in log.read_text()
