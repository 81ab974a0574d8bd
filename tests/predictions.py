"""Predictions made by hand, of models that were never asked."""

from collections.abc import Sequence

import numpy as np

from har_demo.models.registry import card
from har_demo.recognize.prediction import Prediction, Times
from har_demo.weights import Provenance


def prediction_of(
    model: str, classes: Sequence[str], label_set: str, scores, last: int = 84
) -> Prediction:
    """Of probabilities [classes], or [windows, classes]; the windows begin from frame 0 to frame `last`."""
    scores = np.atleast_2d(np.asarray(scores, np.float32))
    starts = np.linspace(0, last, len(scores)).astype(int)
    return Prediction(
        model=model,
        title=card(model).title,
        label_set=label_set,
        classes=tuple(classes),
        scores=scores,
        frames=starts[:, None] + np.arange(16),
        crops=np.array([[40, 0, 280, 240]]),
        fps=25.0,
        times=Times(12.0, 3.0, 1900.0),
        device="cpu",
        provenance=Provenance("user", "mine.safetensors", "cd" * 32),
    )
