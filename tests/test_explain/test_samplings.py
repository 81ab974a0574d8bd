"""Samplings against small networks, and their costs against the counter."""

import csv
import io
import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from har_demo.clips.sampling import segments, uniform
from har_demo.errors import ChoiceError
from har_demo.explain.film import film
from har_demo.explain.samplings import SamplingChoice, cost, samplings, verdict, ways
from har_demo.explain.samplings_export import COLUMNS, samplings_csv, samplings_json
from har_demo.models import registry
from har_demo.recognize.prediction import ModelError, Prediction, Request
from har_demo.recognize.recognize import recognize
from tests.test_recognize.conftest import Tiny, TinyTwoStream, clip, zoo

__all__ = ["clip", "zoo"]


def test_every_sampling_reads_the_frames_it_says(zoo, clip):
    taken = film(clip)
    found = list(samplings(taken, ["first"], ways(frames=[4, 8], strides=[1, 3])))
    assert len(found) == 2 * 2 + 2 + 2
    for one in found:
        (window,) = one.answer.frames
        assert (window == one.indices).all() and len(window) == one.way.frames
        if one.way.kind == "dense":
            assert (np.diff(window) == one.way.stride).all()
            assert abs(window.mean() - 59.5) <= 1  # the middle of the clip
        else:
            expected = {"uniform": uniform, "segments": segments}[one.way.kind]
            assert (window == expected(120, one.way.frames)).all()
        assert one.forward > 0 and one.gmacs > 0


def test_a_dense_sampling_answers_as_recognition_does(zoo, clip):
    (one,) = samplings(film(clip), ["first"], [SamplingChoice("dense", 8, 2.0)])
    (answer,) = recognize(clip, [Request("first", frames=8, stride=2, windows=1)])
    assert (one.answer.scores == answer.scores).all()


def test_a_stretch_of_the_clip_is_sampled_within_itself(zoo, clip):
    taken = film(clip, 2.0)
    (one,) = samplings(taken, ["first"], [SamplingChoice("uniform", 4)])
    told = samplings_json(taken.stretch, [one])["passes"][0]
    assert told["frame_numbers"][0] == 50 and told["frame_numbers"][-1] == 119


def test_models_of_flow_and_of_differences_read_one_frame_more(zoo, clip):
    zoo.add_flow("moving", build=partial(Tiny, channels=2))
    zoo.add("changing", modality="difference")
    zoo.cards["both"] = replace(zoo.add_two_stream("both"), build=TinyTwoStream)
    for one in samplings(film(clip), ["moving", "changing", "both"], ways(frames=[4], strides=[2])):
        read = 4 * 3 + 1 if one.model == "both" else 5
        assert isinstance(one.answer, Prediction) and len(one.indices) == read


def test_a_network_of_fixed_length_has_its_own_number_and_says_so(zoo, clip):
    zoo.add("fixed", any_frames=False)
    found = list(samplings(film(clip), ["fixed"], ways(frames=[8, 16, 64], strides=[1])))
    assert [(one.way.kind, one.way.frames) for one in found] == [
        ("dense", 4),
        ("uniform", 4),
        ("segments", 4),
    ]
    assert "Fixed always takes 4 frames" in verdict(found)[0]


def test_a_model_without_weights_refuses_and_the_others_go_on(zoo, clip):
    found = list(samplings(film(clip), ["bare", "first"], [SamplingChoice("uniform", 4)]))
    assert isinstance(found[0].answer, ModelError) and isinstance(found[1].answer, Prediction)
    assert "not here" in samplings_csv(film(clip).stretch, found)
    assert not any("Bare" in line for line in verdict(found))


def test_the_cost_at_the_cards_own_length_is_the_cards(zoo):
    # The registry of this test is a small one, so that the real cards are looked up by hand.
    cards = registry.cards()
    for name in ("mfnet_pnl_lab", "c3d_lab", "temporal_stream_lab"):
        zoo.cards[name] = cards[name]
        assert cost(cards[name], cards[name].input.frames) == pytest.approx(
            cards[name].gmacs, rel=1e-3
        )
    mfnet = cards["mfnet_pnl_lab"]
    assert cost(mfnet, 32) == pytest.approx(2 * cost(mfnet, 16), rel=0.05)
    assert cost(replace(mfnet, gmacs=None), 16) is None


def test_the_verdict_counts_answers(zoo, clip):
    found = list(samplings(film(clip), ["first"], ways(frames=[4, 8, 16], strides=[1])))
    said = " ".join(verdict(found))
    names = {one.answer.top(1)[0][0] for one in found}
    assert all(f"'{name}'" in said for name in names)
    assert ("all 9 samplings" in said) == (len(names) == 1)


def test_the_table_and_the_json_say_the_same(zoo, clip):
    taken = film(clip)
    found = list(samplings(taken, ["first"], ways(frames=[4], strides=[1.5])))
    told = json.loads(json.dumps(samplings_json(taken.stretch, found)))
    rows = list(csv.DictReader(io.StringIO(samplings_csv(taken.stretch, found))))
    assert tuple(rows[0]) == COLUMNS and len(rows) == len(told["passes"]) == 3
    for row, one in zip(rows, told["passes"], strict=True):
        assert row["answer"] == one["top"][0]["class"] and row["kind"] == one["kind"]
        assert [int(n) for n in row["frame_numbers"].split()] == one["frame_numbers"]
    assert told["passes"][0]["stride"] == 1.5 and told["passes"][1]["stride"] is None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"kinds": ["sparse"]}, "No sampling is called 'sparse'"),
        ({"kinds": []}, "No sampling is chosen"),
        ({"frames": []}, "No sampling is chosen"),
        ({"strides": []}, "No sampling is chosen"),
        ({"frames": [0]}, "from 1 to 64, not 0"),
        ({"frames": [65]}, "not 65"),
        ({"frames": [2.5]}, r"not 2\.5"),
        ({"frames": [float("nan")]}, "not nan"),
    ],
    ids=str,
)
def test_what_is_no_sampling_gets_a_sentence(given, sentence):
    with pytest.raises(ChoiceError, match=sentence):
        ways(**given)


def test_what_cannot_be_asked_gets_a_sentence(zoo, clip):
    taken = film(clip)
    with pytest.raises(ChoiceError, match="No model is chosen"):
        samplings(taken, [], ways())
    with pytest.raises(ChoiceError, match="stride must be"):
        samplings(taken, ["first"], ways(strides=[-1]))
    with pytest.raises(ChoiceError, match="passes and the limit is 200"):
        samplings(taken, ["first"], ways(frames=range(1, 65), strides=[1, 2, 3]))
