"""Speed of the renderer of people: `python -m har_demo.research bench-renderer`.

batches    clips a second of 16 × 112² in memory on the device, rendering alone
supplied   the same with the takes drawn meanwhile by other processes, as training does
one clip   seconds for two seconds of 224², 25 frames a second, on the processor
"""

import time
from collections.abc import Iterator

import torch

from har_demo.research.people.motion import ACTIONS
from har_demo.research.people.shoot import Batch, Take, batch, batch_frames, frames, take
from har_demo.research.people.supply import batches

FRAMES, SIDE, FPS = 16, 112, 8


def draw(number: int) -> Take:
    """Any clip of the size that networks are trained on."""
    return take(ACTIONS[number % len(ACTIONS)], number, FRAMES / FPS, FPS)


def rendering(clips: int, per_batch: int, device: torch.device) -> float:
    """Clips a second of batches that are on the device already."""
    ready = batch([draw(number) for number in range(per_batch)]).to(device)
    _wait(_shown(ready), device)  # the first is slower
    begin = time.perf_counter()
    rounds = max(1, clips // per_batch)
    for _ in range(rounds):
        shown = _shown(ready)
    _wait(shown, device)
    return rounds * per_batch / (time.perf_counter() - begin)


def supplied(clips: int, per_batch: int, device: torch.device, workers: int) -> float:
    """Clips a second from seeds to frames, once the first batch is there."""
    begin, count = 0.0, 0
    for some in batches(draw, range(per_batch + clips), per_batch, workers):
        shown = _shown(some.to(device))
        if not begin:
            _wait(shown, device)
            begin = time.perf_counter()
        else:
            count += shown.shape[0] // FRAMES
    _wait(shown, device)
    return count / (time.perf_counter() - begin)


def one_clip(samples: int) -> float:
    """Seconds from a seed to two seconds of 224² on the processor."""
    frames(take("walk", 0, 0.2), (224, 224), samples)
    begin = time.perf_counter()
    frames(take("walk", 1, 2.0), (224, 224), samples)
    return time.perf_counter() - begin


def _shown(some: Batch) -> torch.Tensor:
    return batch_frames(some, (SIDE, SIDE))


def _wait(shown: torch.Tensor, device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure(device: torch.device, clips: int, per_batch: int, workers: int) -> Iterator[str]:
    """Yield a line for each measurement, as soon as it is done."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    size = f"{FRAMES} × {SIDE}²"
    rate = rendering(clips, per_batch, device)
    yield f"{name}: {rate:.0f} clips ({size}) a second in batches of {per_batch}"
    rate = supplied(clips, per_batch, device, workers)
    yield f"{name}: {rate:.0f} clips a second with takes drawn by {workers} processes"
    for samples in (1, 2):
        seconds = one_clip(samples)
        yield (
            f"CPU, {torch.get_num_threads()} threads: {seconds:.1f} s for 2 s of 224², "
            f"{samples**2} rays a pixel{' where it is worth it' if samples > 1 else ''}"
        )
