"""What is shown of a window is what the network was given."""

import numpy as np
import pytest

from har_demo.recognize.seen import frames_seen

INDICES = np.array([0, 2, 5, 7, 10, 12, 15])


@pytest.mark.parametrize(
    ("modality", "frames", "fields", "received"),
    [("rgb", 7, 0, 7), ("difference", 6, 0, 6), ("flow", 6, 6, 6), ("rgb+flow", 2, 6, 2 + 6)],
)
def test_as_many_pictures_as_the_network_received(zoo, clip, modality, frames, fields, received):
    card = zoo.add("one", modality=modality, frames=frames, flow_frames=fields)
    seen = frames_seen(clip, card.input, INDICES, crops=3)
    assert seen.filmed.shape == (7, 144, 192, 3)
    assert seen.received.shape == (received, 32, 32, 3) and seen.received.dtype == np.uint8


def test_flow_is_grey_where_nothing_moves(zoo, clip):
    seen = frames_seen(clip, zoo.add_flow("one").input, np.array([4, 4, 6]))
    assert (seen.received[0] == 128).all()
    assert (seen.received[1, ..., :2] != 128).any() and (seen.received[1, ..., 2] == 128).all()


def test_a_window_of_another_length_is_shown_whole(zoo, clip):
    spec = zoo.add_two_stream("one", frames=2, fields=6).input
    assert len(frames_seen(clip, spec, np.arange(10)).received) == 3 + 9
