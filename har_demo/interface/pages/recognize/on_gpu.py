"""Recognition where GPUs are lent: models that gain from one are asked there, the others here."""

from collections.abc import Iterator, Sequence

import torch

from har_demo import device
from har_demo.clips.clip import Clip
from har_demo.errors import UserError
from har_demo.interface import gpu
from har_demo.interface.lanes import MODELS
from har_demo.interface.run import Job
from har_demo.models.card import ModelCard
from har_demo.recognize.networks import network
from har_demo.recognize.plan import Plan, plan
from har_demo.recognize.prediction import ModelError, Prediction, Request
from har_demo.recognize.recognize import recognize
from har_demo.weights import availability

Answers = Iterator[Prediction | ModelError]


def recognized(job: Job, clip: Clip, requests: Sequence[Request], seen: bool = False) -> Answers:
    """Ask models about a clip, for the page and the API alike; else as `har_demo.recognize.recognize`."""
    with job.turn(MODELS):
        plans = [plan(clip, request) for request in requests]
        if not device.zero_gpu() or not gpu.seconds(gmacs(plans)):
            yield from recognize(clip, requests, job.tell, seen=seen)
        else:
            yield from _in_two_places(job, clip, requests, plans, seen)


def gmacs(plans: Sequence[Plan]) -> float:
    """Return the multiply-adds, in 10⁹, of the plans that gain from a GPU."""
    return sum(one.views * one.view_gmacs for one in plans if gains(one))


def gains(one: Plan) -> bool:
    """Return whether a model is faster on a GPU that must be waited for.

    Tiny models are not, nor are those of optical flow, which the processor computes for longer than
    the network then takes.
    """
    return worth_lending(one.card) and not one.flow


def worth_lending(card: ModelCard) -> bool:
    """Return whether it is a network of a paper's size."""
    return card.size == "paper" and card.gmacs is not None


def fetched(one: Plan, tell: gpu.Tell) -> bool:
    """Fetch a model's weights unless they are here: no GPU shall wait for them. Return whether they are."""
    state = availability(one.card)
    if one.weights or state.here:
        return True
    if state.state == "missing":
        return False
    title = one.card.title
    try:
        network(
            one.card,
            None,
            torch.device("cpu"),
            lambda share: tell(0.0, f"{title}: loading weights, {share:.0%}"),
        )
    except UserError:
        return False  # whoever asks the model is told why
    return True


def _in_two_places(
    job: Job, clip: Clip, requests: Sequence[Request], plans: Sequence[Plan], seen: bool
) -> Answers:
    there = [n for n, one in enumerate(plans) if gains(one) and fetched(one, job.tell)]
    here = [n for n in range(len(plans)) if n not in there]
    shares = {"there": 0.0, "here": 0.0}

    def told(place: str, numbers: Sequence[int]) -> gpu.Tell:
        def tell(share: float, sentence: str) -> None:
            shares[place] = share * len(numbers) / len(plans)
            job.tell(sum(shares.values()), sentence)

        return tell

    duration = gpu.seconds(gmacs([plans[n] for n in there]))
    lent = gpu.stream(
        *(told("there", there), job.flag, duration, recognize_all),
        *(clip, [requests[n] for n in there], seen),
    )
    own = iter(())
    if here:
        own = recognize(clip, [requests[n] for n in here], told("here", here), seen=seen)
    for number in range(len(plans)):
        yield next(lent if number in there else own)


def recognize_all(clip: Clip, requests: Sequence[Request], seen: bool, tell: gpu.Tell) -> Answers:
    """Do `har_demo.recognize.recognize` in whichever process."""
    return recognize(clip, requests, tell, seen=seen)
