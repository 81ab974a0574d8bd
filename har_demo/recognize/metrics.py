"""Metrics of predictions on labelled clips: accuracies, calibration, and sensitivity to order in time.

All take scores, float [clips, classes], the probabilities that a model gave, and labels, int64 [clips].
"""

from collections.abc import Sequence

import numpy as np

from har_demo.labels import BACKWARDS, ORDERED

BINS = 15  # of confidence


def confusion(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """int64 [classes, classes]: clips of the row's class that were predicted as the column's."""
    from sklearn.metrics import confusion_matrix  # seconds of import time, for evaluation alone

    return confusion_matrix(labels, scores.argmax(1), labels=np.arange(scores.shape[1]))


def accuracies(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Percent predicted right, counted in several ways.

    Returns:
        top1, top5; class_mean: of the classes that occur, each counting the same; top1_among: when
        only the classes that occur could have been predicted.
    """
    from sklearn.metrics import recall_score  # seconds of import time, for evaluation alone

    order = np.argsort(-scores, axis=1, kind="stable")
    occurs = np.unique(labels)
    among = occurs[scores[:, occurs].argmax(1)]
    return {
        "top1": 100 * float((order[:, 0] == labels).mean()),
        "top5": 100 * float((order[:, :5] == labels[:, None]).any(1).mean()),
        "class_mean": 100
        * float(recall_score(labels, order[:, 0], labels=occurs, average="macro")),
        "top1_among": 100 * float((among == labels).mean()),
    }


def calibration_error(scores: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error in percent: how far confidence is from accuracy, in bins of confidence."""
    confidence, right = scores.max(1), scores.argmax(1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(confidence[bins == b].sum() - right[bins == b].sum()) for b in range(BINS)]
    return 100 * float(sum(gaps)) / len(labels)


def order_accuracy(scores: np.ndarray, labels: np.ndarray) -> tuple[float, int]:
    """Accuracy between two classes that differ in the order of time alone, and on how many clips.

    Sitting down is standing up played backwards: whoever ignores order gets half of them right.
    """
    other = np.array(ORDERED)[labels]
    rows = np.flatnonzero(other >= 0)
    return _percent(scores[rows, labels[rows]] > scores[rows, other[rows]])


def reversed_accuracy(backwards: np.ndarray, labels: np.ndarray) -> tuple[float, int]:
    """Top-1 on clips played backwards, of those that then show a class with a name, and on how many.

    Args:
        backwards: scores of the clips played backwards.
        labels: of the clips as they were filmed.
    """
    becomes = np.array(BACKWARDS)[labels]
    rows = becomes >= 0
    return _percent(backwards[rows].argmax(1) == becomes[rows])


def _percent(right: Sequence[bool]) -> tuple[float, int]:
    return (100 * float(np.mean(right)) if len(right) else float("nan")), len(right)
