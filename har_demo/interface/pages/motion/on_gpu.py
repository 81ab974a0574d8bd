"""Edits and samplings on a GPU where one is lent, whose process then reads the clip's frames as well."""

from collections.abc import Iterator, Sequence

from har_demo import device
from har_demo.clips.clip import Clip
from har_demo.explain import samplings as sampling
from har_demo.explain.edits import Asked
from har_demo.explain.film import Excerpt, film
from har_demo.explain.samplings import Sampled, SamplingChoice
from har_demo.explain.sensitivity import Grid, grid
from har_demo.interface import gpu
from har_demo.interface.lanes import MODELS
from har_demo.interface.pages.recognize.on_gpu import fetched, gains
from har_demo.interface.run import Job
from har_demo.recognize.plan import plan
from har_demo.recognize.prediction import Request

READING = 0.05  # the share of the work that reading takes


def edited_grids(
    job: Job, clip: Clip, models: Sequence[str], edits: Sequence[Asked], start: float
) -> Iterator[Grid]:
    """The grid as it grows.

    Raises:
        ChoiceError, ClipError: as `har_demo.explain`.
    """
    passes = 1 + len(edits)
    duration = _duration(job, clip, models, lambda one: passes * one.views * one.view_gmacs)
    with job.turn(MODELS):
        yield from gpu.stream(job.tell, job.flag, duration, grids, clip, models, edits, start)


def excerpt(job: Job, clip: Clip, start: float) -> Excerpt:
    """The frames that samplings are taken from, read here."""
    return film(clip, start, _reading(job.tell))


def sampled_passes(
    job: Job, taken: Excerpt, models: Sequence[str], ways: Sequence[SamplingChoice], start: float
) -> Iterator[Sampled]:
    """The passes as they come.

    Raises:
        ChoiceError, ClipError: as `har_demo.explain`.
    """
    clip, frames = taken.stretch.source, sum(way.frames for way in ways)
    # A quick pass is made twice.
    duration = _duration(job, clip, models, lambda one: 2 * frames * one.view_gmacs / one.frames)
    with job.turn(MODELS):
        if not duration:
            yield from sampling.samplings(taken, models, ways, _after_reading(job.tell))
        else:
            yield from gpu.stream(job.tell, job.flag, duration, passes, clip, models, ways, start)


def grids(
    clip: Clip, models: Sequence[str], edits: Sequence[Asked], start: float, tell: gpu.Tell
) -> Iterator[Grid]:
    """Do `har_demo.explain.sensitivity.grid` in whichever process."""
    return grid(film(clip, start, _reading(tell)), models, edits, _after_reading(tell))


def passes(
    clip: Clip, models: Sequence[str], ways: Sequence[SamplingChoice], start: float, tell: gpu.Tell
) -> Iterator[Sampled]:
    """Do `har_demo.explain.samplings.samplings` in whichever process."""
    taken = film(clip, start, _reading(tell))
    return sampling.samplings(taken, models, ways, _after_reading(tell))


def _reading(tell: gpu.Tell):
    return lambda done: tell(READING * done, "Reading the clip")


def _after_reading(tell: gpu.Tell) -> gpu.Tell:
    return lambda done, sentence: tell(READING + (1 - READING) * done, sentence)


def _duration(job: Job, clip: Clip, models: Sequence[str], gmacs) -> int:
    """Return seconds to ask for, given the multiply-adds of a plan; weights are fetched before."""
    if not device.zero_gpu():
        return 0
    gaining = [one for one in (plan(clip, Request(name)) for name in models) if gains(one)]
    if not all(fetched(one, job.tell) for one in gaining):
        return 0  # the page says here which weights cannot be had
    return gpu.seconds(sum(map(gmacs, gaining)))
