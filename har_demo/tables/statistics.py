"""What some clips can say: intervals, paired tests, parts of the variance, and who is not told apart from the best.

Arrays of answers are bool [clips] or [seeds, clips], whether each was right; groups are the place or person of
each clip. Clips of one place are alike, so that intervals and tests by clip are too sure of new places: those by
group are given beside them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

EXACT_GROUPS = 14
"""Up to so many groups every change of signs is tried; beyond, RESAMPLES are drawn."""
RESAMPLES = 10_000
LEVEL = 0.05


@lru_cache(4096)
def confidence_interval(correct: int, total: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of an accuracy, in percent, as if clips were independent.

    Wilson's interval (Journal of the American Statistical Association 22, 1927), which stays sensible
    for few clips and for none or all correct.

    >>> [round(bound) for bound in confidence_interval(7, 10)]
    [40, 89]
    """
    from scipy.stats import binomtest  # late: it takes long to import, and few pages need it

    interval = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    return 100 * interval.low, 100 * interval.high


def guessing(labels: Sequence) -> float:
    """Return what guessing among the classes that occur would get, in percent.

    >>> round(guessing(["walking", "running", "sitting down"]), 1)
    33.3
    """
    return 100 / len(set(labels))


def group_interval(
    right: np.ndarray, groups: Sequence[str], seed: int = 0
) -> tuple[float, float] | None:
    """Return the 95 % confidence interval of an accuracy over other places or people, in percent.

    The cluster bootstrap: whole groups are drawn with replacement, and the accuracy is that of all their clips
    (Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8; Field and Welsh, Journal
    of the Royal Statistical Society B 69, 2007). Percentiles of RESAMPLES draws. With fewer than about ten
    groups the interval is still too narrow.

    Returns:
        None for a single group, which says nothing of others.
    """
    hits, sizes = _by_group(right, groups)
    count = len(hits)
    if count < 2:
        return None
    drawn = np.random.default_rng(seed).multinomial(count, [1 / count] * count, size=RESAMPLES)
    low, high = np.percentile(100 * (drawn @ hits) / (drawn @ sizes), [2.5, 97.5])
    return float(low), float(high)


def mcnemar(a: np.ndarray, b: np.ndarray) -> float:
    """Return the p value of 'both are right equally often', from the clips that one alone got right.

    McNemar's test (Psychometrika 12, 1947) in its exact, two-sided form: among the clips on which the two
    disagree, either is right with a chance of a half. It takes clips as independent.
    """
    from scipy.stats import binomtest

    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    if only_a == only_b:
        return 1.0
    return float(binomtest(min(only_a, only_b), only_a + only_b, 0.5).pvalue)


def sign_flips(a: np.ndarray, b: np.ndarray, groups: Sequence[str], seed: int = 0) -> float:
    """Return the p value of the same, where whole groups of clips are independent and not the clips.

    Fisher's randomisation test of paired differences (The Design of Experiments, 1935, section 21), a
    difference for each place or person: if the two are alike, each sum over a group might as well have the other
    sign. With G groups no p is below 2 / 2^G, so that five places tell nothing apart at 5 %.
    """
    differences, _ = _by_group(a.astype(int) - b.astype(int), groups)
    differences = differences[differences != 0]
    if not len(differences):
        return 1.0
    if len(differences) <= EXACT_GROUPS:
        signs = np.array(list(product((-1, 1), repeat=len(differences))))
        extra = 0
    else:
        signs = np.random.default_rng(seed).choice([-1, 1], size=(RESAMPLES, len(differences)))
        extra = 1  # what was observed is one of the draws
    as_far = np.abs(signs @ differences) >= abs(differences.sum())
    return float((as_far.sum() + extra) / (len(signs) + extra))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values for several tests at once: all that stay below 5 % hold together with 95 %.

    Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6, 1979.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    adjusted, largest = [0.0] * len(order), 0.0
    for place, number in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - place) * p_values[number]))
        adjusted[number] = largest
    return adjusted


