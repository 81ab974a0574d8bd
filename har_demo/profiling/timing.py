"""The time a network takes for one view."""

import platform
import time
from pathlib import Path

import torch

from har_demo.models.card import ModelCard

SECONDS = 0.3
"""For each network, at least."""


@torch.inference_mode()
def milliseconds(card: ModelCard, device: torch.device, seconds: float = SECONDS) -> float:
    """Return the median time of one view, a batch of one, ready on the device; bfloat16 on a GPU.

    Time does not depend on what was learned, so that a fresh network does.

    Args:
        seconds: to go on measuring, at least.
    """
    network = card.build(len(card.classes)).eval().to(device)
    inputs = [torch.randn(shape, device=device) for shape in card.input.shapes()]
    cuda = device.type == "cuda"

    def once() -> float:
        began = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=cuda):
            network(*inputs)
        if cuda:
            torch.cuda.synchronize()
        return time.perf_counter() - began

    for _ in range(3):
        once()
    times = []
    while sum(times) < seconds:
        times.append(once())
    return 1000 * sorted(times)[len(times) // 2]


def processor() -> str:
    """Return Linux's name of the processor, or its architecture."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    return next((x.split(": ")[1] for x in lines if x.startswith("model name")), platform.machine())
