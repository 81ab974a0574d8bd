"""Where networks run: the first GPU that this process may use, or else the processor.

On ZeroGPU hardware of Hugging Face Spaces PyTorch names a GPU in every process, and only those that were
lent one can compute on it: `har_demo.interface.gpu` calls `use_gpu` there.
"""

import os

import torch

_lent = False


def device() -> torch.device:
    """Return the device that networks are to be put on in this process."""
    if zero_gpu() and not _lent:
        return torch.device("cpu")
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def zero_gpu() -> bool:
    """Return whether GPUs are lent for one call at a time here; the Space's environment says so."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in {"1", "t", "true"}


def use_gpu() -> None:
    """Note that this process was lent a GPU."""
    global _lent
    _lent = True
