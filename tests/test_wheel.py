"""The wheel works by itself: installed into an empty environment, run from another folder.

`make test` checks what goes into it; it is built, installed and run by `make test-pythons` and `make test-all`.
"""

import json
import os
import pkgutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

from har_demo import assets, cli

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    """The installed `har-demo` of an environment that holds the wheel, and sees the packages it needs."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True, text=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", symlinks=True)
    own = folder / "env" / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    install = [*pip, "--python", folder / "env" / "bin" / "python", "install", "--no-deps", wheel]
    subprocess.run(install, check=True, capture_output=True, text=True)
    # Its own packages come first; those of these tests stand in for what pip would fetch.
    (own / "needed.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "env" / "bin" / "har-demo"


def run(program: Path, *words: str | Path) -> subprocess.CompletedProcess:
    """What the installed program says, started from the root of the file system."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [program, *words], cwd="/", env=environment, capture_output=True, text=True
    )


@pytest.mark.smoke
@pytest.mark.nightly
def test_help_lists_the_verbs(program):
    done = run(program, "--help")
    assert done.returncode == 0, done.stderr
    assert all(verb in done.stdout for verb in ("serve", "recognize", "ask", "evaluate"))


@pytest.mark.smoke
@pytest.mark.nightly
def test_a_clip_is_recognised_with_the_weights_inside(program):
    clip = assets.EXAMPLES / "waving_both_hands.mp4"
    done = run(program, "recognize", clip, "--models", "mfnet_pnl_lab", "--json")
    assert done.returncode == 0, done.stderr
    (prediction,) = json.loads(done.stdout)["predictions"]
    assert prediction["top"][0]["class"] == "waving both hands"


TABLES = """
from har_demo.cli import app
for words in (["results", "--data-set", "Kinetics-400"], ["measured", "--data", "arid6"]):
    app(words, standalone_mode=False)
    print("end of table")
"""


@pytest.mark.smoke
@pytest.mark.nightly
def test_the_tables_are_inside(program):
    """Of both commands in one process, which takes long to start."""
    done = run(program.with_name("python"), "-c", TABLES)
    assert done.returncode == 0, done.stderr
    tables = done.stdout.split("end of table\n")
    assert [len(table.splitlines()) > 20 for table in tables] == [True, True, False]


def test_it_needs_what_requirements_txt_lists():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert {str(one) for one in map(Requirement, PROJECT["dependencies"])} == set(map(str, listed))


def files(folder: Path) -> set[Path]:
    """Every file under a folder, but for what Python has compiled."""
    return {f for f in folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts}


def test_every_file_of_the_package_goes_in_and_every_shipped_one():
    """A file that .gitignore or pyproject.toml leaves out would be missing where it is installed."""
    inside = {f.distribution_path for f in WheelBuilder(str(ROOT)).recurse_included_files()}
    shipped = files(assets.CHECKPOINTS) | files(assets.PUBLISHED) | files(assets.MEASURED)
    shipped.add(assets.RESULTS / "lecture_errata.csv")
    assert inside == {f.relative_to(ROOT).as_posix() for f in files(assets.PACKAGE)} | {
        f"har_demo/_assets/{f.relative_to(assets.ROOT).as_posix()}" for f in shipped
    }


def test_the_program_is_the_command_line():
    assert pkgutil.resolve_name(PROJECT["scripts"]["har-demo"]) is cli.app