@dataclass(frozen=True)
class Compared:
    """A model beside the best.

    Attributes:
        model: its name.
        correct: how many clips it got right.
        p: of its difference from the best, by McNemar's exact test and Holm's correction; 1 for the best.
        p_groups: the same by sign flips of whole groups.
        apart: whether p is below 5 %: otherwise these clips do not tell it from the best.
    """

    model: str
    correct: int
    p: float
    p_groups: float
    apart: bool


def compared_with_best(
    right: Mapping[str, np.ndarray], groups: Sequence[str]
) -> tuple[Compared, ...]:
    """Compare every model with the one that got most clips right, the best first.

    A place in a table of ranks would say more than the clips do: what is not `apart` is the group that may hold
    the best model. A model that is apart by clips and not by groups (`p_groups`) may be so in these places alone.

    Args:
        right: model → bool [clips], the same clips in the same order.
        groups: the place or person of each clip; clips without one are groups of their own.
    """
    order = sorted(right, key=lambda model: -int(right[model].sum()))
    best, others = order[0], order[1:]
    p = holm([mcnemar(right[best], right[other]) for other in others])
    p_groups = holm([sign_flips(right[best], right[other], groups) for other in others])
    rows = [Compared(best, int(right[best].sum()), 1.0, 1.0, False)]
    for other, one, by_group in zip(others, p, p_groups, strict=True):
        rows.append(Compared(other, int(right[other].sum()), one, by_group, one < LEVEL))
    return tuple(rows)


@dataclass(frozen=True)
class VarianceSplit:
    """What the variance of an accuracy comes from, in squared percentage points.

    Attributes:
        seed: which training it is.
        place: which places or people are tested.
        clip: which clips of them.
        rest: what one training makes of one clip, beside all that.
    """

    seed: float
    place: float
    clip: float
    rest: float

    @property
    def deviation(self) -> float:
        """The standard deviation of the accuracy, in percentage points."""
        return float(np.sqrt(self.seed + self.place + self.clip + self.rest))


def variance_split(right: np.ndarray, groups: Sequence[str]) -> VarianceSplit:
    """Split the variance of the mean accuracy of several trainings.

    Henderson's method of moments for seeds crossed with clips, which are nested in places (Searle, Casella and
    McCulloch, Variance Components, 1992, chapters 3 and 5): mean squares are set equal to their
    expectations, and estimates below zero count as zero.

    Args:
        right: bool [seeds, clips].
        groups: the place of each clip.

    Raises:
        ValueError: there are fewer than two seeds or places, or no place with two clips.
    """
    y = 100 * right.astype(float)
    seeds, clips = y.shape
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    sizes = np.bincount(place)
    if seeds < 2 or len(names) < 2 or clips == len(names):
        raise ValueError("two seeds, two places, and a place with two clips are needed")
    mean, of_clip = y.mean(), y.mean(axis=0)
    of_seed = y.mean(axis=1, keepdims=True)
    of_place = np.bincount(place, of_clip) / sizes
    between_seeds = clips * ((of_seed - mean) ** 2).sum() / (seeds - 1)
    rest = ((y - of_seed - of_clip + mean) ** 2).sum() / ((seeds - 1) * (clips - 1))
    within = ((of_clip - of_place[place]) ** 2).sum() / (clips - len(names))
    between = (sizes * (of_place - mean) ** 2).sum() / (len(names) - 1)
    typical = (clips - (sizes**2).sum() / clips) / (len(names) - 1)
    seed = max(0.0, (between_seeds - rest) / clips)
    clip = max(0.0, within - rest / seeds)
    where = max(0.0, (between - within) / typical)
    return VarianceSplit(
        seed=seed / seeds,
        place=where * float((sizes**2).sum()) / clips**2,
        clip=clip / clips,
        rest=float(rest) / (seeds * clips),
    )


def _by_group(values: np.ndarray, groups: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Sums and sizes of the groups; clips without a group are groups of their own."""
    own = [group or f"clip {number}" for number, group in enumerate(groups)]
    names, group = np.unique(np.asarray(own), return_inverse=True)
    sums = np.bincount(group, np.asarray(values, float), len(names))
    return sums, np.bincount(group, minlength=len(names))
