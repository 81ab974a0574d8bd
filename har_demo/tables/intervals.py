"""Confidence intervals of accuracies."""

from functools import lru_cache


@lru_cache(4096)
def confidence_interval(correct: int, total: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of an accuracy, in percent.

    Wilson's interval (Journal of the American Statistical Association 22, 1927), which stays sensible
    for few clips and for none or all correct.

    >>> [round(bound) for bound in confidence_interval(7, 10)]
    [40, 89]
    """
    from scipy.stats import binomtest  # late: it takes long to import, and few pages need it

    interval = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    return 100 * interval.low, 100 * interval.high
