"""Untrusted weights, opened in a process of their own.

    python -m har_demo.weights.untrusted SOURCE TARGET

Reading runs no code of the file, but it believes the sizes that the file states: forty bytes can ask
for gigabytes, and nested lists or hundreds of thousands of empty tensors keep it busy for minutes. Here that
ends this process and not the server. What comes out is a safetensors file of no more tensors than a network has.
"""

import os
import resource
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from har_demo import assets
from har_demo.errors import InternalError, WeightsError

from . import state

if TYPE_CHECKING:
    from torch import Tensor

MEMORY = 2_000_000_000  # bytes of its own that the process may take, beside four times the file
PATIENCE = 60.0  # seconds for the file, once the process has loaded its libraries
STARTING = 300.0  # seconds for that: a cold disk takes long
READY = "ready"
REFUSED = 3  # exit code; Python itself ends with 1 or 2


def read_untrusted(path: Path) -> "dict[str, Tensor]":
    """Read as `state.read` does, from a file that is not trusted.

    Raises:
        WeightsError: as `state.read`, and when the file asks for too much memory or time.
        InternalError: opening it failed for a reason that has nothing to do with the file.
    """
    state.check_file(path)
    modules = [str(assets.PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    with TemporaryDirectory() as folder:
        target = Path(folder) / "tensors.safetensors"
        child = subprocess.Popen(
            # -P keeps a file beside the server from posing as a module.
            [sys.executable, "-P", "-m", __name__, path.absolute(), target],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, modules)),
                "PYTHONIOENCODING": "utf-8:backslashreplace",  # a sentence holds the file's name
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # a buffer would keep from `communicate` what came right after READY
        )
        with child:
            assert child.stdout is not None
            starting = threading.Timer(STARTING, child.kill)
            starting.start()
            child.stdout.readline()  # READY, or the end where it failed before
            starting.cancel()
            try:
                said, complaints = child.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired as error:
                child.kill()
                raise WeightsError(_too_much(path.name)) from error
        if child.returncode == REFUSED:
            raise WeightsError(said.decode().strip())
        if child.returncode < 0:  # killed, as the system does when memory is short
            raise WeightsError(_too_much(path.name))
        if child.returncode:
            raise InternalError(complaints.decode(errors="replace"))
        return state.read(target)


def _too_much(name: str) -> str:
    return (
        f"'{name}' takes too much memory or time to open: "
        "save the network's state_dict() alone, best as .safetensors."
    )


def main(source: str, target: str) -> None:
    import torch
    from safetensors.torch import save_file

    print(READY, flush=True)
    path = Path(source)
    limit = MEMORY + 4 * path.stat().st_size
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        tensors = state.read(path)
    except WeightsError as error:
        print(error)
        sys.exit(REFUSED)
    try:
        # Parameters may share storage; in the safetensors file each has its own.
        save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, target)
    except Exception:
        save_file({"sound": torch.zeros(1)}, target)  # fails too where the fault is not the file's
        print(state.UNKNOWN_TENSORS.format(path.name))
        sys.exit(REFUSED)


if __name__ == "__main__":
    main(*sys.argv[1:])
