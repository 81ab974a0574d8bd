"""Optical flow on a GPU where one is lent: published networks gain from it, DIS and our small networks do not."""

from collections.abc import Sequence

from har_demo import device
from har_demo.clips.clip import Clip
from har_demo.flow import learned
from har_demo.flow.look import FlowResult, look
from har_demo.flow.stack import Stack, stack
from har_demo.interface import gpu
from har_demo.interface.lanes import MODELS
from har_demo.interface.run import Job
from har_demo.models.card import ModelInput

SECONDS = 10
"""For some dozens of pairs of frames, decoding included."""


def computed(
    job: Job, clip: Clip, methods: Sequence[str], start: float, seconds: float
) -> FlowResult:
    """Compute flow along a span; else as `har_demo.flow.look.look`."""
    duration = _duration(job, methods)
    with job.turn(MODELS):
        return gpu.call(job.tell, job.flag, duration, look, clip, methods, start, seconds)


def stacked(job: Job, clip: Clip, spec: ModelInput, first: int, method: str) -> Stack:
    """Stack fields; else as `har_demo.flow.stack.stack`."""
    duration = _duration(job, [method])
    return gpu.call(job.tell, job.flag, duration, stack_there, clip, spec, first, method)


def stack_there(clip: Clip, spec: ModelInput, first: int, method: str, tell: gpu.Tell) -> Stack:
    """Do `stack` in whichever process."""
    return stack(clip, spec, first, method)


def gains(method: str) -> bool:
    """Return whether a method of flow is faster on a GPU that must be waited for."""
    return method in learned.LEARNED and bool(learned.LEARNED[method].sources)


def _duration(job: Job, methods: Sequence[str]) -> int:
    """Return seconds to ask for; what has to be fetched is fetched before."""
    published = [method for method in methods if gains(method)]
    if not device.zero_gpu() or not published:
        return 0
    for method in published:
        job.tell(0.0, learned.at_hand(method) or "Asking for a GPU")
        learned.network(method)
    return SECONDS
