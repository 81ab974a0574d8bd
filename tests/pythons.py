"""Try every Python of this machine in an environment made from scratch: `make test-pythons`.

Each gets the packages of requirements.txt in the versions of constraints.txt and runs the smoke set, then
gets the newest versions that requirements.txt allows and, if any differs, runs it again.

    python tests/pythons.py                  # all of them; the table goes into CONTRIBUTING.md
    python tests/pythons.py --python 3.12    # one of them
    python tests/pythons.py --pin            # the newest versions alone; if they pass, constraints.txt

Needs the standard library alone, as it runs before anything is installed.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READY = ROOT / ".venv" / "bin" / "python"  # of `make test`
PYTHONS = ("3.11", "3.12", "3.13")
PACKAGES = (".[dev]",)  # a wheel of the project, what requirements.txt lists, and the test tools
CONSTRAINED = ("-c", "constraints.txt")
NEWEST = ("--upgrade", "--upgrade-strategy", "eager")
SMOKE = ("-m", "pytest", "-m", "smoke", "tests/test_smoke.py", "tests/test_wheel.py")

SHOWN = ("torch", "torchvision", "av", "gradio")
BEGIN, END = "<!-- Made by `make test-pythons`. -->\n", "<!-- End of the table. -->\n"
PINNED_BY_TORCH = re.compile(r"(nvidia|cuda)-|triton$")
HEADER = """\
# The versions that `make` installs. `make constraints` writes the newest here once the smoke set passes with
# them on every Python. Packages that torch itself pins (CUDA, Triton) are left out.
"""


@dataclass(frozen=True)
class Trial:
    """One row of the table.

    Attributes:
        python: its version, such as 3.11.7.
        versions: 'constrained' or 'newest'.
        packages: version of every installed package by name; empty if the installation failed.
        installing: seconds, None where an environment was there already.
        testing: seconds, None where these versions had passed before.
        failed: what failed, or ''.
    """

    python: str
    versions: str
    packages: Mapping[str, str] = field(repr=False)
    installing: float | None
    testing: float | None = None
    failed: str = ""


def interpreter(version: str) -> str | None:
    """Return the path of a Python such as 3.12 that runs, from PATH or pyenv, or None.

    A `python3.12` on PATH need not run: pyenv puts one there that fails until that version is selected.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    in_pyenv = sorted(
        pyenv.glob(f"{version}.*"), key=lambda p: [*map(int, re.findall(r"\d+", p.name))]
    )
    for path in (shutil.which(f"python{version}"), *(p / "bin" / "python" for p in in_pyenv[::-1])):
        if path and (full_version(path) or "").startswith(f"{version}."):
            return str(path)
    return None


