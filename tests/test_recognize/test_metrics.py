"""Predictions are counted right."""

import numpy as np
import pytest

from har_demo.labels import EVERYDAY
from har_demo.recognize.metrics import (
    accuracies,
    calibration_error,
    confusion,
    order_accuracy,
    reversed_accuracy,
)

SIT, STAND, WALK = (EVERYDAY.index(n) for n in ("sitting down", "standing up", "walking"))
CLAP = EVERYDAY.index("clapping")


def _answers(*best):
    scores = np.full((len(best), len(EVERYDAY)), 0.001)
    scores[np.arange(len(best)), best] = 0.9
    return scores


def test_accuracies_are_counted():
    labels = np.array([SIT, SIT, SIT, WALK])
    scores = _answers(SIT, CLAP, SIT, STAND)
    scores[1, SIT] = scores[3, SIT] = 0.01
    counted = accuracies(scores, labels)
    assert counted["top1"] == 50
    assert counted["class_mean"] == pytest.approx(100 * (2 / 3 + 0) / 2)
    # Of sitting and walking alone, all four are called sitting.
    assert counted["top1_among"] == 75


def test_confusions_are_counted_by_true_class_then_predicted_class():
    labels = np.array([SIT, SIT, SIT, WALK])
    counts = confusion(_answers(SIT, CLAP, SIT, STAND), labels)
    assert counts.shape == (len(EVERYDAY), len(EVERYDAY)) and counts.sum() == 4
    assert (counts[SIT, SIT], counts[SIT, CLAP], counts[WALK, STAND]) == (2, 1, 1)


def test_fifth_is_among_five_and_sixth_is_not():
    scores = np.arange(len(EVERYDAY))[None].repeat(2, 0) / 1000
    labels = np.array([len(EVERYDAY) - 5, len(EVERYDAY) - 6])
    assert accuracies(scores, labels)["top5"] == 50


def test_calibration_error_is_confidence_less_accuracy():
    labels = np.array([SIT] * 10)
    always = _answers(*[SIT] * 10)
    assert calibration_error(always, labels) == pytest.approx(10)  # 0.9 sure, always right
    half = _answers(*[SIT] * 5, *[WALK] * 5)
    assert calibration_error(half, labels) == pytest.approx(40)  # 0.9 sure, half right


def test_order_counts_pairs_alone():
    labels = np.array([SIT, STAND, WALK])
    assert order_accuracy(_answers(SIT, STAND, SIT), labels) == (100.0, 2)
    assert order_accuracy(_answers(SIT, SIT, SIT), labels) == (50.0, 2)
    scores = _answers(WALK, WALK, WALK)  # neither of the pair is best, but sitting is ahead
    scores[:2, SIT] = 0.01
    assert order_accuracy(scores, labels) == (50.0, 2)


def test_backwards_sitting_is_standing_and_walking_is_nothing():
    labels = np.array([SIT, CLAP, WALK])
    assert reversed_accuracy(_answers(STAND, CLAP, WALK), labels) == (100.0, 2)
    assert reversed_accuracy(_answers(SIT, CLAP, WALK), labels) == (50.0, 2)
    value, clips = reversed_accuracy(_answers(WALK), np.array([WALK]))
    assert clips == 0
    assert value != value
