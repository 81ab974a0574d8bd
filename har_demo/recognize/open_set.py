"""Whether a clip shows any of a model's actions: every closed-set model names one, also when none is there.

A model that finds even its likeliest action unlikely is doubted; that says little, since it is as unsure of
many clips that do show one.

Kinetics' I3D knows 400 actions. Where it is sure of one that is no everyday action nor near to one, the models
of everyday actions are probably wrong, however sure they are. How often that accuses a clip that does show an
everyday action is in results/measured/open_set.csv (`python -m har_demo.research kinetics-text`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from har_demo.labels import LABEL_SET
from har_demo.models.label_sets import KINETICS400
from har_demo.recognize.prediction import Prediction

SURE = 0.7
"""I3D's probability from which on its action counts: 4 % of the validation clips that show an everyday
action are contradicted, and 58 % of those that show another (results/measured/open_set.csv)."""

UNSURE = 0.2
"""Calibrated probability under which even a model's likeliest action is doubted: results/measured/calibration.csv
has how many right answers that doubts, and how many about clips that show none of its actions."""

KINETICS_MODEL = "i3d"

RELATED = {
    "running": ("jogging", "running on treadmill", "marching"),
    "jumping": ("long jump", "triple jump", "high jump", "bouncing on trampoline", "hopscotch"),
    "jumping jack": ("doing aerobics", "zumba", "jumpstyle dancing"),
    "skipping": ("skipping rope",),
    "squatting": ("squat", "deadlifting", "snatch weight lifting", "clean and jerk"),
    "lunging": ("lunge",),
    "push-up": ("push up",),
    "pull-up": ("pull ups",),
    "clapping": ("clapping", "applauding"),
    "boxing": ("punching bag", "punching person (boxing)", "slapping", "headbutting", "wrestling"),
    "kicking": (
        *("side kick", "high kick", "drop kicking", "kicking soccer ball", "kicking field goal"),
        *("playing kickball", "shooting goal (soccer)"),
    ),
    "throwing": (
        *("throwing ball", "throwing axe", "throwing discus", "javelin throw", "shot put"),
        *("hammer throw", "disc golfing", "dodgeball", "passing American football (in game)"),
        "passing American football (not in game)",
    ),
    "catching": tuple(
        f"catching or throwing {thing}" for thing in ("baseball", "frisbee", "softball")
    ),
    "falling": ("faceplanting",),
    "pushing": ("pushing cart", "pushing car", "pushing wheelchair"),
    "curling arms": ("exercising arm", "front raises"),
    "crossing arms": ("stretching arm",),
    "shooting at a hoop": (
        *("shooting basketball", "dunking basketball", "playing basketball"),
        "dribbling basketball",
    ),
    "bowling": ("bowling",),
    "swinging a bat": ("hitting baseball", "playing cricket", "playing tennis"),
    "bending down": ("bending back",),
    "waving both hands": ("celebrating", "pumping fist", "air drumming"),
    "standing still": ("waiting in line",),
}
"""For everyday actions, those of Kinetics-400 that are the same or could be taken for it."""

UNRELATED = np.array(
    [name not in {near for names in RELATED.values() for near in names} for name in KINETICS400]
)
"""bool [400], which of Kinetics' actions are near no everyday action."""


@dataclass(frozen=True)
class Contradiction:
    """What I3D is sure of instead.

    Attributes:
        action: one of Kinetics-400's.
        probability: I3D's.
    """

    action: str
    probability: float


def strongest_other(probabilities: np.ndarray) -> tuple[str, float]:
    """Return I3D's likeliest action if it is near no everyday action, with its probability; else '' and 0.

    Args:
        probabilities: float [400].
    """
    top = int(probabilities.argmax())
    return (KINETICS400[top], float(probabilities[top])) if UNRELATED[top] else ("", 0.0)


def contradiction(
    prediction: Prediction, predictions: Sequence[Prediction]
) -> Contradiction | None:
    """Return what Kinetics' I3D, if it answered too, holds against a model of everyday actions."""
    i3d = next((one for one in predictions if one.model == KINETICS_MODEL), None)
    if i3d is None or prediction.label_set != LABEL_SET:
        return None
    action, probability = strongest_other(i3d.overall)
    return Contradiction(action, probability) if probability >= SURE else None


def doubt(prediction: Prediction, predictions: Sequence[Prediction]) -> str:
    """Return a sentence that warns of a prediction which may be none of the model's actions, or ''."""
    found = contradiction(prediction, predictions)
    if found is not None:
        return (
            f"Probably none of its {len(prediction.classes)} actions: I3D, which knows "
            f"{len(KINETICS400)}, sees '{found.action}' ({100 * found.probability:.0f} %)."
        )
    likeliest = float(prediction.overall.max())
    if prediction.label_set == LABEL_SET and likeliest < UNSURE:
        return (
            f"Perhaps none of its {len(prediction.classes)} actions: the likeliest has only "
            f"{100 * likeliest:.0f} %."
        )
    return ""
