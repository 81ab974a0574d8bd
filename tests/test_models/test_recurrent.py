"""Recurrent networks: what the memory sees and when, how answers are averaged, and what it costs."""

import pytest
import torch
from torch import nn

from har_demo.models.recurrent import (
    DBLSTM,
    LRCN,
    CaffeNet,
    average_of_softmaxes,
    convnet_lstm,
    db_lstm,
    db_lstm_tiny,
    gru_tiny,
    lrcn,
    lrcn_tiny,
)
from har_demo.profiling.cost import gmacs, parameters

TINY = [lrcn_tiny, gru_tiny, db_lstm_tiny]


def lstm_macs(inputs, hidden, steps):
    """Four products of the input and four of the last output, a step."""
    return steps * 4 * hidden * (inputs + hidden)


def test_the_lstms_share_is_in_the_cost():
    """A fused LSTM would count as nothing: all of it, by hand, on top of the convolutions'."""
    with torch.device("meta"):
        network = lrcn(101)
    features = 16 * gmacs(network.features, (1, 3, 227, 227))
    head = 16 * 256 * 101
    expected = features + (lstm_macs(4096, 256, steps=16) + head) / 1e9
    assert gmacs(network, (1, 3, 16, 227, 227)) == pytest.approx(expected, rel=1e-9)


def test_both_layers_and_directions_are_in_the_cost():
    with torch.device("meta"):
        network = db_lstm(101)
    features = 6 * gmacs(network.features, (1, 3, 224, 224))
    memory = 2 * lstm_macs(1000, 256, steps=6) + 2 * lstm_macs(2 * 256, 256, steps=6)
    expected = features + (memory + 2 * 256 * 101) / 1e9
    assert gmacs(network, (1, 3, 6, 224, 224)) == pytest.approx(expected, rel=1e-9)


def test_caffenets_layers_end_where_its_configuration_does():
    with torch.device("meta"):
        network = CaffeNet()
        assert network.convolutions(torch.empty(1, 3, 227, 227)).shape == (1, 384, 6, 6)
        assert network(torch.empty(1, 3, 227, 227)).shape == (1, 4096)
    groups = [m.groups for m in network.convolutions if isinstance(m, nn.Conv2d)]
    assert groups == [1, 2, 1, 2, 2]


def test_convnet_lstm_has_about_the_nine_million_parameters_that_are_printed():
    with torch.device("meta"):
        assert parameters(convnet_lstm(400)) == pytest.approx(9e6, rel=0.01)


def test_softmax_of_the_average_is_the_average_of_softmaxes():
    scores = 4 * torch.randn(3, 5, 7)
    expected = scores.softmax(dim=2).mean(dim=1)
    torch.testing.assert_close(average_of_softmaxes(scores).softmax(dim=1), expected)
    # and not the softmax of the average
    assert (scores.mean(dim=1).softmax(dim=1) - expected).abs().max() > 0.05


def test_lrcn_averages_its_answers_after_every_frame():
    torch.manual_seed(0)
    network = lrcn_tiny(5).eval()
    steps = []
    network.fc.register_forward_hook(lambda _, x, y: steps.append(y))
    with torch.no_grad():
        scores = network(torch.randn(2, 3, 6, 32, 32))
    assert steps[0].shape == (2, 6, 5)
    torch.testing.assert_close(scores.softmax(1), steps[0].softmax(2).mean(1))


@pytest.mark.parametrize("build", TINY)
def test_it_can_tell_a_clip_from_its_reverse(build):
    torch.manual_seed(0)
    network = build(5).eval()
    clip = torch.randn(1, 3, 6, 32, 32)
    with torch.no_grad():
        assert (network(clip) - network(clip.flip(2))).abs().max() > 1e-4


@pytest.mark.parametrize("memory", [nn.LSTM, nn.GRU])
def test_a_memory_knows_the_past_and_not_the_future(memory):
    torch.manual_seed(0)
    network = LRCN(nn.Flatten(), 3 * 2 * 2, memory, 4).eval()
    clip = torch.randn(1, 3, 5, 2, 2)
    changed = clip.clone()
    changed[:, :, 3] += 1
    steps = []
    network.fc.register_forward_hook(lambda _, x, y: steps.append(y[0]))
    with torch.no_grad():
        network(clip)
        network(changed)
    same = [torch.equal(a, b) for a, b in zip(*steps, strict=True)]
    assert same == [True, True, True, False, False]


def test_a_gru_has_three_quarters_of_an_lstms_weights():
    with torch.device("meta"):
        lstm, gru = parameters(lrcn_tiny(5).memory), parameters(gru_tiny(5).memory)
    assert 4 * gru == 3 * lstm


def test_both_directions_answer_when_they_have_read_all():
    torch.manual_seed(0)
    network = DBLSTM(nn.Flatten(), 12, 6, 4).eval()
    clip = torch.randn(2, 3, 5, 2, 2)
    seen = []
    network.fc.register_forward_hook(lambda _, x, y: seen.append(x[0]))
    with torch.no_grad():
        network(clip)
        states, _ = network.memory(clip.transpose(1, 2).flatten(2))
    torch.testing.assert_close(seen[0][:, :6], states[:, -1, :6])  # forwards, after the last frame
    torch.testing.assert_close(seen[0][:, 6:], states[:, 0, 6:])  # backwards, after the first


def test_read_backwards_by_swapped_directions_a_clip_scores_the_same():
    """The two directions are each other's mirror: with their weights swapped, time runs the other way."""
    torch.manual_seed(0)
    network = DBLSTM(nn.Flatten(), 12, 6, 4).eval()
    swapped = DBLSTM(nn.Flatten(), 12, 6, 4).eval()
    state = network.state_dict()

    def halves(weight):  # of what reads both directions side by side
        return torch.cat([weight[:, 6:], weight[:, :6]], dim=1)

    other = {}
    for name, tensor in state.items():
        if name.startswith("memory."):
            name = name.removesuffix("_reverse") if "_reverse" in name else f"{name}_reverse"
            tensor = halves(tensor) if name.startswith("memory.weight_ih_l1") else tensor
        elif name == "fc.weight":
            tensor = halves(tensor)
        other[name] = tensor
    swapped.load_state_dict(other)
    clip = torch.randn(2, 3, 5, 2, 2)
    with torch.no_grad():
        torch.testing.assert_close(swapped(clip.flip(2)), network(clip), atol=1e-5, rtol=1e-5)
        assert (network(clip.flip(2)) - network(clip)).abs().max() > 1e-3


def test_convnet_lstm_answers_after_the_last_frame():
    torch.manual_seed(0)
    network = convnet_lstm(4).eval()
    network.features = nn.Sequential(nn.Flatten(), nn.Linear(12, 1024))
    clip = torch.randn(1, 3, 5, 2, 2)
    with torch.no_grad():
        # Every frame counts, and the answer is the one after the last.
        whole = network(clip)
        for t in range(5):
            other = clip.clone()
            other[:, :, t] += 3
            assert not torch.equal(network(other), whole)
        states, _ = network.memory(network.features(clip.transpose(1, 2).flatten(0, 1))[None])
        torch.testing.assert_close(network.fc(states[0, 4:]), whole)
