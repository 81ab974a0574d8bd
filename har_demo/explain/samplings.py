"""One clip shown to a model by many samplings: which frames, which answer, at what cost.

    dense       one moment, at a fixed distance: the middle of the clip
    uniform     the whole clip, first and last frame included
    segments    the whole clip, the centre of each equal part

Every sampling is one view: one window, one crop, one pass of the network.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from har_demo.clips.sampling import Sampling, indices
from har_demo.errors import ChoiceError
from har_demo.explain.film import Excerpt
from har_demo.models import registry
from har_demo.models.card import ModelCard
from har_demo.models.without_numbers import without_numbers
from har_demo.profiling.cost import gmacs
from har_demo.recognize.plan import LEAST_STRIDE, MOST_STRIDE, Plan, plan, repeats, with_frames
from har_demo.recognize.prediction import ModelError, Prediction, Request
from har_demo.recognize.recognize import answers

KINDS = ("dense", "uniform", "segments")
FRAMES = (4, 8, 16, 32, 64)
STRIDES = (1.0, 4.0)
MOST_FRAMES = 64
MOST_RUNS = 200
QUICK = 500.0  # milliseconds; a pass this quick is timed twice, as the first one warms up
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class SamplingChoice:
    """A sampling asked for; `stride` in frames of the clip, None where frames are spread over it."""

    kind: str
    frames: int
    stride: float | None = None

    @property
    def title(self) -> str:
        """Such as 'dense, every 4th frame'."""
        if self.stride is None:
            return {"uniform": "uniform, first to last"}.get(self.kind, "segments, their centres")
        if self.stride == 1:
            return "dense, every frame"
        return f"dense, stride {self.stride:g}"


@dataclass(frozen=True)
class Sampled:
    """The prediction of one model under one sampling, and its cost.

    Attributes:
        way: as it was carried out; a network of fixed length has its own number of frames.
        indices: int64 [R], frames of the film that were read; a model of differences or of flow reads
            one more than it is given.
        answer: the model's.
        gmacs: multiply-adds of the pass in 10⁹, counted; None where they cannot be.
        prepare, forward: milliseconds, measured: preparing the frames (and their flow), and the pass.
    """

    model: str
    title: str
    way: SamplingChoice
    indices: np.ndarray
    answer: Prediction | ModelError
    gmacs: float | None
    prepare: float = 0.0
    forward: float = 0.0


def ways(
    kinds: Sequence[str] = KINDS,
    frames: Sequence[int] = FRAMES,
    strides: Sequence[float] = STRIDES,
) -> list[SamplingChoice]:
    """Every combination, none twice; strides are for dense sampling alone.

    Raises:
        ChoiceError: nothing is chosen, something that there is not, or more than MOST_RUNS.

    >>> [way.title for way in ways(["dense", "uniform"], [8], [2])]
    ['dense, stride 2', 'uniform, first to last']
    """
    # Repeats go before anything is combined: three lists of a thousand would make a thousand million.
    kinds, frames, strides = (list(dict.fromkeys(one)) for one in (kinds, frames, strides))
    for kind in kinds:
        if kind not in KINDS:
            raise ChoiceError(f"No sampling is called '{kind}': choose among {', '.join(KINDS)}.")
    for count in frames:
        if not (isinstance(count, int | float) and 1 <= count <= MOST_FRAMES and count % 1 == 0):
            raise ChoiceError(
                f"The number of frames is a whole number from 1 to {MOST_FRAMES}, not {count}."
            )
    for stride in strides:
        if not (isinstance(stride, int | float) and LEAST_STRIDE <= stride <= MOST_STRIDE):
            raise ChoiceError(
                f"The stride must be a number of frames from {LEAST_STRIDE} to {MOST_STRIDE}, not {stride}."
            )
    if not kinds or not frames or ("dense" in kinds and not strides):
        raise ChoiceError(
            "No sampling is chosen: choose a kind, some numbers of frames and strides."
        )
    spread = sum(kind != "dense" for kind in kinds)
    check_runs(len(frames) * (spread + len(strides) * ("dense" in kinds)))
    return [
        SamplingChoice(kind, int(count), stride)
        for kind in kinds
        for stride in (strides if kind == "dense" else [None])
        for count in frames
    ]


def check_runs(count: int) -> None:
    """Refuse more than MOST_RUNS passes.

    Raises:
        ChoiceError: there are more.
    """
    if count > MOST_RUNS:
        raise ChoiceError(
            f"These are {count} passes and the limit is {MOST_RUNS}: choose fewer models or samplings."
        )


def passes(models: Sequence[str], asked: Sequence[SamplingChoice]) -> int:
    """Return how many passes `samplings` will make.

    Raises:
        ChoiceError: a model does not exist.
    """
    return sum(len(_own(model, asked)) for model in dict.fromkeys(models))


def fixed(model: str) -> int | None:
    """The number of frames of a network that takes no other, or None."""
    spec = registry.card(model).input
    return None if spec.any_frames else spec.frames


def samplings(
    film: Excerpt,
    models: Sequence[str],
    asked: Sequence[SamplingChoice],
    on_progress: Progress = lambda fraction, sentence: None,
) -> Iterator[Sampled]:
    """Show a film to every model in every way, model by model.

    A network of fixed length is shown its own number of frames, once for every kind and stride.

    Args:
        film: from `har_demo.explain.film`.
        models: names of model cards.
        asked: from `ways`.
        on_progress: called with the share that is done and a short sentence.

    Raises:
        ChoiceError: no model or way is chosen, they are too many, or a model cannot be asked.
    """
    models = list(dict.fromkeys(models))
    if not models:
        raise ChoiceError("No model is chosen: choose at least one.")
    check_runs(passes(models, asked))
    plans = [(way, _plan(film, model, way)) for model in models for way in _own(model, asked)]
    if not plans:
        raise ChoiceError("No sampling is chosen: choose a kind and some numbers of frames.")
    return _sampled(film, plans, on_progress)


def _own(model: str, asked: Sequence[SamplingChoice]) -> list[SamplingChoice]:
    only = fixed(model)
    if only is None:
        return list(asked)
    return list(dict.fromkeys(replace(way, frames=only) for way in asked))


def _plan(film: Excerpt, model: str, way: SamplingChoice) -> Plan:
    one = plan(
        film.clip, Request(model, way.frames, 1.0 if way.stride is None else way.stride, windows=1)
    )
    if way.kind == "dense":
        return one
    count, read = len(film.frames), one.indices.shape[1]
    spread = indices(count, Sampling(way.kind, read))
    stride = float(np.diff(spread[0]).mean()) if read > 1 else 1.0
    return replace(
        one, indices=spread, stride=max(stride, 1e-3), note=repeats(film.clip, spread, 1.0)
    )


def _sampled(
    film: Excerpt, plans: list[tuple[SamplingChoice, Plan]], on_progress: Progress
) -> Iterator[Sampled]:
    for number, (way, one) in enumerate(plans):

        def tell(done: float, sentence: str, number: int = number) -> None:
            on_progress((number + done) / len(plans), sentence)

        (answer,) = answers(film.clip, [one], tell, read=film.read)
        prepare = forward = 0.0
        if isinstance(answer, Prediction):
            times = answer.times
            if times.forward < QUICK:
                (again,) = answers(film.clip, [one], read=film.read)
                times = min(times, again.times, key=lambda t: t.forward)
            prepare, forward = times.transform, times.forward
        known = isinstance(answer, Prediction)
        yield Sampled(
            one.card.name,
            one.card.title,
            way,
            one.indices[0],
            answer,
            cost(one.card, one.frames) if known else None,
            prepare,
            forward,
        )


def cost(card: ModelCard, frames: int) -> float | None:
    """Multiply-adds of one view of so many frames in 10⁹, counted; None for what is no network."""
    return None if card.gmacs is None else _counted(card.name, frames)


@lru_cache(maxsize=512)
def _counted(model: str, frames: int) -> float:
    card = registry.card(model)
    with without_numbers():
        network = card.build(len(card.classes)).eval()
    return gmacs(network, *with_frames(card.input, frames).shapes())


def verdict(found: Sequence[Sampled]) -> list[str]:
    """Describe the predictions of each model in sentences."""
    said = []
    for model in dict.fromkeys(one.model for one in found):
        mine = [one for one in found if one.model == model and isinstance(one.answer, Prediction)]
        if not mine:
            continue
        title, only = mine[0].title, fixed(model)
        if only is not None:
            said.append(f"{title} always takes {only} frames: only where they lie can change.")
        if len(mine) < 2:
            continue
        counts = Counter(one.answer.top(1)[0][0] for one in mine).most_common()
        if len(counts) == 1:
            said.append(f"{title} says '{counts[0][0]}' under all {len(mine)} samplings.")
        else:
            parts = [f"'{name}' under {count}" for name, count in counts[:4]]
            rest = sum(count for _, count in counts[4:])
            parts += [f"something else under {rest}"] * (rest > 0)
            said.append(
                f"Of {len(mine)} samplings {title} says {', '.join(parts[:-1])} and {parts[-1]}."
            )
        said += _of_cost(title, mine, counts[0][0])
    return said


def _of_cost(title: str, mine: list[Sampled], usual: str) -> list[str]:
    """Say what the cheapest way to the usual answer saves."""
    counted = [one for one in mine if one.gmacs]
    agreeing = [one for one in counted if one.answer.top(1)[0][0] == usual]
    if not agreeing:
        return []
    most = max(counted, key=lambda one: one.gmacs)
    cheapest = min(agreeing, key=lambda one: one.gmacs)
    if most.gmacs < 1.5 * cheapest.gmacs:
        return []
    return [
        f"{title} gives this answer with as few as {cheapest.way.frames} frames: "
        f"{cheapest.gmacs:.2g} GMACs against {most.gmacs:.2g} for {most.way.frames}."
    ]
