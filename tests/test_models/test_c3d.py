"""C3D has the paper's layers, cost and padded pool5."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from har_demo.labels import EVERYDAY
from har_demo.models.c3d import C3D, CARDS, UCF101, c3d, c3d_lab

PAPER, LAB = CARDS


def _parameters(network):
    return sum(p.numel() for p in network.parameters())


def _gmacs(network, *shape):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(shape, device="meta"))
    return counter.get_total_flops() / 2e9


@pytest.mark.parametrize(
    "classes, parameters, gmacs", [(487, 79_991_015, 38.549), (101, 78_409_573, 38.547)]
)
def test_paper_size_and_cost(classes, parameters, gmacs):
    with torch.device("meta"):
        network = c3d(classes).eval()
    assert _parameters(network) == parameters
    assert _gmacs(network, 1, 3, 16, 112, 112) == pytest.approx(gmacs, abs=1e-3)


def test_pool5_is_padded_to_4_by_4():
    with torch.device("meta"):
        network = c3d(487)
    assert network.fc6.in_features == 512 * 1 * 4 * 4


def test_cards_tell_the_truth_about_their_networks():
    for card in CARDS:
        with torch.device("meta"):
            network = card.build(len(card.classes)).eval()
        assert card.parameters == _parameters(network)
        size = (1, 3, card.input.frames, *card.input.crop)
        assert card.gmacs == pytest.approx(_gmacs(network, *size), abs=1e-3)


def test_ucf101_names():
    assert len(UCF101) == len(set(UCF101)) == 101
    assert UCF101[0] == "Apply eye makeup"
    assert UCF101[34:36] == ("Hammering", "Hammer throw")
    assert UCF101[100] == "Yo yo"
    assert PAPER.classes == UCF101


def test_only_the_lab_network_has_batch_norm():
    with torch.device("meta"):
        assert not any("BatchNorm" in type(m).__name__ for m in c3d(101).modules())
        assert any("BatchNorm" in type(m).__name__ for m in c3d_lab(13).modules())


def test_lab_network_is_small_and_knows_the_everyday_actions():
    network = LAB.build(len(LAB.classes)).eval()
    assert _parameters(network) <= 5_000_000
    assert LAB.classes == EVERYDAY
    with torch.no_grad():
        logits = network(torch.rand(2, 3, 16, 112, 112))
    assert logits.shape == (2, len(EVERYDAY))
    assert logits.isfinite().all()


def test_clips_do_not_influence_each_other():
    torch.manual_seed(0)
    network = c3d_lab(5).eval()
    a, b = torch.rand(2, 1, 3, 16, 112, 112)
    with torch.no_grad():
        together = network(torch.cat([a, b]))
        alone = torch.cat([network(a), network(b)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_a_darker_clip_scores_the_same_when_the_input_is_normalised():
    torch.manual_seed(0)
    network = C3D(5, width=4, hidden=16, normalise_input=True).eval()
    x = torch.randn(1, 3, 16, 112, 112)
    with torch.no_grad():
        torch.testing.assert_close(network(x), network(0.25 * x), atol=1e-3, rtol=1e-3)
