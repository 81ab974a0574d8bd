"""Views go through a network in batches and come back as probabilities."""

from collections.abc import Callable

import torch
from torch import nn

from har_demo.threads import in_one_thread

BYTES_PER_GMAC = 8 * 2**20
BUDGET = {"cpu": 128 * 2**20, "cuda": 8 * 2**30}
LARGEST_BATCH = {"cpu": 4, "cuda": 64}


class TooLittleMemory(Exception):
    """Not even a single view fits into the device's memory."""


def batch_size(gmacs: float, device: torch.device) -> int:
    """Choose how many views to try at once with a network of so many multiply-adds a view.

    The rule: a view's activations take about 8 MB for every GMAC of the network, which is on the
    safe side for the 3D CNNs and video transformers here, and 128 MB (CPU) or 8 GB (GPU) may be
    spent on them. On a CPU two to four views are as fast per view as more are, one alone is slower.
    Where the rule is wrong, `in_batches` halves the batch.
    """
    kind = device.type if device.type in BUDGET else "cpu"
    fit = int(BUDGET[kind] // (gmacs * BYTES_PER_GMAC))
    return min(max(fit, 1), LARGEST_BATCH[kind])


def in_batches(
    run: Callable[[int, int], torch.Tensor],
    count: int,
    batch: int,
    on_done: Callable[[int], None],
) -> tuple[torch.Tensor, int]:
    """Call `run(start, end)` until `count` items are done; out of memory halves the batch.

    Returns:
        The results joined along the first axis, and the batch size that worked.

    Raises:
        TooLittleMemory: a batch of one does not fit either.
    """
    parts = []
    start = 0
    while start < count:
        end = min(start + batch, count)
        part = None
        try:
            part = run(start, end)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
        # Only out here is the failed batch's memory free: the exception held on to it.
        if part is None:
            if end - start == 1:
                raise TooLittleMemory
            batch = (end - start) // 2
            if torch.cuda.is_initialized():
                torch.cuda.empty_cache()
            continue
        parts.append(part)
        start = end
        on_done(start)
    return torch.cat(parts), batch


@in_one_thread
def probabilities(network: nn.Module, *views: torch.Tensor) -> torch.Tensor:
    """Return the softmax of the network's logits, in float32.

    Args:
        network: takes [B, 3, T, H, W], or flow [B, 2, T, H, W], or both, and gives logits [B, classes].
        views: float32, on the network's device.

    Returns:
        float32 [B, classes] on the CPU.
    """
    device = views[0].device.type
    # GPUs without bf16 units emulate it, slower than plain float32.
    bf16 = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=bf16):
        logits = network(*(v.contiguous(memory_format=torch.channels_last_3d) for v in views))
        return logits.float().softmax(dim=-1).cpu()


@in_one_thread
def exact_probabilities(network: nn.Module, *views: torch.Tensor) -> torch.Tensor:
    """Return the same with a GPU calculating in single precision throughout, as the CPU does."""
    # Unless told otherwise, cuDNN rounds what it multiplies to ten bits (TF32).
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        logits = network(*(v.contiguous(memory_format=torch.channels_last_3d) for v in views))
        return logits.float().softmax(dim=-1).cpu()


def mean_over_crops(scores: torch.Tensor, mean_of: str) -> torch.Tensor:
    """Average probabilities over the crops of each window: float32 [W, crops, classes] → [W, classes].

    Args:
        scores: the probabilities.
        mean_of: 'probabilities', or 'logits' for the softmax of the logits' mean. That is the geometric
            mean of the probabilities, made to sum to one: what the softmax divides by cancels out.
    """
    if mean_of == "probabilities":
        return scores.mean(dim=1)
    return scores.log().clamp(min=-1e4).mean(dim=1).softmax(dim=-1)


def out_of_memory(error: Exception) -> bool:
    """Tell a full memory from other errors: a full CPU has no class in PyTorch, only the allocator's words."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "not enough memory" in str(error) or "can't allocate memory" in str(error)
