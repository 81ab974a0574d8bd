"""The Action Transformer: one box asks all positions of a clip."""

import math

import pytest
import torch
from torch.nn import functional as F
from torchvision.ops import roi_pool

from har_demo.models.action_transformer import (
    CARDS,
    ActionTransformer,
    ActionTransformerHead,
    HighResolutionQuery,
    LowResolutionQuery,
    TxUnit,
    action_transformer,
)
from har_demo.models.attention import attention_maps
from har_demo.models.i3d import I3D
from har_demo.profiling.cost import gmacs, parameters


@pytest.fixture
def head():
    torch.manual_seed(0)
    return ActionTransformerHead(12, channels=8).eval()


def features(frames=4, height=9, width=8):
    return torch.randn(2, 12, frames, height, width, generator=torch.Generator().manual_seed(1))


def test_a_unit_computes_the_papers_equations():
    torch.manual_seed(0)
    unit = TxUnit(6, 10, 8).eval()
    query, memory = torch.randn(2, 3, 6), torch.randn(2, 20, 10)
    with torch.no_grad():
        q, k, v = unit.query(query), unit.key(memory), unit.value(memory)
        a = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(8), dim=-1) @ v
        first = F.layer_norm(q + a, (8,))
        second = F.layer_norm(first + unit.ffn(first), (8,))
        torch.testing.assert_close(unit(query, memory), second)


def test_weights_times_values_is_what_a_unit_collects():
    torch.manual_seed(0)
    unit = TxUnit(6, 10, 8).eval()
    collected = []
    unit.norm1.register_forward_pre_hook(lambda _, arguments: collected.append(arguments[0]))
    query, memory = torch.randn(2, 3, 6), torch.randn(2, 20, 10)
    with torch.no_grad():
        unit(query, memory)
        expected = unit.query(query) + unit.weights(query, memory) @ unit.value(memory)
    torch.testing.assert_close(collected[0], expected)


def test_the_box_is_the_whole_centre_frame(head):
    """RoIPool as detectors have it, given the corners of the frame."""
    boxes = []
    head.query.register_forward_pre_hook(lambda _, arguments: boxes.append(arguments[0]))
    x = features(frames=5)
    with torch.no_grad():
        head(x)
        centre = head.location(x)[:, :, 2]
    whole = torch.tensor([[0.0, 0, 7, 8]])  # its last column and row
    torch.testing.assert_close(boxes[0], roi_pool(centre, [whole, whole], 7))


def test_a_high_resolution_query_knows_left_from_right():
    torch.manual_seed(0)
    box = torch.randn(2, 12, 7, 7)
    for query, knows in [(HighResolutionQuery(12, 8), True), (LowResolutionQuery(12, 8), False)]:
        same = torch.allclose(query(box), query(box.flip(-1)), atol=1e-5)
        assert same is not knows


def test_only_the_location_embedding_tells_positions_apart(head):
    """Frames before and after the centre change places: the same set of keys, elsewhere."""
    x = features(frames=3)
    swapped = x[:, :, [2, 1, 0]]
    with torch.no_grad():
        assert (head(x) - head(swapped)).abs().max() > 1e-3
        for mlp in (head.location.time, head.location.place):
            mlp[-1].weight.zero_()
        torch.testing.assert_close(head(x), head(swapped))


def test_location_is_measured_from_the_centre(head):
    x = torch.zeros(1, 12, 3, 5, 5)
    with torch.no_grad():
        where = head.location(x)[0, 12:]
        centre = torch.cat(
            (head.location.time(torch.zeros(1)), head.location.place(torch.zeros(2)))
        )
    assert where.shape == (16, 3, 5, 5)
    torch.testing.assert_close(where[:, 1, 2, 2], centre)
    assert torch.equal(where[:8, 0], where[:8, 0, :1, :1].expand(8, 5, 5))  # time, not place
    assert torch.equal(where[8:, 0], where[8:, 2])  # place, not time


def test_attention_is_one_map_a_layer_with_the_box_as_query(head):
    x = features()
    with torch.no_grad():
        maps = head.attention(x)
        query, memory = head.query_and_memory(x)
        second = head.layers[1].units[1].weights(head.layers[0](query, memory), memory)
    assert len(maps) == 3
    for found in maps:
        assert found.weights.shape == (2, 2, 1, 4 * 9 * 8)
        assert (found.query_grid, found.key_grid) == ((1, 1, 1), (4, 9, 8))
        torch.testing.assert_close(found.weights.sum(-1), torch.ones(2, 2, 1))
    torch.testing.assert_close(maps[1].weights[:, 1], second)


def test_wherever_one_asks_the_box_answers(head):
    at = torch.tensor([[0.1, 0.2, 0.3], [0.9, 0.9, 0.9]])
    with torch.no_grad():
        (some, *_), (whole, *_) = head.attention(features(), at), head.attention(features())
    assert some.queries.tolist() == [0, 0]
    torch.testing.assert_close(some.weights, whole.weights.expand(-1, -1, 2, -1))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return ActionTransformer(5, width=1 / 8, channels=16).eval()


def test_maps_of_a_whole_network(network):
    maps = attention_maps(network, torch.randn(1, 3, 16, 64, 48))
    assert [(name, len(found)) for name, found in maps.items()] == [("head", 3)]
    assert maps["head"][0].key_grid == (4, 4, 3)


@pytest.mark.parametrize("shape", [(1, 32, 32), (9, 48, 80), (16, 112, 112)])
def test_any_length_and_size(network, shape):
    with torch.inference_mode():
        scores = network(torch.randn(2, 3, *shape))
    assert scores.shape == (2, 5) and scores.isfinite().all()


def test_half_precision_and_another_layout_of_memory(network):
    x = torch.randn(2, 3, 16, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = network(x)
        torch.testing.assert_close(
            network(x.to(memory_format=torch.channels_last_3d)), expected, atol=1e-4, rtol=1e-4
        )
        with torch.autocast("cpu", torch.bfloat16):
            half = network(x)
    assert half.dtype == torch.bfloat16
    assert torch.cosine_similarity(half.float(), expected).min() > 0.99


def test_the_trunk_takes_i3ds_parameters():
    with torch.device("meta"):
        trunk, whole = action_transformer(400).trunk.state_dict(), I3D(400).trunk.state_dict()
    assert {name: t.shape for name, t in trunk.items()}.items() <= {
        name: t.shape for name, t in whole.items()
    }.items()
    assert "mixed_4f" in list(trunk)[-1]


class AllBoxes(torch.nn.Module):
    """The head as the detector runs it: many boxes, already pooled, and one memory."""

    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, boxes, memory):
        query = self.head.query(boxes)[None]
        for layer in self.head.layers:
            query = layer(query, memory)


def test_the_head_costs_what_is_listed_for_the_papers():
    """39.6 GFLOPs for 300 boxes; 19.3 M parameters where the detector with I3D's head has 16.2 M."""
    with torch.device("meta"):
        head = ActionTransformerHead(832).eval()
    gflops = 2 * gmacs(AllBoxes(head), (300, 848, 7, 7), (1, 16 * 25 * 25, 848))
    assert gflops == pytest.approx(39.6, rel=0.01)
    assert parameters(head) / 1e6 == pytest.approx(19.3 - 16.2, rel=0.05)


def test_the_cards_say_what_is_reconstructed():
    for card in CARDS:
        assert card.note.startswith("A reconstruction") and "whole frame" in card.note
        assert not card.weights
