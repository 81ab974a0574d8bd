"""What cannot work with what is installed is one sentence, before anything is loaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from har_demo import installed
from tests import plant

ROOT = Path(__file__).resolve().parent.parent


def pretend(folder: Path, package: str, version: str, *needs: str) -> None:
    """What pip writes beside a package, with another version."""
    about = folder / f"{package.replace('-', '_')}-{version}.dist-info"
    about.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {package}", f"Version: {version}"]
    lines += [f"Requires-Dist: {need}" for need in needs]
    (about / "METADATA").write_text("\n".join(lines) + "\n\n")


@pytest.fixture
def planted(tmp_path, monkeypatch) -> Path:
    """A folder whose packages come before the installed ones."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_tested_environment_is_fit():
    assert installed.complaint() == ""


def test_every_essential_package_is_required_from_a_version_on():
    bounds = {one.name: str(one.specifier) for one in installed.requirements()}
    assert all(">=" in bounds[name] for name in installed.ESSENTIAL)


@pytest.mark.parametrize("package", installed.ESSENTIAL)
def test_a_version_that_is_too_old_is_named_with_what_to_install(planted, package):
    pretend(planted, package, "0.0.1")
    bound = next(str(one.specifier) for one in installed.requirements() if one.name == package)
    said = installed.complaint()
    assert f"{package} 0.0.1 ({package}{bound} is needed)" in said
    assert "-m pip install" in said and f"{package}{bound}" in said.split("pip install")[1]


def test_a_package_that_is_missing_is_named(monkeypatch):
    version = installed._version
    monkeypatch.setattr(installed, "_version", lambda p: None if p == "av" else version(p))
    assert "av is missing (av" in installed.complaint()


@pytest.mark.parametrize(
    ("torch", "needs", "fits"),
    [
        ("2.14.1", "torch==2.14.1", True),
        ("2.14.1+cpu", "torch==2.14.1", True),
        ("2.14.1+cu130", "torch (==2.14.1)", True),
        ("2.14.1", "torch==2.12.0", False),
        ("2.14.1+cpu", "torch==2.14.0", False),
        ("2.14.1", "torch==2.12.0; extra == 'old'", True),
        ("2.14.1", "numpy", True),
    ],
)
def test_torchvision_belongs_to_one_torch(planted, torch, needs, fits):
    pretend(planted, "torch", torch)
    pretend(planted, "torchvision", "0.29.1", needs)
    said = installed.complaint()
    assert (said == "") == fits
    if not fits:
        assert f"torch {torch} (torchvision 0.29.1 needs torch==" in said
        assert "torch" in said.split("pip install")[1] and "torchvision" in said.split("install")[1]


def test_what_the_installed_package_says_comes_first(planted):
    pretend(planted, "har-demo", "1.0", "av>=99", "pytest; extra == 'test'")
    assert [str(one) for one in installed.requirements()] == ["av>=99"]
    assert "(av>=99 is needed)" in installed.complaint()


COMMANDS = (
    [
        "-m",
        "har_demo",
        "recognize",
        "har_demo/interface/examples/running.mp4",
        "--models",
        "c3d_lab",
    ],
    ["app.py"],
)
NMS = "RuntimeError('operator torchvision::nms does not exist')"
BROKEN_AV = "ImportError('libz.so: not found', name='av')"
ANOTHER_TORCH = "torchvision .* was built for another torch than"
BROKEN_TORCH = "ImportError('libgomp.so: not found', name='torch')"


@pytest.mark.parametrize(
    ("command", "package", "error", "words"),
    [
        (COMMANDS[0], "torch", BROKEN_TORCH, "torch is installed and cannot be imp"),
        pytest.param(COMMANDS[0], "torchvision", NMS, ANOTHER_TORCH, marks=pytest.mark.nightly),
        pytest.param(
            *(COMMANDS[1], "av", BROKEN_AV, "av is installed and cannot be imp"),
            marks=pytest.mark.nightly,
        ),
    ],
    ids=["cli", "cli torchvision", "page"],
)
def test_a_package_that_does_not_import_ends_the_program_with_a_sentence(
    tmp_path, command, package, error, words
):
    folder = plant.missing(tmp_path / "planted", package, error)
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(folder), "HAR_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and done.stdout == ""
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(done.stderr)
    assert done.stderr.count("\n") == 1 and "pip install --force-reinstall" in done.stderr


def test_a_torchvision_of_another_torch_is_said():
    with pytest.raises(SystemExit, match=ANOTHER_TORCH) as ended, installed.required():
        raise RuntimeError("operator torchvision::nms does not exist")
    assert "\n" not in ended.value.code
    assert "pip install --force-reinstall" in ended.value.code


@pytest.mark.parametrize("command", COMMANDS, ids=["cli", "page"])
def test_versions_are_checked_before_anything_is_loaded(tmp_path, command):
    pretend(tmp_path, "av", "9.0")
    plant.missing(tmp_path, "torch", "SystemExit('torch was loaded')")
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "HAR_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("This cannot start with what is installed, av 9.0 (av")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "error",
    [ImportError("other", name="pandas"), RuntimeError("other"), ValueError("torchvision::")],
)
def test_other_errors_are_not_touched(error):
    with pytest.raises(type(error)), installed.required():
        raise error
