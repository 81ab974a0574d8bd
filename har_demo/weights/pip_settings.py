"""What pip is configured with: the package index, its certificate, hosts that are trusted without one."""

import ast
import os
import subprocess
import sys
from functools import cache


def setting(name: str) -> str:
    """Return a setting of pip such as 'index-url': the environment's, else that of pip's files, else ''."""
    variable = f"PIP_{name.upper().replace('-', '_')}"
    return os.environ.get(variable) or _of_files().get(f"global.{name}", "")


@cache
def _of_files() -> dict[str, str]:
    """Ask pip, which knows where its files are; where it is not installed there are none."""
    try:
        done = subprocess.run(
            # -P keeps a file beside the server from posing as pip.
            [sys.executable, "-P", "-m", "pip", "config", "list"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return {name: _unquoted(value) for name, equals, value in pairs if equals}


def _unquoted(value: str) -> str:
    try:
        return str(ast.literal_eval(value))
    except (ValueError, SyntaxError):
        return value
