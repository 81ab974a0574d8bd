"""Exact versions of what a Space installs: requirements.txt, and all that it needs, as constraints.txt pins it.

A Space reads one requirements.txt and no constraints, and ZeroGPU takes some versions of torch only.
"""

from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TORCH = {"torch": "2.12.1", "torchvision": "0.27.1", "setuptools": "81.0.0"}
"""The newest torch that both requirements.txt and ZeroGPU's list (hub.toml) allow, and what it needs beside it.

This torchvision belongs to it, and it takes no setuptools from 82 on.
"""

HEADER = """\
# Written by `make space`: what requirements.txt asks for and all that it needs, in exact versions.
"""


def listed(file: Path) -> list[Requirement]:
    """Return the requirements of a file in pip's format, comments left out."""
    lines = (line.partition("#")[0].strip() for line in file.read_text("utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


def exact(root: Path, python: str) -> str:
    """Return a Space's requirements.txt.

    Which packages others need is read from what is installed here.

    Args:
        root: the repository.
        python: the Space's Python, such as '3.12'.

    Raises:
        LookupError: constraints.txt has no version of a package that requirements.txt names.
    """
    asked = listed(root / "requirements.txt")
    marks = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    pins = {
        canonicalize_name(one.name): str(one.specifier).removeprefix("==")
        for one in listed(root / "constraints.txt")
        if one.marker is None or one.marker.evaluate(marks)
    } | TORCH
    if missing := sorted(one.name for one in asked if canonicalize_name(one.name) not in pins):
        raise LookupError(f"constraints.txt pins no version of {', '.join(missing)}.")
    extras = {canonicalize_name(one.name): _extras(one) for one in asked}
    # Packages without a pin are those that torch itself pins, of CUDA.
    needed = sorted(name for name in _with_all_they_need(asked, marks) if name in pins)
    return HEADER + "".join(f"{name}{extras.get(name, '')}=={pins[name]}\n" for name in needed)


def _extras(one: Requirement) -> str:
    return f"[{','.join(sorted(one.extras))}]" if one.extras else ""


def _with_all_they_need(asked: Iterable[Requirement], marks: Mapping[str, str]) -> set[str]:
    """Return the names of packages and of all that they need, and theirs need, on that Python."""
    waiting = [(one.name, frozenset(one.extras)) for one in asked]
    seen = set()
    while waiting:
        name, extras = waiting.pop()
        if (canonicalize_name(name), extras) in seen:
            continue
        seen.add((canonicalize_name(name), extras))
        try:
            needs = metadata.requires(name) or ()
        except metadata.PackageNotFoundError:
            continue  # of another Python, or of another torch
        for need in map(Requirement, needs):
            wanted = need.marker is None or any(
                need.marker.evaluate({**marks, "extra": extra}) for extra in ("", *extras)
            )
            if wanted:
                waiting.append((need.name, frozenset(need.extras)))
    return {name for name, _ in seen}
