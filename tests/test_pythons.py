"""Every Python is found, the table is written, and constraints.txt pins what requirements.txt allows."""

from datetime import date
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests import pythons
from tests.pythons import Trial, interpreter, pins, table, write_table

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"torch": "2.14.1", "torchvision": "0.29.1", "av": "19.0.2", "gradio": "6.31.0"}


def program(path: Path, *lines: str) -> Path:
    """A Python that is none: a shell script that says what a real one would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Path:
    """A folder with an empty `bin`, which is PATH, and an empty pyenv."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def test_a_python_on_path_comes_first(machine):
    on_path = program(machine / "bin" / "python3.12", "echo 3.12.4")
    program(machine / "pyenv" / "versions" / "3.12.9" / "bin" / "python", "echo 3.12.9")
    assert interpreter("3.12") == str(on_path)


def test_the_latest_of_pyenv_stands_in_for_one_that_does_not_run(machine):
    program(machine / "bin" / "python3.13", "echo 'pyenv: command not found' >&2", "exit 127")
    for version in ("3.13.2", "3.13.10", "3.12.11"):
        folder = machine / "pyenv" / "versions" / version / "bin"
        program(folder / "python", f"echo {version}")
    found = interpreter("3.13")
    assert found == str(machine / "pyenv" / "versions" / "3.13.10" / "bin" / "python")


def test_pyenv_is_looked_for_in_the_home_folder(machine, monkeypatch):
    monkeypatch.delenv("PYENV_ROOT")
    monkeypatch.setenv("HOME", str(machine))
    found = program(machine / ".pyenv" / "versions" / "3.11.7" / "bin" / "python", "echo 3.11.7")
    assert interpreter("3.11") == str(found)


def test_another_version_under_that_name_is_not_taken(machine):
    program(machine / "bin" / "python3.12", "echo 3.13.0")
    assert interpreter("3.12") is None


def test_a_python_that_is_not_there_is_none(machine):
    assert interpreter("3.11") is None


ROWS = [
    Trial("3.12.1", "constrained", PACKAGES, 291.4, 75.0),
    Trial("3.12.1", "newest", PACKAGES, 9.0),
    Trial("3.13.0", "constrained", PACKAGES, None, 80.0, "smoke set"),
    Trial("3.13.0", "newest", {}, 12.0, failed="installation"),
]
LINES = [
    "| Python | versions | torch | torchvision | av | gradio | installed in | smoke set in | result |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    "| 3.12.1 | constrained | 2.14.1 | 0.29.1 | 19.0.2 | 6.31.0 | 291 s | 75 s | passed |",
    "| 3.12.1 | newest | 2.14.1 | 0.29.1 | 19.0.2 | 6.31.0 | 9 s |  | the same versions |",
    "| 3.13.0 | constrained | 2.14.1 | 0.29.1 | 19.0.2 | 6.31.0 | was there | 80 s | failed: smoke set |",
    "| 3.13.0 | newest |  |  |  |  | 12 s |  | failed: installation |",
]


def test_the_table_has_a_line_for_every_trial():
    assert table(ROWS).splitlines() == LINES


def test_the_table_is_written_between_its_marks(tmp_path):
    file = tmp_path / "CONTRIBUTING.md"
    file.write_text(f"# Before\n\n{pythons.BEGIN}old\n{pythons.END}\nAfter\n", encoding="utf-8")
    for _ in range(2):
        write_table(file, ROWS, date(2026, 11, 30))
    written = file.read_text(encoding="utf-8")
    made = "\n".join(["Tried on 2026-11-30:", "", *LINES])
    assert written == f"# Before\n\n{pythons.BEGIN}\n{made}\n\n{pythons.END}\nAfter\n"


@pytest.mark.parametrize("text", ["", pythons.BEGIN, pythons.END + pythons.BEGIN])
def test_a_file_without_marks_is_left_alone(tmp_path, text):
    file = tmp_path / "CONTRIBUTING.md"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"CONTRIBUTING\.md lacks"):
        write_table(file, ROWS, date(2026, 11, 30))
    assert file.read_text() == text


def test_contributing_has_the_marks():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert 0 < text.index(pythons.BEGIN) < text.index(pythons.END)


def test_what_differs_between_pythons_is_pinned_with_a_marker():
    made = pins(
        {
            "3.11": {"av": "18.1.0", "torch": "2.14.1+cpu", "triton": "3.8.0", "numpy": "2.4.6"},
            "3.13": {"av": "19.0.2", "torch": "2.14.1", "nvidia-nvtx": "13.0", "numpy": "2.4.6"}
            | {"audioop-lts": "0.2.2"},
        }
    )
    assert made.removeprefix(pythons.HEADER).splitlines() == [
        'audioop-lts==0.2.2 ; python_version == "3.13"',
        'av==18.1.0 ; python_version == "3.11"',
        'av==19.0.2 ; python_version == "3.13"',
        "numpy==2.4.6",
        "torch==2.14.1",
    ]


def listed(text: str, python: str) -> list[Requirement]:
    """The lines of a list of requirements that hold for a Python such as 3.12."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = map(Requirement, lines)
    return [r for r in found if not r.marker or r.marker.evaluate({"python_version": python})]


def pinned(text: str, python: str) -> dict[str, str]:
    """The version of every package that a list of pins names, none of them twice."""
    lines = [str(one).partition(" ;")[0].partition(";")[0] for one in listed(text, python)]
    found = dict(line.split("==") for line in lines)
    assert len(found) == len(lines)
    return found


@pytest.mark.parametrize("python", pythons.PYTHONS)
def test_every_requirement_is_pinned_within_its_bounds(python):
    known = pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"), python)
    for wanted in listed((ROOT / "requirements.txt").read_text(encoding="utf-8"), python):
        assert known[wanted.name.lower().replace("_", "-")] in wanted.specifier, wanted


def test_the_smoke_set_is_every_test_that_is_marked_so():
    marked = {
        f"tests/{path.relative_to(ROOT / 'tests').as_posix()}"
        for path in (ROOT / "tests").rglob("test_*.py")
        if "pytest.mark.smoke" in path.read_text(encoding="utf-8") and path != Path(__file__)
    }
    assert marked == {word for word in pythons.SMOKE if word.endswith(".py")}


def test_every_requirement_has_an_upper_bound():
    for wanted in listed((ROOT / "requirements.txt").read_text(encoding="utf-8"), "3.11"):
        assert {"<", "=="} & {one.operator for one in wanted.specifier}, wanted
