"""Networks of flow are given the field of what they see: resized, cropped, in its own pixels."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from har_demo.flow.field import flow
from har_demo.flow.views import as_input, fields
from har_demo.models.card import ModelInput
from tests.test_flow.conftest import moved, texture

SPEC = ModelInput(
    frames=4,
    fps=8,
    resize=(56, 56),
    crop=(56, 56),
    mean=(0, 0, 0),
    std=(1, 1, 1),
    antialias=True,
    modality="flow",
    flow_frames=4,
)
SHIFT = np.array([[1.0, 0.0, 4.0], [0.0, 1.0, 2.0]])
ONE = np.ones(1)
PAIR = np.array([[0, 1]])


@pytest.fixture(scope="module")
def pictures():
    """A texture that moves 4 right and 2 down, twice."""
    first = texture()
    second = moved(first, SHIFT)
    return np.stack([first, second, moved(second, SHIFT)])


def test_pixels_are_those_of_the_resized_picture(pictures):
    seen = fields(pictures, PAIR, ONE, SPEC)
    assert seen.shape == (1, 1, 2, 56, 56) and seen.dtype == torch.float32
    middle = seen[0, 0, :, 10:-10, 10:-10].flatten(1)
    torch.testing.assert_close(middle.median(1).values, torch.tensor([2.0, 1.0]), atol=0.1, rtol=0)
    squeezed = fields(pictures, PAIR, ONE, replace(SPEC, resize=(112, 56), crop=(112, 56)))
    middle = squeezed[0, 0, :, 10:-10, 10:-10].flatten(1)
    torch.testing.assert_close(middle.median(1).values, torch.tensor([2.0, 2.0]), atol=0.1, rtol=0)


def test_without_resizing_it_is_the_plain_flow(pictures):
    whole = replace(SPEC, resize=112, crop=(112, 112))
    seen = fields(pictures, np.array([[0, 1], [1, 2]]), np.ones(2), whole)[0]
    np.testing.assert_allclose(seen, flow(pictures).pixels, atol=1e-3)


def test_crops_are_cut_out_of_one_field(pictures):
    wide = np.tile(pictures, (1, 1, 2, 1))
    spec = replace(SPEC, resize=56, crop=(40, 40))
    centre = fields(wide, PAIR, ONE, spec)
    three = fields(wide, PAIR, ONE, spec, crops=3)
    assert three.shape == (3, 1, 2, 40, 40)
    torch.testing.assert_close(three[1], centre[0])
    assert not torch.allclose(three[0], three[1])


def test_order_scale_and_equal_frames(pictures):
    pairs = np.array([[1, 2], [0, 2], [0, 1], [2, 2], [0, 1]])
    done = []
    seen = fields(pictures, pairs, np.array([1.0, 0.5, 1.0, 3.0, 3.0]), SPEC, on_done=done.append)[
        0
    ]
    assert done == [1, 2, 3, 4, 5]
    middle = seen[:, :, 16:-16, 16:-16].flatten(2).median(2).values
    expected = torch.tensor([[2.0, 1.0], [2.0, 1.0], [2.0, 1.0], [0.0, 0.0], [6.0, 3.0]])
    torch.testing.assert_close(middle, expected, atol=0.2, rtol=0)


def test_backwards_in_time_is_the_opposite(pictures):
    seen = fields(pictures, np.array([[0, 1], [1, 0]]), np.ones(2), SPEC)[0]
    middle = seen[:, :, 10:-10, 10:-10].flatten(2).median(2).values
    torch.testing.assert_close(middle[0], -middle[1], atol=0.1, rtol=0)


def test_limit_becomes_one():
    pixels = torch.tensor([-30.0, -4.0, 0.0, 2.0, 8.0, 9.0])
    assert as_input(pixels, 8.0).tolist() == [-1.0, -0.5, 0.0, 0.25, 1.0, 1.0]
