import pytest
import torch

from har_demo.recognize.forward import (
    TooLittleMemory,
    batch_size,
    in_batches,
    probabilities,
)

CPU = torch.device("cpu")


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
