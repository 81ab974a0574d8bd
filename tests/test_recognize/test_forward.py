from dataclasses import replace

import numpy as np
import pytest
import torch

from har_demo.models.card import ModelInput
from har_demo.recognize.forward import (
    TooLittleMemory,
    batch_size,
    gather,
    gather_flow,
    in_batches,
    probabilities,
)

CPU = torch.device("cpu")
RGB = ModelInput(3, 25, (1, 1), (1, 1), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
DIFFERENCE = replace(RGB, modality="difference")


def limited(most: int, error: Exception):
    """A run over items 0, 1, 2 ... that fails for more than `most` at once; and its batches."""
    batches = []

    def run(start, end):
        batches.append(end - start)
        if end - start > most:
            raise error
        return torch.arange(start, end)

    return run, batches


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate"
        ),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
        MemoryError(),
    ],
    ids=["cuda", "cpu", "older cpu", "python"],
)
def test_out_of_memory_halves_the_batch_and_goes_on(error):
    run, batches = limited(2, error)
    done = []
    result, batch = in_batches(run, 11, 9, done.append)
    assert result.tolist() == list(range(11))
    assert batches == [9, 4, 2, 2, 2, 2, 2, 1]
    assert batch == 2 and done == [2, 4, 6, 8, 10, 11]


def test_out_of_memory_for_one_item_gives_up():
    run, batches = limited(0, torch.OutOfMemoryError())
    with pytest.raises(TooLittleMemory):
        in_batches(run, 5, 4, print)
    assert batches == [4, 2, 1]


def test_other_errors_are_not_mistaken_for_a_full_memory():
    run, batches = limited(0, RuntimeError("sizes of tensors must match"))
    with pytest.raises(RuntimeError, match="must match"):
        in_batches(run, 5, 4, print)
    assert batches == [4]


def test_batches_shrink_with_the_networks_cost():
    gpu = torch.device("cuda")
    assert [batch_size(gmacs, CPU) for gmacs in (0.01, 5, 8, 1000)] == [4, 3, 2, 1]
    assert [batch_size(gmacs, gpu) for gmacs in (0.01, 40, 10_000)] == [64, 25, 1]


def test_views_are_laid_out_crop_by_crop():
    # A frame's value names its crop and number: 10 × crop + frame.
    frames = (10 * torch.arange(2)[:, None] + torch.arange(5))[..., None, None, None].float()
    frames = frames.expand(2, 5, 3, 1, 1)
    windows = np.array([[0, 1, 2], [2, 3, 4]])
    views = gather(frames, windows, 0, 4, RGB)
    assert views.shape == (4, 3, 3, 1, 1)
    assert views[:, 0, :, 0, 0].tolist() == [[0, 1, 2], [10, 11, 12], [2, 3, 4], [12, 13, 14]]
    assert gather(frames, windows, 2, 3, RGB)[0, 0, :, 0, 0].tolist() == [2, 3, 4]


def test_differences_are_taken_inside_each_view():
    frames = torch.tensor([0.0, 1, 4, 9])[None, :, None, None, None].expand(1, 4, 3, 1, 1)
    views = gather(frames, np.array([[0, 1, 3], [1, 2, 3]]), 0, 2, DIFFERENCE)
    assert views[:, 1, :, 0, 0].tolist() == [[1, 8], [3, 5]]


def test_flow_is_laid_out_like_frames():
    fields = (10 * torch.arange(2)[:, None] + torch.arange(5))[..., None, None, None].float()
    fields = fields.expand(2, 5, 2, 1, 1)
    views = gather_flow(fields, np.array([[0, 1, 2], [2, 3, 4]]), 1, 3)
    assert views.shape == (2, 2, 3, 1, 1)
    assert views[:, 1, :, 0, 0].tolist() == [[10, 11, 12], [2, 3, 4]]


@pytest.mark.parametrize("spec", [RGB, DIFFERENCE])
def test_a_standardised_view_is_the_same_in_the_dark(spec):
    torch.manual_seed(0)
    frames, windows = torch.rand(1, 5, 3, 8, 8), np.array([[0, 1, 2, 3, 4]])
    spec = replace(spec, standardise=True)
    view = gather(frames, windows, 0, 1, spec)
    torch.testing.assert_close(view.mean((2, 3, 4)), torch.zeros(1, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(view.std((2, 3, 4)), torch.ones(1, 3), atol=1e-2, rtol=0)
    dark = gather(0.25 * frames - 0.1, windows, 0, 1, spec)
    torch.testing.assert_close(dark, view, atol=1e-2, rtol=0)


def test_a_network_of_two_inputs_gets_both():
    rgb, flow = torch.rand(2, 3, 4, 2, 2), torch.rand(2, 2, 4, 2, 2)

    def network(one, other):
        return torch.stack([one.mean((1, 2, 3, 4)), other.mean((1, 2, 3, 4))], 1)

    expected = network(rgb, flow).softmax(1)
    torch.testing.assert_close(probabilities(network, rgb, flow), expected)


def test_probabilities_are_a_float32_softmax():
    scores = probabilities(lambda x: x.mean(dim=(2, 3, 4)).half() * 100, torch.rand(2, 3, 4, 2, 2))
    assert scores.dtype == torch.float32 and not scores.requires_grad
    assert torch.allclose(scores.sum(dim=1), torch.ones(2))
