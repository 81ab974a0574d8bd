"""Forward passes and class activation maps on a GPU where one is lent; attention itself takes the processor no time."""

from har_demo import device
from har_demo.clips.clip import Clip
from har_demo.explain.export import ExplainedClass, explained_class
from har_demo.explain.faithfulness import STEPS
from har_demo.explain.look import ForwardTrace, look
from har_demo.interface import gpu
from har_demo.interface.lanes import MODELS
from har_demo.interface.pages.recognize.on_gpu import fetched, gains, worth_lending
from har_demo.interface.run import Job
from har_demo.recognize.plan import plan
from har_demo.recognize.prediction import Request

BACKWARD = 3  # a pass forward and back costs about three forward
CURVES = 8 * STEPS  # forward passes of deletion and insertion, and of shuffled networks, at most


def traced(
    job: Job, clip: Clip, model: str, second: float | None, maps: bool = True
) -> tuple[ForwardTrace, ExplainedClass | None]:
    """Show a clip to a model, and explain its likeliest class where `maps` are wanted.

    Raises:
        UserError: as `har_demo.explain.look`.
    """
    duration = 0
    if device.zero_gpu():
        one = plan(clip, Request(model))
        if gains(one) and fetched(one, job.tell):
            duration = gpu.seconds(one.view_gmacs * (1 + BACKWARD * maps))
    with job.turn(MODELS):
        return gpu.call(job.tell, job.flag, duration, trace_and_map, clip, model, second, maps)


def class_explained(
    job: Job, trace: ForwardTrace, name: str | None, method: str, trust: bool
) -> ExplainedClass:
    """Explain a class; else as `har_demo.explain.export.explained_class`."""
    duration = 0
    if worth_lending(trace.card):
        duration = gpu.seconds(trace.card.gmacs * (BACKWARD + CURVES * trust))
    return gpu.call(job.tell, job.flag, duration, explain, trace, name, method, trust)


def trace_and_map(
    clip: Clip, model: str, second: float | None, maps: bool, tell: gpu.Tell
) -> tuple[ForwardTrace, ExplainedClass | None]:
    """Do `look`, then `explained_class`, in whichever process."""
    trace = look(clip, model, second, on_progress=lambda done, what: tell(0.5 * done, what))
    if not maps:
        return trace, None
    tell(0.5, "Class activation map")
    return trace, explained_class(trace)


def explain(
    trace: ForwardTrace, name: str | None, method: str, trust: bool, tell: gpu.Tell
) -> ExplainedClass:
    """Do `explained_class` in whichever process."""
    return explained_class(
        trace, name, method, trust, lambda share: tell(share, "Deletion and insertion")
    )
