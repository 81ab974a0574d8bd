"""Streams that were trained apart are fused by their mean and by an SVM, as two finished runs."""

import numpy as np
import pytest

from har_demo.research.training.recognition.fuse import average, by_svm


def _scores(rng, right, labels, classes):
    """Sure of the right class where `right`, of a random one elsewhere."""
    answers = np.where(right, labels, rng.integers(classes, size=len(labels)))
    scores = rng.random((len(labels), classes)) * 0.1
    scores[np.arange(len(labels)), answers] += 1
    return scores / scores.sum(1, keepdims=True)


@pytest.fixture(scope="module")
def streams():
    """The first stream knows classes 0 to 2, the second 3 to 5; 300 known clips and 300 others."""
    rng = np.random.default_rng(0)
    labels = rng.integers(6, size=600)
    one, two = _scores(rng, labels < 3, labels, 6), _scores(rng, labels >= 3, labels, 6)
    return one, two, labels


def test_the_mean_is_the_mean():
    one, two = np.array([[0.8, 0.2]]), np.array([[0.3, 0.7]])
    np.testing.assert_allclose(average((one, two)), [[0.55, 0.45]])


def test_the_svm_learns_whom_to_trust(streams):
    one, two, labels = streams
    known, asked = (one[:300], two[:300]), (one[300:], two[300:])
    (fused,) = by_svm(known, labels[:300], [asked])
    assert fused.shape == (300, 6)
    np.testing.assert_allclose(fused.sum(1), 1)

    def right(scores):
        return (scores.argmax(1) == labels[300:]).mean()

    assert right(fused) > max(right(asked[0]), right(asked[1])) + 0.1
    assert right(fused) >= right(average(asked))


@pytest.mark.parametrize("seen", [[0, 4], [0, 2, 5]], ids=["two classes", "three classes"])
def test_classes_without_a_known_clip_are_not_answered(streams, seen):
    one, two, labels = streams
    kept = np.isin(labels, seen)
    (fused,) = by_svm((one[kept], two[kept]), labels[kept], [(one, two)])
    assert fused.shape == one.shape
    assert np.flatnonzero(fused.sum(0)).tolist() == seen