def full_version(python: str | Path) -> str | None:
    """Return what a Python calls itself, such as 3.12.1, or None if it does not run."""
    try:
        done = subprocess.run(
            [python, "-c", "import platform; print(platform.python_version())"],
            capture_output=True,
            text=True,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def trials(python: str, kinds: Sequence[str] = ("constrained", "newest")) -> Iterator[Trial]:
    """Try one Python in one environment, which is removed afterwards.

    The environment of `make test` stands in for it while it has the versions that are asked for.
    """
    version = full_version(python)
    packages: Mapping[str, str] = {}
    with tempfile.TemporaryDirectory(prefix=f"python-{version}-") as folder:
        own = Path(folder) / "bin" / "python"
        for kind in kinds:
            wanted = CONSTRAINED if kind == "constrained" else NEWEST
            use_ready = not own.exists() and full_version(READY) == version and _has(READY, wanted)
            started = time.monotonic()
            if not use_ready:
                print(f"Python {version}, {kind} versions: installing", flush=True)
                if problem := _install(python, folder, wanted):
                    print(problem)
                    seconds = time.monotonic() - started
                    yield Trial(version, kind, {}, seconds, failed="installation")
                    return
            installing = None if use_ready else time.monotonic() - started
            environment = READY if use_ready else own
            before, packages = packages, installed(environment)
            if packages == before:
                yield Trial(version, kind, packages, installing)
                continue
            print(f"Python {version}, {kind} versions: the smoke set", flush=True)
            started = time.monotonic()
            failed = subprocess.run([environment, *SMOKE], cwd=ROOT).returncode != 0
            testing = time.monotonic() - started
            yield Trial(version, kind, packages, installing, testing, "smoke set" if failed else "")


def _install(python: str, folder: str, wanted: Sequence[str]) -> str:
    """Install into the environment in this folder, a new one if need be; return pip's complaint or ''."""
    environment = Path(folder) / "bin" / "python"
    # Most modules are never imported here, so that compiling them all would be a waste.
    pip = [environment, "-m", "pip", "install", "--quiet", "--no-compile", *wanted, *PACKAGES]
    for words in ([python, "-m", "venv", folder], pip)[environment.exists() :]:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            return "\n".join((done.stdout + done.stderr).splitlines()[-30:])
    return ""


def _has(python: Path, wanted: Sequence[str]) -> bool:
    """Whether pip would change nothing in this environment."""
    words = [python, "-m", "pip", "install", "--quiet", "--dry-run", "--report", "-"]
    done = subprocess.run([*words, *wanted, *PACKAGES], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        return False
    changes = json.loads(done.stdout)["install"]
    return all(change["metadata"]["name"] == "har-demo" for change in changes)


def installed(python: str | Path) -> dict[str, str]:
    """Return the version of every package of an environment, by its name in lower case."""
    words = [python, "-m", "pip", "freeze"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    pairs = (line.split("==") for line in done.stdout.splitlines() if "==" in line)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pairs}


def table(rows: Sequence[Trial]) -> str:
    """Return the rows as Markdown."""
    head = ("Python", "versions", *SHOWN, "installed in", "smoke set in", "result")
    lines = [head, ("---",) * len(head)]
    for row in rows:
        unchanged = not row.failed and row.testing is None
        lines.append(
            (
                row.python,
                row.versions,
                *(row.packages.get(name, "") for name in SHOWN),
                "was there" if row.installing is None else f"{row.installing:.0f} s",
                "" if row.testing is None else f"{row.testing:.0f} s",
                f"failed: {row.failed}"
                if row.failed
                else "the same versions"
                if unchanged
                else "passed",
            )
        )
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def write_table(file: Path, rows: Sequence[Trial], when: date) -> None:
    """Put the table between its two marks in a text file.

    Raises:
        ValueError: the marks are not there.
    """
    before, begin, rest = file.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{file.name} lacks '{BEGIN.strip()}' and, after it, '{END.strip()}'.")
    made = f"Tried on {when.isoformat()}:\n\n{table(rows)}"
    file.write_text(f"{before}{begin}\n{made}\n{end}{after}", encoding="utf-8")


def pins(environments: Mapping[str, Mapping[str, str]]) -> str:
    """Return constraints: what each Python has, with a marker where not all have the same version.

    Args:
        environments: versions of packages by name, by Python such as 3.12.
    """
    lines = []
    for name in sorted({name for packages in environments.values() for name in packages}):
        if PINNED_BY_TORCH.match(name):
            continue
        # '2.14.1+cpu' is one build of 2.14.1: another machine has another
        found = {
            python: packages[name].partition("+")[0]
            for python, packages in environments.items()
            if name in packages
        }
        if len(found) == len(environments) and len(set(found.values())) == 1:
            lines.append(f"{name}=={found.popitem()[1]}\n")
        else:
            lines += [
                f'{name}=={version} ; python_version == "{python}"\n'
                for python, version in found.items()
            ]
    return HEADER + "".join(lines)


def main() -> None:
    """Try what is asked for; the exit code is 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--python", choices=PYTHONS, help="this one alone")
    parser.add_argument("--pin", action="store_true", help="write constraints.txt from the newest")
    asked = parser.parse_args()
    pythons = {
        version: interpreter(version) for version in PYTHONS if asked.python in (None, version)
    }
    missing = [version for version, path in pythons.items() if path is None]
    if missing:
        print(f"Not on this machine, so not tried: Python {', '.join(missing)}.")
    complete = not missing and not asked.python
    if asked.pin and not complete:
        sys.exit(f"Pinning needs Python {', '.join(PYTHONS)}, all of them.")
    print(
        "Every Python gets an environment of about 7 GB, one after another in "
        f"{tempfile.gettempdir()} (TMPDIR); without a cache pip downloads about 3 GB for each."
    )
    kinds = ("newest",) if asked.pin else ("constrained", "newest")
    rows = [row for path in pythons.values() if path for row in trials(path, kinds)]
    print(table(rows), end="")
    if not rows or any(row.failed for row in rows):
        sys.exit(1)
    if asked.pin:
        made = {version: row.packages for version, row in zip(PYTHONS, rows, strict=True)}
        (ROOT / "constraints.txt").write_text(pins(made), encoding="utf-8")
    elif complete and os.environ.get("CI") != "true":
        write_table(ROOT / "CONTRIBUTING.md", rows, date.today())


if __name__ == "__main__":
    main()
