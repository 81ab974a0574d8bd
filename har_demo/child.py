"""Parts of this package that run in a process of their own."""

import os
import sys

from har_demo import assets


def command(module: str, *arguments: object) -> list[str]:
    """Return what runs a module of this package with the same Python, as `subprocess` takes it.

    -P keeps a file beside the caller from posing as a module.
    """
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]


def environment() -> dict[str, str]:
    """Return the environment of such a process: this one's, with the package where it can be imported."""
    modules = [str(assets.PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, modules))}
