"""When Kinetics' I3D holds against a model of everyday actions that the clip shows none of them."""

import numpy as np
import pytest

from har_demo.labels import EVERYDAY, LABEL_SET
from har_demo.models.label_sets import KINETICS400
from har_demo.recognize.open_set import (
    RELATED,
    SURE,
    UNRELATED,
    UNSURE,
    contradiction,
    doubt,
    strongest_other,
)
from tests.predictions import prediction_of


def kinetics(**shares: float) -> np.ndarray:
    """float32 [400]: some actions' probabilities, the rest shared evenly."""
    scores = np.full(400, (1 - sum(shares.values())) / (400 - len(shares)), np.float32)
    for name, share in shares.items():
        scores[KINETICS400.index(name.replace("_", " "))] = share
    return scores


def test_every_name_is_kinetics_own_and_stands_near_one_everyday_action():
    named = [near for names in RELATED.values() for near in names]
    assert set(RELATED) <= set(EVERYDAY)
    assert set(named) <= set(KINETICS400)
    assert len(named) == len(set(named))
    assert UNRELATED.sum() == 400 - len(named)


def test_an_action_near_an_everyday_one_contradicts_nothing():
    assert strongest_other(kinetics(push_up=0.9)) == ("", 0.0)
    assert strongest_other(kinetics(playing_guitar=0.9)) == ("playing guitar", pytest.approx(0.9))


@pytest.mark.parametrize(
    ("share", "contradicted"), [(SURE - 0.01, False), (SURE + 0.01, True), (0.95, True)]
)
def test_i3d_contradicts_from_its_threshold_on(share, contradicted):
    tiny = prediction_of("mfnet_pnl_lab", EVERYDAY, LABEL_SET, np.eye(39, dtype=np.float32)[15])
    i3d = prediction_of("i3d", KINETICS400, "Kinetics-400", kinetics(playing_guitar=share))
    found = contradiction(tiny, [tiny, i3d])
    assert (found is not None) == contradicted
    if found:
        assert (found.action, found.probability) == ("playing guitar", pytest.approx(share))
        assert doubt(tiny, [tiny, i3d]) == (
            f"Probably none of its 39 actions: I3D, which knows 400, sees 'playing guitar' ({100 * share:.0f} %)."
        )


def test_without_i3d_and_for_other_lists_nothing_is_said():
    tiny = prediction_of("mfnet_pnl_lab", EVERYDAY, LABEL_SET, np.eye(39, dtype=np.float32)[15])
    i3d = prediction_of("i3d", KINETICS400, "Kinetics-400", kinetics(playing_guitar=0.9))
    other = prediction_of("r3d_18", KINETICS400, "Kinetics-400", kinetics(playing_guitar=0.9))
    assert contradiction(tiny, [tiny]) is None and doubt(tiny, [tiny]) == ""
    assert contradiction(tiny, [tiny, other]) is None
    assert contradiction(i3d, [tiny, i3d]) is None


@pytest.mark.parametrize(("share", "said"), [(UNSURE + 0.01, ""), (UNSURE - 0.01, "19 %")])
def test_a_model_that_is_sure_of_nothing_is_doubted(share, said):
    rest = (1 - share) / 38
    scores = np.where(np.arange(39) == 15, share, rest).astype(np.float32)
    tiny = prediction_of("mfnet_pnl_lab", EVERYDAY, LABEL_SET, scores)
    found = doubt(tiny, [tiny])
    assert found == (
        f"Perhaps none of its 39 actions: the likeliest has only {said}." if said else ""
    )
    many = prediction_of("r3d_18", KINETICS400, "Kinetics-400", np.full(400, 1 / 400, np.float32))
    assert doubt(many, [many]) == ""
