"""Agreement between the predictions of models."""

from collections.abc import Sequence

import numpy as np

from har_demo.recognize.prediction import Prediction


def agreement(predictions: Sequence[Prediction]) -> np.ndarray:
    """float64 [models, models]: Σ min(p, q) over classes, 1 when two models give the same probabilities.

    Models with different classes cannot be compared; their cell is NaN. The measure is one minus
    the total variation distance of the two overall distributions.
    """
    matrix = np.full((len(predictions), len(predictions)), np.nan)
    for i, a in enumerate(predictions):
        for j, b in enumerate(predictions):
            if a.classes == b.classes:
                matrix[i, j] = np.minimum(a.overall, b.overall).sum()
    return matrix
