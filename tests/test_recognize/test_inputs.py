"""Frames become a network's input in one way, whoever asks for it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from har_demo.clips.frames import read_frames
from har_demo.clips.transforms import standardised
from har_demo.explain.edits import several
from har_demo.explain.film import film
from har_demo.explain.look import look
from har_demo.explain.sensitivity import grid
from har_demo.models.card import ModelInput
from har_demo.recognize import recognize as engine
from har_demo.recognize import seen
from har_demo.recognize.forward import probabilities
from har_demo.recognize.inputs import (
    DecodedFrames,
    SharedPreparations,
    WindowInputs,
    network_inputs,
    prepare,
)
from har_demo.recognize.plan import plan
from har_demo.recognize.prediction import Request
from har_demo.recognize.recognize import recognize

RGB = ModelInput(3, 25, (1, 1), (1, 1), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
DIFFERENCE = replace(RGB, modality="difference")


def views(spec, pictures, windows, start, end):
    inputs = WindowInputs(spec, len(windows), len(pictures), pictures, windows, None, None, 0.0)
    (x,) = inputs.views(start, end)
    return x


def add_one_of_each_kind(zoo) -> list[str]:
    """Models of frames, differences, flow, and both; frames 2.5 apart, so that flow is stretched."""
    zoo.add("rgb", fps=10.0)
    zoo.add("difference", modality="difference", fps=10.0)
    zoo.add_flow("flow", fps=10.0)
    zoo.add_two_stream("both", frames=2, fields=6)
    return ["rgb", "difference", "flow", "both"]


@pytest.fixture
def given(monkeypatch) -> list[tuple[torch.Tensor, ...]]:
    """What recognition gives a network, batch by batch."""
    batches = []

    def watched(network, *views):
        batches.append(views)
        return probabilities(network, *views)

    monkeypatch.setattr(engine, "probabilities", watched)
    return batches


@pytest.fixture
def drawn(monkeypatch) -> list[torch.Tensor]:
    """The steps of an input that become pictures of what a model saw."""
    steps, picture = [], seen._picture

    def watched(x, spec):
        steps.append(x)
        return picture(x, spec)

    monkeypatch.setattr(seen, "_picture", watched)
    return steps


@pytest.mark.parametrize("standardise", [False, True], ids=["plain", "standardised"])
def test_recognition_trace_and_strip_have_the_same_tensors(zoo, clip, given, drawn, standardise):
    for name in add_one_of_each_kind(zoo):
        spec = replace(zoo.cards[name].input, standardise=standardise)
        zoo.cards[name] = replace(zoo.cards[name], input=spec)
        given.clear()
        drawn.clear()
        (answer,) = recognize(clip, [Request(name)], seen=True)
        best = answer.best_window
        recognised = [torch.cat(batches)[best : best + 1] for batches in zip(*given, strict=True)]
        assert len(recognised) == (2 if name == "both" else 1)

        window = answer.frames[best]
        trace = look(clip, name, (window[0] + window[-1] + 1) / 2 / clip.fps)
        assert len(trace.inputs) == len(recognised)
        for traced, tensor in zip(trace.inputs, recognised, strict=True):
            assert torch.equal(traced, tensor), name

        for tensor in recognised:
            shown = torch.stack(drawn[: tensor.shape[2]], dim=1)[None]
            del drawn[: tensor.shape[2]]
            if standardise and tensor.shape[1] == 3:  # drawn are the pictures before
                shown = standardised(shown)
            assert torch.equal(shown, tensor), name
        assert not drawn


def test_edits_and_samplings_are_prepared_by_recognition(zoo, clip, given):
    """A clip shown backwards has the same pictures in another order, and its flow turned round."""
    excerpt = film(clip)
    for name in add_one_of_each_kind(zoo):
        given.clear()
        list(grid(excerpt, [name], several(["reverse"])))
        plain, edited = given[: len(given) // 2], given[len(given) // 2 :]
        one = plan(excerpt.clip, Request(name))
        backwards = replace(one, indices=one.indices[:, ::-1], moments=one.indices)
        for request, batches in ((one, plain), (backwards, edited)):
            decoded = DecodedFrames(np.arange(clip.frames), excerpt.frames)
            expected = prepare(request, np.arange(len(one.indices)), decoded).views(0, one.views)
            for tensor, parts in zip(expected, zip(*batches, strict=True), strict=True):
                assert torch.equal(tensor, torch.cat(parts)), name


def test_views_are_laid_out_crop_by_crop():
    # A frame's value names its crop and number: 10 × crop + frame.
    frames = (10 * torch.arange(2)[:, None] + torch.arange(5))[..., None, None, None].float()
    frames = frames.expand(2, 5, 3, 1, 1)
    windows = np.array([[0, 1, 2], [2, 3, 4]])
    four = views(RGB, frames, windows, 0, 4)
    assert four.shape == (4, 3, 3, 1, 1)
    assert four[:, 0, :, 0, 0].tolist() == [[0, 1, 2], [10, 11, 12], [2, 3, 4], [12, 13, 14]]
    assert views(RGB, frames, windows, 2, 3)[0, 0, :, 0, 0].tolist() == [2, 3, 4]


def test_differences_are_taken_inside_each_view():
    frames = torch.tensor([0.0, 1, 4, 9])[None, :, None, None, None].expand(1, 4, 3, 1, 1)
    found = views(DIFFERENCE, frames, np.array([[0, 1, 3], [1, 2, 3]]), 0, 2)
    assert found[:, 1, :, 0, 0].tolist() == [[1, 8], [3, 5]]


def test_flow_is_laid_out_like_frames():
    flow = (10 * torch.arange(2)[:, None] + torch.arange(5))[..., None, None, None].float()
    flow = flow.expand(2, 5, 2, 1, 1)
    steps = np.array([[0, 1, 2], [2, 3, 4]])
    inputs = WindowInputs(replace(RGB, modality="flow"), 2, 2, None, None, flow, steps, 0.0)
    assert len(inputs) == 4
    (found,) = inputs.views(1, 3)
    assert found.shape == (2, 2, 3, 1, 1)
    assert found[:, 1, :, 0, 0].tolist() == [[10, 11, 12], [2, 3, 4]]


def test_flow_points_where_things_go(zoo, clip):
    """Two pixels to the right a frame: at two frames a step and a quarter of the size, one pixel."""
    zoo.add_flow("flow")
    request = plan(clip, Request("flow", windows=1))
    numbers = np.unique(request.indices)
    grain = np.random.default_rng(0).integers(0, 256, (18, 24, 3), np.uint8)
    texture = cv2.resize(grain, (clip.width, clip.height), interpolation=cv2.INTER_CUBIC)
    pixels = np.stack([np.roll(texture, 2 * number, axis=1) for number in numbers])
    inputs = prepare(request, np.array([0]), DecodedFrames(numbers, pixels))
    right, down = inputs.views(0, 1)[0][0, :, :, 8:-8, 8:-8].mean((1, 2, 3)).tolist()
    assert request.stride == 2 and request.spec.flow_limit == 2
    assert right == pytest.approx(1 / 2, abs=0.1)
    assert down == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("spec", [RGB, DIFFERENCE], ids=["rgb", "difference"])
def test_a_standardised_view_is_the_same_in_the_dark(spec):
    torch.manual_seed(0)
    frames = torch.rand(1, 5, 3, 8, 8)
    spec = replace(spec, standardise=True)
    (view,) = network_inputs(frames, None, spec)
    torch.testing.assert_close(view.mean((2, 3, 4)), torch.zeros(1, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(view.std((2, 3, 4)), torch.ones(1, 3), atol=1e-2, rtol=0)
    (dark,) = network_inputs(0.25 * frames - 0.1, None, spec)
    torch.testing.assert_close(dark, view, atol=1e-2, rtol=0)


def test_models_share_only_what_they_prepare_alike(zoo, clip):
    zoo.add_two_stream("both")
    first = plan(clip, Request("both", windows=1))
    numbers = np.unique(first.indices)
    decoded = DecodedFrames(numbers, read_frames(clip, numbers))
    for change in (
        {"mean": (0.1, 0.1, 0.1)},
        {"std": (0.5, 0.5, 0.5)},
        {"resize": 48},
        {"crop": (24, 24)},
        {"antialias": not first.card.input.antialias},
        {"flow_limit": 1.0},
    ):
        card = replace(first.card, input=replace(first.card.input, **change))
        shared = SharedPreparations()
        for request in (first, replace(first, card=card)):
            together = prepare(request, np.array([0]), decoded, shared).views(0, 1)
            alone = prepare(request, np.array([0]), decoded).views(0, 1)
            assert all(map(torch.equal, together, alone)), change


def test_frames_are_found_by_their_numbers():
    pixels = np.arange(3, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
    decoded = DecodedFrames(np.array([4, 7, 9]), pixels)
    assert decoded.at(np.array([9, 4, 9]))[:, 0, 0, 0].tolist() == [2, 0, 2]
