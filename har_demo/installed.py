"""Whether the packages that nothing works without are there, in versions that work with each other.

Versions are read from what pip wrote beside the packages; nothing is imported for it.
"""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from har_demo import assets

ESSENTIAL = ("av", "torch", "torchvision")


@contextmanager
def required() -> Iterator[None]:
    """End the program with one sentence and exit code 1 where the packages cannot do what is inside.

        with required():
            import torchvision

    A package can have the right version and still not import beside another one's build.
    """
    if sentence := complaint():
        sys.exit(sentence)
    try:
        yield
    except ImportError as error:
        package = (error.name or "").split(".")[0]
        if package not in ESSENTIAL:
            raise
        sys.exit(
            f"{package} is installed and cannot be imported ({error}): run "
            f"`{_pip('--force-reinstall', package)}`."
        )
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        sys.exit(
            f"torchvision {metadata.version('torchvision')} was built for another torch than "
            f"{metadata.version('torch')}, which is installed ({error}): run "
            f"`{_pip('--force-reinstall', 'torch', 'torchvision')}`, both from one package index."
        )


def complaint() -> str:
    """A sentence that says which essential packages are missing or unfit and what to install, or ''."""
    wrong, install = [], []
    needed = {one.name: f"{one.name}{one.specifier}" for one in requirements()}
    for name in ESSENTIAL:
        found, wanted = _version(name), Requirement(needed.get(name, name))
        if found is None or not wanted.specifier.contains(found, prereleases=True):
            wrong.append(f"{name} {found or 'is missing'} ({wanted} is needed)")
            install.append(str(wanted))
    # pip lets torch be changed under a torchvision that was compiled for another one.
    torch = _version("torch")
    for line in metadata.requires("torchvision") or () if _version("torchvision") and torch else ():
        bound = Requirement(line)
        applies = bound.marker is None or bound.marker.evaluate({"extra": ""})
        if (
            bound.name == "torch"
            and applies
            and not bound.specifier.contains(torch, prereleases=True)
        ):
            wrong.append(f"torch {torch} (torchvision {_version('torchvision')} needs {bound})")
            install += [needed.get(name, name) for name in ("torch", "torchvision")]
    if not wrong:
        return ""
    return (
        f"This cannot start with what is installed, {', '.join(wrong)}: run "
        f"`{_pip(*dict.fromkeys(install))}`."
    )


def requirements() -> list[Requirement]:
    """What the project needs here: as its package says, or requirements.txt where it was not installed."""
    try:
        stated = metadata.requires("har-demo")
    except metadata.PackageNotFoundError:
        stated = None
    if stated is None:
        file = assets.ROOT / "requirements.txt"
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        stated = [line for line in lines if line.strip() and not line.startswith("#")]
    every = map(Requirement, stated)
    return [one for one in every if one.marker is None or one.marker.evaluate({"extra": ""})]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _pip(*arguments: str) -> str:
    return shlex.join([Path(sys.executable).name, "-m", "pip", "install", *arguments])
