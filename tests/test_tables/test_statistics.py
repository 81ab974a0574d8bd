"""Few clips leave a wide interval; few places a wider one."""

import numpy as np
import pytest

from har_demo.tables.statistics import (
    compared_with_best,
    confidence_interval,
    group_interval,
    guessing,
    holm,
    mcnemar,
    sign_flips,
    variance_split,
)


@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [
        (7, 10, 39.68, 89.22),  # Wilson's own formula, worked out by hand
        (0, 10, 0, 27.75),
        (10, 10, 72.25, 100),
        (1, 1, 20.65, 100),
        (500, 1000, 46.91, 53.09),
    ],
)
def test_wilsons_interval(correct, total, low, high):
    assert confidence_interval(correct, total) == pytest.approx((low, high), abs=0.01)


def bits(text: str) -> np.ndarray:
    return np.array([letter == "1" for letter in text])


def test_guessing_counts_the_classes_that_occur():
    assert guessing(["sit", "stand", "sit", "run"]) == pytest.approx(100 / 3)


def test_whole_places_are_drawn():
    # Two places, one all right, one all wrong: a draw has 0, 50 or 100 %, the ends a quarter of the times each.
    assert group_interval(bits("11110000"), list("aaaabbbb")) == (0, 100)
    assert group_interval(bits("1111"), list("aaaa")) is None
    # Where every clip is a place of its own, it is the interval by clip.
    by_clip = group_interval(bits("1" * 70 + "0" * 30), [""] * 100)
    assert by_clip == pytest.approx(confidence_interval(70, 100), abs=2)
    # Places of ten equal clips: as few as the places are.
    groups = [str(n // 10) for n in range(100)]
    low, high = group_interval(bits("1" * 70 + "0" * 30), groups)
    assert high - low > 2.5 * (by_clip[1] - by_clip[0])


def test_mcnemar_counts_the_clips_that_one_alone_got_right():
    # 1 against 7: 2 × (1 + 8) / 2^8. 2 against 2 and no difference at all: 1.
    a, b = bits("1" + "0" * 7 + "11"), bits("0" + "1" * 7 + "11")
    assert mcnemar(a, b) == mcnemar(b, a) == pytest.approx(18 / 256)
    assert mcnemar(bits("1100"), bits("0011")) == mcnemar(a, a) == 1
    # Agresti, Categorical Data Analysis (approval of the prime minister): 86 and 150 disagree.
    a, b = bits("1" * 150 + "0" * 86), bits("0" * 150 + "1" * 86)
    assert mcnemar(a, b) == pytest.approx(3.7e-5, rel=0.05)


def test_signs_of_whole_places_are_flipped():
    a, b, groups = bits("1111111111"), bits("0000000000"), list("aabbccddee")
    assert mcnemar(a, b) == pytest.approx(2 / 2**10)
    assert sign_flips(a, b, groups) == 2 / 2**5  # five places tell nothing apart at 5 %
    assert sign_flips(a, a, groups) == 1
    # Sums 3, 1, -2: of the eight signs, |sum| >= 2 for 2, 6, 4, 0 and their opposites: six of eight.
    assert sign_flips(bits("111100"), bits("000011"), list("aaabcc")) == 6 / 8
    many = [str(n) for n in range(40)]
    p = sign_flips(bits("1" * 30 + "0" * 10), bits("0" * 30 + "1" * 10), many)
    assert p == pytest.approx(
        mcnemar(bits("1" * 30 + "0" * 10), bits("0" * 30 + "1" * 10)), abs=2e-3
    )


def test_holm():
    # statsmodels.stats.multitest.multipletests(method="holm") gives the same.
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert holm([0.5, 0.6]) == [1.0, 1.0] and holm([]) == []


def test_models_that_clips_do_not_tell_from_the_best():
    best = bits("1" * 30)
    right = {"low": bits("0" * 30), "near": bits("0" + "1" * 29), "best": best}
    rows = compared_with_best(right, [str(n // 10) for n in range(30)])
    assert [(row.model, row.correct, row.apart) for row in rows] == [
        ("best", 30, False),
        ("near", 29, False),
        ("low", 0, True),
    ]
    assert rows[2].p == pytest.approx(2 * 2 / 2**30)
    assert rows[2].p_groups == 2 * 2 / 2**3  # three places
    (alone,) = compared_with_best({"one": best}, [""] * 30)
    assert not alone.apart


def test_variance_of_seeds_places_and_clips():
    # By hand, two seeds and two places of two clips. Clips' means 100, 0, 100, 100, all seeds alike: nothing
    # from seeds or the rest; within places 5000 / 2, between 2 · 25² · 2 / 1, less than within.
    same = variance_split(np.stack([bits("1011")] * 2), list("aabb"))
    assert (same.seed, same.place, same.rest) == (0, 0, 0) and same.clip == 2500 / 4
    # Whole places right or wrong: between 10,000 = 2 · 50² · 2, times 2 clips' share: 5000 · 8 / 16.
    places = variance_split(np.stack([bits("1100")] * 2), list("aabb"))
    assert (places.seed, places.clip, places.rest, places.place) == (0, 0, 0, 2500)
    assert places.deviation == 50
    # One training gets all, the other nothing: 4 · 50² · 2 between seeds, of four clips, two seeds.
    seeds = variance_split(np.stack([bits("1111"), bits("0000")]), list("aabb"))
    assert (seeds.seed, seeds.place, seeds.clip, seeds.rest) == (2500, 0, 0, 0)
    for right, groups in ((["1100"], "aabb"), (["1100"] * 2, "aaaa"), (["1100"] * 2, "abcd")):
        with pytest.raises(ValueError, match="are needed"):
            variance_split(np.stack([bits(one) for one in right]), list(groups))
    # Parts that were put in come out: 200 places of 5 clips, 8 seeds.
    chance = np.random.default_rng(0)
    place = np.repeat(chance.normal(0, 0.7, 200), 5)
    logits = chance.normal(0, 0.7, (8, 1)) + place + chance.normal(0, 0.7, 1000)
    found = variance_split(
        chance.random((8, 1000)) < 1 / (1 + np.exp(-logits)), [str(n // 5) for n in range(1000)]
    )
    truth = 0.7**2 * 25**2 * 0.75  # about the logistic's slope, squared percent
    assert found.seed * 8 == pytest.approx(truth, rel=0.6)
    assert found.place * 200 == pytest.approx(truth, rel=0.4)
    assert found.clip * 1000 == pytest.approx(truth, rel=0.4)
