"""Faults planted in the processes that the product starts, by way of the environment alone."""

from pathlib import Path


def in_process(folder: Path, module: str, code: str) -> Path:
    """Make every Python that runs `module` with -m, and has the folder on its path, run code first.

    Returns:
        The folder, for PYTHONPATH. Python imports a file of this name before anything else.
    """
    folder.mkdir(exist_ok=True)
    lines = ["import sys", f"if {module!r} in sys.orig_argv:"]
    lines += [f"    {line}" for line in code.splitlines()]
    (folder / "sitecustomize.py").write_text("\n".join(lines) + "\n")
    return folder


def missing(folder: Path, package: str, error: str = "ImportError('no such library')") -> Path:
    """Let the import of a package fail in every Python that has the folder on its path."""
    folder.mkdir(exist_ok=True)
    (folder / f"{package}.py").write_text(f"raise {error}\n")
    return folder
