"""How long a question of a visitor will take, estimated before anything of it is computed.

    models    multiply-adds of a view × views, and fields of optical flow × the seconds of one
    prompts   sentences × templates × multiply-adds of a sentence, frames × multiply-adds of a frame

A question over the allowance, HAR_BUDGET_SECONDS, is refused by a sentence that says what to make smaller.
Pages and API check it; the command line has no allowance. Optical flow by itself needs no check: a span
has at most 32 pairs of frames, and `har_demo.flow.look` takes fewer where they would take longer than 20 s.
"""

import math
import os
from collections.abc import Sequence

import torch

from har_demo import device
from har_demo.clips.budget import duration
from har_demo.clips.clip import Clip
from har_demo.errors import ChoiceError
from har_demo.explain.samplings import SamplingChoice
from har_demo.flow.learned import LEARNED
from har_demo.interface import gpu
from har_demo.interface.pages.prompts.on_gpu import gmacs as gmacs_of_frame
from har_demo.interface.pages.recognize.on_gpu import gains
from har_demo.models import registry
from har_demo.prompts import default_model, embedded
from har_demo.prompts.catalogue import offered
from har_demo.prompts.default import NAME as DEFAULT
from har_demo.prompts.words import check_templates, normalise_prompts
from har_demo.recognize.plan import Plan, plan
from har_demo.recognize.prediction import Request
from har_demo.weights import availability

SECONDS = 1800.0
"""The allowance unless HAR_BUDGET_SECONDS says another: on two cores every tiny model on 100 windows of three crops passes."""
CORE = 15.0
"""GMACs a second of one core: results/measured/tiny_times.csv has 32 for all tiny models on two."""
VIEW = 0.005
"""Seconds for reading and cropping the frames of one view."""
FIELD = {"dis": 0.02, "farneback": 0.02, "flownet-lab": 0.02, "raft-people": 0.25, "tv-l1": 0.4}
"""Seconds for one field of flow on two cores, at least what results/measured/flow.csv has at 320 × 240."""
OTHER_FIELD = 1.0
"""The same for published networks of flow, which were not timed on a processor here: assumed."""
GPU_CORES = 16
"""Cores that a GPU is worth for networks of flow: it takes 22 ms for a field of raft-people in flow.csv."""
WORDS_A_SENTENCE = 6.5
"""GMACs: the text encoder of CLIP ViT-L/14, 85 million parameters for each of 77 tokens."""
LETTERS_A_TOKEN = 4  # of English, roughly
MINILM = 0.011  # GMACs a token of the embedded model: 10.6 million parameters in six layers

SMALLER_MODELS = "choose fewer or smaller models, windows or crops"
SMALLER_EDITS = "choose fewer or smaller models, or fewer edits"
SMALLER_SAMPLINGS = "choose fewer or smaller models, or fewer kinds, frames or strides"
SMALLER_PROMPTS = "give fewer or shorter prompts, or fewer templates"
SMALLER_SEARCH = "search fewer clips"


def allowance() -> float:
    """Seconds that one question may take; 0 in HAR_BUDGET_SECONDS means without end.

    >>> allowance()
    1800.0
    """
    return float(os.environ.get("HAR_BUDGET_SECONDS") or SECONDS) or math.inf


def check(seconds: float, smaller: str) -> None:
    """Refuse a question that would take longer than the allowance.

    Args:
        seconds: as estimated.
        smaller: what the visitor can make smaller.

    Raises:
        ChoiceError: it would.
    """
    most = allowance()
    if seconds > most:
        raise ChoiceError(
            f"This would take about {duration(seconds)} on this machine and one question may take "
            f"{duration(most)}: {smaller}."
        )


def check_models(clip: Clip, requests: Sequence[Request]) -> None:
    """Refuse requests that would take too long; models without weights cost nothing.

    Raises:
        ChoiceError: they would, or a request cannot be met.
    """
    check(sum(seconds_of(plan(clip, one)) for one in requests), SMALLER_MODELS)


def check_edits(clip: Clip, models: Sequence[str], edits: int) -> None:
    """Refuse so many edits of a clip, and the clip itself, for these models."""
    plans = [plan(clip, Request(name)) for name in dict.fromkeys(models)]
    check((1 + edits) * sum(map(seconds_of, plans)), SMALLER_EDITS)


def check_samplings(models: Sequence[str], ways: Sequence[SamplingChoice]) -> None:
    """Refuse so many samplings for these models; each is one view, and quick ones are timed twice."""
    seconds = 0.0
    for name in dict.fromkeys(models):
        card = registry.card(name)
        frames = [way.frames if card.input.any_frames else card.input.frames for way in ways]
        view = (card.gmacs or 0.0) / card.input.frames
        if availability(card).state != "missing":
            seconds += 2 * sum(VIEW + view * count / rate() for count in frames)
    check(seconds, SMALLER_SAMPLINGS)


def check_prompts(
    model: str, prompts: Sequence[str] | str, templates: Sequence[str], frames: int
) -> None:
    """Refuse so many sentences for an image-text model, each within every template.

    Raises:
        ChoiceError: they would take too long, or cannot be asked.
    """
    name = _answering(model)
    around = check_templates(templates)
    texts = normalise_prompts(prompts).texts
    work = 0.0
    for template in around:
        for text in texts:
            tokens = (len(template) + len(text)) / LETTERS_A_TOKEN + 2
            work += MINILM * min(tokens, 256) if name == embedded.NAME else WORDS_A_SENTENCE
    if name == embedded.NAME:
        work *= 1 + 1 / len(around)  # once more between the learned vectors
    check((work + frames * gmacs_of_frame(name)) / rate(), SMALLER_PROMPTS)


def check_search(model: str, clips: int, frames: int) -> None:
    """Refuse so many clips, of so many frames each, for an image-text model."""
    check(clips * frames * gmacs_of_frame(_answering(model)) / rate(), SMALLER_SEARCH)


def field_seconds(method: str) -> float:
    """Estimate the seconds of one field of flow on this machine, by its cores or its GPU.

    Args:
        method: a key of har_demo.flow.field.TITLES.
    """
    on_gpu = method in LEARNED and device.device().type == "cuda"
    return FIELD.get(method, OTHER_FIELD) * 2 / (GPU_CORES if on_gpu else torch.get_num_threads())


def seconds_of(one: Plan) -> float:
    """Estimate how long a plan takes; 0 where the model has no weights and will say so at once."""
    if one.weights is None and availability(one.card).state == "missing":
        return 0.0
    fields = one.spec.flow_frames * len(one.indices) if one.flow else 0
    flowing = fields * FIELD.get(one.flow, OTHER_FIELD)
    lent = device.zero_gpu() and gains(one)
    return flowing + one.views * (VIEW + one.view_gmacs / (gpu.RATE if lent else rate()))


def rate() -> float:
    """GMACs a second of this machine: its GPU's, or those of the cores that PyTorch uses."""
    if device.device().type == "cuda":
        return gpu.RATE
    return CORE * torch.get_num_threads()


def _answering(model: str) -> str:
    name = offered(model or DEFAULT)
    return default_model().name if name == DEFAULT else name
