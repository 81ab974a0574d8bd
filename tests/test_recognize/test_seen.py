"""What is shown of a window is what the network was given."""

from dataclasses import replace

import numpy as np

from har_demo.recognize.plan import plan
from har_demo.recognize.prediction import Request
from har_demo.recognize.seen import GIVEN_HEIGHT, see_again


def planned(clip, model, indices, crops=1):
    """A model's plan with a single window of these frames."""
    return replace(plan(clip, Request(model, crops=crops)), indices=np.array([indices]))


def test_as_many_pictures_as_the_network_is_given(zoo, clip):
    cases = [
        ("rgb", 7, 0, 7),
        ("difference", 6, 0, 6),
        ("flow", 6, 6, 6),
        ("rgb+flow", 2, 6, 2 + 6),
    ]
    for modality, frames, fields, given in cases:
        zoo.add("one", modality=modality, frames=frames, flow_frames=fields)
        seen = see_again(clip, planned(clip, "one", [0, 2, 5, 7, 10, 12, 15], crops=3), 0)
        assert seen.filmed.shape == (7, 96, 128, 3), modality
        assert seen.given.shape == (given, 32, 32, 3) and seen.given.dtype == np.uint8, modality
        assert seen.given_count == given, modality
        assert seen.frames.tolist() == [0, 2, 5, 7, 10, 12, 15], modality


def test_a_long_window_is_thinned_and_a_large_input_made_small(zoo, clip):
    card = zoo.add("one", frames=40)
    zoo.cards["one"] = replace(card, input=replace(card.input, resize=160, crop=(150, 200)))
    seen = see_again(clip, planned(clip, "one", range(40)), 0)
    assert seen.frames[[0, -1]].tolist() == [0, 39] and len(seen.frames) == 16
    assert seen.given_count == 40 and len(seen.given) == 16
    assert seen.given.shape[1:3] == (GIVEN_HEIGHT, 187)


def test_normalisation_is_undone(zoo, clip):
    zoo.add("one", frames=2)
    seen = see_again(clip, planned(clip, "one", [0, 60]), 0)
    card = zoo.add("plain", frames=2)
    spec = replace(card.input, mean=(0, 0, 0), std=(1, 1, 1))
    zoo.cards["plain"] = replace(card, input=spec)
    assert (seen.given == see_again(clip, planned(clip, "plain", [0, 60]), 0).given).all()
    zoo.cards["plain"] = replace(card, input=replace(spec, standardise=True))
    assert (seen.given == see_again(clip, planned(clip, "plain", [0, 60]), 0).given).all()


def test_flow_is_grey_where_nothing_moves(zoo, clip):
    zoo.add_flow("one")
    seen = see_again(clip, planned(clip, "one", [4, 4, 6]), 0)
    assert (seen.given[0] == 128).all()
    assert (seen.given[1, ..., :2] != 128).any() and (seen.given[1, ..., 2] == 128).all()


def test_a_window_of_another_length_is_shown_whole(zoo, clip):
    zoo.add_two_stream("one", frames=2, fields=6)
    one = plan(clip, Request("one", frames=3))
    assert one.indices.shape[1] == 10
    assert see_again(clip, one, 0).given_count == 3 + 9
